"""Intervals: how fast replicates are drawn, and how often the interval holds the truth.

    python bench/interval.py                          part A: 200 replicates at a million journeys
    python bench/interval.py --coverage --runs 1000   part B: simulated runs

A  seven rules and Markov 1 on arrays of world.py's mix, 12 channels; target: 6 s for customers
   drawn anew (Poisson). Memory is the peak of the process, journeys included.
B  the same company again and again: customers arrive by chance (a Poisson number of about 2,000),
   come one to three times, and those who buy easily do so each time. Each run is asked for its 95 %
   intervals; the truth is what the model says of four million such customers, scaled. Target: 93 to
   97 % of intervals hold it, pooled over channels and runs. Models that are fitted are asked in
   worlds where they are true (see fitted.py), `--fitted-runs` times, and so is their baseline.
"""

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

import fitted
import machine
import world
from touchline.attribution import Journeys, Labels, Touches, credit
from touchline.attribution.answer import Credit
from touchline.attribution.interval import bounds, draws
from touchline.attribution.resample import Sample

RULES = (
    "first_touch",
    "last_touch",
    "last_non_direct",
    "linear",
    "time_decay",
    "position_based",
    "shapley",
)
METHODS = ("poisson", "dirichlet")
COUNTED = ("last_touch", "linear", "shapley", "markov_1", "shapley_rate")
MIX = np.array([0.34, 0.24, 0.16, 0.12, 0.09, 0.05])
PULL = np.array([-0.3, 0.0, 0.3, 0.1, -0.1, 0.4])  # log odds that a touch of the channel adds
CUSTOMERS, POPULATION = 2_000, 4_000_000
WATCHED, WATCHED_POPULATION = 3_000, 300_000
Held = dict[tuple[str, str, str], list[np.ndarray]]


class Company(NamedTuple):
    journeys: Journeys
    customer: np.ndarray


def company(rng: np.random.Generator, customers: int) -> Company:
    """So many customers, their journeys, and what those who bought paid."""
    visits = 1 + (rng.random(customers) < 0.3) + (rng.random(customers) < 0.1)
    eagerness = rng.normal(0, 0.8, customers)
    owner = np.repeat(np.arange(customers), visits)
    length = np.minimum(rng.geometric(0.4, len(owner)), 12)
    journey = np.repeat(np.arange(len(owner)), length)
    channel = rng.choice(len(MIX), len(journey), p=MIX).astype(np.int8)
    odds = eagerness[owner] - 2.2 + np.bincount(journey, PULL[channel], len(owner))
    has_won = rng.random(len(owner)) < 1 / (1 + np.exp(-odds))
    paid = np.exp(rng.normal(9 + 0.3 * eagerness[owner], 0.6)).astype(np.int64)
    is_won = has_won[journey]
    number = np.where(has_won, np.cumsum(has_won), np.cumsum(~has_won) + has_won.sum()) - 1
    parts = [Touches(number[journey[one]], channel[one]) for one in (is_won, ~is_won)]
    won = parts[0]._replace(ts_us=np.arange(len(parts[0].label)))
    names = Labels.of_channels(tuple(world.channel_names(len(MIX))))
    journeys = Journeys.from_touches(won, parts[1], value=paid[has_won], labels=names)
    return Company(journeys, np.concatenate([owner[has_won], owner[~has_won]]))


def coverage(runs: int, fitted_runs: int, seed: int) -> None:
    """How many of the intervals of all runs hold the truth, by model and figure."""
    whole = company(np.random.default_rng((seed, 0)), POPULATION).journeys
    answers = credit(whole, COUNTED)
    scale = CUSTOMERS / POPULATION
    held: Held = {}
    spent = time.process_time()
    for run in range(runs):
        rng = np.random.default_rng((seed, 1, run))
        journeys, customer = company(rng, rng.poisson(CUSTOMERS))
        for model, one in credit(journeys, COUNTED).items():
            _judge(held, one, fitted.true_of(answers[model], scale), (run, customer))
        true, lift = fitted.off_as_believed(rng, answers["shapley"], scale)
        one = credit(journeys, ["calibrated"], lift=lift)["calibrated"]
        _judge(held, one, true, (run, customer))
        if run + 1 in (10, runs) or (run + 1) % 100 == 0:
            _print_coverage(held, f"{run + 1:,} runs", time.process_time() - spent)
    held = {}
    for number, (one, true) in enumerate(
        fitted.answers(fitted_runs, seed, WATCHED, WATCHED_POPULATION)
    ):
        _judge(held, one, true, (number, np.arange(len(one.journeys.nulls))))
    _print_coverage(held, f"{fitted_runs:,} runs of models fitted", time.process_time() - spent)


