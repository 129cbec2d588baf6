"""The warnings and deprecations of this run."""
_warnings = []
_deprecations = []


def warn(warning, help_text=None, obj=None):
    """Keeps a warning for the result; each one only once."""
    if not isinstance(warning, str):
        raise TypeError("Event.msg must be <class 'str'> instead of %r" % type(warning))
    text = '%s %s' % (warning, help_text) if help_text else warning
    if text not in _warnings:
        _warnings.append(text)


def error_as_warning(msg, exception, help_text=None, obj=None):
    """Keeps an exception as a warning."""
    warn(': '.join(t for t in (msg, str(exception)) if t), help_text=help_text)


def deprecate(msg, version=None, date=None, collection_name=None, deprecator=None, help_text=None, obj=None):
    """Keeps a deprecation for the result; each one only once."""
    if not isinstance(msg, str):
        raise TypeError("Event.msg must be <class 'str'> instead of %r" % type(msg))
    text = '%s %s' % (msg, help_text) if help_text else msg
    entry = {'msg': text, 'collection_name': collection_name}
    if date:
        entry['date'] = str(date)
    else:
        entry['version'] = version
    if entry not in _deprecations:
        _deprecations.append(entry)


def get_warning_messages():
    """Gives the warnings so far."""
    return tuple(_warnings)


def get_deprecation_messages():
    """Gives the deprecations so far."""
    return tuple(dict(d) for d in _deprecations)


get_warnings = get_warning_messages
get_deprecations = get_deprecation_messages
