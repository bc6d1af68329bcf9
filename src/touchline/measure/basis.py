"""One question about credit → its basis: journeys as arrays, and what they stand for.

Conversions without a rate and conversions without a touch never reach a model: they are named as
unattributed. Touches in a window of *any* conversion of the goal are not non-converting, also when
that conversion lies outside the asked days; money that went back alone is no conversion, so the
touches before it are counted as if it had not happened.
"""

import datetime as dt
import operator
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute

from touchline import clock
from touchline.attribution.journeys import DIRECT, Journeys, Touches
from touchline.identity.companies import account_members
from touchline.identity.people import PersonMap
from touchline.identity.speaker import Speakers
from touchline.journey.conversion import conversions
from touchline.journey.goal import Goal
from touchline.journey.path import paths
from touchline.journey.rate import Rates
from touchline.journey.touchpoint import touches
from touchline.journey.window import READ, windowed
from touchline.measure.crediting import Crediting
from touchline.measure.customer import Bonds, bonds_of
from touchline.measure.gather import Gathered, gather, named, numbered_labels
from touchline.measure.lift_test import LiftTest
from touchline.measure.partner import Partners, partners
from touchline.measure.reserved import channel_of
from touchline.measure.stages import milestones
from touchline.measure.tuning import Tuning
from touchline.storage.engine import Expression, View

__all__ = ["Basis", "Question", "basis_of", "journeys_of"]

OTHERS = 1 << 40  # journeys of no conversion are numbered from here
STAGE = "stage"
BEFORE_ALL = -(1 << 62)
pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked: `by` are label columns, channel first; days are inclusive, None is open.
    `members` says whose touches count for which account. `lift`: the tests of the goal.
    `tuning`: what models are told, before what the site's definitions tell them.
    """

    goal: Goal
    currency: str
    by: tuple[str, ...] = ("channel",)
    window_days: float = 90
    time_zone: str = "Asia/Shanghai"
    days: tuple[dt.date | None, dt.date | None] = (None, None)
    members: Callable[[View, PersonMap], pa.Table] = account_members
    lift: tuple[LiftTest, ...] = ()
    tuning: Tuning = Tuning()

    @property
    def window(self) -> float:
        """The window in days as it is shown: 90, not 90.0."""
        days = self.window_days
        return int(days) if days == int(days) else days

    @property
    def stored_by(self) -> tuple[str, ...]:
        """Those labels that touches have by themselves; a stage is the buyer's."""
        return tuple(name for name in self.by if name != STAGE)


class Basis(msgspec.Struct, frozen=True):
    """`labels[i]` are the values of label code i, in the order of the question's `by`.

    `conversions` are the rows behind the converting journeys, in their order; `touches` those of
    converting journeys, in the order of the touch arrays. Unrated conversions are in neither.
    What of the conversions is a partner's is in no journey: `conversions` are whole, journeys less.
    `question` is the one answered; `bonds` say whose each journey is. `unrated_rows` are those
    without a rate.
    """

    journeys: Journeys
    labels: list[tuple[str | None, ...]]
    conversions: pa.Table
    touches: pa.Table
    unrated: int
    missing_rates: tuple[tuple[str, str], ...]
    partners: Partners | None = None
    question: Question | None = None
    bonds: Bonds | None = None
    unrated_rows: pa.Table | None = None

    @property
    def counted(self) -> int:
        """Conversions, a partner's part of them included."""
        return int(self.conversions.column("count").to_numpy().sum())

    @property
    def revenue(self) -> int:
        return int(self.conversions.column("revenue").to_numpy().sum())


def basis_of(view: View, people: PersonMap, question: Question) -> Basis:
    """Answers a question from one view of the lake."""
    speakers = people.speakers(view)
    rates = Rates.of(view, question.currency)
    found = conversions(view, speakers, question.goal, rates)
    is_asked = _is_asked(found.rows, question.days)
    is_rated = pc.invert(found.rows.column("is_unrated"))
    counted = found.rows.filter(pc.and_(is_asked, is_rated))
    # The asked come first, so that a number tells them from those that only hold touches back.
    everyone = pa.concat_tables(
        [counted, found.rows.filter(pc.invert(pc.and_(is_asked, is_rated)))]
    )
    accounts = _accounts(view, people, everyone, question)
    points = _touches(view, speakers, question)
    members = _members(everyone, accounts, _of_nobody(view, points))
    if question.goal.restarts:
        members = _restarting(members)
    found_paths = _paths(view, points, members, question.window_days)
    if len(found.retold):
        found_paths = _without(found_paths, view.given(_numbered(found.retold, everyone)))
    wanted = _wanted(found_paths, question, len(counted))
    crediting = Crediting.of(view.documents)
    theirs = partners(view, counted, crediting)
    left = counted if theirs is None else theirs.rest(counted)
    if STAGE in question.by:
        told = milestones(view, speakers, counted, crediting)
        made = _from_table(view, wanted, left, question, told)
    elif question.goal.direct == "last_resort":
        made = _from_table(view, wanted, left, question)
    else:
        made = gather(view, points, wanted, left, question.by)
    unrated_rows = found.rows.filter(pc.and_(is_asked, pc.invert(is_rated)))
    unrated = pc.sum(unrated_rows.column("count"))
    missing = {
        (currency, day.isoformat())
        for currency, day, of in found.missing_rates
        if _is_within(of, question.days)
    }
    bonds = bonds_of(members, made.people + OTHERS, len(counted), OTHERS)
    return Basis(
        *(made.journeys, made.labels, counted, made.touches, int(unrated.as_py() or 0)),
        tuple(sorted(missing)),
        *(theirs, question, bonds, unrated_rows),
    )


