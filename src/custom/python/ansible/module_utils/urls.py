"""Asks web servers: open_url, fetch_url and what belongs to them."""
import base64
import io
import os
import socket
import ssl
import urllib.error
import urllib.request
from http import cookiejar
from urllib.parse import unquote, urlparse, urlunparse  # noqa: F401

from ansible.module_utils.basic import missing_required_lib  # noqa: F401
from ansible.module_utils.common.text.converters import to_bytes, to_native, to_text

urllib_request, urllib_error = urllib.request, urllib.error
HAS_SSL = HAS_SSLCONTEXT = HAS_GZIP = True
HAS_GSSAPI = False


class ConnectionError(Exception):
    """A connection cannot be made."""


class ProxyError(ConnectionError):
    """A proxy cannot be used."""


class SSLValidationError(ConnectionError):
    """A certificate is not trusted."""


class NoSSLError(SSLValidationError):
    """Python lacks TLS."""


class MissingModuleError(Exception):
    """A Python library is missing."""

    def __init__(self, message, import_traceback=None, module=None):
        super(MissingModuleError, self).__init__(message)
        self.import_traceback = import_traceback
        self.module = module


class ParseResultDottedDict(dict):
    """The parts of an address, as entries and as attributes."""

    def __init__(self, *args, **kwargs):
        super(ParseResultDottedDict, self).__init__(*args, **kwargs)
        self.__dict__ = self

    def as_list(self):
        """Gives the six parts that urlunparse takes."""
        return [self.get(k, None) for k in ('scheme', 'netloc', 'path', 'params', 'query', 'fragment')]


def generic_urlparse(parts):
    """Gives the result of urlparse as a dictionary."""
    found = ParseResultDottedDict((k, getattr(parts, k)) for k in parts._fields)
    for key in ('username', 'password', 'hostname', 'port'):
        found[key] = getattr(parts, key)
    return found


class HTTPRedirectHandler(urllib.request.HTTPRedirectHandler):
    """Follows redirects as far as it is told to."""

    def __init__(self, follow_redirects=None):
        self.follow_redirects = follow_redirects

    # Python before 3.11 does not know this one.
    http_error_308 = urllib.request.HTTPRedirectHandler.http_error_302

    def redirect_request(self, req, fp, code, msg, hdrs, newurl):
        policy, method = self.follow_redirects, req.get_method()
        if policy in ('urllib2', 'urllib', None):
            if code == 308 and method not in ('GET', 'HEAD'):
                _refuse(req, code, msg, hdrs, fp)
            return super(HTTPRedirectHandler, self).redirect_request(
                req, fp, 307 if code == 308 else code, msg, hdrs, newurl)
        if policy in ('no', 'none', False) or policy == 'safe' and method not in ('GET', 'HEAD'):
            _refuse(req, code, msg, hdrs, fp)
        headers, data = dict(req.headers), req.data
        if code not in (307, 308):
            data = None
            headers = {k: v for k, v in headers.items()
                       if k.lower() not in ('content-length', 'content-type', 'transfer-encoding')}
            if code in (302, 303) and method != 'HEAD' or code == 301 and method == 'POST':
                method = 'GET'
        return urllib.request.Request(newurl.replace(' ', '%20'), data=data, headers=headers, method=method,
                                      origin_req_host=req.origin_req_host, unverifiable=True)


def _refuse(req, code, msg, hdrs, fp):
    raise urllib.error.HTTPError(req.get_full_url(), code, msg, hdrs, fp)


class UnixHTTPHandler(urllib.request.HTTPHandler):
    """Speaks HTTP over a Unix socket."""

    def __init__(self, unix_socket):
        super(UnixHTTPHandler, self).__init__()
        self._unix_socket = unix_socket

    def http_open(self, req):
        import http.client
        path = self._unix_socket

        class Connection(http.client.HTTPConnection):
            """A connection whose socket is a file."""

            def connect(self):
                self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                if self.timeout is not socket._GLOBAL_DEFAULT_TIMEOUT:
                    self.sock.settimeout(self.timeout)
                try:
                    self.sock.connect(path)
                except OSError as err:
                    raise OSError('Invalid Socket File (%s): %s' % (path, err))
        return self.do_open(Connection, req)


def make_context(cafile=None, cadata=None, capath=None, ciphers=None, validate_certs=True, client_cert=None,
                 client_key=None):
    """Makes a TLS context."""
    context = ssl.create_default_context(cafile=cafile, cadata=cadata, capath=capath)
    if not validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if ciphers:
        context.set_ciphers(':'.join(ciphers) if not isinstance(ciphers, str) else ciphers)
    if client_cert:
        context.load_cert_chain(client_cert, keyfile=client_key)
    return context


