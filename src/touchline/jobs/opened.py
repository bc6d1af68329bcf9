"""A workspace's folder → open, for a program: the questions of the command line, asked from Python.

Answers are those of `queries.py`. Opening takes in what the log still holds, unless a server runs
on the folder, which does that by itself; either way each answer is of the moment it is asked for.
"""

import contextlib
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypedDict, Unpack

import msgspec

from touchline.errors import BadInput
from touchline.jobs import explaining, queries
from touchline.jobs.access import reading
from touchline.jobs.people import known
from touchline.jobs.people.mirror import KeepingRegistry
from touchline.measure.report import Report

__all__ = ["OpenWorkspace", "open_workspace"]

Day = str | dt.date


def open_workspace(directory: str | Path) -> "OpenWorkspace":
    """The workspace in a folder, open until it is closed: best in a `with`."""
    return OpenWorkspace(Path(directory))


class Asked(TypedDict, total=False):
    """What a question about journeys is asked of; the goal says what is left open."""

    goal: str | None
    window: str | float | None
    start: Day | None
    end: Day | None
    as_of: Day | None


class Tuned(Asked, total=False):
    """The same to models, with what they are told."""

    half_life: float | str | None
    positions: Mapping[str, float] | None
    weights: Mapping[str, float] | None


class OpenWorkspace:
    """One open workspace. Days are its local days; money in minor units. For one thread."""

    def __init__(self, directory: Path) -> None:
        self._held = contextlib.ExitStack()
        self._workspace = self._held.enter_context(reading(directory))
        self._registry = KeepingRegistry(self._workspace)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._held.close()

    def attribution(
        self,
        *,
        models: str | Iterable[str] = "all",
        by: str | Iterable[str] = "channel",
        interval: float | None = None,
        replicates: int | None = None,
        **asked: Unpack[Tuned],
    ) -> Report:
        """Rows of credit and cost; `as_json()` is the API's answer. The last day counts as well.
        `interval=0.95` says how sure each figure is. `half_life="fitted"` takes it from the data;
        `weights={"first": 0.5, "last": 0.5}` makes the model custom.
        """
        more = {"models": _listed(models), "by": _listed(by)}
        drawn = {"interval": interval, "replicates": replicates}
        args = _args(asked, Tuned) | more | drawn
        return queries.attribution(self._workspace, self._registry, args)

    def roles(
        self,
        *,
        by: str | Iterable[str] = "channel",
        top: int | None = None,
        **asked: Unpack[Asked],
    ) -> dict[str, Any]:
        """Who opens, helps and closes; touches and days to convert; top paths; losses."""
        args = _args(asked, Asked) | {"by": _listed(by), "top": top}
        return queries.roles(self._workspace, self._registry, args)

    def explain(
        self, conversion: str, *, models: str | Iterable[str] = "all", **asked: Unpack[Tuned]
    ) -> dict[str, Any]:
        """One conversion, touch by touch, with what each model gives each of them."""
        args = _args(asked, Tuned) | {"conversion": conversion, "models": _listed(models)}
        return explaining.explain(self._workspace, self._registry, args)

    def behind(
        self, model: str, labels: Mapping[str, str | None], **asked: Unpack[Tuned]
    ) -> dict[str, Any]:
        """The conversions behind a number of a report: `labels` such as {"channel": "Email"}."""
        for name in labels:
            if name not in explaining.FIELDS:
                why = f"is not one of {', '.join(explaining.FIELDS)}."
                raise BadInput("bad_argument", name="labels", value=name, why=why)
        given = {name: value or "" for name, value in labels.items()}
        args = given | _args(asked, Tuned) | {"model": model}
        return explaining.number(self._workspace, self._registry, args)

    def people(self) -> Iterator[dict[str, Any]]:
        """Everybody: person_id, identifiers in clear, latest traits."""
        yield from map(msgspec.json.decode, queries.people(self._workspace, self._registry, {}))

    def profile(self, person: str, *, language: str = "en") -> dict[str, Any]:
        """All that is known of one, by person_id or identifier: traits with where they are from,
        what is computed, stage, tags, owner, open tickets, consent, accounts, what was decided.
        """
        asked = {"person": person, "language": language}
        return known.person(self._workspace, self._registry, asked)

    def why(self, a: str, b: str, *, language: str = "en") -> dict[str, Any]:
        """Why two identifiers are one person's, or what keeps them apart; texts in en or zh."""
        return known.why(self._workspace, self._registry, {"a": a, "b": b, "language": language})

    def events(
        self, *, person: str | None = None, start: Day | None = None, end: Day | None = None
    ) -> Iterator[dict[str, Any]]:
        """Events in order of arrival, all or a person's; `end` is the first day left out."""
        asked = {"person": person, "from": _text(start), "to": _text(end)}
        yield from map(msgspec.json.decode, queries.events(self._workspace, self._registry, asked))

    def timeline(self, person: str) -> dict[str, Any]:
        """A person, by person_id or identifier, and everything that happened to them."""
        found = queries.timeline(self._workspace, self._registry, {"person": person})
        return msgspec.json.decode(msgspec.json.encode(found))


def _args(asked: Mapping[str, Any], kind: type) -> dict[str, Any]:
    """As the command line and the API say it: `start` is from, `end` is to."""
    known = kind.__annotations__
    for name in asked:
        if name not in known:
            raise TypeError(f"there is no option {name!r}, but {', '.join(known)}")
    window = asked.get("window")
    days = {"from": asked.get("start"), "to": asked.get("end"), "as_of": asked.get("as_of")}
    said = {name: value for name, value in asked.items() if name not in ("start", "end")}
    said["window"] = None if window is None else str(window)
    return said | {name: _text(day) for name, day in days.items()}


def _listed(names: str | Iterable[str]) -> str:
    return names if isinstance(names, str) else ",".join(names)


def _text(day: Day | None) -> str | None:
    return day.isoformat() if isinstance(day, dt.date) else day
