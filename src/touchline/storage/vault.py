"""Secrets: node ids from identifier values, and clear values sealed under keys that can be erased.

A node id is HMAC-SHA256(pepper, type 0x00 value) cut to 128 bits: without the pepper nobody can
enumerate phone numbers back. Each node has a data key of its own, wrapped by the root key; values
are sealed with AES-256-GCM, bound to their place by the associated data. What surprises: root and
signing key can be changed, the pepper cannot: node ids of before would be those of nobody.
"""

import hmac
import secrets
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from touchline import clock
from touchline.errors import BadInput
from touchline.storage.disk import make_folder, put
from touchline.storage.root_key import KEY, NONCE, RootKey, destroyed, read_key

__all__ = ["TOMBSTONES", "Signing", "Vault"]

TOMBSTONES = "tombstones"  # mark in State: how often tombstones were set or lifted


class Signing(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key that receipts are, or until then were, signed with: 32 bytes in hex."""

    public_key: str
    until: str | None = None


class Vault:
    """The secrets of one workspace, read once from their folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pepper = read_key(folder / "pepper")
        self.root = RootKey(folder)
        self._payload = AESGCM(self.root.payload())

    @staticmethod
    def create(folder: Path) -> None:
        """Makes the secrets; existing ones are kept, since losing them loses every identity."""
        make_folder(folder, 0o700)
        if not (folder / "pepper").exists():
            put(folder / "pepper", secrets.token_bytes(KEY), 0o600)
        RootKey.create(folder)

    def node_id(self, kind: str, value: str) -> bytes:
        """16 bytes that stand for one normalised identifier everywhere outside State."""
        message = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._pepper, message, "sha256")[:16]

    def tombstone(self, node_id: bytes) -> bytes:
        """What stands for a node that was erased, so that its id itself is nowhere."""
        return hmac.digest(self.derived("tombstone"), node_id, "sha256")[:16]

    def signer(self) -> Ed25519PrivateKey:
        """What receipts are signed with; made when it is first needed."""
        path = self._folder / "signing.key"
        if not path.exists():
            put(path, secrets.token_bytes(KEY), 0o600)
        return Ed25519PrivateKey.from_private_bytes(read_key(path))

    def signing_keys(self) -> list[Signing]:
        """The public keys of receipts: the one in force first, then those of before."""
        own = self.signer().public_key().public_bytes_raw().hex()
        return [Signing(own), *(key for key in self._retired() if key.public_key != own)]

    def change_signer(self) -> None:
        """A new one from now on. The old one is destroyed; its public key is kept."""
        own = self.signer().public_key().public_bytes_raw().hex()
        told = [Signing(own, clock.iso(clock.now_us())), *self._retired()]
        put(self._folder / "signed.json", msgspec.json.encode(told), 0o600)
        destroyed(self._folder / "signing.key")
        self.signer()

    def _retired(self) -> list[Signing]:
        try:
            told = (self._folder / "signed.json").read_bytes()
        except FileNotFoundError:
            return []
        found = msgspec.json.decode(told, type=list[Signing])
        return list({key.public_key: key for key in reversed(found)}.values())[::-1]

    def derived(self, purpose: str) -> bytes:
        """A key for one purpose, the same each time; it tells nothing of the others."""
        return hmac.digest(self._pepper, f"key\0{purpose}".encode(), "sha512")[:KEY]

    def new_key(self, node_id: bytes) -> tuple[AESGCM, bytes]:
        """A fresh data key for a node, and its wrapped form to store."""
        key = secrets.token_bytes(KEY)
        return AESGCM(key), self.root.wrap(key, b"key|" + node_id)

    def unwrap(self, node_id: bytes, wrapped: bytes) -> AESGCM:
        """The data key of a node; raises BadInput("wrong_secrets") under another root key."""
        return AESGCM(self.root.unwrap(wrapped, b"key|" + node_id))

    def wrapped_anew(self, node_id: bytes, wrapped: bytes) -> bytes | None:
        """The same data key under the root key of now; None where it is so already."""
        place = b"key|" + node_id
        if self.root.is_current(wrapped, place):
            return None
        return self.root.wrap(self.root.unwrap(wrapped, place), place)

    def seal(self, clear: bytes, place: bytes) -> bytes:
        """Sealed under the payload key: what belongs to no node."""
        return seal(self._payload, clear, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        return unseal(self._payload, sealed, place)


def seal(key: AESGCM, clear: bytes, place: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE)
    return nonce + key.encrypt(nonce, clear, place)


def unseal(key: AESGCM, sealed: bytes, place: bytes) -> bytes:
    try:
        return key.decrypt(sealed[:NONCE], sealed[NONCE:], place)
    except (InvalidTag, ValueError) as error:  # the second: too few bytes to be anything
        raise BadInput("wrong_secrets") from error