def basic_auth_header(username, password):
    """Gives the value of an Authorization header."""
    pair = b'%s:%s' % (to_bytes(username, errors='surrogate_or_strict'),
                       to_bytes(password if password is not None else '', errors='surrogate_or_strict'))
    return b'Basic ' + base64.b64encode(pair)


def get_user_agent():
    """Gives the name under which servers are asked."""
    return 'ansible-httpget'


def rfc2822_date_string(timetuple, zone='-0000'):
    """Gives a date as mail and HTTP write it, whatever the locale."""
    days = ('Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun')
    months = ('Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec')
    year, month, day, hour, minute, second, weekday = timetuple[:7]
    return '%s, %02d %s %04d %02d:%02d:%02d %s' % (
        days[weekday], day, months[month - 1], year, hour, minute, second, zone)


_DEFAULTS = dict(
    use_proxy=True, force=False, timeout=10, validate_certs=True, url_username=None, url_password=None,
    http_agent=None, force_basic_auth=False, follow_redirects='urllib2', client_cert=None, client_key=None,
    cookies=None, unix_socket=None, ca_path=None, unredirected_headers=None, decompress=True, ciphers=None,
    use_netrc=True, context=None,
)


class Request(object):
    """Asks with settings that are kept from one question to the next."""

    def __init__(self, headers=None, **kwargs):
        unknown = set(kwargs) - set(_DEFAULTS)
        if unknown:
            raise TypeError('Request() got an unexpected keyword argument %r' % sorted(unknown)[0])
        self.headers = headers or {}
        if not isinstance(self.headers, dict):
            raise ValueError('headers must be a dict: %r' % self.headers)
        for name, default in _DEFAULTS.items():
            setattr(self, name, kwargs.get(name, default))
        self.cookies = self.cookies if self.cookies is not None else cookiejar.CookieJar()

    def open(self, method, url, data=None, headers=None, last_mod_time=None, use_gssapi=False, **kwargs):
        """Sends one request and gives the response."""
        unknown = set(kwargs) - set(_DEFAULTS)
        if unknown:
            raise TypeError('open() got an unexpected keyword argument %r' % sorted(unknown)[0])
        headers = dict(self.headers) if headers is None else dict(self.headers, **headers)
        settings = {n: kwargs[n] if kwargs.get(n) is not None else getattr(self, n) for n in _DEFAULTS}
        if use_gssapi:
            raise MissingModuleError(missing_required_lib('gssapi', reason='for use_gssapi=True'), module='gssapi')
        url, auth, handlers = _authentication(url, settings)
        handlers += _handlers(settings)
        opener = urllib.request.build_opener(*handlers)
        request = urllib.request.Request(
            url, data=to_bytes(data) if isinstance(data, str) else data, method=method.upper() if method else None)
        if settings['http_agent']:
            request.add_header('User-agent', settings['http_agent'])
        if settings['force']:
            request.add_header('cache-control', 'no-cache')
        elif last_mod_time:
            request.add_header('If-Modified-Since', rfc2822_date_string(last_mod_time.timetuple(), 'GMT'))
        if auth:
            request.add_header('Authorization', auth)
        keep = [n.lower() for n in settings['unredirected_headers'] or ()]
        for name, value in headers.items():
            if name.lower() in keep:
                request.add_unredirected_header(name, value)
            else:
                request.add_header(name, value)
        response = opener.open(request, timeout=settings['timeout'])
        if settings['decompress'] and response.headers.get('content-encoding', '').lower() == 'gzip':
            _unpack(response)
        return response

    def get(self, url, **kwargs):
        """Sends a GET request."""
        return self.open('GET', url, **kwargs)

    def options(self, url, **kwargs):
        """Sends an OPTIONS request."""
        return self.open('OPTIONS', url, **kwargs)

    def head(self, url, **kwargs):
        """Sends a HEAD request."""
        return self.open('HEAD', url, **kwargs)

    def post(self, url, data=None, **kwargs):
        """Sends a POST request."""
        return self.open('POST', url, data=data, **kwargs)

    def put(self, url, data=None, **kwargs):
        """Sends a PUT request."""
        return self.open('PUT', url, data=data, **kwargs)

    def patch(self, url, data=None, **kwargs):
        """Sends a PATCH request."""
        return self.open('PATCH', url, data=data, **kwargs)

    def delete(self, url, **kwargs):
        """Sends a DELETE request."""
        return self.open('DELETE', url, **kwargs)


