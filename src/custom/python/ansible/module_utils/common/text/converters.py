"""Conversions between text and bytes, and JSON text."""
import json

_COMPOSED = frozenset((None, 'surrogate_or_strict', 'surrogate_or_replace', 'surrogate_then_replace'))


def _handler(errors):
    """Gives the codec's error handler for one of the composed names."""
    return 'surrogateescape' if errors in _COMPOSED else errors


def _nonstring(obj, nonstring, owner):
    """Turns a value that is no string into the text that is then converted, or says it is to be kept."""
    if nonstring == 'simplerepr':
        try:
            return str(obj)
        except UnicodeError:
            try:
                return repr(obj)
            except UnicodeError:
                return ''
    if nonstring == 'passthru':
        return None
    if nonstring == 'empty':
        return ''
    if nonstring == 'strict':
        raise TypeError('obj must be a string type')
    raise TypeError("Invalid value %s for %s nonstring parameter" % (nonstring, owner))


def to_bytes(obj, encoding='utf-8', errors=None, nonstring='simplerepr'):
    """Gives `obj` as bytes."""
    if isinstance(obj, bytes):
        return obj
    if not isinstance(obj, str):
        text = _nonstring(obj, nonstring, "to_bytes'")
        return obj if text is None else to_bytes(text, encoding, errors)
    try:
        return obj.encode(encoding, _handler(errors))
    except UnicodeEncodeError:
        if errors not in (None, 'surrogate_then_replace'):
            raise
        # Bytes that are no text, or text that the encoding lacks.
        return obj.encode('utf-8', 'surrogateescape').decode('utf-8', 'replace').encode(encoding, 'replace')


def to_text(obj, encoding='utf-8', errors=None, nonstring='simplerepr'):
    """Gives `obj` as text."""
    if isinstance(obj, str):
        return obj
    if isinstance(obj, bytes):
        return obj.decode(encoding, _handler(errors))
    text = _nonstring(obj, nonstring, "to_text's")
    return obj if text is None else to_text(text, encoding, errors)


to_native = to_text


def _plain(value):
    """Makes JSON out of what the JSON encoder does not know."""
    if isinstance(value, (set, frozenset)):
        return list(value)
    if isinstance(value, bytes):
        return to_text(value)
    if hasattr(value, 'isoformat'):
        return value.isoformat()
    if hasattr(value, 'keys'):
        return dict(value)
    raise TypeError("Object of type %r is not JSON serializable by the 'tagless' profile." % type(value).__name__)


def jsonify(data, **kwargs):
    """Gives `data` as JSON text; sets become lists and dates text."""
    return json.dumps(data, default=_plain, **kwargs)


def container_to_bytes(d, encoding='utf-8', errors='surrogate_or_strict'):
    """Turns every text in dicts, lists and tuples into bytes."""
    if isinstance(d, str):
        return to_bytes(d, encoding, errors)
    return _container(d, lambda v: container_to_bytes(v, encoding, errors))


def container_to_text(d, encoding='utf-8', errors='surrogate_or_strict'):
    """Turns all bytes in dicts, lists and tuples into text."""
    if isinstance(d, bytes):
        return to_text(d, encoding, errors)
    return _container(d, lambda v: container_to_text(v, encoding, errors))


def _container(d, convert):
    if isinstance(d, dict):
        return {convert(k): convert(v) for k, v in d.items()}
    if isinstance(d, (list, tuple)):
        return type(d)(convert(v) for v in d) if type(d) in (list, tuple) else [convert(v) for v in d]
    return d