def _from_table(
    view: View, wanted: Expression, left: pa.Table, question: Question, told: Any = None
) -> Gathered:
    """As `gather`, of paths that have to be seen as a whole before they are what is asked for."""
    # Two claims of one order come at one moment with one number: they stand as their labels do.
    labels = (wanted[name].asc(nulls_first=True) for name in question.stored_by)
    rows = view.fetch(wanted.order_by("journey", "ts_us", "seq", *labels))
    if question.goal.direct == "last_resort":
        rows = _without_direct(rows)
    split = int(np.searchsorted(_numbers(rows, "journey"), len(left)))
    if STAGE in question.by:
        rows = rows.append_column(STAGE, _stages(told, rows, split))
    journeys, labels = journeys_of(left, rows, split, question.by)
    people = np.unique(_numbers(rows, "journey")[split:]) - OTHERS
    return Gathered(journeys, labels, rows.slice(0, split), people)


def _paths(view: View, touches: Expression, members: pa.Table, window_days: float) -> Expression:
    """Rows of `path.paths`; touches before money that went back alone are there as others too."""
    window_us = round(window_days * clock.DAY_US)
    is_order = pc.greater(members.column("count"), 0)
    found = paths(touches, view.given(members.filter(is_order)), window_us, OTHERS)
    alone = members.filter(pc.invert(is_order))
    if len(alone):
        went_back = paths(touches, view.given(alone), window_us, OTHERS)
        found = found.union(went_back.filter(went_back.journey < OTHERS))
    return found


def _without(rows: Expression, retold: Expression) -> Expression:
    """Paths without the other events that told of their conversion at its moment."""
    is_own = [rows.journey == retold.conversion_ix, rows.event_id == retold.event_id]
    return rows.anti_join(retold, is_own)


def _numbered(retold: pa.Table, everyone: pa.Table) -> pa.Table:
    """(conversion_ix, event_id); those of no conversion of the goal are in no path."""
    place = pc.index_in(retold.column("conversion_id"), everyone.column("conversion_id"))
    found = retold.append_column("conversion_ix", place.cast(pa.int64()))
    return found.filter(pc.is_valid(place)).select(["conversion_ix", "event_id"])


def _wanted(rows: Expression, question: Question, counted: int) -> Expression:
    """Paths of the asked conversions, and touches of no conversion on the asked days."""
    is_free = rows.journey >= OTHERS
    for bound, is_in in zip(question.days, (operator.ge, operator.le), strict=True):
        if bound is not None:
            is_free = is_free & is_in(rows.local_day, bound)
    rows = rows.filter((rows.journey < counted) | is_free)
    own = ["window_us"] if "window_us" in rows.columns else []
    columns = ["journey", "person_ix", "ts_us", "seq", "message_id"]
    return rows.select(*columns, *own, *question.stored_by)


def _touches(view: View, speakers: Speakers, question: Question) -> Expression:
    by, windows = question.stored_by, question.goal.windows
    found = touches(view, speakers, list(dict.fromkeys((*by, *READ))) if windows else by)
    found = found.mutate(channel=channel_of(found.channel))
    if windows:
        views = Crediting.of(view.documents).view_events
        found = windowed(found, windows, question.window_days, views)
        found = found.drop(*(name for name in READ if name not in by))
    return view.keep(found)


def _without_direct(rows: pa.Table) -> pa.Table:
    """Paths less their direct touches, if anything else is in them."""
    names = pc.utf8_lower(pc.utf8_trim_whitespace(rows.column("channel")))
    is_direct = np.asarray(pc.is_in(names, value_set=pa.array(sorted(DIRECT))))
    _, path = np.unique(_numbers(rows, "journey"), return_inverse=True)
    has_other = np.bincount(path, ~is_direct) > 0 if len(path) else np.zeros(0, dtype=np.bool_)
    return rows.filter(pa.array(~(is_direct & has_other[path])))


