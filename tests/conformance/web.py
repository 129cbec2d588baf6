"""The web server of a slot: the case's directory `www`, and below `/ask/` a service that tells what it was asked."""
import http.server
import json

TOLD = ("Content-Type", "Authorization", "Cookie", "Cache-Control", "User-Agent", "X-A")
TYPES = {"json": "application/json", "problem": "application/problem+json", "text": "text/plain", "latin": "text/plain; charset=iso-8859-1",
         "broken": "application/json", "none": None}


class Web(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        return self.ask() if self.path.startswith("/ask/") else super().do_GET()

    def ask(self):
        """/ask/echo, /ask/status/404, /ask/to/302, /ask/type/text, /ask/auth, /ask/cookies, /ask/file"""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
        boundary = (self.headers.get_param("boundary") or "") if self.headers.get("Content-Type") else ""
        told = {name: self.headers[name] for name in TOLD if name in self.headers}
        said = {"method": self.command, "path": self.path, "headers": told, "body": body}
        what, _, word = self.path.split("?")[0].removeprefix("/ask/").partition("/")
        code, kind, headers, content = 200, "application/json", [], json.dumps(said)
        if boundary:
            content = content.replace(boundary, "BOUNDARY")
        if what == "status":
            code = int(word)
        elif what == "to":
            code, kind, content = int(word), "text/plain", "elsewhere"
            headers = [("Location", "/ask/echo?moved"), ("Set-Cookie", "way=1")]
        elif what == "type":
            kind, content = TYPES[word], "{nope" if word == "broken" else '{"a": "\u00e9"}'
        elif what == "auth" and "Authorization" not in self.headers:
            code, content, headers = 401, "", [("WWW-Authenticate", 'Basic realm="x"')]
        elif what == "cookies":
            headers = [("Set-Cookie", "a=b; Path=/"), ("Set-Cookie", 'c="d e"; Path=/x; HttpOnly'), ("Set-Cookie", "a=z; Path=/"),
                       ("X-Two-Words", "1"), ("X-Two-Words", "2")]
        elif what == "file":
            kind, content, headers = "text/plain", "the file\n", [("Content-Disposition", 'attachment; filename="named.txt"')]
        content = b"" if code in (204, 304) else content.encode("latin-1" if word == "latin" else "utf-8")
        self.send_response_only(code)
        for name, value in [("Content-Type", kind), *headers]:
            if value:
                self.send_header(name, value)
        if code not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_POST = do_PUT = do_DELETE = do_PATCH = ask

    def do_HEAD(self):
        return self.ask() if self.path.startswith("/ask/") else super().do_HEAD()
