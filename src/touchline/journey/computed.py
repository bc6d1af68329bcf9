"""Events, touches and conversions → computed traits: one row a person, a column each.

One query for all traits of events, one for touches, one for imported conversions and one for each
goal, of however many people. Who asks for one person gives a view that is narrowed to theirs, and
gets the same by the same way. Numbers of properties are added up as decimals of six places, so the
order of rows changes nothing.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import reduce
from operator import and_, or_
from typing import Any

import ibis
import msgspec
import numpy as np
import pyarrow as pa

from touchline import clock
from touchline.identity.speaker import Speakers, with_person
from touchline.journey.conversion import conversions
from touchline.journey.goal import Goal
from touchline.journey.profile_spec import PROPERTY, ComputedTrait
from touchline.journey.rate import Rates
from touchline.journey.touchpoint import touches
from touchline.journey.version import in_force
from touchline.model import LABEL_FIELDS, LABELS
from touchline.storage.engine import Expression, View

__all__ = ["Asked", "Computed", "computed"]

COLUMNS = {**dict(zip(LABEL_FIELDS, LABELS, strict=True)), "at": "at_us", "day": "local_day"}
NUMBER = pa.decimal128(38, 6)
GREATEST = Decimal(10) ** 15
PLACES = Decimal("0.000001")
LONGEST = 500  # characters of a property that is shown
LINES = ("event", "touches", "conversions")
_decode = msgspec.json.Decoder().decode
_encoder = msgspec.json.Encoder(order="sorted")
Rows = Callable[[View, Speakers, Sequence[ComputedTrait]], Expression]


class Asked(msgspec.Struct, frozen=True):
    """`now_us`: where windows end, and what comes later is not there yet."""

    traits: tuple[ComputedTrait, ...]
    goals: Mapping[str, Goal]
    currency: str
    now_us: int


class Computed:
    """Traits of persons, of whom most may have none."""

    def __init__(self, traits: Sequence[ComputedTrait], tables: Sequence[pa.Table]) -> None:
        self._traits = traits
        self._tables = [table.sort_by("person_ix") for table in tables]
        self._persons = [table["person_ix"].to_numpy() for table in self._tables]

    def of(self, person_ix: int) -> dict[str, Any]:
        """Name → value of a person, in the order of the definitions."""
        found: dict[str, Any] = {}
        for table, persons in zip(self._tables, self._persons, strict=True):
            at = int(np.searchsorted(persons, person_ix))
            if at < len(persons) and persons[at] == person_ix:
                found |= table.slice(at, 1).to_pylist()[0]
        return {trait.name: _shown(trait, found.get(trait.name)) for trait in self._traits}


def computed(view: View, speakers: Speakers, asked: Asked) -> Computed:
    """All traits of everybody in a view."""
    tables: list[pa.Table] = []
    for source, rows in zip(LINES, (_events, _touches, _imported), strict=True):
        own = [trait for trait in asked.traits if trait.source == source]
        if own and not view.lacks("conversions" if source == "conversions" else "events"):
            tables.append(view.fetch(_each(rows(view, speakers, own), own, asked.now_us)))
    for name in dict.fromkeys(t.goal for t in asked.traits if t.goal is not None):
        own = [trait for trait in asked.traits if trait.goal == name]
        if view.lacks("conversions") and view.lacks("events", "name", _named(asked.goals[name])):
            continue
        rows = _of_goal(view, speakers, asked.goals[name], asked.currency)
        tables.append(view.fetch(_each(rows, own, asked.now_us)))
    return Computed(asked.traits, tables)


def _events(view: View, speakers: Speakers, traits: Sequence[ComputedTrait]) -> Expression:
    wanted = dict.fromkeys(_column(name) for trait in traits for name in _fields(trait))
    wanted.pop("at_us", None)
    has_properties = any(name.startswith(PROPERTY) for name in wanted)
    columns = [name for name in wanted if not name.startswith(PROPERTY)]
    stored = ("event_id", "node_ids", "ts_us", "seq", "type", "name", "bot")
    more = ("properties",) if has_properties else ()
    events = view.events(*dict.fromkeys((*stored, *columns, *more)))
    tests = [_is_named(events, trait) for trait in traits]
    events = in_force(view, events.filter(~events.bot, reduce(or_, tests)))
    rows = with_person(events, speakers)
    rows = rows.filter(rows.person_ix.notnull()).mutate(at_us=rows.ts_us, count=ibis.literal(1))
    kept = ("person_ix", "at_us", "seq", "type", "name", "count", *columns)
    rows = rows.select(*dict.fromkeys((*kept, *more)))
    return view.given(_opened(view, rows, traits)) if has_properties else rows


def _touches(view: View, speakers: Speakers, _traits: Sequence[ComputedTrait]) -> Expression:
    rows = touches(view, speakers)
    return rows.mutate(at_us=rows.ts_us, count=ibis.literal(1))


def _imported(view: View, speakers: Speakers, _traits: Sequence[ComputedTrait]) -> Expression:
    """A row each, as its newest version has it; at its earliest time."""
    own = ("kind", "stage", "store_code", "staff_id")
    times = ("conversion_id", "occurred_us", "local_day", "node_ids", "seq")
    rows = with_person(view.table("conversions", *times, *own), speakers)
    found = rows.group_by("conversion_id").agg(
        at_us=rows.occurred_us.min(),
        local_day=rows.local_day.argmin(rows.occurred_us),
        person_ix=rows.person_ix.argmax(rows.seq, where=rows.person_ix.notnull()),
        first_seq=rows.seq.min(),
        **{name: rows[name].argmax(rows.seq) for name in own},
    )
    found = found.filter(found.person_ix.notnull())
    return found.mutate(seq=found.first_seq, count=ibis.literal(1))


def _of_goal(view: View, speakers: Speakers, goal: Goal, currency: str) -> Expression:
    """Conversions as reports have them, each with the kind that it was imported as."""
    found = conversions(view, speakers, goal, Rates.of(view, currency)).rows
    found = found.append_column("seq", pa.array(range(len(found)), pa.int64()))
    rows = view.given(found.drop_columns(["own_event"]))
    versions = view.table("conversions", "conversion_id", "kind", "seq")
    kinds = versions.group_by("conversion_id").agg(kind=versions.kind.argmax(versions.seq))
    rows = rows.filter(rows.person_ix.notnull()).left_join(kinds, "conversion_id")
    return rows.mutate(at_us=rows.converted_us, kind=rows.kind.fill_null("order"))


def _named(goal: Goal) -> list[str]:
    return [name for name in (goal.event, *goal.also) if name]


def _each(rows: Expression, traits: Sequence[ComputedTrait], now_us: int) -> Expression:
    """One row a person, with a column of each trait."""
    rows = rows.filter(rows.at_us <= now_us)
    if any(trait.calculate in ("first", "last") for trait in traits):
        rows = rows.mutate(place=ibis.row_number().over(order_by=[rows.at_us, rows.seq]))
    values = {
        trait.name: _calculated(rows, trait, _holds(rows, trait, at, now_us))
        for at, trait in enumerate(traits)
    }
    return rows.group_by("person_ix").agg(**values)


def _is_named(rows: Expression, trait: ComputedTrait) -> Expression:
    is_type = rows.type == trait.type
    return is_type & rows.name.isin(trait.names) if trait.names else is_type


def _holds(rows: Expression, trait: ComputedTrait, at: int, now_us: int) -> Expression:
    """Which rows a trait is computed of."""
    tests: list[Expression] = [ibis.literal(True)]
    if trait.source == "event":
        tests.append(_is_named(rows, trait))
    if trait.conversions:
        tests.append(rows.kind.isin(trait.conversions))
    if trait.since_us is not None:
        tests.append(rows.at_us > now_us - trait.since_us)
    for name, wanted in trait.where.items():
        if not name.startswith(PROPERTY):
            tests.append(rows[_column(name)].isin([str(one) for one in _listed(wanted)]))
    if any(name.startswith(PROPERTY) for name in trait.where):
        tests.append(rows[f"holds_{at}"])
    return reduce(and_, tests)


def _calculated(rows: Expression, trait: ComputedTrait, holds: Expression) -> Expression:
    if trait.calculate == "count":
        return rows["count"].sum(where=holds)
    name = trait.field or ""
    value = rows[f"value_{_kind(trait)} {name}" if name.startswith(PROPERTY) else _column(name)]
    is_there = holds & value.notnull()
    match trait.calculate:
        case "first":
            return value.argmin(rows.place, where=is_there)
        case "last":
            return value.argmax(rows.place, where=is_there)
        case "distinct":
            return value.nunique(where=is_there)
        case "sum":
            found = value.sum(where=is_there)
        case "average":
            count = rows["count"].cast("int64").sum(where=is_there).nullif(0)
            return value.sum(where=is_there).cast("float64") / count
        case "least":
            found = value.min(where=is_there)
        case "most":
            found = value.max(where=is_there)
    return found.cast("int64" if trait.gives == "money" else "float64")


def _opened(view: View, rows: Expression, traits: Sequence[ComputedTrait]) -> pa.Table:
    """Rows with what is asked of their properties in columns of its own, read once."""
    values = {
        f"value_{_kind(trait)} {trait.field}": (_kind(trait), trait.field[len(PROPERTY) :])
        for trait in traits
        if trait.field and trait.field.startswith(PROPERTY)
    }
    tests = {f"holds_{at}": _asked_of_properties(trait) for at, trait in enumerate(traits)}
    tests = {column: test for column, test in tests.items() if test}
    parts = list(_read(view, rows, values, tests))
    return pa.concat_tables(parts) if parts else _none(view, rows, values, tests)


def _asked_of_properties(trait: ComputedTrait) -> dict[str, list[str | None]]:
    return {
        name[len(PROPERTY) :]: [_text(one) for one in _listed(wanted)]
        for name, wanted in trait.where.items()
        if name.startswith(PROPERTY)
    }


def _read(
    view: View,
    rows: Expression,
    values: Mapping[str, tuple[str, str]],
    tests: Mapping[str, Mapping[str, Sequence[str | None]]],
) -> Iterator[pa.Table]:
    for batch in view.batches(rows):
        table = pa.Table.from_batches([batch])
        said = [_decode(text) if text else {} for text in table["properties"].to_pylist()]
        table = table.drop_columns(["properties"])
        for column, (kind, name) in values.items():
            read, type_ = (_number, NUMBER) if kind == "number" else (_text, pa.string())
            found = [read(one.get(name)) for one in said]
            table = table.append_column(column, pa.array(found, type_))
        for column, test in tests.items():
            held = [all(_text(one.get(n)) in w for n, w in test.items()) for one in said]
            table = table.append_column(column, pa.array(held, pa.bool_()))
        yield table


def _none(view: View, rows: Expression, values: Mapping[str, Any], tests: Any) -> pa.Table:
    table = view.fetch(rows.limit(0)).drop_columns(["properties"])
    for column, (kind, _) in values.items():
        table = table.append_column(
            column, pa.array([], NUMBER if kind == "number" else pa.string())
        )
    for column in tests:
        table = table.append_column(column, pa.array([], pa.bool_()))
    return table


def _kind(trait: ComputedTrait) -> str:
    return "number" if trait.gives == "number" else "text"


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = Decimal(str(value).strip()[:40])
        return found.quantize(PLACES) if abs(found) < GREATEST else None
    except InvalidOperation:
        return None


def _text(value: Any) -> str | None:
    """A property as JSON, so that 1 and "1" are two, and either is shown as it was sent."""
    if value is None:
        return None
    found = _encoder.encode(value).decode()
    return found if len(found) <= LONGEST else None


def _fields(trait: ComputedTrait) -> Iterator[str]:
    yield from trait.where
    if trait.field:
        yield trait.field


def _column(name: str) -> str:
    return COLUMNS.get(name, name)


def _listed(wanted: Any) -> list[Any]:
    return wanted if isinstance(wanted, list) else [wanted]


def _shown(trait: ComputedTrait, value: Any) -> Any:
    """A value as answers have it; counts and sums of nothing are 0."""
    if value is None:
        return 0 if trait.calculate in ("count", "distinct", "sum") else None
    match trait.gives:
        case "time":
            return clock.iso(value)
        case "date":
            return value.isoformat() if isinstance(value, dt.date) else value
        case "integer" | "money":
            return int(value)
        case "value":
            return _decode(value)
        case _:
            return value
