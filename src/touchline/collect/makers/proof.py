"""What a webhook's sender shows, against the secret of its definition, in constant time.

    token         the secret itself, in a header or in the address
    hmac-sha256   a hash of the body made with the secret, in a header, as hex or base64
    hmac-sha1     the same, for senders that know no better

The surprise: no secret lies in State in clear. Of a token only a hash is kept, as of our own keys;
an HMAC needs the secret itself, so that one is sealed. `touchline dump` prints both as they are
kept.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping

from msgspec import Struct

from touchline.errors import BadInput

__all__ = ["CHECKS", "Cipher", "Proof", "is_kept", "kept", "proof"]

CHECKS = ("token", "hmac-sha256", "hmac-sha1")
SHORTEST = 8
HASHED, SEALED = "sha256:", "sealed:"
_HEADERS = {"token": "x-webhook-token"}
_SIGNATURE = "x-signature"

Cipher = Callable[[bytes], bytes]


class Proof(Struct, frozen=True, kw_only=True):
    """`secret`: the hash of a token, or what an HMAC is made with."""

    check: str
    secret: bytes
    header: str | None
    query: str | None
    prefix: str

    def __repr__(self) -> str:
        return f"Proof({self.check})"

    def holds(self, body: bytes, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        """Whether the sender knows the secret. `headers` by lower-case name."""
        shown = query.get(self.query) if self.query else headers.get(self.header or "")
        if not shown or not shown.startswith(self.prefix):
            return False
        given = shown.removeprefix(self.prefix).strip().encode("utf-8", "replace")
        if self.check == "token":
            return hmac.compare_digest(hashlib.sha256(given).digest(), self.secret)
        wanted = hmac.digest(self.secret, body, self.check.removeprefix("hmac-"))
        spellings = (wanted.hex().encode(), base64.b64encode(wanted))
        # Both are compared, whatever the first says.
        fits = [
            hmac.compare_digest(x, g)
            for x, g in zip(spellings, (given.lower(), given), strict=True)
        ]
        return any(fits)


def proof(
    check: str, secret: str, header: str | None, query: str | None, prefix: str, opened: Cipher
) -> Proof:
    """Raises ValueError with what is wrong. `opened` undoes the sealing of `kept`."""
    if check not in CHECKS:
        raise ValueError(f"check is none of {', '.join(CHECKS)}")
    if header and query:
        raise ValueError("the secret is shown in a header or in the query, not in both")
    if query and check != "token":
        raise ValueError("an HMAC is shown in a header")
    if check != "token" and secret.startswith(HASHED):
        raise ValueError("an HMAC cannot be checked with a hash of the secret: write the secret")
    if not is_kept(secret) and len(secret) < SHORTEST:
        raise ValueError(f"the secret needs {SHORTEST} characters or more")
    shown_in = None if query else (header or _HEADERS.get(check, _SIGNATURE)).lower()
    raw = _raw(check, secret, opened)
    return Proof(check=check, secret=raw, header=shown_in, query=query, prefix=prefix)


def is_kept(secret: str) -> bool:
    """Whether a secret is in the form that is stored."""
    return secret.startswith((HASHED, SEALED))


def kept(check: str, secret: str, sealed: Cipher) -> str:
    """A secret in clear as it is stored."""
    raw = secret.encode()
    if check == "token":
        return HASHED + hashlib.sha256(raw).hexdigest()
    return SEALED + base64.b64encode(sealed(raw)).decode()


def _raw(check: str, secret: str, opened: Cipher) -> bytes:
    try:
        if secret.startswith(HASHED):
            return bytes.fromhex(secret.removeprefix(HASHED))
        if secret.startswith(SEALED):
            return opened(base64.b64decode(secret.removeprefix(SEALED), validate=True))
    except BadInput:
        raise ValueError(
            "its secret was sealed elsewhere or under another name: write it"
        ) from None
    except (ValueError, binascii.Error):
        raise ValueError("the stored form of the secret is damaged: write it anew") from None
    return hashlib.sha256(secret.encode()).digest() if check == "token" else secret.encode()
