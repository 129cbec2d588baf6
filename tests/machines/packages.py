"""A proxy that keeps what it fetched: the machines have no network, and two of them are to be given the same packages."""
import hashlib
import http.server
import pathlib
import shutil
import tempfile
import threading
import time
import urllib.error
import urllib.request

# Lists of packages change from day to day, packages never.
FRESH = 20 * 3600
PORT = 3142
# Where apt of a machine looks, besides the proxy's address.
SOURCES = """
deb http://deb.debian.org/debian bookworm main
deb http://deb.debian.org/debian bookworm-updates main
deb http://deb.debian.org/debian-security bookworm-security main
"""


class Packages:
    """Serves at this machine's end of each machine's wire."""

    def __init__(self, cache):
        self.cache = cache
        self.busy = {}
        self.servers = []
        cache.mkdir(parents=True, exist_ok=True)

    def serve(self, address):
        """Until `close`."""
        packages = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                try:
                    with packages.opened(self.path) as file:
                        self.send_response(200)
                        self.send_header("Content-Length", str(pathlib.Path(file.name).stat().st_size))
                        self.end_headers()
                        shutil.copyfileobj(file, self.wfile)
                except urllib.error.HTTPError as e:
                    self.send_error(e.code)
                except (OSError, ValueError) as e:
                    self.send_error(502, str(e).replace("\n", " "))

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer((address, PORT), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.servers.append(server)

    def close(self):
        """Gives the addresses back: the next machines may be somebody else's."""
        while self.servers:
            server = self.servers.pop()
            server.shutdown()
            server.server_close()

    def opened(self, url):
        """What is at a URL, from the cache where it is there and fresh."""
        if not url.startswith("http://"):
            raise ValueError(f"no URL of http: {url}")
        kept = self.cache / hashlib.sha256(url.encode()).hexdigest()
        with self.busy.setdefault(url, threading.Lock()):
            if not kept.exists() or ("/dists/" in url and time.time() - kept.stat().st_mtime > FRESH):
                with urllib.request.urlopen(url, timeout=60) as source, tempfile.NamedTemporaryFile(dir=self.cache, delete=False) as part:
                    shutil.copyfileobj(source, part)
                pathlib.Path(part.name).rename(kept)
            return kept.open("rb")

    def edition(self):
        """A name for what Debian is today."""
        releases = [line.split()[1:3] for line in SOURCES.strip().splitlines()]
        found = hashlib.sha256()
        for base, suite in releases:
            with self.opened(f"{base}/dists/{suite}/InRelease") as file:
                found.update(file.read())
        return found.hexdigest()
