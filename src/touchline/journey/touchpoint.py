"""Events → touchpoints: the rows that reached a person.

A touchpoint is an event with a channel of its own, or one that opened a session (both are flags,
set when the event was stored). A session that follows a click of the same person and campaign
within 30 minutes is that click's landing, not a second touch. Bots are nobody.
"""

from touchline.clock import US
from touchline.model import TOUCH, Flag
from touchline.storage.columns import LABELS
from touchline.storage.engine import Expression

__all__ = ["TOUCH_COLUMNS", "touches"]

LANDING_US = 30 * 60 * US
TOUCH_COLUMNS = ("person_ix", "ts_us", "seq", "event_id", "message_id", "local_day", *LABELS)


def touches(events: Expression) -> Expression:
    """Touchpoints of events that carry `person_ix`; columns TOUCH_COLUMNS."""
    found = events.filter((events.flags & int(TOUCH)) != 0, ~events.bot)
    own = (found.flags & int(Flag.EXPLICIT_CHANNEL)) != 0
    clicks = found.filter(own).select(
        click_person="person_ix", click_campaign="campaign", click_us="ts_us"
    )
    landings = found.filter(~own)
    landings = landings.anti_join(
        clicks,
        [
            landings.person_ix == clicks.click_person,
            landings.campaign == clicks.click_campaign,
            clicks.click_us <= landings.ts_us,
            clicks.click_us >= landings.ts_us - LANDING_US,
        ],
    )
    return found.filter(own).select(*TOUCH_COLUMNS).union(landings.select(*TOUCH_COLUMNS))