def _authentication(url, settings):
    """Gives the address without a user name, an Authorization header, and handlers that answer a server's demand."""
    parts = urlparse(url)
    username, password = settings['url_username'], settings['url_password']
    if parts.scheme in ('http', 'https') and '@' in parts.netloc:
        if not username:
            username, password = unquote(parts.username or ''), unquote(parts.password or '')
        url = urlunparse(parts._replace(netloc=parts.netloc.rpartition('@')[2]))
    if username and not settings['force_basic_auth']:
        manager = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        manager.add_password(None, url, username, password)
        return url, None, [urllib.request.HTTPBasicAuthHandler(manager), urllib.request.HTTPDigestAuthHandler(manager)]
    if username:
        return url, to_native(basic_auth_header(username, password)), []
    if settings['use_netrc'] and parts.hostname:
        import netrc
        try:
            found = netrc.netrc(os.environ.get('NETRC')).authenticators(parts.hostname)
        except (OSError, netrc.NetrcParseError):
            found = None
        if found and found[0] and found[2]:
            return url, to_native(basic_auth_header(found[0], found[2])), []
    return url, None, []


def _handlers(settings):
    context = settings['context']
    if context is None:
        path = settings['ca_path']
        context = make_context(
            cafile=path if path and os.path.isfile(path) else None,
            capath=path if path and os.path.isdir(path) else None,
            ciphers=settings['ciphers'], validate_certs=settings['validate_certs'],
            client_cert=settings['client_cert'], client_key=settings['client_key'])
        if path and not os.path.exists(path):
            raise FileNotFoundError(2, 'No such file or directory', path)
    handlers = [urllib.request.HTTPSHandler(context=context), HTTPRedirectHandler(settings['follow_redirects'])]
    if settings['unix_socket']:
        handlers.append(UnixHTTPHandler(settings['unix_socket']))
    if not settings['use_proxy']:
        handlers.append(urllib.request.ProxyHandler({}))
    if settings['cookies'] is not None:
        handlers.append(urllib.request.HTTPCookieProcessor(settings['cookies']))
    return handlers


def _unpack(response):
    """Has a compressed answer read unpacked."""
    import gzip
    if getattr(response, 'chunked', False):
        response.fp = io.BytesIO(gzip.decompress(response.read()))
        response.chunked = False
    else:
        response.fp = gzip.GzipFile(fileobj=response.fp)
    response.length = None


def open_url(url, data=None, headers=None, method=None, last_mod_time=None, use_gssapi=False, **kwargs):
    """Sends a request and gives the response, or raises what urllib raises."""
    return Request().open(method, url, data=data, headers=headers, last_mod_time=last_mod_time, use_gssapi=use_gssapi,
                          **kwargs)


def url_argument_spec():
    """Gives the arguments that modules which ask servers share."""
    return dict(
        url=dict(type='str'), force=dict(type='bool', default=False),
        http_agent=dict(type='str', default='ansible-httpget'), use_proxy=dict(type='bool', default=True),
        validate_certs=dict(type='bool', default=True), url_username=dict(type='str'),
        url_password=dict(type='str', no_log=True), force_basic_auth=dict(type='bool', default=False),
        client_cert=dict(type='path'), client_key=dict(type='path'), use_gssapi=dict(type='bool', default=False),
    )


def url_redirect_argument_spec():
    """Gives the argument for redirects."""
    return dict(follow_redirects=dict(
        type='str', default='safe', choices=['all', 'no', 'none', 'safe', 'urllib2', 'yes']))


