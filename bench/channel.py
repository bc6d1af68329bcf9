"""Visits → channels: microseconds a visit that was never met before, of the labelled ones.

python bench/channel.py

Each address and referrer is made new, so that only labels and hosts may be remembered.
"""

import csv
import statistics
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

from touchline.collect.campaign import origin_of
from touchline.collect.channel import ChannelRules
from touchline.collect.mode import MODES
from touchline.collect.site import Site

GOAL_US = 20
ROUNDS = 5
LABELLED = Path(__file__).parent.parent / "tests/collect"


def visits() -> Iterator[tuple[str, str | None, str | None]]:
    agents = tomllib.loads((LABELLED / "arrivals.toml").read_text("utf-8"))["agents"]
    with (LABELLED / "arrivals.csv").open(encoding="utf-8", newline="") as lines:
        cases = list(csv.DictReader(lines))
    for number in range(ROUNDS):
        for place, case in enumerate(cases):
            own = f"n={number}.{place}"
            url = f"https://shop.example.com/?{own}&{case['query']}"
            yield (
                url,
                f"{case['referrer']}?{own}" if case["referrer"] else None,
                agents.get(case["agent"]),
            )


def main() -> int:
    for name in MODES:
        site = Site(workspace="bench", channels=ChannelRules.compile(by=name))
        taken: list[float] = []
        for url, referrer, agent in visits():
            start = time.thread_time_ns()
            origin_of(site, page_url=url, referrer=referrer, user_agent=agent)
            taken.append((time.thread_time_ns() - start) / 1000)
        cuts = statistics.quantiles(taken, n=100)
        print(
            f"{name}: {len(taken):,} new visits, p50 {cuts[49]:.1f} µs of CPU (goal {GOAL_US}),"
            f" p99 {cuts[98]:.0f} µs"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
