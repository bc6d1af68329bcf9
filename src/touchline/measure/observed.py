"""The lake → people watched over time (see `units`), for models that know censoring and controls.

A deal is its account's, whose touches are those of all contacts; an account without a deal by the
last day is an open one, and censored like a person who has not bought. For a goal of stages, a deal
that was lost ends its owner's time at risk. Touches count as the goal has it: for their own
windows and, where it restarts, for no conversion after the next.

The surprise: direct traffic as a last resort is not looked at. Whether a touch is one depends on
the conversion, and who has not converted has none. So `direct` keeps what its touches bring, and is
credited for it where there is nothing else.
"""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute

from touchline import clock
from touchline.attribution.arrays import Int64s
from touchline.attribution.observed import Observed
from touchline.identity.people import PersonMap
from touchline.identity.speaker import Speakers
from touchline.journey.conversion import Conversions, conversions
from touchline.journey.rate import Rates
from touchline.journey.touchpoint import touches
from touchline.journey.window import READ, windowed
from touchline.measure.basis import Basis, Question
from touchline.measure.crediting import Crediting
from touchline.measure.reserved import channel_of
from touchline.measure.units import Bought, Met, Span, units_of
from touchline.storage.engine import Expression, View

__all__ = ["observed_of"]

pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker


def observed_of(view: View, people: PersonMap, found: Basis) -> Observed:
    """Everybody in the view of a basis, watched for the question that it answers."""
    question = found.question
    if question is None:
        raise ValueError("the basis answers no question")
    speakers = people.speakers(view)
    told = conversions(view, speakers, question.goal, Rates.of(view, question.currency))
    rows = told.rows.filter(pc.greater(told.rows.column("count"), 0))
    rows = _and_lost(view, speakers, question, rows)
    points = _touches(view, speakers, question)
    own = view.given(_own_events(told))
    points = points.left_join(own, points.event_id == own.own_event)
    points = points.mutate(is_own=points.own_event.notnull())
    points = points.order_by("person_ix", "ts_us", "seq", "channel")
    seen = view.fetch(points.drop("seq", "event_id", "own_event"))
    channels = tuple(sorted(pc.unique(seen.column("channel")).to_pylist()))
    code = pc.index_in(seen.column("channel"), pa.array(channels, pa.string()))
    window_us = _numbers(seen, "window_us") if "window_us" in seen.column_names else None
    alone = Met(
        *(_numbers(seen, "person_ix"), _numbers(seen, "ts_us"), _plain(code), window_us),
        is_own=seen.column("is_own").to_numpy(),
    )
    members = _members(view, people, question, rows)
    met, bought = _owned(alone, rows, members)
    converted_us = _numbers(found.conversions, "converted_us")
    return units_of(met, bought, channels, _span(question, met, bought), converted_us)


def _touches(view: View, speakers: Speakers, question: Question) -> Expression:
    """person_ix, ts_us, seq, event_id and channel of touches; their window_us if they have one."""
    windows = question.goal.windows
    points = touches(view, speakers, READ if windows else ("channel",))
    points = points.filter(points.person_ix >= 0)
    points = points.mutate(channel=channel_of(points.channel))
    columns = ["person_ix", "ts_us", "seq", "event_id", "channel"]
    if windows:
        views = Crediting.of(view.documents).view_events
        points = windowed(points, windows, question.window_days, views)
        columns.append("window_us")
    return points.select(*columns)


def _and_lost(view: View, speakers: Speakers, question: Question, rows: pa.Table) -> pa.Table:
    """Conversions and, if the goal is one of stages, deals that were lost: with `is_lost`."""
    rows = rows.append_column("is_lost", pa.repeat(pa.scalar(False), len(rows)))
    goal, asked = None, question.goal
    if not asked.event:  # what the goal counts is no loss to it
        goal = Crediting.of(view.documents).lost_deals(view, asked, besides=asked.stages or ())
    if goal is None:
        return rows
    lost = conversions(view, speakers, goal, Rates.of(view, question.currency)).rows
    lost = lost.append_column("is_lost", pa.repeat(pa.scalar(True), len(lost)))
    return pa.concat_tables([rows, lost])


def _own_events(told: Conversions) -> pa.Table:
    """Events that tell of a conversion, which are no touch of it, once each."""
    own = told.rows.column("own_event").combine_chunks().drop_null()
    again = told.retold.column("event_id").combine_chunks()
    return pa.table({"own_event": pa.concat_arrays([own.cast(again.type), again]).unique()})


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
    bought = Bought(owner, at_us, value, rows.column("is_lost").to_numpy())
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
    return alone.at(touch, np.repeat(pair_owner, lengths)), bought


def _span(question: Question, met: Met, bought: Bought) -> Span:
    first, last = question.days
    asked_us = (
        None if first is None else _midnight(first, question.time_zone),
        None if last is None else _midnight(last + dt.timedelta(days=1), question.time_zone) - 1,
    )
    window_us = round(question.window_days * clock.DAY_US)
    if met.window_us is not None:
        window_us = int(met.window_us.max(initial=0))
    goal = question.goal
    found = Span.of(met, bought, window_us, asked_us)
    return found._replace(is_once=goal.count == "once", restarts=goal.restarts)


def _midnight(day: dt.date, time_zone: str) -> int:
    return clock.to_us(dt.datetime.combine(day, dt.time(), ZoneInfo(time_zone)))


def _numbers(table: pa.Table, name: str) -> Int64s:
    return _plain(table.column(name))


def _plain(column: Any) -> Int64s:
    return column.to_numpy().astype(np.int64, copy=False)
