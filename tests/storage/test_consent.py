"""The ledger is only added to, takes an act once, and knows who refuses what."""

import functools

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from touchline.model import Consent, Purpose, permission
from touchline.storage import schema
from touchline.storage.consent import (
    Refusals,
    ledger,
    of_acts,
    refusing,
    shown_text,
    text_hash,
    texts,
    written,
)
from touchline.storage.state import State
from touchline.storage.vault import TOMBSTONES

A, B = b"a" * 16, b"b" * 16


@pytest.fixture
def state(tmp_path):
    made = State.at(tmp_path, None)
    made.migrate()
    yield made
    made.close()


def say(state, at, node, *, yes, purpose="linking", act=None):
    row = Consent(
        act=act or at.to_bytes(16, signed=True),
        node=node,
        purpose=purpose,
        is_granted=yes,
        at_us=at,
        known_at_us=at,
        source="test",
    )
    state.write(*written(state, [row]))
    return row


def test_what_was_said_is_read_back_oldest_first_and_an_act_counts_once(state):
    later, sooner = say(state, 2, A, yes=False), say(state, 1, A, yes=True)
    say(state, 2, A, yes=False)
    assert ledger(state, [A, B]) == [sooner, later]
    assert ledger(state, [A], as_of_us=1) == [sooner]
    assert of_acts(state, [later.act]) == {A}


def test_who_refuses_follows_what_is_said(state):
    refusals = Refusals(state, "linking", "analytics")
    assert refusals.now() == {"linking": frozenset(), "analytics": frozenset()}
    say(state, 1, A, yes=False)
    say(state, 2, B, yes=False, purpose="analytics")
    assert refusals.now() == {"linking": {A}, "analytics": {B}}
    say(state, 3, A, yes=True)
    assert refusals.now()["linking"] == frozenset()
    assert Refusals(state, "linking").now()["linking"] == frozenset()


def test_who_refuses_after_somebody_was_erased_is_heeded_and_what_was_erased_is_forgotten(state):
    refusals = Refusals(state, "linking")
    say(state, 1, A, yes=False)
    assert refusals.now()["linking"] == {A}
    erased = state.upsert(schema.mark, add=["value"]), [{"name": TOMBSTONES, "value": 1}]
    state.write((sa.delete(schema.consent), [{}]), erased)
    say(state, 2, B, yes=False)
    assert refusals.now()["linking"] == {B}


def test_a_number_that_was_given_is_not_given_again(state):
    for at in (1, 2):
        say(state, at, A, yes=False)
        (row,) = state.read(sa.select(schema.consent.c.id))
        assert row.id == at
        state.write((sa.delete(schema.consent), [{}]))


def test_a_refusal_from_before_1970_is_one(state):
    say(state, -1, A, yes=False)
    assert refusing(state, "linking") == {A}


rows = st.lists(
    st.builds(
        Consent,
        act=st.binary(min_size=16, max_size=16),
        node=st.sampled_from([A, B, b"c" * 16]),
        purpose=st.sampled_from(["linking", "marketing"]),
        is_granted=st.booleans(),
        at_us=st.integers(-2, 3),
        known_at_us=st.integers(-2, 3),
    ),
    max_size=12,
)


@functools.cache
def in_memory():
    made = State("sqlite://")
    made.migrate()
    return made


@given(rows)
def test_who_refuses_is_who_has_no_permission(said):
    state = in_memory()
    state.write((sa.delete(schema.consent), [{}]), *written(state, said))
    expected = {
        node
        for node in (A, B, b"c" * 16)
        if not permission(
            [row for row in ledger(state, [node]) if row.node == node],
            Purpose(name="linking", needs_grant=False),
            at_us=9,
        ).is_allowed
    }
    assert refusing(state, "linking") == refusing(state, "linking", [A, B, b"c" * 16]) == expected


def test_words_are_kept_by_their_hash(state):
    state.write(texts(state, [("同意", "zh"), ("yes", "en"), ("同意", "zh")]))
    found = text_hash("同意", "zh")
    assert found != text_hash("同意", "en")
    assert shown_text(state, [found, "0" * 64]) == {found: "同意"}
