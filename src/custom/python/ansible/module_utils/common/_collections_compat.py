"""The abstract collections under the name that old modules import."""
from collections.abc import (  # noqa: F401
    Callable, Container, Hashable, ItemsView, Iterable, Iterator, KeysView, Mapping, MappingView, MutableMapping,
    MutableSequence, MutableSet, Sequence, Set, Sized, ValuesView,
)
