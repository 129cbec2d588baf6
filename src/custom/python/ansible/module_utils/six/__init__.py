"""The names by which code for Python 2 and 3 alike reaches what is in Python 3.

The modules of `six.moves` are made when they are first imported.
"""
import importlib.util
import io
import operator
import sys
import types

PY2, PY3, PY34 = False, True, True
string_types = (str,)
integer_types = (int,)
class_types = (type,)
text_type = str
binary_type = bytes
MAXSIZE = sys.maxsize
StringIO, BytesIO = io.StringIO, io.BytesIO
Iterator = object
unichr, int2byte, byte2int = chr, operator.methodcaller('to_bytes', 1, 'big'), operator.itemgetter(0)
indexbytes, iterbytes = operator.getitem, iter
next = advance_iterator = next
callable = callable
exec_, print_ = exec, print
get_method_function, get_method_self = operator.attrgetter('__func__'), operator.attrgetter('__self__')
get_function_code, get_function_globals = operator.attrgetter('__code__'), operator.attrgetter('__globals__')
get_function_defaults, get_function_closure = operator.attrgetter('__defaults__'), operator.attrgetter('__closure__')
create_bound_method = types.MethodType


def b(s):
    """Gives text as bytes."""
    return s.encode('latin-1')


def u(s):
    """Gives text."""
    return s


def iterkeys(d, **kw):
    """Goes through the keys."""
    return iter(d.keys(**kw))


def itervalues(d, **kw):
    """Goes through the values."""
    return iter(d.values(**kw))


def iteritems(d, **kw):
    """Goes through the pairs."""
    return iter(d.items(**kw))


def iterlists(d, **kw):
    """Goes through the lists."""
    return iter(d.lists(**kw))


viewkeys, viewvalues, viewitems = (operator.methodcaller(_n) for _n in ('keys', 'values', 'items'))


def get_unbound_function(unbound):
    """Gives the function itself."""
    return unbound


def create_unbound_method(func, cls):
    """Gives the function itself."""
    return func


def reraise(tp, value, tb=None):
    """Raises an exception with a traceback."""
    if value is None:
        value = tp()
    raise value.with_traceback(tb) if value.__traceback__ is not tb else value


def raise_from(value, from_value):
    """Raises an exception that another one caused."""
    raise value from from_value


def with_metaclass(meta, *bases):
    """Gives a base class that brings a metaclass."""
    class Temporary(type):
        def __new__(cls, name, this_bases, d):
            return meta(name, bases, d)

        @classmethod
        def __prepare__(cls, name, this_bases):
            return meta.__prepare__(name, bases)
    return type.__new__(Temporary, 'temporary_class', (), {})


def add_metaclass(metaclass):
    """Makes a class anew with a metaclass."""
    def wrapper(cls):
        space = {k: v for k, v in cls.__dict__.items() if k not in ('__dict__', '__weakref__')}
        slots = space.get('__slots__')
        for name in [slots] if isinstance(slots, str) else slots or ():
            space.pop(name, None)
        return metaclass(cls.__name__, cls.__bases__, space)
    return wrapper


def python_2_unicode_compatible(cls):
    """Gives the class itself."""
    return cls


def wraps(wrapped, *args, **kwargs):
    """Is functools.wraps."""
    import functools
    return functools.wraps(wrapped, *args, **kwargs)


def ensure_binary(s, encoding='utf-8', errors='strict'):
    """Gives bytes."""
    if isinstance(s, bytes):
        return s
    if isinstance(s, str):
        return s.encode(encoding, errors)
    raise TypeError("not expecting type '%s'" % type(s))


def ensure_text(s, encoding='utf-8', errors='strict'):
    """Gives text."""
    if isinstance(s, str):
        return s
    if isinstance(s, bytes):
        return s.decode(encoding, errors)
    raise TypeError("not expecting type '%s'" % type(s))


ensure_str = ensure_text


def assertCountEqual(self, *args, **kwargs):
    """Is the test's assertCountEqual."""
    return self.assertCountEqual(*args, **kwargs)


def assertRaisesRegex(self, *args, **kwargs):
    """Is the test's assertRaisesRegex."""
    return self.assertRaisesRegex(*args, **kwargs)


def assertRegex(self, *args, **kwargs):
    """Is the test's assertRegex."""
    return self.assertRegex(*args, **kwargs)


