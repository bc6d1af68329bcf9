"""What a sent e-mail carries: a token of who it went to and for what, signed; and back again.

    /o/{token}.gif    an image at the end of the mail: it was opened, or a program fetched it
    /c/{token}        a link in the mail: the address it leads to stands in the token

    signer = Signer(vault.derived("mail"))
    signer.open_path(Mailed(message="m-1", recipient=node_id, campaign="spring"))

A token is its own permit: nobody can make one, cut one or change one without the key, so it may
hold an address and still is no open redirect. It is not sealed: whoever has the mail may read it.
The recipient is a node id, never an address.
"""

import base64
import binascii
import hmac
import re

import msgspec
from msgspec import Struct

from touchline.collect.campaign import Labels
from touchline.collect.link import checked_url
from touchline.errors import BadInput

__all__ = ["CLICK", "OPEN", "Mailed", "Signer", "proxy"]

OPEN, CLICK = "open", "click"
MAC = 16
MAX_TOKEN = 8192
_VERSION = b"\x01"
_TEXT = re.compile(rb"[A-Za-z0-9_-]+")

_pack = msgspec.msgpack.Encoder().encode


class Mailed(Struct, frozen=True, array_like=True):
    """What is known of one mail to one person. `target`: where a link of it leads."""

    message: str
    recipient: bytes
    campaign: str | None = None
    source: str | None = None
    content: str | None = None
    target: str | None = None
    medium: str = "email"

    @property
    def labels(self) -> Labels:
        return Labels(
            source=self.source, medium=self.medium, campaign=self.campaign, content=self.content
        )


_unpack = msgspec.msgpack.Decoder(Mailed).decode


class Signer:
    """Makes and reads tokens under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def open_path(self, mailed: Mailed) -> str:
        """Where the image of a mail is fetched."""
        return f"/o/{self._token(OPEN, msgspec.structs.replace(mailed, target=None))}.gif"

    def click_path(self, mailed: Mailed) -> str:
        """Where a link of a mail leads first. Raises BadInput("bad_url") for no web address."""
        target = checked_url(mailed.target or "")
        return f"/c/{self._token(CLICK, msgspec.structs.replace(mailed, target=target))}"

    def read(self, purpose: str, token: str) -> Mailed | None:
        """What a token holds; None when it was not made here for that purpose, whole."""
        raw = _decoded(token)
        if raw is None or raw[:1] != _VERSION:
            return None
        content, mac = raw[:-MAC], raw[-MAC:]
        if not hmac.compare_digest(self._mac(purpose, content), mac):
            return None
        try:
            return _unpack(content[1:])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def _token(self, purpose: str, mailed: Mailed) -> str:
        content = _VERSION + _pack(mailed)
        whole = base64.urlsafe_b64encode(content + self._mac(purpose, content))
        token = whole.rstrip(b"=").decode()
        if len(token) > MAX_TOKEN:
            raise BadInput("bad_url", url=ascii((mailed.target or "")[:120]))
        return token

    def _mac(self, purpose: str, content: bytes) -> bytes:
        return hmac.digest(self._key, f"{purpose}\0".encode() + content, "sha256")[:MAC]


def _decoded(token: str) -> bytes | None:
    """Its bytes; None also for another spelling of the same ones."""
    given = token.encode("utf-8", "replace")
    if len(given) > MAX_TOKEN or not _TEXT.fullmatch(given):
        return None
    try:
        raw = base64.urlsafe_b64decode(given + b"=" * (-len(given) % 4))
    except (binascii.Error, ValueError):
        return None
    is_one = base64.urlsafe_b64encode(raw).rstrip(b"=") == given
    return raw if is_one and len(raw) > 1 + MAC else None


def proxy(agent: str | None) -> tuple[str | None, bool]:
    """(whose machine fetches images for its users, whether it does so before anybody looks)."""
    text = (agent or "").strip()
    if text == "Mozilla/5.0":  # Apple's mail privacy says no more than this
        return "apple", True
    for mark, name in (("GoogleImageProxy", "gmail"), ("YahooMailProxy", "yahoo")):
        if mark in text:
            return name, False
    return None, False
