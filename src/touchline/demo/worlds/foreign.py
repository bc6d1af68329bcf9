"""Worlds that others wrote: the generators of mta-audit and shapley-attribution, as worlds of ours.

    mta_jd           Du et al. 2019: ads of two brands at several places, memory, many come anyway
    mta_criteo       Bompaire et al. 2020: one kind of ad works, the other only stands last
    mta_synthesizer  every touch adds its channel's chance
    shapley_sets     a logistic model of which channels a journey has, and of pairs of them
    shapley_ordered  the same, and of which comes first

Nobody here could have made them to fit our models. They run in the peers' Python (`make peers`),
as nothing of them is a dependency. The surprise: mta_jd tells no truth, so it is run again with
each place switched off and every random number the same: what is missing is what it caused.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from touchline.attribution.observed import DAY_US, Observed
from touchline.demo.worlds.world import Trial, Truth, World
from touchline.errors import Unavailable

__all__ = ["FOREIGN", "foreign_world", "peers_python"]

MONEY = 100  # minor units of what the generators count as one
TRIAL_ERROR = 0.15

HEAD = """
import collections, json, sys
import numpy as np
seed, people = int(sys.argv[1]), int(sys.argv[2])

def tell(channels, touches, bought, units, truth, absolute=True, baseline=0.0):
    print(json.dumps(dict(
        channels=list(channels), touches=[list(map(int, one)) for one in touches],
        bought=[list(map(int, one)) for one in bought], units=int(units),
        truth=[float(one) for one in truth], absolute=absolute, baseline=float(baseline))))

def journeys(frame, whose):
    # One unit a person up to their first conversion: touches, and (unit, second, value).
    frame = frame.assign(whose=whose).sort_values(["whose", "timestamp"], kind="stable")
    begin = frame.timestamp.min()
    second = (frame.timestamp - begin).dt.total_seconds().astype(int)
    channels = sorted(frame.channel.unique())
    number, done, touches, bought = {}, set(), [], []
    for name, at, channel, won, value in zip(
        frame.whose, second, frame.channel, frame.conversion, frame.conversion_value):
        unit = number.setdefault(name, len(number))
        if unit in done:
            continue
        touches.append((unit, channels.index(channel), at))
        if won:
            done.add(unit)
            bought.append((unit, at, round(value * 100)))
    return channels, touches, bought, len(number)
"""
JD = """
from mta_audit.datasets import external
draw = np.random.default_rng
PLACES = 3

class Switched:
    def __init__(self, off):
        self.rng, self.off = draw(seed), off
    def __getattr__(self, name):
        return getattr(self.rng, name)
    def poisson(self, *args, **options):
        found = self.rng.poisson(*args, **options)
        for brand, place in self.off:
            found[:, brand, place] = 0
        return found

def run(off=()):
    np.random.default_rng = lambda *_: Switched(off)
    frame = external.simulate_jd_mta_events(people, n_positions=PLACES, random_state=seed)
    return frame, frame.user_id + " " + frame.campaign_id

def won(off):
    frame, whose = run(off)
    return whose[frame.conversion].nunique()

frame, whose = run()
channels, touches, bought, _ = journeys(frame, whose)
place = {f"brand{b}_pos{p}": (b, p) for b in range(2) for p in range(PLACES)}
truth = [len(bought) - won([place[name]]) for name in channels]
tell(channels, touches, bought, 2 * people, truth, baseline=won(list(place.values())))
"""
CRITEO = """
from mta_audit.datasets import external
frame = external.simulate_criteo_label_events(people, random_state=seed)
channels, touches, bought, units = journeys(frame, frame.user_id)
caused = collections.Counter(frame.true_trigger_channel.dropna())
tell(channels, touches, bought, units, [caused[name] for name in channels])
"""
SYNTHESIZER = """
from mta_audit.datasets import external
frame = external.simulate_synthesizer_events(people, random_state=seed)
channels, touches, bought, units = journeys(frame, frame.user_id)
chance = {row[0]: row[1] for row in external._SYNTHESIZER_DEFAULTS}
met = frame.channel.value_counts()
tell(channels, touches, bought, units, [met[name] * chance[name] for name in channels])
"""
SETS = """
from shapley_attribution.datasets.synthetic import make_attribution_problem
problem = make_attribution_problem(
    n_journeys=people, directed_interaction_strength=ORDER, random_state=seed,
    return_ordered_ground_truth=True)