def fetch_url(module, url, data=None, headers=None, method=None, use_proxy=None, force=False, last_mod_time=None,
              timeout=10, use_gssapi=False, unix_socket=None, ca_path=None, cookies=None, unredirected_headers=None,
              decompress=True, ciphers=None, use_netrc=True):
    """Sends a request with the module's arguments; gives the response, or None, and a dictionary about it."""
    params = module.params
    cookies = cookies if cookies is not None else cookiejar.CookieJar()
    info = dict(url=url, status=-1)
    response = None
    urlparse(url)
    try:
        response = open_url(
            url, data=data, headers=headers, method=method, last_mod_time=last_mod_time, force=force, timeout=timeout,
            use_proxy=params.get('use_proxy', True) if use_proxy is None else use_proxy,
            validate_certs=params.get('validate_certs', True), url_username=params.get('url_username', ''),
            url_password=params.get('url_password', ''), http_agent=params.get('http_agent', get_user_agent()),
            force_basic_auth=params.get('force_basic_auth', ''), client_cert=params.get('client_cert'),
            follow_redirects=params.get('follow_redirects', 'urllib2'), client_key=params.get('client_key'),
            cookies=cookies, use_gssapi=params.get('use_gssapi', use_gssapi), unix_socket=unix_socket,
            ca_path=ca_path, unredirected_headers=unredirected_headers, decompress=decompress, ciphers=ciphers,
            use_netrc=use_netrc)
        info.update(_headers(response))
        jar = [(c.name, c.value) for c in cookies]
        info['cookies_string'] = '; '.join('%s=%s' % pair for pair in jar)
        info['cookies'] = dict(jar)
        info.update(msg='OK (%s bytes)' % response.headers.get('Content-Length', 'unknown'), url=response.geturl(),
                    status=response.getcode())
    except (ConnectionError, MissingModuleError) as err:
        module.fail_json(msg=to_native(err), **info)
    except urllib.error.HTTPError as err:
        response = err
        try:
            body = err.read()
        except (AttributeError, OSError):
            body = b''
        info.update(_headers(err))
        info.update(msg=to_native(err), body=to_text(body, errors='surrogate_or_replace'), status=err.code)
    except urllib.error.URLError as err:
        info.update(msg='Request failed: %s' % to_native(err), status=int(getattr(err, 'code', -1)))
    except OSError as err:
        info.update(msg='Connection failure: %s' % to_native(err), status=-1)
    except Exception as err:
        import traceback
        info.update(msg='An unknown error occurred: %s' % to_native(err), exception=traceback.format_exc(), status=-1)
    return response, info


def _headers(response):
    """Gives the headers by their lower-case names; those that come more than once are joined."""
    found = {}
    for name, value in response.headers.items():
        name = name.lower()
        found[name] = '%s, %s' % (found[name], value) if name in found else value
    return found


def fetch_file(module, url, data=None, headers=None, method=None, use_proxy=True, force=False, last_mod_time=None,
               timeout=10, unredirected_headers=None, decompress=True, ciphers=None, ca_path=None, cookies=None):
    """Downloads to a temporary file, which goes when the module ends, and gives its path."""
    import tempfile
    name, extension = os.path.splitext(os.path.basename(urlparse(url).path))
    if name.endswith('.tar'):
        name, extension = name[:-4], '.tar' + extension
    target = tempfile.NamedTemporaryFile(dir=module.tmpdir, prefix=name, suffix=extension, delete=False)
    module.add_cleanup_file(target.name)
    try:
        response, info = fetch_url(
            module, url, data, headers, method, use_proxy, force, last_mod_time, timeout,
            unredirected_headers=unredirected_headers, decompress=decompress, ciphers=ciphers, ca_path=ca_path,
            cookies=cookies)
        if response is None or info['status'] is not None and info['status'] >= 400:
            module.fail_json(msg='Failure downloading %s, %s' % (url, info['msg']))
        for block in iter(lambda: response.read(65536), b''):
            target.write(block)
        target.close()
    except OSError as err:
        module.fail_json(msg='Failure downloading %s, %s' % (url, to_native(err)))
    return target.name


def prepare_multipart(fields):
    """Gives the content type and the body of a form with files."""
    import binascii
    import mimetypes
    if not isinstance(fields, dict):
        raise TypeError('Mapping is required, cannot be type %s' % type(fields).__name__)
    boundary = '===============%s==' % binascii.hexlify(os.urandom(12)).decode()
    body = b''
    for field, value in sorted(fields.items()):
        filename, encoded = None, False
        if isinstance(value, (str, bytes)):
            kind, content = 'text/plain', to_bytes(value)
        elif isinstance(value, dict):
            filename, content, kind = value.get('filename'), value.get('content'), value.get('mime_type')
            if not filename and content is None:
                raise ValueError('at least one of filename or content must be provided')
            if kind is None:
                kind = mimetypes.guess_type(filename or '', strict=False)[0] or 'application/octet-stream'
            if content is None:
                with open(to_bytes(filename, errors='surrogate_or_strict'), 'rb') as source:
                    content, encoded = base64.encodebytes(source.read()), True
            content = to_bytes(content)
        else:
            raise TypeError('value must be a string, or mapping, cannot be type %s' % type(value).__name__)
        head = ['--' + boundary] + (['Content-Transfer-Encoding: base64'] if encoded else [])
        head += ['Content-Type: ' + kind, 'Content-Disposition: form-data; name="%s"%s' % (
            field, '; filename="%s"' % os.path.basename(filename) if filename else '')]
        content = content.replace(b'\n', b'\r\n') if encoded else content
        body += to_bytes('\r\n'.join(head)) + b'\r\n\r\n' + content + b'\r\n'
    return 'multipart/form-data; boundary="%s"' % boundary, body + to_bytes('--%s--\r\n' % boundary)
