"""What senders hear: verdicts or a complaint, and headers that let pages read it.

Cross-origin pages may send here (that is what trackers do): a write key can only write, and no
cookie means anything on these paths, so the origin is echoed.
"""

import re
from collections.abc import Sequence

import msgspec

from touchline.collect.protocol import Answer, Verdict
from touchline.errors import TooMany, TouchlineError, Unavailable
from touchline.web.quick import CLOSE, Header, Headers

__all__ = ["BROKEN", "complaint", "headers_of", "listed", "preflight", "stored"]

BROKEN = Answer(500, b"Internal Server Error", b"text/plain; charset=utf-8", (CLOSE,))

_MAX_AGE = (b"access-control-max-age", b"86400")
_ORIGIN = re.compile(rb"[\x21-\x7e]{1,512}")
_NAMES = re.compile(rb"[A-Za-z0-9_\-, ]{1,2048}")
_json = msgspec.json.Encoder().encode


class Reply(msgspec.Struct, frozen=True, gc=False):
    success: bool
    results: list[Verdict]


def stored(verdicts: list[Verdict]) -> Answer:
    return Answer(200, _json(Reply(True, verdicts)))


def complaint(error: TouchlineError, headers: Headers) -> bytes:
    language = "zh" if headers.get(b"accept-language", b"").lower().startswith(b"zh") else "en"
    # Where our disk is and what ails it is not for senders: they get the code and the remedy.
    is_ours = isinstance(error, Unavailable) and not isinstance(error, TooMany)
    shown = Unavailable("not_stored") if is_ours else error
    return _json({"success": False, "code": error.code, "message": shown.text(language)})


def headers_of(answer: Answer, origin: bytes | None) -> tuple[Header, ...]:
    """Its headers; `origin`: of the page that reads it."""
    return (
        (b"content-type", answer.content_type),
        (b"content-length", b"%d" % len(answer.body)),
        *answer.headers,
        *(() if origin is None else _cross_origin(origin)),
    )


def listed(methods: Sequence[str]) -> bytes:
    return ", ".join((*methods, "OPTIONS")).encode()


def preflight(headers: Headers, methods: Sequence[str]) -> tuple[Header, ...]:
    allowed = ((b"access-control-allow-methods", listed(methods)), _MAX_AGE)
    wanted = headers.get(b"access-control-request-headers", b"")
    if _NAMES.fullmatch(wanted):
        return (*allowed, (b"access-control-allow-headers", wanted))
    return allowed


def _cross_origin(origin: bytes) -> list[Header]:
    if not _ORIGIN.fullmatch(origin):
        return []
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", b"Retry-After"),
        (b"vary", b"Origin"),
    ]
