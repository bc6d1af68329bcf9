"""Data frames → credit as a data frame of the same kind: pandas, Polars, Arrow and whatever else
hands its columns over by the Arrow PyCapsule interface (`__arrow_c_stream__`).

    touchline.attribute(touches, conversions)       rows by model and channel
    touchline.attribute_paths(paths)                the same from aggregated paths

No workspace, no file, no copy of text: names become numbers as they come in. Money stays in the
unit it is given in, unrounded.

The surprise: neither pandas nor Polars is imported here. Who hands a frame over has its library
loaded already, and it is that library which makes the answer.
"""

import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Unpack, runtime_checkable

import numpy as np
import pyarrow as pa
import pyarrow.compute

from touchline import clock
from touchline.attribution.answer import Credit
from touchline.attribution.arrays import Int64s
from touchline.attribution.credit import NO_TIMES, choose, credit
from touchline.attribution.incremental import LEAST_CONVERSIONS
from touchline.attribution.inputs import Options
from touchline.attribution.journeys import Journeys
from touchline.attribution.observed import Observed
from touchline.attribution.shelf import Rows
from touchline.attribution.walk import Bought, Members, Walked, channels_of, walk
from touchline.errors import BadInput
from touchline.journey.goal import days_of
from touchline.measure import units
from touchline.measure.gather import Label, numbered_labels
from touchline.measure.options import needs
from touchline.measure.path_file import NUMBERS, paths_of
from touchline.measure.reserved import BASELINE, NO_TOUCH, channel_names
from touchline.measure.tuning import tuning_of

__all__ = ["Frame", "attribute", "attribute_paths"]

WINDOW_DAYS = 90.0
pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker
Line = tuple[Label, float, float, float | None]


