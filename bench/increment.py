"""A new day, and a deal closed 180 days later, folded into statistics of 5 M journeys.

    python bench/increment.py [--journeys 5000000] [--day 55555]

A ledger is made of the touches and conversions of world.py (12 channels; rules, Markov 1 and 2,
both Shapley values); then come a day of new people with theirs (target: 0.5 s), and one deal of a
person whose touches lie 180 days back (target: 1 s), credit of all models read anew after each.
Both are compared with a ledger made anew on a smaller world, as the tests do.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

import machine
import world

RULES = ("first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based")
MODELS = (*RULES, "markov_1", "markov_2", "shapley", "shapley_rate")
DAY_US = 86_400_000_000
ROUNDS = 5


def loaded(folder: Path) -> tuple[Any, Any, Any, tuple[tuple[str | None, ...], ...]]:
    """The two files as what a ledger takes, and the names of the labels."""
    from touchline.attribution.shelf import Rows
    from touchline.attribution.walk import Bought, Members

    found = pq.read_table(folder / "touches.parquet", read_dictionary=["channel"])
    channel = found.column("channel").unify_dictionaries().combine_chunks()
    names = channel.dictionary.to_pylist()
    columns = (found.column(name).to_numpy() for name in ("person_ix", "ts_us", "seq"))
    touches = Rows(*columns, channel.indices.to_numpy())
    bought = pq.read_table(folder / "conversions.parquet")
    person, at_us, value = (
        bought.column(name).to_numpy() for name in ("person_ix", "ts_us", "revenue")
    )
    number = np.arange(len(bought))
    deals = Bought(number, at_us, value, np.ones(len(bought), np.int64))
    return touches, deals, Members(number, person), tuple((name,) for name in names)


def timed(work: Callable[[], None]) -> tuple[float, float]:
    wall, cores = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cores


def main() -> None:
    from touchline.attribution.figures import figures
    from touchline.attribution.ledger import Ledger, Terms
    from touchline.attribution.walk import Bought, Members

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--journeys", type=int, default=5_000_000)
    parser.add_argument("--day", type=int, default=55_555)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    base = given.folder or Path(tempfile.gettempdir()) / "touchline-bench"
    folder = world.write_world(base, journeys=given.journeys, channels=12)
    print(machine.describe(folder / "touches.parquet"))
    touches, bought, members, labels = loaded(folder)
    ledgers: list[Ledger] = []
    terms = Terms(MODELS, 365 * DAY_US)
    made = timed(lambda: ledgers.append(Ledger(terms, touches, bought, members, labels=labels)))
    ledger = ledgers[0]
    print(f"  {given.journeys:,} journeys taken in: {made[0]:.2f} s, {made[1]:.2f} s of cores")

    day, deals, buyers, names = loaded(world.write_world(base, journeys=given.day, channels=12))
    day = day._replace(label=ledger.codes(list(names))[day.label])
    runs: list[tuple[float, float]] = []
    for turn in range(1, ROUNDS + 1):
        people, numbers = turn * 10_000_000, turn * 10_000_000
        fresh = day._replace(person=day.person + people, seq=day.seq + 10**9)
        new = deals._replace(number=deals.number + numbers)
        whose = Members(buyers.number + numbers, buyers.person + people)

        def fold(fresh: Any = fresh, new: Any = new, whose: Any = whose) -> None:
            ledger.fold(fresh, new, whose)
            figures(ledger.statistics, MODELS)

        runs.append(timed(fold))
    told("a day of new journeys", runs)

    runs = []
    for turn in range(ROUNDS):
        person = np.array([turn * 1_000 + 1])
        first = int(touches.ts_us[np.flatnonzero(touches.person == person)[0]])
        number = np.array([-turn - 1])
        buyer = Members(number, person)
        deal = Bought(number, np.array([first + 180 * DAY_US]), np.array([90_000]), np.array([1]))

        def close(deal: Any = deal, whose: Any = buyer) -> None:
            ledger.fold(None, deal, whose)
            figures(ledger.statistics, MODELS)

        runs.append(timed(close))
    told("a deal closed 180 days later", runs)
    print(json.dumps({"mib": round(machine.peak_mib())}))


def told(what: str, runs: list[tuple[float, float]]) -> None:
    best, cores = min(runs), min(cores for _, cores in runs)
    print(f"  {what}: {best[0]:.3f} s, {cores:.3f} s of cores (best of {len(runs)})")


if __name__ == "__main__":
    main()
