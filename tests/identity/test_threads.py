"""Many threads give the people of one: nothing is shared, and the engine's order counts nowhere."""

import os
import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from msgspec.structs import replace

from touchline.identity.people import person_map

LONG = bool(os.environ.get("TOUCHLINE_LONG"))


def test_a_thousand_worlds_at_once_are_those_of_one_after_the_other(facts):
    worlds = [facts.dirty_rows(random.Random(seed)) for seed in range(1000 if LONG else 100)]
    alone = [facts.solve(rows).bytes() for rows in worlds]
    shuffled = [random.Random(n).sample(rows, len(rows)) for n, rows in enumerate(worlds)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda rows: facts.solve(rows).bytes(), shuffled))
    assert together == alone


@pytest.mark.parametrize("seed", range(20 if LONG else 2))
def test_the_engine_may_read_in_any_order_and_with_any_number_of_threads(lake, seed):
    dice = random.Random(seed)
    for table in ("events", "events", "people", "conversions", "fresh", "fresh"):
        lake.put(table, *(_row(dice) for _ in range(12)))
    found = []
    for threads in (1, 2, 7):
        lake.workspace.settings = replace(lake.workspace.settings, threads=threads)
        with lake.workspace.view() as view:
            found.append(person_map(view))
    one, *others = found
    for other in others:
        assert list(other.person_ids) == list(one.person_ids)
        assert np.array_equal(other.people.person, one.people.person)
        assert np.array_equal(other.people.quarantine.cause, one.people.quarantine.cause)


def _row(dice):
    names = [f"{kind}:v{dice.randrange(6)}" for kind in ("user_id", "email", "anonymous_id")]
    return " ".join(dice.sample(names, dice.randint(1, 3)))
