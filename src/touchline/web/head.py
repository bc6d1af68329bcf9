"""HTTP/1.1 as uvicorn reads it, with an end to how long a head may be and how slowly it may come.

uvicorn keeps any number of header bytes, joins a value piece by piece, and waits for ever. What
surprises: all bytes count that led to nothing yet, so an endless trailer is one as well. Slow ones
are found by looking at all connections now and then: a timer for each request would cost more.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["HEAD_S", "Head", "end_slow"]

MAX_HEAD = 128 << 10  # an address may be half of that, longer ones the parser refuses
HEAD_S = 30.0


class Head(HttpToolsProtocol):
    _silent = 0  # bytes since the last head or piece of a body
    _since: float | None = None  # when the head that is coming in began

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        self._silent += len(data)
        super().data_received(data)
        if self._silent > MAX_HEAD:
            self.end()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._since is None:
            self._since = self.loop.time()

    def on_headers_complete(self) -> None:
        self._silent, self._since = 0, None
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._silent, self._since = 0, None
        super().on_body(body)

    def is_slow(self, now: float) -> bool:
        return self._since is not None and now - self._since > HEAD_S

    def end(self) -> None:
        """Refuses what is coming in; cuts it off when an answer is on its way already."""
        self._silent, self._since = 0, None
        if self.transport.is_closing():
            return
        cycle: Any = self.cycle
        if cycle is None or cycle.response_complete:
            self.send_400_response("The head of the request is too large or too slow.")
        else:
            self.transport.abort()


def end_slow(connections: Iterable[Any], now: float) -> None:
    """Ends those whose head takes too long."""
    for connection in list(connections):
        if isinstance(connection, Head) and connection.is_slow(now):
            connection.end()