def _judge(held: Held, one: Credit, true: fitted.Truth, drawn_by: tuple[int, np.ndarray]) -> None:
    seed, customer = drawn_by
    for method in METHODS:
        drawn = draws(one, Sample(one.journeys, customer, 200, method, seed=seed))
        for figure, values, rest, truth in (
            ("conversions", drawn.conversions, drawn.baseline_conversions, true.conversions),
            ("revenue", drawn.revenue, drawn.baseline_revenue, true.revenue),
        ):
            parts = [(one.model, values, truth[:-1])]
            if rest is not None:
                parts.append((f"{one.model} *", rest[:, None], truth[-1:]))
            for name, replicates, told in parts:
                low, high = bounds(replicates, 0.95)
                is_held = (low <= told) & (told <= high)
                held.setdefault((name, method, figure), []).append(is_held)


def _print_coverage(held: Held, runs: str, s: float) -> None:
    print(f"B  {runs}, 200 replicates, 95 % intervals ({s:.0f} s of CPU)")
    print("   * its baseline")
    print("   model          conversions: poisson  dirichlet   revenue: poisson  dirichlet")
    for model in dict.fromkeys(model for model, _, _ in held):
        found = [
            f"{np.mean(held[model, method, figure]):.1%}"
            for figure in ("conversions", "revenue")
            for method in METHODS
        ]
        print(f"   {model:14} {found[0]:>20} {found[1]:>10} {found[2]:>18} {found[3]:>10}")
    pooled = {
        method: np.mean(
            [
                np.mean(found)
                for key, found in held.items()
                if key[1] == method and "*" not in key[0]
            ]
        )
        for method in METHODS
    }
    print("   all           " + "   ".join(f"{m} {share:.1%}" for m, share in pooled.items()))
    print(flush=True)


def million(journeys: int, channels: int) -> Company:
    """world.py's mix as arrays: one journey a customer, one in twenty converts."""
    rng = np.random.default_rng((world.SEED, journeys, channels))
    mix = 1 / np.arange(1, channels + 1)
    length = np.minimum(rng.geometric(1 / world.MEAN_TOUCHES, journeys), world.MOST_TOUCHES)
    ends = np.cumsum(length)
    repeats = rng.random(int(ends[-1])) < world.STICKINESS
    repeats[ends - length] = False
    drawn = rng.choice(channels, len(repeats), p=mix / mix.sum()).astype(np.int8)
    channel = world.sticky(drawn, repeats=repeats)
    won = round(journeys * world.CONVERSION)
    number = np.repeat(np.arange(journeys), length)
    split = int(ends[won - 1])
    gaps = rng.exponential(12, split).cumsum() * world.HOUR_US
    return Company(
        Journeys.from_touches(
            Touches(number[:split], channel[:split], gaps.astype(np.int64)),
            Touches(number[split:], channel[split:]),
            value=np.exp(rng.normal(10, 1, won)).astype(np.int64),
            labels=Labels.of_channels(tuple(world.channel_names(channels))),
        ),
        np.arange(journeys),
    )


def speed(journeys: int, channels: int, replicates: int, rounds: int) -> None:
    whole, customer = million(journeys, channels)
    answers = credit(whole, [*RULES, "markov_1"])
    print(f"A  {journeys:,} journeys, {channels} channels, {replicates} replicates")
    for method in METHODS:
        best: tuple[float, float] = (float("inf"), 0.0)
        for _ in range(rounds):
            sample = Sample(whole, customer, replicates, method)
            started, busy = time.perf_counter(), time.process_time()
            for one in answers.values():
                bounds(draws(one, sample).conversions, 0.95)
            best = min(best, (time.perf_counter() - started, time.process_time() - busy))
        seconds, cpu = best
        print(
            f"   {method:10} {seconds:6.2f} s ({cpu:.2f} s of CPU), {machine.peak_mib():,.0f} MiB"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--coverage", action="store_true")
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--fitted-runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=world.SEED)
    parser.add_argument("--journeys", type=int, default=1_000_000)
    parser.add_argument("--channels", type=int, default=12)
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.coverage:
        coverage(given.runs, given.fitted_runs, given.seed)
        return
    base = given.folder or Path("/tmp/touchline-bench")
    least = world.write_world(base, journeys=10_000, channels=12)
    print(machine.describe(least / "touches.parquet"))
    speed(given.journeys, given.channels, given.replicates, given.rounds)


if __name__ == "__main__":
    main()
