"""The old home of the text converters."""
import codecs  # noqa: F401

from ansible.module_utils.common.text.converters import to_bytes, to_native, to_text  # noqa: F401

PY3 = True
text_type = str
binary_type = bytes
