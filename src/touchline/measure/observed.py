"""The lake → people watched over time: `Observed`, for models that know censoring and controls.

Somebody is watched from their first touch, or from the first day asked for if that is later, up to
each conversion and after the last one up to the end: the last day asked for, or the last thing that
is known. A deal is its account's, whose touches are those of all contacts; an account without a
deal by then is an open one, and censored like a person who has not bought.

    touches      ×   ×      ×  ×           ×
    conversions                  1    2
    units        |---------------|----|----------→ censored

The surprise: whoever converted without a touch before is in no unit. Such a person is known for the
conversion alone, and to count those who buy so, but not those who do not, would find a baseline
that is too high.
"""

import datetime as dt
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from touchline import clock
from touchline.attribution.journeys import DIRECT
from touchline.attribution.observed import Observed
from touchline.attribution.walk import bisected
from touchline.identity.people import PersonMap
from touchline.journey.conversion import Conversions, conversions
from touchline.journey.rate import Rates
from touchline.journey.touchpoint import touches
from touchline.measure.basis import UNNAMED, Basis, Question
from touchline.storage.engine import View

__all__ = ["CONTROLS", "Bought", "Met", "Span", "observed_of", "units_of"]

Int64s = npt.NDArray[np.int64]
pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker

# All known before the first exposure of a unit; counts and money as logarithms.
CONTROLS = (
    "touches before",
    "direct touches before",
    "conversions before",
    "money before",
    "days known",
)


class Met(NamedTuple):
    """Touches in order of (owner, time). An owner is whoever conversions are told for."""

    owner: Int64s
    ts_us: Int64s
    channel: Int64s


class Bought(NamedTuple):
    """Conversions in order of (owner, time)."""

    owner: Int64s
    at_us: Int64s
    value: Int64s | npt.NDArray[np.float64]


class Span(NamedTuple):
    """What is watched: from `first_us` to `last_us`, touches counting for `window_us`."""

    first_us: int
    last_us: int
    window_us: int
    is_once: bool = False


def observed_of(view: View, people: PersonMap, found: Basis) -> Observed:
    """Everybody in the view of a basis, watched for the question that it answers."""
    question = found.question
    if question is None:
        raise ValueError("the basis answers no question")
    speakers = people.speakers(view)
    told = conversions(view, speakers, question.goal, Rates.of(view, question.currency))
    rows = told.rows.filter(pc.greater(told.rows.column("count"), 0))
    points = touches(view, speakers, ("channel",))
    points = points.filter(points.person_ix >= 0)
    own = _own_events(told)
    if len(own):
        points = points.anti_join(view.given(own), "event_id")
    points = points.mutate(channel=points.channel.fill_null(UNNAMED))
    points = points.order_by("person_ix", "ts_us", "seq").select("person_ix", "ts_us", "channel")
    seen = view.fetch(points)
    channels = tuple(sorted(pc.unique(seen.column("channel")).to_pylist()))
    code = pc.index_in(seen.column("channel"), pa.array(channels, pa.string()))
    alone = Met(_numbers(seen, "person_ix"), _numbers(seen, "ts_us"), _plain(code))
    members = _members(view, people, question, rows)
    met, bought = _owned(alone, rows, members)
    return units_of(
        met,
        bought,
        channels,
        _span(question, met, bought),
        _numbers(found.conversions, "converted_us"),
    )


def units_of(
    met: Met, bought: Bought, channels: tuple[str, ...], span: Span, converted_us: Int64s
) -> Observed:
    """Owners with a touch → units: see the drawing above."""
    owners, offset = np.unique(met.owner, return_index=True)
    ends = np.append(offset[1:], len(met.owner))
    first_us = met.ts_us[offset]
    unit, start_us, end_us, is_converted, value = _spells(owners, first_us, bought, span)
    low = bisected(met.ts_us, offset[unit], ends[unit], start_us - span.window_us)
    high = bisected(met.ts_us, low, ends[unit], end_us + 1)
    lengths = high - low
    last = np.cumsum(lengths)
    touch = np.repeat(low - (last - lengths), lengths) + np.arange(int(lengths.sum()))
    # Before the first exposure that is still in the window.
    at = np.minimum(low, max(len(met.ts_us) - 1, 0))
    before_us = np.where(lengths > 0, met.ts_us[at], start_us) if len(met.ts_us) else start_us
    is_direct = np.array([name.strip().lower() in DIRECT for name in channels], dtype=np.bool_)
    direct = np.concatenate([[0], np.cumsum(is_direct[met.channel])])
    count, money = _history(bought, owners[unit], before_us)
    controls = np.column_stack(
        [
            np.log1p(low - offset[unit]),
            np.log1p(direct[low] - direct[offset[unit]]),
            np.log1p(count),
            np.log1p(np.maximum(money, 0)),
            np.log1p(np.maximum(before_us - first_us[unit], 0) / clock.DAY_US),
        ]
    )
    return Observed(
        channels=channels,
        offsets=np.concatenate([[0], last]),
        channel=met.channel[touch],
        ts_us=met.ts_us[touch],
        end_us=end_us,
        is_converted=is_converted,
        value=value,
        controls=controls,
        control_names=CONTROLS,
        start_us=start_us,
        window_us=span.window_us,
        converted_us=converted_us,
    )


