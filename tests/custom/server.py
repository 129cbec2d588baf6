"""A web server for the tests: it tells what it was asked, redirects, refuses and sends odd answers."""
import base64
import gzip
import http.server
import json
import threading
import time
from urllib.parse import parse_qs, urlparse

KEPT = ('accept-encoding', 'authorization', 'cache-control', 'content-type', 'cookie', 'if-modified-since', 'user-agent',
        'x-one', 'x-two')


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers by the path."""

    protocol_version = 'HTTP/1.1'

    def answer(self, status, body=b'', headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def handle_any(self):
        asked = urlparse(self.path)
        query = parse_qs(asked.query)
        length = int(self.headers.get('Content-Length') or 0)
        data = self.rfile.read(length)
        if asked.path == '/echo':
            seen = {k.lower(): v for k, v in self.headers.items() if k.lower() in KEPT}
            text = json.dumps({'method': self.command, 'headers': seen, 'data': data.decode('latin-1'),
                               'query': query}, sort_keys=True)
            self.answer(200, text.encode(), [('Content-Type', 'application/json')])
        elif asked.path == '/status':
            self.answer(int(query['code'][0]), b'the body', [('X-Word', 'w')])
        elif asked.path == '/redirect':
            self.answer(int(query['code'][0]), b'', [('Location', query['to'][0])])
        elif asked.path == '/cookies':
            self.answer(200, b'', [('Set-Cookie', 'a=1; Path=/'), ('Set-Cookie', 'b=two; Path=/')])
        elif asked.path == '/gzip':
            self.answer(200, gzip.compress(b'unpacked', mtime=0), [('Content-Encoding', 'gzip')])
        elif asked.path == '/slow':
            time.sleep(3)
            self.answer(200, b'late')
        elif asked.path == '/drop':
            self.close_connection = True
        elif asked.path == '/twice':
            self.answer(200, b'x', [('X-Same', '1'), ('X-Same', '2')])
        elif asked.path == '/auth':
            wanted = 'Basic ' + base64.b64encode(b'user:pass').decode()
            if self.headers.get('Authorization') == wanted:
                self.answer(200, b'in')
            else:
                self.answer(401, b'who?', [('WWW-Authenticate', 'Basic realm="r"')])
        else:
            self.answer(404, b'nothing')

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_PATCH = do_OPTIONS = handle_any

    def log_message(self, format, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    """A server that is silent about clients who leave early."""

    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


def start():
    """Starts the server on a free port and gives its address."""
    server = Server(('127.0.0.1', 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return 'http://127.0.0.1:%d' % server.server_port


if __name__ == '__main__':
    print(start(), flush=True)
    threading.Event().wait()
