"""A workspace's folder → open, for a program: the questions of the command line, asked from Python.

Answers are those of `queries.py`. Opening takes in what the log still holds, unless a server runs
on the folder, which does that by itself; either way each answer is of the moment it is asked for.
"""

import contextlib
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

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

    def attribution(  # noqa: PLR0913  # the options of `touchline attribute`, by name
        self,
        *,
        goal: str | None = None,
        models: str | Iterable[str] = "all",
        by: str | Iterable[str] = "channel",
        window: str | float | None = None,
        start: Day | None = None,
        end: Day | None = None,
        as_of: Day | None = None,
        interval: float | None = None,
        replicates: int | None = None,
        half_life: float | str | None = None,
        positions: Mapping[str, float] | None = None,
        weights: Mapping[str, float] | None = None,
    ) -> Report:
        """Rows of credit and cost; `as_json()` is the API's answer. The last day counts as well.
        `interval=0.95` says how sure each figure is. `half_life="fitted"` takes it from the data;
        `weights={"first": 0.5, "last": 0.5}` makes the model custom.
        """
        asked = {
            "goal": goal,
            "models": _listed(models),
            "by": _listed(by),
            "window": None if window is None else str(window),
            "from": _text(start),
            "to": _text(end),
            "as_of": _text(as_of),
            "interval": interval,
            "replicates": replicates,
            "half_life": half_life,
            "positions": positions,
            "weights": weights,
        }
        return queries.attribution(self._workspace, self._registry, asked)

    def roles(
        self,
        *,
        goal: str | None = None,
        by: str | Iterable[str] = "channel",
        window: str | float | None = None,
        start: Day | None = None,
        end: Day | None = None,
        as_of: Day | None = None,
        top: int | None = None,
    ) -> dict[str, Any]:
        """Who opens, helps and closes; touches and days to convert; top paths; losses."""
        asked = {
            "goal": goal,
            "by": _listed(by),
            "window": None if window is None else str(window),
            "from": _text(start),
            "to": _text(end),
            "as_of": _text(as_of),
            "top": top,
        }
        return queries.roles(self._workspace, self._registry, asked)

    def explain(
        self,
        conversion: str,
        *,
        goal: str | None = None,
        models: str | Iterable[str] = "all",
        window: str | float | None = None,
        as_of: Day | None = None,
    ) -> dict[str, Any]:
        """One conversion, touch by touch, with what each model gives each of them."""
        asked = {
            "conversion": conversion,
            "goal": goal,
            "models": _listed(models),
            "window": None if window is None else str(window),
            "as_of": _text(as_of),
        }
        return explaining.explain(self._workspace, self._registry, asked)

    def behind(
        self,
        model: str,
        labels: Mapping[str, str | None],
        *,
        goal: str | None = None,
        window: str | float | None = None,
        start: Day | None = None,
        end: Day | None = None,
        as_of: Day | None = None,
    ) -> dict[str, Any]:
        """The conversions behind a number of a report: `labels` such as {"channel": "Email"}."""
        asked = {
            **{name: value or "" for name, value in labels.items()},
            "model": model,
            "goal": goal,
            "window": None if window is None else str(window),
            "from": _text(start),
            "to": _text(end),
            "as_of": _text(as_of),
        }
        return explaining.number(self._workspace, self._registry, asked)

    def people(self) -> Iterator[dict[str, Any]]:
        """Everybody: person_id, identifiers in clear, latest traits."""
        yield from map(msgspec.json.decode, queries.people(self._workspace, self._registry, {}))

    def person(self, person: str) -> dict[str, Any]:
        """The same as `profile`."""
        return self.profile(person)

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


def _listed(names: str | Iterable[str]) -> str:
    return names if isinstance(names, str) else ",".join(names)


def _text(day: Day | None) -> str | None:
    return day.isoformat() if isinstance(day, dt.date) else day
