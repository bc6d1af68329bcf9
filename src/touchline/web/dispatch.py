"""One port, three apps: collection paths go straight to the collector, the browser tracker to those
who serve it, all else to the admin API.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from touchline.jobs.process import note
from touchline.web.collector import Collector, collects
from touchline.web.script import Script

__all__ = ["Dispatch"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

# Answers hold customers' data: no cache keeps them, and no browser takes them for a page.
_GUARD = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]


class Dispatch:
    """An ASGI app. Without a collector this process only answers."""

    def __init__(self, collector: Collector | None, app: App, script: Script) -> None:
        self._collector = collector
        self._app = app
        self._script = script
        self.begin = None if collector is None else collector.begin

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if self._collector is not None and scope["type"] == "http" and collects(scope["path"]):
            await self._collector(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] in self._script.paths:
            await self._script(scope, receive, send)
        elif scope["type"] == "http":
            await _guarded(self._app, scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})


async def _guarded(app: App, scope: Message, receive: Receive, send: Send) -> None:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_GUARD]
        await send(message)

    try:
        await app(scope, receive, guarded)
    except Exception as error:
        note("server", f"{scope['method']} {scope['path']}", error)
        raise
