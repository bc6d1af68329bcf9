"""Sessions that run over midnight: what a day must know of the one before, and tell the one after.

Days are files, sessions do not care. Before a day is written, the sessions still open at its first
events are looked up; and when late events reach a day, the day after is written again if a session
of theirs runs on into it, and so on for as long as it does.
"""

import datetime as dt

import ibis
import pyarrow as pa

from touchline.collect.session import IDLE_US
from touchline.jobs.intake.session import OPEN
from touchline.model import LABELS, Flag
from touchline.storage.engine import Expression, View
from touchline.storage.table import day_of

__all__ = ["following_days", "on_days", "open_sessions", "stored_days"]

ONE_DAY = dt.timedelta(days=1)
FOUND = ("device", "session_id", "landing_page", *LABELS, "flags")


def stored_days(view: View) -> set[dt.date]:
    """Days that have files."""
    return {day_of(path) for path in view.files.tables["events"].files}


def on_days(view: View, days: set[dt.date], *columns: str) -> Expression:
    """Stored rows of these days."""
    rows = view.table("events", *columns)
    return rows.filter(rows.local_day.isin(sorted(days)) if days else ibis.literal(False))


def open_sessions(
    view: View, written: Expression, days: set[dt.date], kept: set[dt.date]
) -> pa.Table:
    """Sessions (see `session.OPEN`) that are open at a device's first event of a written day.

    `days` are written now; of the days before them, only those `kept` as they are stored matter.
    """
    before = {day - ONE_DAY for day in days} & kept
    if not before:
        return OPEN.empty_table()
    firsts = written.filter(written.device.notnull()).group_by(["device", "local_day"])
    firsts = firsts.agg(first_us=written.ts_us.min()).select("first_us", first_device="device")
    held = on_days(view, before, "local_day", "device", "ts_us", "seq", "session_id")
    held = held.inner_join(
        firsts,
        [
            held.device == firsts.first_device,
            held.ts_us < firsts.first_us,
            held.ts_us >= firsts.first_us - IDLE_US,
        ],
    )
    place = ibis.row_number().over(
        group_by=[held.device, held.first_us], order_by=[held.ts_us.desc(), held.seq.desc()]
    )
    last = held.mutate(place=place).filter(lambda t: t.place == 0)
    last = view.keep(last.select("device", "ts_us", "seq", "session_id"))
    found = _opened(view, last, on_days(view, before, *FOUND, "local_day"))
    if len(found) < view.count(last):  # some go on since a day before that
        found = _opened(view, last, view.table("events", *FOUND))
    return found


def _opened(view: View, last: Expression, stored: Expression) -> pa.Table:
    """The sessions of these last events, with what their openers gave them."""
    openers = stored.filter((stored.flags & int(Flag.OPENS_SESSION)) != 0)
    found = last.inner_join(openers, ["device", "session_id"])
    found = found.mutate(is_brought=(found.flags & int(Flag.BRINGS_CAMPAIGN)) != 0)
    return view.fetch(found.select(*OPEN.names)).cast(OPEN)


def following_days(view: View, arriving: Expression, days: set[dt.date]) -> set[dt.date]:
    """Stored days into which sessions of arriving devices run on."""
    columns = ("device", "local_day", "ts_us")
    stored = stored_days(view)
    found: set[dt.date] = set()
    ahead = {day + ONE_DAY for day in days} & stored
    if not ahead:
        return found
    rows = arriving.filter(arriving.device.notnull()).select(*columns)
    there = on_days(view, days & stored, *columns).semi_join(rows, ["device", "local_day"])
    ends = rows.union(there.select(*columns)).group_by("device", "local_day")
    ends = view.keep(ends.agg(last_us=lambda t: t.ts_us.max()).select("device", "last_us"))
    while ahead:
        held = on_days(view, ahead, *columns).group_by("device", "local_day")
        held = held.agg(first_us=lambda t: t.ts_us.min(), end_us=lambda t: t.ts_us.max())
        held = held.semi_join(
            ends,
            [
                held.device == ends.device,
                held.first_us > ends.last_us,
                held.first_us <= ends.last_us + IDLE_US,
            ],
        )
        touched = view.keep(held.select("device", "local_day", last_us="end_us"))
        reached = set(view.fetch(touched.select("local_day").distinct()).column(0).to_pylist())
        found |= reached
        ends = touched.select("device", "last_us")
        ahead = ({day + ONE_DAY for day in reached} & stored) - found
    return found
