"""HTTP/1.1 as uvicorn reads it; a plain request is handed to the app and answered without ASGI.

A scope, a task and two events cost more than all that is to be done for a small request. An app
that has `begin` is asked, when a head is complete, whether it takes the request; it gets the whole
body and tells the answer when it has one.

What is plain: a POST with a small body of known length, that comes in one piece, on a connection
where nobody waits for an answer. All else goes uvicorn's way, also what the app does not take when
it sees the body. Both ways give the same bytes.

What surprises: a `Turn` stands where uvicorn keeps its cycle and looks like one. So the next
request of the connection waits in uvicorn's queue, and a server that stops waits for the answer.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.flow_control import CLOSE_HEADER as CLOSE
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

__all__ = ["CLOSE", "SMALL", "Address", "Begun", "Header", "Headers", "Quick", "Tell"]

Header = tuple[bytes, bytes]
Headers = dict[bytes, bytes]
Address = tuple[str, int]
Tell = Callable[[int, Sequence[Header], bytes], None]

SMALL = 16 << 10  # bodies up to here take less time than it costs to wait in turn
_NOT_PLAIN = frozenset((b"expect", b"transfer-encoding", b"upgrade"))


class Begun(Protocol):
    """A request whose head the app has seen."""

    def take(self, body: bytes, tell: Tell) -> bool:
        """Whether the app takes it: then `tell` is called later, once, with status, headers and
        body of the answer.
        """
        ...


Begin = Callable[[bytes, Headers, Address | None], Begun | None]


class _Nobody:
    """An event that nobody waits for."""

    def set(self) -> None: ...


class Turn:
    """A plain request, from its head to its answer."""

    message_event = _Nobody()

    def __init__(self, connection: "Quick", begun: Begun, size: int, *, keep_alive: bool) -> None:
        self._connection = connection
        self._begun = begun
        self._size = size
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_complete = False

    def is_taken(self, body: bytes) -> bool:
        return len(body) == self._size and self._begun.take(body, self._tell)

    def _tell(self, status: int, headers: Sequence[Header], body: bytes) -> None:
        connection, transport = self._connection, self._connection.transport
        if self.disconnected or transport.is_closing():
            return
        if not self.keep_alive and CLOSE not in headers:
            headers = (*headers, CLOSE)
        parts = [STATUS_LINE[status]]
        for name, value in (*connection.server_state.default_headers, *headers):
            parts += (name, b": ", value, b"\r\n")
        transport.write(b"".join((*parts, b"\r\n", body)))
        self.response_complete = True
        if CLOSE in headers:
            transport.close()
        connection.on_response_complete()


class Quick(HttpToolsProtocol):
    _turn: Turn | None = None  # of a request whose body is not there yet

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._begin: Begin | None = getattr(self.config.app, "begin", None)

    @property
    def is_waiting(self) -> bool:
        """Whether a plain request's head is there and nothing of its body."""
        return self._turn is not None

    def on_headers_complete(self) -> None:
        self._turn = None if self._begin is None else self._plain(self._begin)
        if self._turn is None:
            super().on_headers_complete()
        else:
            self.cycle = cast(Any, self._turn)

    def on_body(self, body: bytes) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            if turn.is_taken(body):
                return
            self.cycle = cast(Any, None)
            super().on_headers_complete()
            self.cycle.keep_alive = turn.keep_alive
        super().on_body(body)

    def _plain(self, begin: Begin) -> Turn | None:
        cycle, parser = cast(Any, self.cycle), cast(Any, self.parser)
        is_free = cycle is None or cycle.response_complete
        if not is_free or self.flow.write_paused or parser.get_method() != b"POST":
            return None
        headers = dict(self.headers)
        size = int(headers.get(b"content-length", 0))
        is_simple = len(headers) == len(self.headers) and headers.keys().isdisjoint(_NOT_PLAIN)
        if not is_simple or not 0 < size <= SMALL:
            return None
        begun = begin(self.url, headers, self._client(headers))
        if begun is None:
            return None
        stays = parser.should_keep_alive() and parser.get_http_version() != "1.0"
        return Turn(self, begun, size, keep_alive=stays)

    def _client(self, headers: Headers) -> Address | None:
        """Who sends; behind a proxy that is trusted it says so."""
        forwarded, app = headers.get(b"x-forwarded-for"), self.app
        if forwarded is None or self.client is None or not isinstance(app, ProxyHeadersMiddleware):
            return self.client
        if self.client[0] not in app.trusted_hosts:
            return self.client
        host, port = app.trusted_hosts.get_trusted_client_address(forwarded.decode("latin-1"))
        return (host, port) if host else self.client
