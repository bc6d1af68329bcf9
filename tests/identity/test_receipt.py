"""Receipts: whoever holds one can check it, and nobody can change one."""

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from touchline.errors import BadInput
from touchline.identity.receipt import check, signed

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
RECEIPT = {"request": "r1", "tables": {"lake.events": {"deleted": 3}}, "scan": {"hits": 0}}
MADE = signed(RECEIPT, KEY)


def test_a_receipt_is_good_as_it_was_made_and_under_the_key_it_was_made_with():
    found = check(MADE)
    assert found.is_good
    assert check(MADE, found.fingerprint).is_good
    assert check(MADE, KEY.public_key().public_bytes_raw().hex().upper()).is_good
    assert not check(MADE, check(signed(RECEIPT, OTHER)).fingerprint).is_good


def test_the_form_of_the_json_says_nothing():
    told = msgspec.json.decode(MADE)
    again = msgspec.json.encode(dict(reversed(told.items())))
    assert check(again).is_good


@given(st.integers(0, len(MADE) - 1), st.integers(1, 255))
def test_no_byte_can_be_another(place, change):
    raw = bytearray(MADE)
    raw[place] ^= change
    try:
        found = check(bytes(raw))
    except BadInput:
        return
    told = msgspec.json.decode(MADE)
    assert not found.is_good or _same(raw, told)


def _same(raw, told):
    """Hex in capitals says the same."""
    found = msgspec.json.decode(raw)
    return {k: v.lower() if isinstance(v, str) else v for k, v in found.items()} == told


def test_somebody_elses_key_and_signature_are_another_fingerprint():
    forged = signed({**RECEIPT, "tables": {}}, OTHER)
    assert check(forged).is_signed
    assert check(forged).fingerprint != check(MADE).fingerprint


def test_one_that_tells_of_hits_is_not_good():
    found = check(signed({**RECEIPT, "scan": {"hits": 2}}, KEY))
    assert found.is_signed
    assert not found.is_good


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"\xff",
        b"{}",
        b'{"receipt": {}, "public_key": "00", "signature": "00"}',
        b'{"receipt": {"scan": 1}, "public_key": "zz", "signature": "00"}',
        b'{"a":' * 100_000,
        signed({"request": "r1"}, KEY),
        MADE.replace(b"public_key", b"public key"),
    ],
)
def test_what_is_no_receipt_is_said_to_be_none(raw):
    with pytest.raises(BadInput) as caught:
        check(raw)
    assert caught.value.code == "not_a_receipt"
