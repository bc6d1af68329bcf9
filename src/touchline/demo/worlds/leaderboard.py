"""Worlds × models × seeds → which model to believe: the mean of every score, by world and over all.

Every model of the table takes part that needs no more than a world can give. `calibrated` is given
two lift tests, of the channels where it matters, each off by 15 %; no other model sees them. The
mean over all is taken over the worlds in which every model has a score, or models that were spared
the hard ones would lead. A world that cannot be had here is skipped, and named.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import numpy as np

from touchline.attribution import choose, credit
from touchline.attribution.calibrated import Lift
from touchline.attribution.inputs import Options
from touchline.attribution.interval import bounds, draws
from touchline.attribution.resample import Sample
from touchline.demo.worlds.foreign import FOREIGN, foreign_world
from touchline.demo.worlds.recipe import RECIPES
from touchline.demo.worlds.score import Score, score
from touchline.demo.worlds.simulate import simulate_world
from touchline.demo.worlds.world import World
from touchline.errors import BadInput, TouchlineError

__all__ = [
    "LEVEL",
    "PEOPLE",
    "Leaderboard",
    "Line",
    "given_to",
    "leaderboard",
    "scored",
    "worlds_named",
]

PEOPLE = 20_000
LEVEL = 0.95
REPLICATES = 100  # draws of each interval: enough for its ends to be of some percent
FIGURES = tuple(field.name for field in fields(Score))


@dataclass(frozen=True)
class Line:
    """The mean scores of a model, in one world or (`world` None) over those all models share."""

    world: str | None
    model: str
    score: Score
    spread: float | None  # of `misallocated`, over seeds or worlds

    def as_json(self) -> dict[str, Any]:
        scores = {name: getattr(self.score, name) for name in FIGURES}
        return {"world": self.world, "model": self.model, **scores, "spread": self.spread}


@dataclass(frozen=True)
class Leaderboard:
    """`overall` and the lines of each world have the best first; `skipped` says what and why."""

    people: int
    seeds: int
    overall: tuple[Line, ...]
    lines: tuple[Line, ...]
    shared: tuple[str, ...]
    skipped: tuple[tuple[str, TouchlineError], ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "people": self.people,
            "seeds": self.seeds,
            "level": LEVEL,
            "overall_of": list(self.shared),
            "overall": [line.as_json() for line in self.overall],
            "rows": [line.as_json() for line in self.lines],
            "skipped": [{"world": name, "reason": why.code} for name, why in self.skipped],
        }


def worlds_named(asked: str) -> list[str]:
    """The names in "all", "own" or "a,b"."""
    own, known = list(RECIPES), [*RECIPES, *FOREIGN]
    names = [name.strip() for name in asked.split(",") if name.strip()]
    if names in (["all"], ["own"]):
        return known if names == ["all"] else own
    for name in names or [asked]:
        if name not in known:
            raise BadInput("unknown_world", name=name, known=", ".join(known))
    return list(dict.fromkeys(names))


def leaderboard(
    worlds: Sequence[str],
    *,
    seeds: int = 3,
    people: int = PEOPLE,
    models: str = "all",
    on_progress: Callable[[float], None] = lambda _: None,
) -> Leaderboard:
    """Every model's scores in these worlds: the mean over the seeds 1 … `seeds`."""
    lines: list[Line] = []
    skipped: list[tuple[str, TouchlineError]] = []
    for number, name in enumerate(worlds):
        try:
            found: dict[str, list[Score]] = {}
            for seed in range(1, seeds + 1):
                world = _world(name, people, seed)
                for model, one in scored(world, models):
                    found.setdefault(model, []).append(one)
                on_progress((number * seeds + seed) / (len(worlds) * seeds))
        except TouchlineError as why:
            if name not in FOREIGN:
                raise
            skipped.append((name, why))
            continue
        lines += _best_first(_line(name, model, scores) for model, scores in found.items())
    overall, shared = _overall(lines)
    return Leaderboard(people, seeds, tuple(overall), tuple(lines), shared, tuple(skipped))


def scored(world: World, models: str = "all") -> Iterator[tuple[str, Score]]:
    """Each model's score in one world."""
    journeys, options = world.journeys, given_to(world)
    chosen, _ = choose(models, journeys, **options)
    sample = Sample(journeys, replicates=REPLICATES)
    for model, answer in credit(journeys, chosen, **options).items():
        drawn = draws(answer, sample)
        low, high = bounds(drawn.conversions, LEVEL)
        yield model, score(world, answer, low, high)


def given_to(world: World) -> Options:
    """What models may know of a world beside its journeys."""
    options = Options(observed=world.observed, seed=0)
    if world.trials:
        options["lift"] = Lift.of_channels(
            [world.observed.channels.index(trial.channel) for trial in world.trials],
            np.array([trial.effect for trial in world.trials]),
            np.array([trial.error for trial in world.trials]),
        )
    return options


def _world(name: str, people: int, seed: int) -> World:
    if name in RECIPES:
        return simulate_world(RECIPES[name], people=people, seed=seed)
    return foreign_world(name, seed=seed)


def _line(world: str | None, model: str, scores: Sequence[Score]) -> Line:
    means = {name: _mean([getattr(one, name) for one in scores]) for name in FIGURES}
    spread = np.std([one.misallocated for one in scores], ddof=1) if len(scores) > 1 else None
    return Line(world, model, Score(**means), None if spread is None else float(spread))


def _mean(values: Sequence[float | None]) -> Any:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _best_first(lines: Iterator[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: line.score.misallocated)


def _overall(lines: Sequence[Line]) -> tuple[list[Line], tuple[str, ...]]:
    """The mean over the worlds in which every model has a score, and which these are."""
    models = list(dict.fromkeys(line.model for line in lines))
    by_world: dict[str, dict[str, Score]] = {}
    for line in lines:
        by_world.setdefault(str(line.world), {})[line.model] = line.score
    shared = [name for name, scores in by_world.items() if len(scores) == len(models)]
    of_model = partial(_line, None)
    found = (of_model(model, [by_world[name][model] for name in shared]) for model in models)
    return (_best_first(found) if shared else []), tuple(shared)
