"""Derives anew all that can be derived from the lake: channels, what an event shows of its visitor
(device, place, bots), sessions, the copy of events by identifier, the index of event
ids.

Days are rewritten one at a time, a large one some devices at a time, each in one commit: it may be
stopped and run again at any point. People are computed from the evidence whenever they are asked
for; their mirrors are emptied, so that they are made anew as well.
"""

import math

from touchline.collect.blocked import renew
from touchline.identity.mirror import forget
from touchline.jobs.definitions import planned_of, session_zone
from touchline.jobs.intake import filing, sightings
from touchline.jobs.intake.derived import derived
from touchline.jobs.intake.midnight import open_sessions
from touchline.jobs.intake.session import assign_sessions
from touchline.jobs.intake.settle import day_file, rows_in_shares
from touchline.jobs.intake.writer import Writer
from touchline.jobs.job import Progress
from touchline.jobs.rebuilt import note_rebuild
from touchline.storage.lake import SETTLED
from touchline.storage.table import day_of

__all__ = ["rebuild"]


def rebuild(writer: Writer, progress: Progress) -> dict[str, int]:
    """Rewrites every day under the rules in force; returns how many days and events."""
    writer.catch_up()
    workspace, site = writer.workspace, writer.site
    note_rebuild(workspace.state)
    filing.forget(workspace)
    days = sorted({day_of(path) for path in workspace.lake.events.snapshot().files})
    zone = session_zone(workspace)
    events = 0
    for done, day in enumerate(days, 1):
        with workspace.view() as view:
            files = [f for f in view.files.tables["events"].files if day_of(f) == day]
            table = view.table("events")
            mine = table.filter(table.local_day == day)
            count = view.count(mine)
            before = open_sessions(view, mine, {day}, set(days) - {day})
            parts = (
                assign_sessions(derived(rows, site), before, zone)
                for rows in rows_in_shares(view, mine, count)
            )
            settled = {SETTLED: view.files.settled_seq}
            made = day_file(day, count, parts)
            workspace.lake.events.commit([made], remove=files, offsets=settled)
        events += count
        progress(done / len(days))
    filing.build(workspace, math.inf)
    writer.store.renew_index()
    forget(workspace.lake)
    writer.registry.forget()
    renew(workspace, is_all=True)
    sightings.forget(workspace.state)
    sightings.look_back(workspace, planned_of(workspace).touchpoints)
    return {"days": len(days), "events": events}