def _stages(told: Any, rows: pa.Table, split: int) -> pa.Array:
    """What the buyer was at each touch; null in paths without a conversion."""
    if told is None:
        return pa.nulls(len(rows), pa.string())
    of_won = told.of_touches(_numbers(rows, "journey")[:split], _numbers(rows, "ts_us")[:split])
    return pa.concat_arrays([of_won, pa.nulls(len(rows) - split, pa.string())])


def _accounts(view: View, people: PersonMap, rows: pa.Table, question: Question) -> pa.Table:
    """Contacts of accounts (account_id, person_ix), looked up only if a conversion has one."""
    if rows.column("account_id").null_count == len(rows):
        return pa.table(
            {"account_id": pa.array([], pa.string()), "person_ix": pa.array([], pa.int64())}
        )
    return question.members(view, people)


def _of_nobody(view: View, points: Expression) -> pa.Table:
    """Touches that know their order and nobody (see `claimed`): (conversion_id, person_ix)."""
    found = points.filter(points.person_ix < 0)
    return view.fetch(found.select("person_ix", conversion_id=found.message_id).distinct())


def _is_within(day: dt.date, days: tuple[dt.date | None, dt.date | None]) -> bool:
    start, end = days
    return (start is None or start <= day) and (end is None or day <= end)


def _is_asked(rows: pa.Table, days: tuple[dt.date | None, dt.date | None]) -> pa.ChunkedArray:
    day = rows.column("local_day")
    asked = pc.is_valid(day)
    for bound, is_in in zip(days, (pc.greater_equal, pc.less_equal), strict=True):
        if bound is not None:
            asked = pc.and_(asked, is_in(day, pa.scalar(bound, pa.date32())))
    return asked


def _members(rows: pa.Table, accounts: pa.Table, nobody: pa.Table) -> pa.Table:
    """One row per conversion and person whose touches count for it: see `path.paths`."""
    columns = ["conversion_id", "account_id", "person_ix", "converted_us", "own_event", "count"]
    numbered = rows.select(columns)
    numbered = numbered.append_column("conversion_ix", pa.array(np.arange(len(rows))))
    own = numbered.filter(pc.is_valid(numbered.column("person_ix"))).drop_columns(["account_id"])
    contacts = numbered.drop_columns(["person_ix"]).join(accounts, "account_id", join_type="inner")
    alone = numbered.drop_columns(["person_ix"]).join(nobody, "conversion_id", join_type="inner")
    names = ["conversion_ix", "person_ix", "converted_us", "own_event", "count"]
    found = pa.concat_tables([one.select(names) for one in (own, contacts, alone)])
    unique = found.group_by(["conversion_ix", "person_ix"]).aggregate(
        [("converted_us", "min"), ("own_event", "max"), ("count", "max")]
    )
    return unique.rename_columns(["conversion_ix", "member_ix", *names[2:]])


def _restarting(members: pa.Table) -> pa.Table:
    """Adds `after_us`: when the same person converted last before. Money that went back is none."""
    is_order = members.column("count").to_numpy() > 0
    member, at = (_numbers(members, name)[is_order] for name in ("member_ix", "converted_us"))
    order = np.lexsort((at, member))
    member, at = member[order], at[order]
    place = np.arange(len(order))
    begins = np.append(True, (member[1:] != member[:-1]) | (at[1:] != at[:-1]))[: len(order)]
    before = np.maximum.accumulate(np.where(begins, place, 0)) - 1  # the moment before this one
    is_same = (before >= 0) & (member[before] == member)
    after_us = np.full(len(members), BEFORE_ALL)
    after_us[np.flatnonzero(is_order)[order]] = np.where(is_same, at[before], BEFORE_ALL)
    return members.append_column("after_us", pa.array(after_us))


def journeys_of(
    counted: pa.Table, rows: pa.Table, split: int, by: tuple[str, ...]
) -> tuple[Journeys, list[tuple[str | None, ...]]]:
    """Rows of `path.paths` in order of (journey, ts_us, seq) → arrays, and what labels stand for.

    The first `split` rows belong to the counted conversions, which have revenue and count.
    """
    code, labels = numbered_labels(rows.select(by))
    journey, ts_us = _numbers(rows, "journey"), _numbers(rows, "ts_us")
    journeys = Journeys.from_touches(
        Touches(journey[:split], code[:split], ts_us[:split]),
        Touches(journey[split:], code[split:]),
        value=_numbers(counted, "revenue"),
        counts=counted.column("count").to_numpy().astype(np.float64, copy=False),
        labels=named(labels),
    )
    return journeys, labels


def _numbers(table: pa.Table, name: str) -> np.ndarray[Any, Any]:
    return table.column(name).to_numpy().astype(np.int64, copy=False)
