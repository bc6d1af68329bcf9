"""GET /t.js → the browser tracker as it was built; POST /v1/id → its first-party cookie.

The script's path is the site owner's to choose. In some browsers a cookie that a server set lives
longer than one that a script set; it is only set for pages of the server's own site, so that nobody
else can say who its visitors are.
"""

import gzip
import re
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from hashlib import blake2b
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

import msgspec

from touchline.collect.visitor import GOOD_ID, cookie
from touchline.errors import BadInput

__all__ = ["ID_PATH", "Script"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

ID_PATH = "/v1/id"
MAX_ID_BODY = 1024

_PATH = re.compile(r"/[A-Za-z0-9._~/-]*[A-Za-z0-9_~-]\.js")
# An hour in the browser's cache: a new version reaches every visitor the same day.
_SHARED: list[Header] = [
    (b"cache-control", b"public, max-age=3600, stale-while-revalidate=86400"),
    (b"access-control-allow-origin", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"vary", b"Accept-Encoding"),
    (b"content-type", b"text/javascript; charset=utf-8"),
]


class _Claim(msgspec.Struct):
    id: str
    domain: str = ""


class Script:
    """The ASGI app of `paths`: the script, the same as a module (`.mjs`), and the cookie."""

    def __init__(self, path: str = "/t.js") -> None:
        if not _PATH.fullmatch(path) or "//" in path or "/../" in path:
            raise BadInput("bad_tracker_path", path=path)
        module = path.removesuffix(".js") + ".mjs"
        self._files = {path: "touchline.js", module: "touchline.mjs"}
        self.paths = frozenset((*self._files, ID_PATH))

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if scope["path"] == ID_PATH:
            status, more, body = await _cookie(scope["method"], headers, receive)
        elif scope["method"] in ("GET", "HEAD"):
            status, more, body = _file(self._files[scope["path"]], headers)
        else:
            status, more, body = 405, [(b"allow", b"GET, HEAD")], b""
        length = (b"content-length", b"%d" % len(body))
        await send({"type": "http.response.start", "status": status, "headers": [length, *more]})
        await send(
            {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body}
        )


@lru_cache(maxsize=4)
def _built(name: str) -> tuple[bytes, bytes, bytes]:
    """A built file: as it is, gzip, and the tag that changes with it."""
    plain = resources.files("touchline.web").joinpath("tracker", name).read_bytes()
    tag = b'"' + blake2b(plain, digest_size=12).hexdigest().encode() + b'"'
    return plain, gzip.compress(plain, 9, mtime=0), tag


def _file(name: str, headers: dict[bytes, bytes]) -> tuple[int, list[Header], bytes]:
    plain, packed, tag = _built(name)
    more = [*_SHARED, (b"etag", tag)]
    if tag in headers.get(b"if-none-match", b""):
        return 304, more, b""
    if b"gzip" in headers.get(b"accept-encoding", b""):
        return 200, [*more, (b"content-encoding", b"gzip")], packed
    return 200, more, plain


async def _cookie(
    method: str, headers: dict[bytes, bytes], receive: Receive
) -> tuple[int, list[Header], bytes]:
    """204 with the cookie, or 400 when it is not this site that asks."""
    more: list[Header] = [(b"cache-control", b"no-store")]
    if method != "POST":
        return 405, [*more, (b"allow", b"POST")], b""
    origin = headers.get(b"origin", b"").decode("latin-1")
    claim = await _claim(receive)
    host = _host("//" + headers.get(b"host", b"").decode("latin-1"))
    if claim is None or not _is_ours(claim, host, _host(origin)):
        return 400, more, b""
    is_secure = origin.startswith("https:")
    more += [
        (b"set-cookie", cookie(claim.id, claim.domain, is_secure=is_secure)),
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
    ]
    return 204, more, b""


async def _claim(receive: Receive) -> _Claim | None:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message["body"]
        if len(body) > MAX_ID_BODY:
            return None
        if not message.get("more_body"):
            break
    try:
        claim = msgspec.json.decode(body, type=_Claim)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return claim if GOOD_ID.fullmatch(claim.id) else None


def _is_ours(claim: _Claim, host: str, origin: str) -> bool:
    """Whether both the page and this server lie in the domain the cookie is asked for."""
    if not claim.domain:
        return bool(host) and host == origin
    return "." in claim.domain and all(
        name == claim.domain or name.endswith("." + claim.domain) for name in (host, origin)
    )


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