walks, bought, importance, names, ordered = problem
touches = [(unit, channel, step * 3600) for unit, walk in enumerate(walks)
           for step, channel in enumerate(walk)]
ends = [(unit, (len(walks[unit]) - 1) * 3600, 100) for unit in np.flatnonzero(bought)]
truth = ordered if ORDER else importance
tell([f"channel {name}" for name in names], touches, ends, len(walks), truth, absolute=False)
"""
# The script that runs each, and how many people it is run for.
FOREIGN: dict[str, tuple[str, int]] = {
    "mta_jd": (JD, 1_000),
    "mta_criteo": (CRITEO, 8_000),
    "mta_synthesizer": (SYNTHESIZER, 8_000),
    "shapley_sets": ("ORDER = 0.0\n" + SETS, 8_000),
    "shapley_ordered": ("ORDER = 0.5\n" + SETS, 8_000),
}


def peers_python() -> Path:
    """The Python that has other people's generators."""
    root = Path(os.environ.get("TOUCHLINE_PEERS", ".venv-peers"))
    found = root / "bin" / "python"
    if not found.exists():
        raise Unavailable("no_peers", folder=root)
    return found.absolute()


def foreign_world(name: str, *, seed: int = 1, python: Path | None = None) -> World:
    """A world of somebody else's generator."""
    script, people = FOREIGN[name]
    command = [str(python or peers_python()), "-c", HEAD + script, str(seed), str(people)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed
    if run.returncode:
        why = (run.stderr.strip() or "?").splitlines()[-1]
        raise Unavailable("peer_failed", name=name, why=why)
    return _world(name, json.loads(run.stdout), seed)


def _world(name: str, told: dict[str, Any], seed: int) -> World:
    """What the script tells, as columns."""
    touches = np.array(told["touches"], dtype=np.int64).reshape(-1, 3)
    bought = np.array(told["bought"], dtype=np.int64).reshape(-1, 3)
    units = told["units"]
    last = int(touches[:, 2].max()) + 1
    end_us = np.full(units, last * 1_000_000)
    end_us[bought[:, 0]] = bought[:, 1] * 1_000_000
    value = np.zeros(units, dtype=np.int64)
    value[bought[:, 0]] = bought[:, 2]
    is_converted = np.zeros(units, dtype=np.bool_)
    is_converted[bought[:, 0]] = True
    order = np.lexsort((touches[:, 2], touches[:, 0]))
    counts = np.bincount(touches[:, 0], minlength=units)
    observed = Observed(
        channels=tuple(told["channels"]),
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        channel=touches[order, 1].astype(np.int16),
        ts_us=touches[order, 2] * 1_000_000,
        end_us=end_us,
        is_converted=is_converted,
        value=value,
        window_us=max(90 * DAY_US, last * 1_000_000),
    )
    caused = np.array(told["truth"])
    truth = Truth(
        observed.channels, caused, baseline=told["baseline"], is_absolute=told["absolute"]
    )
    return World(name, observed, truth, _trials(truth, seed) if truth.is_absolute else ())


def _trials(truth: Truth, seed: int) -> tuple[Trial, ...]:
    """Experiments on the two channels that caused most, each off by its error."""
    rng = np.random.default_rng((seed, 2))
    found: list[Trial] = []
    for place in np.argsort(-truth.conversions, kind="stable")[:2].tolist():
        effect = float(truth.conversions[place])
        if effect > 0:
            error = TRIAL_ERROR * effect
            shown = effect + error * float(rng.standard_normal())
            found.append(Trial(truth.channels[place], shown, error))
    return tuple(found)