@runtime_checkable
class Frame(Protocol):
    """Anything that gives its columns as an Arrow stream."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


def attribute(
    touches: Frame,
    conversions: Frame,
    *,
    models: str = "all",
    by: str | Sequence[str] = "channel",
    per_touch: bool = False,
    **options: Unpack[Options],
) -> Any:
    """Credit of every model asked for ("all" or "a,b"), as a frame of the kind of `touches`.

    `touches` has person_id, occurred_at and the columns of `by`, channel first; `conversions` has
    person_id, occurred_at and, if it knows them, revenue and conversion_id. Columns of the answer:
    model, those of `by`, conversions, revenue, removal_effect. Under each model rows add up to all
    conversions and all revenue: what no touch preceded stands as channel "(no touch)". With
    `per_touch` there is a row for each touch that got something, with its person and conversion.
    `options` are those of `attribution.inputs`: window_days (90), half_life_days (7) …
    """
    labels = (by,) if isinstance(by, str) else tuple(by)
    if labels[:1] != ("channel",):
        raise BadInput("frame_by", by=", ".join(labels))
    options = _checked(options)
    points = _table(touches, "touches", ("person_id", "occurred_at", *labels))
    bought = _table(conversions, "conversions", ("person_id", "occurred_at"))
    options["window_days"] = window_days = _window(options.get("window_days"))
    names, found, order = _journeys(points, bought, labels, window_days)
    if "observed" not in options and _is_watched(found.journeys, models):
        options["observed"] = _watched(points, bought, window_days)
    chosen = _chosen(models, found.journeys, options)
    answers = credit(found.journeys, chosen, **options).values()
    if per_touch:
        rows = points.take(pa.array(order[found.places]))
        return _like(touches, pa.concat_tables([_per_touch(a, rows, bought) for a in answers]))
    return _like(touches, pa.concat_tables([_rows(a, names, labels) for a in answers]))


def attribute_paths(paths: Frame, *, models: str = "all", **options: Unpack[Options]) -> Any:
    """Credit from aggregated paths, as a frame of their kind: columns path ("a > b"),
    total_conversions, total_conversion_value, total_null. Models that need times are left out.
    """
    options = _checked(options)
    table = _table(paths, "paths", ("path", *NUMBERS))
    text = pa.chunked_array(_text(table, "path").chunks, pa.string())
    journeys = paths_of(text, *(_numbers(table, name) for name in NUMBERS))
    if journeys is None:
        raise BadInput("frame_paths")
    chosen = _chosen(models, journeys, options)
    names: list[Label] = [(name,) for name in journeys.labels.channels]
    answers = credit(journeys, chosen, **options).values()
    return _like(paths, pa.concat_tables([_rows(one, names, ("channel",)) for one in answers]))


def _checked(options: Options) -> Options:
    """The options, weights also as a table of them or as text: `first=0.5,last=0.5`."""
    known = Options.__annotations__
    for name in options:
        if name not in known:
            why = f"is none of {', '.join(known)}."
            raise BadInput("bad_argument", name="option", value=name, why=why)
    said = {name: options.get(name) for name in ("positions", "weights")}
    named = {name: given for name, given in said.items() if isinstance(given, str | Mapping)}
    return options | tuning_of(named).options()


def _chosen(models: str, journeys: Journeys, options: Options) -> Sequence[str]:
    """The models asked for; which of "all" are left out, though what they need is there, is said as
    a warning.
    """
    chosen, left_out = choose(models, journeys, **options)
    for why in left_out:
        if why.code != NO_TIMES:
            warnings.warn(why.text("en"), stacklevel=3)
    return chosen


def _window(days: Any) -> float:
    found = WINDOW_DAYS if days is None else days_of(days)
    if not found:
        why = "is not a number of days above 0, such as 90."
        raise BadInput("bad_argument", name="window_days", value=days, why=why)
    return found


def _journeys(
    points: pa.Table, bought: pa.Table, by: tuple[str, ...], window_days: float
) -> tuple[list[Label], Walked, Int64s]:
    """Names of the labels, the journeys, and which row of the frame each of their rows was."""
    code, names = numbered_labels(pa.table({name: _named(points, name) for name in by}))
    people = pc.unique(_person(points, "touches", is_needed=True))
    person = _places(_person(points, "touches"), people)
    buyer = _places(_person(bought, "conversions"), people)
    when = _moments(points, "touches")
    order = np.lexsort((np.arange(len(points)), when, person))
    rows = Rows(person, when, np.arange(len(points)), code).at(order)
    number = np.arange(len(bought))
    has_money = "revenue" in bought.column_names
    value: Any = _numbers(bought, "revenue") if has_money else np.zeros(len(bought))
    deals = Bought(number, _moments(bought, "conversions"), value, np.ones(len(bought), np.int64))
    known = buyer >= 0
    members = Members(number[known], buyer[known])
    window_us = round(window_days * clock.DAY_US)
    found = walk(rows, deals, members, labels=channels_of(names), window_us=window_us)
    return names, found, order


def _is_watched(journeys: Journeys, models: str) -> bool:
    """Whether everybody is looked at over time; for "all", where there is enough to fit."""
    enough = journeys.conversions.sum() >= LEAST_CONVERSIONS
    return needs("observed", models) and (models.strip().lower() != "all" or bool(enough))


def _watched(points: pa.Table, bought: pa.Table, window_days: float) -> Observed:
    """People from their first touch to each conversion, and to the last thing that is told."""
    who = [*_person(points, "touches").chunks, *_person(bought, "conversions").chunks]
    people = pc.unique(pa.chunked_array(who, pa.string())).drop_null()
    channel = _named(points, "channel")
    channels = tuple(sorted(pc.unique(channel).to_pylist()))
    code = pc.index_in(channel, value_set=pa.array(channels, pa.string())).to_numpy()
    when, at_us = _moments(points, "touches"), _moments(bought, "conversions")
    met = units.Met(_places(_person(points, "touches"), people), when, code.astype(np.int64))
    buyer = _places(_person(bought, "conversions"), people)
    has_money = "revenue" in bought.column_names
    value = _numbers(bought, "revenue") if has_money else np.zeros(len(bought))
    sold = units.Bought(buyer, at_us, value, np.zeros(len(buyer), np.bool_))
    span = units.Span.of(met, sold, round(window_days * clock.DAY_US))
    return units.units_of(met, sold, channels, span, at_us)


def _rows(one: Credit, names: list[Label], by: tuple[str, ...]) -> pa.Table:
    """Rows of one model: labels, most money first; channels without a label of theirs; the rest."""
    rows = _by_channel(one) if len(by) == 1 else _by_label(one, names)
    rows.sort(key=lambda row: (-row[2], [(text is not None, text or "") for text in row[0]]))
    untouched, money = one.journeys.no_touch
    more = [
        (NO_TOUCH, untouched, money),
        (BASELINE, one.baseline_conversions, one.baseline_revenue),
    ]
    for name, count, value in more:
        if count or value:
            rows.append(((name, *[None] * (len(by) - 1)), float(count), float(value), None))
    columns: dict[str, Any] = {"model": pa.array([one.model] * len(rows), pa.string())}
    for place, name in enumerate(by):
        columns[name] = pa.array([row[0][place] for row in rows], pa.string())
    figures = ("conversions", "revenue", "removal_effect")
    for place, name in enumerate(figures, 1):
        columns[name] = pa.array([row[place] for row in rows], pa.float64())
    return pa.table(columns)


def _by_channel(one: Credit) -> list[Line]:
    effects = one.removal_effect
    return [
        (
            (name,),
            float(one.channel_conversions[code]),
            float(one.channel_revenue[code]),
            None if effects is None else float(effects[code]),
        )
        for code, name in enumerate(one.journeys.labels.channels)
    ]


def _by_label(one: Credit, names: list[Label]) -> list[Line]:
    """Labels, and what a channel has that none of them can take: in a row without finer names."""
    rows = {
        name: (float(one.label_conversions[code]), float(one.label_revenue[code]))
        for code, name in enumerate(names)
    }
    for code, name in enumerate(one.journeys.labels.channels):
        left = float(one.leftover_conversions[code]), float(one.leftover_revenue[code])
        if left != (0.0, 0.0):
            key = (name, *[None] * (len(names[0]) - 1))
            count, money = rows.get(key, (0.0, 0.0))
            rows[key] = (count + left[0], money + left[1])
    return [(name, count, money, None) for name, (count, money) in rows.items()]


def _per_touch(one: Credit, rows: pa.Table, bought: pa.Table) -> pa.Table:
    """The touches that got something; what no touch can take, of aggregate models, is not here.
    A column that a touch brought under a name of the answer's is left out.
    """
    journey = pa.array(one.journeys.journey_of)
    made = {"model", "converted_at", "conversion_id", "credit", "revenue"}
    found = rows.drop_columns(sorted(made.intersection(rows.column_names)))
    found = found.append_column("converted_at", bought.column("occurred_at").take(journey))
    if "conversion_id" in bought.column_names:
        found = found.append_column("conversion_id", bought.column("conversion_id").take(journey))
    model = pa.array([one.model] * len(rows), pa.string())
    found = found.add_column(0, "model", model)
    found = found.append_column("credit", pa.array(one.touch_conversions))
    found = found.append_column("revenue", pa.array(one.touch_revenue))
    has_any = (one.touch_conversions != 0) | (one.touch_revenue != 0)
    return found.filter(pa.array(has_any))


def _table(frame: object, what: str, needed: Sequence[str]) -> pa.Table:
    if not isinstance(frame, Frame):
        raise BadInput("frame_needed", what=what, found=type(frame).__name__)
    table = pa.RecordBatchReader.from_stream(frame).read_all()
    missing = [name for name in needed if name not in table.column_names]
    if missing:
        raise BadInput("frame_columns_missing", what=what, missing=", ".join(missing))
    return table.cast(pa.schema([_taken(field) for field in table.schema]))


def _taken(field: pa.Field) -> pa.Field:
    """Rows of views (Polars' text) cannot be taken one by one."""
    return field.with_type(pa.large_string()) if pa.types.is_string_view(field.type) else field


def _like(frame: Frame, table: pa.Table) -> Any:
    """The answer in the library of the question."""
    library = type(frame).__module__.partition(".")[0]
    if library == "pandas":
        return table.to_pandas()
    if library == "polars":
        return sys.modules["polars"].from_arrow(table)
    return table


def _text(table: pa.Table, name: str) -> pa.ChunkedArray:
    """A column as text, whatever kind of text or category it is."""
    column = table.column(name)
    try:
        if pa.types.is_dictionary(column.type):
            chunks = (c.dictionary.cast(pa.string()).take(c.indices) for c in column.chunks)
            return pa.chunked_array(chunks, pa.string())
        return column.cast(pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise BadInput("frame_column", column=name, why=str(error).partition("\n")[0]) from error


def _named(points: pa.Table, name: str) -> pa.ChunkedArray:
    column = _text(points, name)
    return channel_names(column) if name == "channel" else column


def _person(table: pa.Table, what: str, *, is_needed: bool = False) -> pa.ChunkedArray:
    column = _text(table, "person_id")
    if is_needed and column.null_count:
        _refuse(what, "person_id", pc.is_null(column))
    return column


def _places(column: pa.ChunkedArray, people: pa.Array) -> Int64s:
    """Each person as their place among those with touches, or -1."""
    place = pc.fill_null(pc.index_in(column, value_set=people), -1)
    return place.to_numpy().astype(np.int64)


def _moments(table: pa.Table, what: str) -> Int64s:
    """Epoch microseconds; whole numbers are some already, times without a zone are UTC."""
    column = table.column("occurred_at")
    if column.null_count:
        _refuse(what, "occurred_at", pc.is_null(column))
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("us"))
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64())
    if not pa.types.is_integer(column.type):
        raise BadInput("frame_times", what=what, found=str(column.type))
    return column.to_numpy().astype(np.int64)


def _numbers(table: pa.Table, name: str) -> Any:
    """A column as floats, none of them missing."""
    column = table.column(name)
    types = pa.types
    if not any(one(column.type) for one in (types.is_integer, types.is_floating, types.is_decimal)):
        raise BadInput("frame_column", column=name, why=f"numbers are needed, not {column.type}")
    column = column.cast(pa.float64())
    is_bad = pc.invert(pc.fill_null(pc.is_finite(column), False))
    if pc.any(is_bad).as_py():
        _refuse("", name, is_bad)
    return column.to_numpy()


def _refuse(what: str, name: str, is_bad: pa.ChunkedArray) -> None:
    row = int(np.flatnonzero(np.asarray(is_bad))[0])
    raise BadInput("frame_values", what=what, column=name, row=row)
