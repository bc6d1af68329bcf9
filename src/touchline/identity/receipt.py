"""What an erasure did → a receipt that anybody can check, without the workspace it was done in.

A receipt is signed (Ed25519) over its canonical JSON: keys in order, no blanks, UTF-8. The public
key stands in it; that it is the right company's key is told by comparing its fingerprint with the
one the company has published. It names nobody: who asked knows the number of their request.
"""

from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from touchline.errors import BadInput
from touchline.storage.audit import canonical

__all__ = ["KIND", "Checked", "check", "fingerprint", "read_receipt", "signed"]

KIND = "touchline erasure receipt 1"


class Signed(Struct, frozen=True, forbid_unknown_fields=True):
    """`public_key` and `signature` in hex."""

    receipt: dict[str, Any]
    public_key: str
    signature: str


class Checked(Struct, frozen=True):
    """`is_signed`: its own key signed it. `is_expected`: that key is one asked for, if any was.
    `hits`: where the scan still found the person.
    """

    receipt: dict[str, Any]
    fingerprint: str
    is_signed: bool
    is_expected: bool
    hits: int

    @property
    def is_good(self) -> bool:
        return self.is_signed and self.is_expected and self.hits == 0


def signed(receipt: dict[str, Any], key: Ed25519PrivateKey) -> bytes:
    """A receipt as a file: JSON that people can read."""
    told = Signed(
        {"kind": KIND, **receipt},
        key.public_key().public_bytes_raw().hex(),
        key.sign(canonical({"kind": KIND, **receipt})).hex(),
    )
    return msgspec.json.format(canonical(msgspec.structs.asdict(told)), indent=2) + b"\n"


def check(raw: bytes, *keys: str, path: object = "receipt") -> Checked:
    """Raises BadInput for what is no receipt. `keys`: public keys in hex or their fingerprints, any
    of which may have signed it; without, its own is taken.
    """
    told = _parsed(raw, path)
    public = _bytes(told.public_key, 32, path)
    own = fingerprint(public)
    known = {_plain(key) for key in keys}
    is_expected = not known or not known.isdisjoint((_plain(own), public.hex()))
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(
            _bytes(told.signature, 64, path), canonical(told.receipt)
        )
        is_signed = told.receipt.get("kind") == KIND
    except InvalidSignature:
        is_signed = False
    scan = told.receipt.get("scan")
    hits = scan.get("hits") if isinstance(scan, dict) else None
    if not isinstance(hits, int):
        raise BadInput("not_a_receipt", path=path, why="it tells of no scan")
    return Checked(told.receipt, own, is_signed, is_expected, hits)


def read_receipt(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput("not_a_receipt", path=path, why=error.strerror) from error


def fingerprint(public: bytes) -> str:
    """A public key for the eye: eight groups of four."""
    digest = sha256(public).hexdigest()[:32]
    return " ".join(digest[at : at + 4] for at in range(0, 32, 4))


def _plain(key: str) -> str:
    return "".join(key.split()).lower().removeprefix("sha256:")


def _parsed(raw: bytes, path: object) -> Signed:
    try:
        return msgspec.json.decode(raw, type=Signed)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput("not_a_receipt", path=path, why=error) from error


def _bytes(text: str, length: int, path: object) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != length:
        raise BadInput("not_a_receipt", path=path, why="a key or signature is not whole")
    return found
