"""The door of the admin API: what comes with a body is let in when its sender has a key, and the
body is whole, of bounded size and JSON that every reader behind takes.

The framework would read any body to its end, however large, before it looks at the key.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
from fastapi import Request
from fastapi.security.utils import get_authorization_scheme_param

from touchline.collect.body import MAX_BODY, is_shallow
from touchline.collect.protocol import status_of
from touchline.errors import BadInput, Denied, TouchlineError
from touchline.web.collector import BODY_S, MAX_DRAINED
from touchline.web.problem import problem
from touchline.web.served import served

__all__ = ["Door"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

PREFIX = "/api/"
BODILESS = ("GET", "HEAD", "OPTIONS")


class _GoneError(Exception):
    """The sender hung up before the end of its request."""


class Door:
    """ASGI middleware around the app of one workspace."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["method"] in BODILESS or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            await _check_key(request)
            body = await _whole(receive)
            _check_json(body)
        except _GoneError:
            return
        except TouchlineError as error:
            await problem(request, error, status_of(error))(scope, receive, send)
            return
        await self._app(scope, _again(body, receive), send)


async def _check_key(request: Request) -> None:
    scheme, key = get_authorization_scheme_param(request.headers.get("authorization"))
    if scheme.lower() != "bearer" or not await served(request).keys.scopes(key):
        raise Denied("wrong_admin_key")


async def _whole(receive: Receive) -> bytes:
    """The body. One that is too large is read on, so that its sender comes to read why it is
    refused, but nothing of it is kept.
    """
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_S):
            while size <= MAX_DRAINED:
                message = await receive()
                if message["type"] != "http.request":
                    raise _GoneError
                part: bytes = message.get("body", b"")
                size += len(part)
                if size <= MAX_BODY:
                    parts.append(part)
                else:
                    parts.clear()
                if not message.get("more_body"):
                    break
    except TimeoutError:
        raise BadInput("too_slow") from None
    if size > MAX_BODY:
        raise BadInput("body_too_large", limit=MAX_BODY)
    return b"".join(parts)


def _check_json(body: bytes) -> None:
    try:
        is_flat = not body or is_shallow(msgspec.json.decode(body))
    except RecursionError:
        is_flat = False
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise BadInput("unreadable_body", why="not JSON") from None
    if not is_flat:
        raise BadInput("unreadable_body", why="nested too deep")


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives the body once more, then whatever comes behind it."""
    told = iter(({"type": "http.request", "body": body, "more_body": False},))

    async def again() -> Message:
        return next(told, None) or await receive()

    return again