_ATTRIBUTES = {
    'cStringIO': 'io.StringIO', 'StringIO': 'io.StringIO', 'BytesIO': 'io.BytesIO', 'filter': 'builtins.filter',
    'filterfalse': 'itertools.filterfalse', 'input': 'builtins.input', 'intern': 'sys.intern', 'map': 'builtins.map',
    'getcwd': 'os.getcwd', 'getcwdb': 'os.getcwdb', 'getoutput': 'subprocess.getoutput', 'range': 'builtins.range',
    'reload_module': 'importlib.reload', 'reduce': 'functools.reduce', 'shlex_quote': 'shlex.quote',
    'UserDict': 'collections.UserDict', 'UserList': 'collections.UserList', 'UserString': 'collections.UserString',
    'xrange': 'builtins.range', 'zip': 'builtins.zip', 'zip_longest': 'itertools.zip_longest',
}
_MODULES = {
    'builtins': 'builtins', 'configparser': 'configparser', 'collections_abc': 'collections.abc', 'copyreg': 'copyreg',
    'dbm_gnu': 'dbm.gnu', 'dbm_ndbm': 'dbm.ndbm', '_dummy_thread': '_thread', 'http_cookiejar': 'http.cookiejar',
    'http_cookies': 'http.cookies', 'html_entities': 'html.entities', 'html_parser': 'html.parser',
    'http_client': 'http.client', 'email_mime_base': 'email.mime.base', 'email_mime_image': 'email.mime.image',
    'email_mime_multipart': 'email.mime.multipart', 'email_mime_nonmultipart': 'email.mime.nonmultipart',
    'email_mime_text': 'email.mime.text', 'BaseHTTPServer': 'http.server', 'CGIHTTPServer': 'http.server',
    'SimpleHTTPServer': 'http.server', 'cPickle': 'pickle', 'queue': 'queue', 'reprlib': 'reprlib',
    'socketserver': 'socketserver', '_thread': '_thread', 'urllib_parse': 'urllib.parse',
    'urllib_error': 'urllib.error', 'urllib_robotparser': 'urllib.robotparser', 'xmlrpc_client': 'xmlrpc.client',
    'xmlrpc_server': 'xmlrpc.server', 'tkinter': 'tkinter',
}
_URLLIB = {
    'parse': ('urllib.parse',), 'error': ('urllib.error',), 'request': ('urllib.request', 'urllib.parse'),
    'response': ('urllib.response',), 'robotparser': ('urllib.robotparser',),
}


class _Moves(types.ModuleType):
    """A module whose names are looked up in Python 3's modules."""

    __path__ = []

    def __getattr__(self, name):
        value = _find(self.__name__.partition('.six.moves')[2].strip('.'), name)
        setattr(self, name, value)
        return value


def _find(place, name):
    if not place and name == 'urllib':
        return importlib.import_module(__name__ + '.moves.urllib')
    if not place and name in _MODULES:
        return importlib.import_module(_MODULES[name])
    if not place and name in _ATTRIBUTES:
        module, _dot, attribute = _ATTRIBUTES[name].rpartition('.')
        return getattr(importlib.import_module(module), attribute)
    if place == 'urllib' and name in _URLLIB:
        return importlib.import_module('%s.moves.urllib.%s' % (__name__, name))
    if place.startswith('urllib.'):
        for source in _URLLIB.get(place[7:], ()):
            module = importlib.import_module(source)
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError('module %r has no attribute %r' % ('six.moves.' + place if place else 'six.moves', name))


class _Finder(object):
    """Imports `six.moves` and the modules below it."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname == __name__ + '.moves' or fullname.startswith(__name__ + '.moves.'):
            place = fullname[len(__name__) + 7:]
            if not place or place in _MODULES or place == 'urllib' or place.startswith('urllib.') and \
                    place[7:] in _URLLIB:
                return importlib.util.spec_from_loader(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        place = spec.name[len(__name__) + 7:]
        return _Alias(spec.name, _MODULES[place]) if place in _MODULES else _Moves(spec.name)

    def exec_module(self, module):
        pass


class _Alias(types.ModuleType):
    """A module that stands for one of Python 3's."""

    def __init__(self, name, source):
        super(_Alias, self).__init__(name)
        self.__dict__['_source'] = importlib.import_module(source)

    def __getattr__(self, name):
        return getattr(self.__dict__['_source'], name)

    def __dir__(self):
        return dir(self.__dict__['_source'])


sys.meta_path.append(_Finder())
moves = importlib.import_module(__name__ + '.moves')
