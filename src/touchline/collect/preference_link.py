"""A link to somebody's preferences: who, until when, signed; and back again.

    signer = PreferenceSigner(vault.derived("preferences"))
    signer.token(PREFERENCES, Preferred(node, expires_s))

The token is the permit: nobody can make one, lengthen one or change whom it is for. It holds a node
id, so who reads it learns neither an address nor a number.
"""

import base64
import binascii
import hmac
import re
import struct
from typing import NamedTuple

__all__ = ["PREFERENCES", "UNSUBSCRIBE", "PreferenceSigner", "Preferred"]

PREFERENCES, UNSUBSCRIBE = "preferences", "unsubscribe"
MAC = 16
MAX_TOKEN = 256
_HEAD = struct.Struct(">B16sQ")
_VERSION = 1
_TEXT = re.compile(rb"[A-Za-z0-9_-]{1,256}")
_CHANNEL = re.compile(rb"[a-z0-9_]{0,64}")


class Preferred(NamedTuple):
    """`channel`: what an unsubscribing is from; "" is all marketing."""

    node: bytes
    expires_s: int
    channel: str = ""


class PreferenceSigner:
    """Makes and reads tokens under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, use: str, about: Preferred) -> str:
        content = _HEAD.pack(_VERSION, about.node, about.expires_s) + about.channel.encode()
        whole = base64.urlsafe_b64encode(content + self._mac(use, content))
        return whole.rstrip(b"=").decode()

    def read(self, use: str, token: str, now_s: int) -> Preferred | None:
        """None when it was not made here for that use, whole, or its time is over."""
        raw = _decoded(token)
        if raw is None or len(raw) < _HEAD.size + MAC:
            return None
        content, mac = raw[:-MAC], raw[-MAC:]
        if not hmac.compare_digest(self._mac(use, content), mac):
            return None
        version, node, expires_s = _HEAD.unpack_from(content)
        channel = content[_HEAD.size :]
        if version != _VERSION or expires_s < now_s or not _CHANNEL.fullmatch(channel):
            return None
        return Preferred(node, expires_s, channel.decode())

    def _mac(self, use: str, content: bytes) -> bytes:
        return hmac.digest(self._key, f"{use}\0".encode() + content, "sha256")[:MAC]


def _decoded(token: str) -> bytes | None:
    """Its bytes; None also for another spelling of the same ones."""
    given = token.encode("utf-8", "replace")
    if not _TEXT.fullmatch(given):
        return None
    try:
        raw = base64.urlsafe_b64decode(given + b"=" * (-len(given) % 4))
    except (binascii.Error, ValueError):
        return None
    return raw if base64.urlsafe_b64encode(raw).rstrip(b"=") == given else None
