"""A front before a server: it remembers what passes, and refuses it while it is told to be ill."""

import contextlib
import http.server
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from touchline import clock

Refusal = tuple[int, dict[str, str]] | None


class Call(NamedTuple):
    """A request as it came, its headers by lower-case names."""

    received_us: int
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


class Front:
    """`calls` passed, and so many were `refused`."""

    def __init__(self, target: str, ill: Callable[[Call], Refusal]) -> None:
        self.target = target
        self.ill = ill
        self.url = ""
        self.calls: list[Call] = []
        self.refused = 0

    def answer(self, call: Call, address: str) -> tuple[int, dict[str, str], bytes]:
        refusal = None if call.method == "OPTIONS" else self.ill(call)
        if refusal:
            self.refused += 1
            status, headers = refusal
            return status, headers | _readable(call), b""
        self.calls.append(call)
        passed_by = ("host", "connection", "accept-encoding", "content-length")
        kept = {name: value for name, value in call.headers.items() if name not in passed_by}
        kept["x-forwarded-host"] = call.headers["host"]  # libraries ask which host to send to
        whole = self.target + address
        request = urllib.request.Request(whole, call.body or None, kept, method=call.method)
        try:
            with urllib.request.urlopen(request, timeout=20) as told:
                return told.status, dict(told.headers), told.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers), error.read()


def _readable(call: Call) -> dict[str, str]:
    """What a refusal needs for a page of another origin to see it."""
    return {
        "access-control-allow-origin": call.headers.get("origin", "*"),
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "retry-after",
    }


class Serving(http.server.BaseHTTPRequestHandler):
    front: Front

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"] or 0))
        at = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = Call(clock.now_us(), self.command, at.path, at.query, headers, body)
        status, told, answer = self.front.answer(call, self.path)
        with contextlib.suppress(OSError):  # a tab that was closed does not read on
            self.send_response(status)
            for name, value in told.items():
                if name.lower() not in ("connection", "content-length", "date", "server"):
                    self.send_header(name, value)
            if status != 204:
                self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    def do_POST(self) -> None:
        self.do_GET()

    def do_OPTIONS(self) -> None:
        self.do_GET()

    def log_message(self, *args: object) -> None:
        pass


@contextlib.contextmanager
def before(target, ill=lambda _: None, port=0):
    """A front before the server of this address."""

    class Here(Serving):
        front = Front(target, ill)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Here)
    Here.front.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Here.front
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def in_turn(*refusals: Refusal) -> Callable[[Call], Refusal]:
    """Each request that brings events is answered by the next of these, and all after as usual."""
    left = list(refusals)
    return lambda call: left.pop(0) if left and _collects(call) else None


def _collects(call: Call) -> bool:
    asks = ("/flags", "/array", "/v1/projects", "/sourceConfig")
    return not call.path.startswith(asks)


@contextlib.contextmanager
def away(target, seconds):
    """The address of a front that refuses for so long from the first request on, and the front."""
    back_at: list[float] = []

    def ill(call: Call) -> Refusal:
        back_at.append(time.monotonic() + seconds)
        status = 429 if len(back_at) % 2 else 503
        return (status, {"retry-after": "1"}) if time.monotonic() < back_at[0] else None

    with before(target, ill) as front:
        yield front.url, front
