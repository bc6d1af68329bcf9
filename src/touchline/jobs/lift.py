"""Lift tests entered, listed and taken back; which one to make next.

    effect + standard error, or its 95 % bounds        as a tool for geo tests reports them
    people and conversions of two groups               a holdout of users: both are computed here

A test that saw a part of what a channel did (`share`) speaks for all of it. Nothing is overwritten:
a report as of a day knows the tests that were known then.
"""

import datetime as dt
import math
import re
from collections.abc import Iterator
from typing import Any, cast

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from touchline import clock
from touchline.attribution.calibrate import least_error
from touchline.collect.alias import renamed
from touchline.collect.money import exponent
from touchline.errors import BadInput, NotFound
from touchline.jobs import arguments
from touchline.jobs.definitions import goals_of
from touchline.jobs.links import line_of
from touchline.journey.goal import goal_named
from touchline.measure.lift_test import LiftTest
from touchline.storage import audit, schema
from touchline.storage.audit import actor_of
from touchline.storage.workspace import Workspace

__all__ = ["KINDS", "METRICS", "Wanted", "add", "lift_tests", "remove", "tests_of"]

KINDS = ("geo", "user", "time")
METRICS = ("conversions", "revenue")
BOUNDS = 2 * 1.959963984540054  # standard errors between the bounds of 95 %
MOST = 1e15
WAYS = (("effect", "error"), ("low", "high"), ("treated", "control"))
STORED = ("costs", "aggregates")  # tables that tell of channels beside events
_group = re.compile(r"\s*(\d{1,15})\s*:\s*(\d{1,15})\s*")
_table = schema.lift_test.c
_NAMES = [column.name for column in schema.lift_test.columns]


class Wanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A test to be entered. Money is in major units; `treated`, `control`: "people:conversions"."""

    name: str
    channel: str
    start: str
    end: str
    kind: str = "geo"
    campaign: str | None = None
    goal: str | None = None
    metric: str = "conversions"
    effect: float | None = None
    error: float | None = None
    low: float | None = None
    high: float | None = None
    treated: str | None = None
    control: str | None = None
    share: float = 1.0
    author: str | None = None


def add(workspace: Workspace, wanted: Wanted) -> dict[str, Any]:
    """Enters a test; one of the same name is replaced. Raises BadInput for what is no test.

    `is_met` of the answer: whether anything of its channel and campaign has come in yet; a test of
    a name that nothing has is used by no report.
    """
    for name, choices in (("kind", KINDS), ("metric", METRICS)):
        if (value := getattr(wanted, name)) not in choices:
            raise _bad(name, value, f"is not one of {', '.join(choices)}.")
    first, last = _days(wanted)
    effect, error = _found(wanted)
    if wanted.metric == "revenue":
        unit = 10 ** exponent(workspace.currency)
        effect, error = effect * unit, error * unit
    row = {
        "name": _line("name", wanted.name),
        "kind": wanted.kind,
        "goal": goal_named(goals_of(workspace), wanted.goal).name,
        "channel": _line("channel", wanted.channel),
        "campaign": line_of("campaign", wanted.campaign),
        "metric": wanted.metric,
        "first_day": first.isoformat(),
        "last_day": last.isoformat(),
        "effect": effect,
        "error": error,
        "is_set": True,
        "author": line_of("author", wanted.author) or actor_of(workspace.principal),
        "known_at_us": clock.now_us(),
    }
    _put(workspace, "lift_add", row)
    return {**_shown(workspace, row), "is_met": _is_met(workspace, row)}


def remove(workspace: Workspace, name: str, author: str | None = None) -> dict[str, Any]:
    """Takes a test back; reports as of a day before still know it. Raises NotFound."""
    found = [row for row in _rows(workspace, None) if row["name"] == name]
    if not found:
        raise NotFound("no_such_lift_test", name=name[:80])
    row = {
        **found[0],
        "is_set": False,
        "author": line_of("author", author) or actor_of(workspace.principal),
        "known_at_us": clock.now_us(),
    }
    _put(workspace, "lift_remove", row)
    return _shown(workspace, found[0])


def lift_tests(workspace: Workspace, _registry: object, args: dict[str, Any]) -> Iterator[bytes]:
    """JSON lines of the tests in force, the latest first; `as_of`: those known on that day."""
    known = arguments.as_of(args.get("as_of"), workspace.time_zone)
    for row in _rows(workspace, known):
        yield msgspec.json.encode(_shown(workspace, row)) + b"\n"


def tests_of(workspace: Workspace, as_of_us: int | None, goal: str) -> tuple[LiftTest, ...]:
    """The tests of a goal, as they were known then."""
    return tuple(
        LiftTest(
            name=row["name"],
            kind=row["kind"],
            goal=row["goal"],
            channel=row["channel"],
            campaign=row["campaign"],
            metric=row["metric"],
            days=(dt.date.fromisoformat(row["first_day"]), dt.date.fromisoformat(row["last_day"])),
            effect=row["effect"],
            error=row["error"],
        )
        for row in _rows(workspace, as_of_us)
        if row["goal"] == goal
    )


def _rows(workspace: Workspace, as_of_us: int | None) -> list[dict[str, Any]]:
    query = sa.select(schema.lift_test).order_by(_table.id)
    if as_of_us is not None:
        query = query.where(_table.known_at_us <= as_of_us)
    newest = {row.name: row for row in workspace.state.read(query)}
    found = [dict(zip(_NAMES, row, strict=True)) for row in newest.values() if row.is_set]
    return sorted(found, key=lambda row: (row["last_day"], row["name"]), reverse=True)


def _put(workspace: Workspace, action: str, row: dict[str, Any]) -> None:
    row = {name: value for name, value in row.items() if name != "id"}
    about = {name: row[name] for name in ("name", "channel", "campaign", "effect", "error")}
    entry = audit.Entry(action, actor_of(workspace.principal), about)
    audit.write(workspace.state, entry, (sa.insert(schema.lift_test), [row]))


def _days(wanted: Wanted) -> tuple[dt.date, dt.date]:
    first, last = arguments.day(wanted.start, "from"), arguments.day(wanted.end, "to")
    if first is None or last is None:
        name = "to" if first else "from"
        raise _bad(name, "", "is missing: say on which days the test ran.")
    if last < first:
        raise _bad("to", wanted.end, f"is before {first}.")
    return first, last


def _found(wanted: Wanted) -> tuple[float, float]:
    """The effect on all that was tested, and its standard error."""
    if not 0 < wanted.share <= 1:
        raise _bad("share", wanted.share, "is not a part of 1 such as 0.4.")
    given = [pair for pair in WAYS if any(getattr(wanted, name) is not None for name in pair)]
    if len(given) != 1:
        names = "; ".join(" and ".join(pair) for pair in WAYS)
        raise _bad("effect", "", f"is to be told in one way, no more and no less: {names}.")
    for name in given[0]:
        if getattr(wanted, name) is None:
            raise _bad(name, "", f"is missing: {' and '.join(given[0])} go together.")
    told = _of_groups(wanted) if wanted.treated is not None else _as_said(wanted)
    effect, error = (number / wanted.share for number in told)
    if not abs(effect) < MOST:
        raise _bad("effect", effect, "is not a number below 1e15.")
    if not error < MOST:
        raise _bad("error", error, "is no number below 1e15.")
    if error < least_error(effect):
        raise _bad("error", error, "is too small: no test is so exact.")
    return effect, error


def _as_said(wanted: Wanted) -> tuple[float, float]:
    if wanted.low is None or wanted.high is None:
        return cast(float, wanted.effect), cast(float, wanted.error)
    if wanted.high <= wanted.low:
        raise _bad("high", wanted.high, f"is not above {wanted.low}.")
    return (wanted.high + wanted.low) / 2, (wanted.high - wanted.low) / BOUNDS


def _of_groups(wanted: Wanted) -> tuple[float, float]:
    """Conversions that those who were reached would not have made, by those held out."""
    if wanted.metric != "conversions":
        raise _bad("metric", wanted.metric, "of two groups can only be conversions.")
    reached, converted = _people("treated", wanted.treated)
    held_out, others = _people("control", wanted.control)
    factor = reached / held_out
    variance = _variance(reached, converted) + factor**2 * _variance(held_out, others)
    return converted - factor * others, math.sqrt(variance)


def _variance(people: int, converted: int) -> float:
    """Of a count. That nobody converted, or all, is no proof that it could not be otherwise."""
    rate = (converted + 0.5) / (people + 1)
    return people * rate * (1 - rate)


def _people(name: str, text: str | None) -> tuple[int, int]:
    found = _group.fullmatch(text or "")
    people, converted = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 0 <= converted <= people or people == 0:
        raise _bad(name, text or "", "is not PEOPLE:CONVERSIONS such as 20000:340.")
    return people, converted


def _line(name: str, text: str) -> str:
    found = line_of(name, text.strip())
    if not found:
        raise _bad(name, text, "is missing.")
    return found


def _bad(name: str, value: object, why: str) -> BadInput:
    return BadInput("bad_argument", name=name, value=value, why=why)


def _is_met(workspace: Workspace, row: dict[str, Any]) -> bool:
    """Whether a touch, a cost or an aggregate is of this channel, and campaign if one is named."""
    names = [name for name in ("channel", "campaign") if row[name] is not None]
    with workspace.view() as view:
        for rows in (view.events(*names), *(view.table(one, *names) for one in STORED)):
            named = renamed(view, rows)
            mine = named.filter(*(named[name] == row[name] for name in names))
            if view.count(mine.limit(1)):
                return True
    return False


def _shown(workspace: Workspace, row: dict[str, Any]) -> dict[str, Any]:
    """As JSON tells it: money in minor units, as everywhere."""
    return {
        "name": row["name"],
        "kind": row["kind"],
        "goal": row["goal"],
        "channel": row["channel"],
        "campaign": row["campaign"],
        "from": row["first_day"],
        "to": row["last_day"],
        "metric": row["metric"],
        "effect": row["effect"],
        "error": row["error"],
        "currency": workspace.currency if row["metric"] == "revenue" else None,
        "author": row["author"],
        "known_at": clock.iso(row["known_at_us"]),
    }
