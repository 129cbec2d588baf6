"""Questions about containers, and a dictionary that cannot change."""
from collections.abc import Hashable, Mapping, MutableMapping, Sequence  # noqa: F401


class ImmutableDict(Hashable, Mapping):
    """A dictionary that cannot change and can be hashed when its values can."""

    def __init__(self, *args, **kwargs):
        if len(args) == 1 and not kwargs and isinstance(args[0], ImmutableDict):
            self._store = args[0]._store
            self._hash = args[0]._hash
        else:
            self._store = dict(*args, **kwargs)
            self._hash = None

    def __getitem__(self, key):
        return self._store[key]

    def __iter__(self):
        return iter(self._store)

    def __len__(self):
        return len(self._store)

    def __hash__(self):
        if self._hash is None:
            self._hash = hash(frozenset(self._store.items()))
        return self._hash

    def __eq__(self, other):
        try:
            return hash(self) == hash(other)
        except TypeError:
            return False

    def __repr__(self):
        return 'ImmutableDict(%r)' % (self._store,)

    def union(self, overriding_mapping):
        """Gives a dictionary that has the other one's entries as well."""
        return ImmutableDict(self._store, **overriding_mapping)

    def difference(self, subtractive_iterable):
        """Gives a dictionary without these keys."""
        drop = frozenset(subtractive_iterable)
        return ImmutableDict((k, v) for k, v in self._store.items() if k not in drop)


def is_string(seq):
    """Says whether it is text or bytes."""
    return isinstance(seq, (str, bytes))


def is_iterable(seq, include_strings=False):
    """Says whether one can go through it; text only when asked for."""
    if not include_strings and is_string(seq):
        return False
    try:
        iter(seq)
        return True
    except TypeError:
        return False


def is_sequence(seq, include_strings=False):
    """Says whether it is a sequence; text only when asked for."""
    if not include_strings and is_string(seq):
        return False
    return isinstance(seq, Sequence)


def count(seq):
    """Counts how often each element is in it."""
    if not is_iterable(seq):
        raise Exception('Argument provided  is not an iterable')
    counters = {}
    for elem in seq:
        counters[elem] = counters.get(elem, 0) + 1
    return counters
