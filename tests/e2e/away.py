"""A front before a server that says for a while that nobody is there."""

import contextlib
import http.server
import threading
import time
import urllib.request


class Unwell(http.server.BaseHTTPRequestHandler):
    """Answers 503 for `away_s` from the first request on, then hands everything on."""

    target = ""
    away_s = 0.0
    recovered_at: float | None = None
    refused = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.recovered_at is None:
            type(self).recovered_at = time.monotonic() + self.away_s
        if time.monotonic() < self.recovered_at:
            type(self).refused += 1
            self.send_response(503)
            self.send_header("retry-after", "1")
            self.send_header("content-length", "0")
            self.end_headers()
            return
        kept = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        request = urllib.request.Request(self.target + self.path, body, kept)
        with urllib.request.urlopen(request, timeout=20) as answer:
            data = answer.read()
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def away(url, seconds):
    """The address of a front and its class, which counts what was `refused`."""

    class Front(Unwell):
        target = url
        away_s = seconds

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", Front
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
