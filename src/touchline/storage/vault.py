"""Secrets: node ids from identifier values, and clear values sealed under keys that can be erased.

A node id is HMAC-SHA256(pepper, type 0x00 value) cut to 128 bits: without the pepper nobody can
enumerate phone numbers back. Each node has a data key of its own, wrapped by the root key; values
are sealed with AES-256-GCM, bound to their place by the associated data.
"""

import hmac
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from touchline.errors import BadInput
from touchline.storage.disk import make_folder, put

__all__ = ["Vault"]

NONCE = 12
KEY = 32


class Vault:
    """The secrets of one workspace, read once from their folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pepper = _read(folder / "pepper")
        self._root = AESGCM(_read(folder / "root.key"))

    @staticmethod
    def create(folder: Path) -> None:
        """Makes the secrets; existing ones are kept, since losing them loses every identity."""
        make_folder(folder, 0o700)
        for name in ("pepper", "root.key"):
            path = folder / name
            if path.exists():
                continue
            put(path, secrets.token_bytes(KEY), 0o600)

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
        return Ed25519PrivateKey.from_private_bytes(_read(path))

    def derived(self, purpose: str) -> bytes:
        """A key for one purpose, the same each time; it tells nothing of the others."""
        return hmac.digest(self._pepper, f"key\0{purpose}".encode(), "sha512")[:KEY]

    def new_key(self, node_id: bytes) -> tuple[AESGCM, bytes]:
        """A fresh data key for a node, and its wrapped form to store."""
        random = secrets.token_bytes(KEY + NONCE)  # one call of the kernel
        key, nonce = random[:KEY], random[KEY:]
        return AESGCM(key), nonce + self._root.encrypt(nonce, key, b"key|" + node_id)

    def unwrap(self, node_id: bytes, wrapped: bytes) -> AESGCM:
        """The data key of a node; raises BadInput("wrong_secrets") under another root key."""
        try:
            return AESGCM(
                self._root.decrypt(wrapped[:NONCE], wrapped[NONCE:], b"key|" + node_id),
            )
        except InvalidTag as error:
            raise BadInput("wrong_secrets") from error

    def seal(self, clear: bytes, place: bytes) -> bytes:
        """Sealed under the root key itself: payloads that belong to no node."""
        return seal(self._root, clear, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        return unseal(self._root, sealed, place)


def seal(key: AESGCM, clear: bytes, place: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE)
    return nonce + key.encrypt(nonce, clear, place)


def unseal(key: AESGCM, sealed: bytes, place: bytes) -> bytes:
    try:
        return key.decrypt(sealed[:NONCE], sealed[NONCE:], place)
    except (InvalidTag, ValueError) as error:  # the second: too few bytes to be anything
        raise BadInput("wrong_secrets") from error


def _read(path: Path) -> bytes:
    try:
        value = path.read_bytes()
    except FileNotFoundError as error:
        raise BadInput("secrets_missing", path=path) from error
    if len(value) != KEY:
        raise BadInput("secrets_missing", path=path)
    return value
