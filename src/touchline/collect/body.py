"""Bytes of a request body → the JSON value they mean, whatever the headers claim.

Read are plain JSON, gzip, and the field `data` of a form, there also as base64.
Strict and fast first. Only a body the strict reader refuses is read again leniently: one cut emoji,
NaN or absurd nesting must not cost the other events of its batch. In text that comes out of here
NUL and lone surrogates have become U+FFFD, since no database can hold them.
"""

import base64
import binascii
import json
import re
import zlib
from typing import Any

import msgspec

from touchline.collect.url import fields
from touchline.errors import BadInput

__all__ = [
    "GZIP",
    "MAX_BODY",
    "MAX_DEPTH",
    "cleaned",
    "inflated",
    "is_shallow",
    "load",
    "load_call",
    "load_lines",
    "load_text",
]

MAX_BODY = 4 << 20
MAX_DEPTH = 64
MAX_MEMBERS = 16
# Lists and objects of a body. Each costs fifty times the two bytes that make it, and while they are
# made nothing else runs. Ten thousand rich events have half as many.
MAX_BOXES = 200_000

# Deep enough that a too deep item inside a batch is still seen to be one.
_KEPT_DEPTH = MAX_DEPTH + 4

GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_FORM = b"data="
_TO_BASE64 = str.maketrans("-_ ", "+/+")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# A string that never ends swallows the rest, or every quote in it would start a search of its own.
_TOKENS = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_decode = msgspec.json.Decoder().decode


def load(body: bytes) -> Any:
    """The JSON value of a body."""
    body = inflated(body)
    if body[:5] == _FORM and len(body) <= MAX_BODY:
        return load_text(fields(body)["data"])
    return _load(body)


def inflated(body: bytes) -> bytes:
    """The body without its gzip. Raises BadInput("unreadable_body") or ("body_too_large")."""
    return _gunzip(body) if body[:2] == GZIP else body


def load_call(body: bytes, query: str) -> Any:
    """The JSON value of a body; of a call without one that of the field `data` in its query."""
    if body:
        return load(body)
    text = fields(query.encode("latin-1", "replace")).get("data")
    if text is None:
        raise BadInput("unreadable_body", why="no data")
    return load_text(text)


def load_lines(body: bytes) -> list[Any]:
    """The JSON value of each line, plain or gzip; None for a line that has none."""
    body = inflated(body)
    lines = [line for line in body.splitlines() if line.strip()]
    if len(lines) < 2 or not any(line.lstrip()[:1] == b"{" for line in lines):
        raise BadInput("unreadable_body", why="not JSON")
    return [_line(line) for line in lines]


def _line(line: bytes) -> Any:
    try:
        return _load(line)
    except BadInput:
        return None


def load_text(text: str) -> Any:
    """The JSON value of a field: as it is, or as base64 (also of gzip) with or without padding."""
    if text.lstrip()[:1] in ("{", "[", '"'):
        return _load(text.encode("utf-8", "replace"))
    text = "".join(text.translate(_TO_BASE64).split()).rstrip("=")
    try:
        body = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise BadInput("unreadable_body", why="neither JSON nor base64") from None
    return _load(inflated(body))


def _load(body: bytes) -> Any:
    if len(body) > MAX_BODY or body.count(b"{") + body.count(b"[") > MAX_BOXES:
        raise BadInput("body_too_large", limit=MAX_BODY)
    if body[:3] == _BOM:
        body = body[3:]
    try:
        value = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return cleaned(_lenient(body))
    # The only way left to a NUL is its escape: one search instead of a walk over every value.
    if b"\\u0000" in body:
        is_shallow(value, _KEPT_DEPTH)
        return cleaned(value)
    return value


def _gunzip(body: bytes) -> bytes:
    out = b""
    rest = body
    for _ in range(MAX_MEMBERS):
        inflater = zlib.decompressobj(31)
        try:
            out += inflater.decompress(rest, MAX_BODY + 1 - len(out))
        except zlib.error:
            raise BadInput("unreadable_body", why="broken gzip") from None
        if len(out) > MAX_BODY:
            raise BadInput("body_too_large", limit=MAX_BODY)
        if not inflater.eof:
            raise BadInput("unreadable_body", why="gzip breaks off")
        # gzip files may be glued together; anything else behind the end is padding.
        rest = inflater.unused_data
        if rest[:2] != GZIP:
            return out
    raise BadInput("unreadable_body", why="too many gzip members")


def _lenient(body: bytes) -> Any:
    text = body.decode("utf-8", "replace")
    try:
        try:
            return _lenient_decode(text)
        except RecursionError:
            return _lenient_decode(_pruned(text))
    except (ValueError, RecursionError):
        raise BadInput("unreadable_body", why="not JSON") from None


def _lenient_decode(text: str) -> Any:
    return json.loads(text, strict=False, parse_int=_integer)


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= 400 else digits


def _pruned(text: str) -> str:
    """The text without what is nested so deep that no reader follows; the rest is untouched."""
    kept: list[str] = []
    depth = start = 0
    for token in _TOKENS.finditer(text):
        mark = token.group()
        if mark in "[{":
            depth += 1
            if depth == _KEPT_DEPTH:
                kept.append(text[start : token.end()])
        elif mark in "]}":
            if depth == _KEPT_DEPTH:
                start = token.start()
            depth -= 1
    if depth >= _KEPT_DEPTH:
        raise ValueError
    return "".join(kept) + text[start:]


def cleaned(value: Any) -> Any:
    """The same value with storable text only (keys too)."""
    kind = type(value)
    if kind is str:
        return _UNSTORABLE.sub("\ufffd", value)
    if kind is dict:
        return {cleaned(key): cleaned(item) for key, item in value.items()}
    if kind is list:
        return [cleaned(item) for item in value]
    return value


def is_shallow(value: Any, depth: int = MAX_DEPTH) -> bool:
    """False when nested deeper than `depth`; what lies deeper is then cut out of `value`."""
    level: list[Any] = [value] if type(value) is dict or type(value) is list else []
    for _ in range(depth):
        level = [
            inner
            for box in level
            for inner in (box.values() if type(box) is dict else box)
            if type(inner) is dict or type(inner) is list
        ]
        if not level:
            return True
    for box in level:
        box.clear()
    return False
