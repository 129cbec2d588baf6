"""Marks on values, which fanfare does not have."""
from ansible.module_utils.common.warnings import deprecate


def deprecate_value(value, msg, version=None, date=None, collection_name=None, deprecator=None, help_text=None):
    """Gives the value itself and adds the deprecation to the result, as no mark can tell later who uses it."""
    deprecate(msg, version=version, date=date, collection_name=collection_name, help_text=help_text)
    return value


def native_type_name(value):
    """Gives the name of a value's type."""
    return (value if isinstance(value, type) else type(value)).__name__