def _spells(
    owners: Int64s, first_us: Int64s, bought: Bought, span: Span
) -> tuple[Int64s, Int64s, Int64s, npt.NDArray[np.bool_], Any]:
    """Place of the owner, start, end, whether it converts, and for how much; in order."""
    known = np.isin(bought.owner, owners)
    bought = Bought(bought.owner[known], bought.at_us[known], bought.value[known])
    place = np.searchsorted(owners, bought.owner)
    is_known = bought.at_us >= first_us[place]
    is_in = is_known & (bought.at_us >= span.first_us) & (bought.at_us <= span.last_us)
    trailing = np.arange(len(owners))
    if span.is_once:
        is_done = np.zeros(len(owners), np.bool_)
        is_done[place[is_known & (bought.at_us <= span.last_us)]] = True
        trailing = trailing[~is_done]
    unit = np.concatenate([place[is_in], trailing])
    end_us = np.concatenate([bought.at_us[is_in], np.full(len(trailing), span.last_us)])
    is_converted = np.arange(len(unit)) < np.count_nonzero(is_in)
    value = np.concatenate([bought.value[is_in], np.zeros(len(trailing), bought.value.dtype)])
    order = np.lexsort((~is_converted, end_us, unit))
    unit, end_us = unit[order], end_us[order]
    is_converted, value = is_converted[order], value[order]
    start_us = np.maximum(first_us[unit], span.first_us)
    is_next = np.flatnonzero(unit[1:] == unit[:-1]) + 1
    start_us[is_next] = np.maximum(start_us[is_next], end_us[is_next - 1])
    kept = is_converted | (start_us < end_us)
    return unit[kept], start_us[kept], end_us[kept], is_converted[kept], value[kept]


def _history(bought: Bought, owner: Int64s, before_us: Int64s) -> tuple[Int64s, Any]:
    """How often each owner had converted before, and for how much money."""
    low = np.searchsorted(bought.owner, owner)
    high = np.searchsorted(bought.owner, owner, side="right")
    until = bisected(bought.at_us, low, high, before_us)
    money = np.concatenate([[0], np.cumsum(bought.value)])
    return until - low, money[until] - money[low]


def _own_events(told: Conversions) -> pa.Table:
    """Events that tell of a conversion are no touch of it."""
    own = told.rows.column("own_event").combine_chunks().drop_null()
    again = told.retold.column("event_id").combine_chunks()
    return pa.table({"event_id": pa.concat_arrays([own.cast(again.type), again])})


def _members(view: View, people: PersonMap, question: Question, rows: pa.Table) -> pa.Table:
    """(account_id, person_ix): contacts, and who a conversion of the account itself names."""
    columns = ["account_id", "person_ix"]
    named = rows.select(columns).filter(pc.is_valid(rows.column("account_id")))
    if not len(named):
        return named
    contacts = question.members(view, people).select(columns)
    named = named.filter(pc.is_valid(named.column("person_ix")))
    return pa.concat_tables([contacts.cast(named.schema), named]).group_by(columns).aggregate([])


def _owned(alone: Met, rows: pa.Table, members: pa.Table) -> tuple[Met, Bought]:
    """Touches by person → by account or, for who has none or also buys alone, by person."""
    ids = pc.unique(pa.concat_tables([t.select(["account_id"]) for t in (rows, members)])[0])
    ids = ids.drop_null().sort()
    of_rows = pc.fill_null(pc.index_in(rows.column("account_id"), ids), -1)
    account = _plain(of_rows)
    person = _plain(pc.fill_null(rows.column("person_ix"), -1))
    owner = np.where(account >= 0, account, np.where(person >= 0, len(ids) + person, -1))
    value = _plain(pc.fill_null(rows.column("revenue"), 0))
    at_us = _numbers(rows, "converted_us")
    order = np.lexsort((at_us, owner))
    order = order[owner[order] >= 0]
    bought = Bought(owner[order], at_us[order], value[order])
    if not len(members):
        return alone._replace(owner=alone.owner + len(ids)), bought
    contact = _numbers(members, "person_ix")
    of_contact = _plain(pc.index_in(members.column("account_id"), ids))
    persons = np.unique(alone.owner)
    buys_alone = np.isin(persons, person[(account < 0) & (person >= 0)])
    persons = persons[buys_alone | ~np.isin(persons, contact)]
    pair_owner = np.concatenate([of_contact, len(ids) + persons])
    pair_person = np.concatenate([contact, persons])
    low = np.searchsorted(alone.owner, pair_person)
    lengths = np.searchsorted(alone.owner, pair_person, side="right") - low
    last = np.cumsum(lengths)
    touch = np.repeat(low - (last - lengths), lengths) + np.arange(int(lengths.sum()))
    met = Met(np.repeat(pair_owner, lengths), alone.ts_us[touch], alone.channel[touch])
    order = np.lexsort((met.ts_us, met.owner))
    return Met(*(column[order] for column in met)), bought


def _span(question: Question, met: Met, bought: Bought) -> Span:
    first, last = question.days
    latest = max(int(times.max(initial=0)) for times in (met.ts_us, bought.at_us))
    if last is not None:
        latest = min(latest, _midnight(last + dt.timedelta(days=1), question.time_zone) - 1)
    begin = int(met.ts_us.min(initial=latest))
    if first is not None:
        begin = max(begin, _midnight(first, question.time_zone))
    window_us = round(question.window_days * clock.DAY_US)
    return Span(begin, max(begin, latest), window_us, question.goal.count == "once")


def _midnight(day: dt.date, time_zone: str) -> int:
    return clock.to_us(dt.datetime.combine(day, dt.time(), ZoneInfo(time_zone)))


def _numbers(table: pa.Table, name: str) -> Int64s:
    return _plain(table.column(name))


def _plain(column: Any) -> Int64s:
    return column.to_numpy().astype(np.int64, copy=False)
