"""The ledger is only added to, takes an act once, and knows who refuses what."""

import pytest

from touchline.model import Consent
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

A, B = b"a" * 16, b"b" * 16


@pytest.fixture
def state(tmp_path):
    made = State.at(tmp_path, None)
    made.migrate()
    yield made
    made.close()


def say(state, at, node, *, yes, purpose="linking", act=None):
    row = Consent(
        act=act or at.to_bytes(16),
        node=node,
        purpose=purpose,
        is_granted=yes,
        at_us=at,
        known_at_us=at,
        source="test",
    )
    state.write(written(state, [row]))
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
    assert refusing(state, "linking", as_of_us=2) == {A}


def test_words_are_kept_by_their_hash(state):
    state.write(texts(state, [("同意", "zh"), ("yes", "en"), ("同意", "zh")]))
    found = text_hash("同意", "zh")
    assert found != text_hash("同意", "en")
    assert shown_text(state, [found, "0" * 64]) == {found: "同意"}
