"""The live store of people in each database of State: cut into rows, it gives what batch gives."""

import importlib.util
import os
import random
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from touchline.identity.evidence import Decisions
from touchline.identity.live.store import LiveStore, forget, marks
from touchline.identity.person_map import PersonMap
from touchline.identity.ruled import Ruled
from touchline.identity.rules import Rules

WORLDS = 1000 if os.environ.get("TOUCHLINE_LONG") else 8


@pytest.fixture(scope="module")
def facts() -> ModuleType:
    path = Path(__file__).parents[1] / "identity" / "facts.py"
    spec = importlib.util.spec_from_file_location("facts", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["facts"] = module
    spec.loader.exec_module(module)
    return module


def test_people_are_those_of_batch(state, facts):
    dice = random.Random(7)
    names = [f"{letter}{n}" for letter in "uepc" for n in range(12)] + ["o1@A", "o1@B", "c_kiosk"]
    rows = [facts.Row(tuple(dice.sample(names, 2)), dice.randrange(9)) for _ in range(40)]
    ruled = Ruled(
        Rules(quarantine_above=2),
        Decisions(
            apart=((facts.node_id("u1"), facts.node_id("u2")),), unlinked=(facts.node_id("c3"),)
        ),
    )
    store = LiveStore(state)
    for at in range(0, 40, 5):
        if at == 20:
            store.rule(ruled)
        store.add(facts.told(rows[at : at + 5]), {"events": at + 5})
    mine, batch = (
        LiveStore(state, ruled).people(),
        facts.solve(rows, rules=ruled.rules, decisions=ruled.decisions),
    )
    assert np.array_equal(mine.people.person, batch.people.person)
    assert np.array_equal(mine.people.anchor, batch.people.anchor)
    assert np.array_equal(mine.people.quarantine.cause, batch.people.quarantine.cause)
    assert marks(state)["events"] == 40


def test_dirty_worlds_in_any_order_and_portions_are_those_of_batch(state, facts):
    for seed in range(WORLDS):
        forget(state, {})
        dice = random.Random(seed)
        rows = facts.dirty_rows(dice)
        coming = dice.sample(rows, len(rows)) + dice.choices(rows, k=5)
        store = LiveStore(state)
        while coming:
            some, coming = coming[: (cut := dice.choice([1, 9, 40, 99]))], coming[cut:]
            store.add(facts.told(some))
        batch = facts.solve(rows)
        expected = PersonMap.of(batch.evidence, batch.people)
        assert list(store.people().person_ids) == list(expected.person_ids)
        assert np.array_equal(store.people().people.person, expected.people.person)
        assert np.array_equal(store.people().people.quarantine.cause, batch.people.quarantine.cause)
