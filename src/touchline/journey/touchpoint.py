"""Events → touchpoints: the rows that reached a person.

A touchpoint is an event with a channel of its own, or one that opened a session (both are flags,
set when the event was stored). A session that follows a click of the same person and campaign
within 30 minutes is that click's landing, not a second touch. A code or an answer that says what
brought somebody is one, too (see `claimed`). Bots are nobody.
"""

from collections.abc import Sequence

import ibis

from touchline.clock import US
from touchline.collect.alias import renamed
from touchline.identity.speaker import Speakers, with_person
from touchline.journey.claimed import claimed
from touchline.journey.version import touches_in_force
from touchline.model import LABELS, TOUCH, Flag
from touchline.storage.engine import Expression, View

__all__ = ["touches"]

LANDING_US = 30 * 60 * US
KEYS = ("person_ix", "ts_us", "seq", "event_id", "message_id", "local_day")


def touches(view: View, speakers: Speakers, labels: Sequence[str] = LABELS) -> Expression:
    """Touchpoints of everybody: KEYS and the labels asked for, or other columns of text that
    events have. A landing page is known by its path, whoever came there by which link.
    """
    stored = ("ts_us", "seq", "event_id", "message_id", "local_day", "node_ids", "flags", "bot")
    events = renamed(view, view.events(*stored, *dict.fromkeys([*labels, "campaign"])))
    events = events.filter((events.flags & int(TOUCH)) != 0, ~events.bot)
    if "landing_page" in labels:
        events = events.mutate(landing_page=events.landing_page.re_replace("[?#;].*$", ""))
    found = with_person(touches_in_force(view, events.drop("bot")), speakers)
    found = found.filter(found.person_ix.notnull())
    found = found.mutate(is_click=(found.flags & int(Flag.EXPLICIT_CHANNEL)) != 0)
    clicks = found.filter(found.is_click).select(
        click_person="person_ix", click_campaign="campaign", click_us="ts_us", lands=~found.is_click
    )
    landed = [
        found.person_ix == clicks.click_person,
        found.campaign == clicks.click_campaign,
        found.is_click == clicks.lands,
        clicks.click_us <= found.ts_us,
        clicks.click_us >= found.ts_us - LANDING_US,
    ]
    found = found.anti_join(clicks, landed).select(*KEYS, *labels)
    told = claimed(view, speakers)
    if told is None:
        return found
    more = {name: ibis.null("string") for name in labels if name not in told.columns}
    return found.union(renamed(view, told).mutate(**more).select(*found.columns))
