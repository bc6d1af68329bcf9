"""Flat parameters, name → text, as pixels and forms carry them → values that are taken to their
places.

A value that is taken is gone from what is `left`, so a protocol keeps the rest by keeping `left`.
The surprise: base64 in a parameter may not be gzip, since a short one could grow to megabytes, and
a request has many.
"""

import base64
import binascii
import re
from typing import Any

from touchline.collect import body
from touchline.collect.context import plain_text
from touchline.collect.protocol import Answer, gif
from touchline.collect.verdict import MAX_ID
from touchline.errors import BadInput, Denied, TouchlineError, Unavailable

__all__ = [
    "DEPTH",
    "Params",
    "number",
    "refuse",
    "said",
    "shared",
    "size",
    "taken",
    "text",
    "unpacked",
]

DEPTH = body.MAX_DEPTH - 8  # room for the item around a value

_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,6})?", re.ASCII)
_SIZE = re.compile(r"(\d{1,6})x(\d{1,6})", re.ASCII)
_TO_BASE64 = str.maketrans("-_ ", "+/+")

Params = dict[str, Any]


def shared(calls: list[Any], name: str, value: str | None) -> list[Any]:
    """Each call of a list with what its address says of the site, where that is short."""
    if value and len(value) <= MAX_ID:
        for call in calls:
            if type(call) is dict:
                call.setdefault(name, value)
    return calls


def text(call: Params, name: str) -> str | None:
    return plain_text(call.get(name))


def taken(left: Params, name: str) -> str | None:
    """A value as text, whole; one that is neither text nor number stays where it is."""
    if text(left, name) is None:
        return None
    return str(left.pop(name)).strip()


def size(left: Params, name: str) -> dict[str, int] | None:
    """Width and height of `1920x1080`."""
    found = _SIZE.fullmatch(text(left, name) or "")
    if found is None:
        return None
    del left[name]
    return {"width": int(found[1]), "height": int(found[2])}


def number(text: str) -> Any:
    """The number in a text, or the text where it holds none, or one that would lose digits."""
    if not _NUMBER.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)


def unpacked(value: Any) -> Any:
    """The object or list in a text of JSON or its base64 (of any alphabet, padded or not).

    None where there is none; a value that is no text is given back as it is.
    """
    if type(value) is not str:
        return value
    raw = value.encode("utf-8", "replace")
    if raw[:1] not in (b"{", b"["):
        raw = _from_base64(value)
    if raw[:1] not in (b"{", b"["):
        return None
    try:
        found = body.load(raw)
    except BadInput:
        return None
    return found if body.is_shallow(found, DEPTH) else None


def _from_base64(text: str) -> bytes:
    text = text.translate(_TO_BASE64).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def said(values: dict[str, Any]) -> dict[str, Any]:
    """Without what says nothing."""
    return {name: value for name, value in values.items() if value not in (None, "", {})}


def refuse(error: TouchlineError) -> Answer | None:
    """An image, unless the request is worth repeating: a page takes an image for success."""
    if isinstance(error, Unavailable) or error.code == "too_slow":
        return None
    status = 401 if isinstance(error, Denied) else 413 if error.code == "body_too_large" else 400
    shown = gif()
    return Answer(status, shown.body, shown.content_type, shown.headers)
