"""Members → what the company does for them: SMS campaigns, and a staff member's WeCom contact.

SMS goes only to those who joined of their own accord, so no message has an order among its causes.
A WeCom contact may come from an order (a scanned parcel card, a till): then it carries that
order's causes, and a repeat order it brings inherits them.
"""

from dataclasses import dataclass

import numpy as np

from touchline.demo.channels import INDEX
from touchline.demo.dice import Dice
from touchline.demo.exposure import Touches
from touchline.demo.people import NEVER, People
from touchline.demo.plan import Plan
from touchline.demo.season import DAY_MS, Ints, Mask
from touchline.demo.world import STAFF, STORES

__all__ = ["Contacts", "Messages", "contacts", "messages", "staff_of"]

# Days of the month with an SMS blast; sale months have more.
SALE_MONTHS, SALE_BLASTS = (5, 6, 10, 11, 12), (2, 9, 15, 19, 26)
USUAL_BLASTS = (8, 22)
OPTED_IN = {"china": 0.8, "abroad": 0.0}
KEEN, KEEN_SHARE, OTHERS = 0.85, 0.20, 0.17  # share of blasts sent to the two groups of members
CLICKED = 0.03
INVITED = {"china": 0.3, "abroad": 0.0}
LEAVES, TOO_MANY, FACTOR = 0.004, 3, 3.0  # unsubscribe per SMS; three times that above 3 a month


@dataclass
class Messages:
    """SMS as sent, columns; `clicked` and `left` mark those answered so. `left` ends the list."""

    person: Ints
    ms: Ints
    campaign: Ints
    clicked: Mask
    left: Mask

    def clicks(self) -> Touches:
        """Clicks as touches, a few minutes after the message."""
        at = self.clicked
        channel = np.full(int(at.sum()), INDEX["sms"])
        return Touches(self.person[at], self.ms[at] + 7 * 60_000, channel, self.campaign[at])


def messages(people: People, plan: Plan, dice: Dice) -> Messages:
    rng = dice.of("sms")
    opted_in = OPTED_IN[people.market.key]
    until = np.where(rng.random(people.count) < opted_in, NEVER, 0)
    share = np.where(rng.random(people.count) < KEEN_SHARE, KEEN, OTHERS)
    this_month = np.zeros(people.count, dtype=np.int64)
    month = 0
    campaigns = plan.on_day(INDEX["sms"])
    parts: list[tuple[Ints, Ints, Ints, Mask, Mask]] = []
    for day, date in enumerate(plan.calendar.dates):
        if date.day not in (SALE_BLASTS if date.month in SALE_MONTHS else USUAL_BLASTS):
            continue
        if date.month != month:
            month = date.month
            this_month[:] = 0
        at = plan.calendar.start_ms + day * DAY_MS + int(DAY_MS * 0.45)
        sent = (people.joined < at) & (until > at) & (rng.random(people.count) < share)
        this_month += sent
        leaves = LEAVES * np.where(this_month > TOO_MANY, FACTOR, 1.0)
        left = sent & (rng.random(people.count) < leaves)
        clicked = sent & (rng.random(people.count) < CLICKED)
        until[left] = at
        who = np.flatnonzero(sent)
        spread = (rng.random(len(who)) * 3_000_000).astype(np.int64)
        campaign = np.full(len(who), campaigns[day])
        parts.append((who, at + spread, campaign, clicked[who], left[who]))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Messages(columns[0], columns[1], columns[2], columns[3] > 0, columns[4] > 0)


@dataclass
class Contacts:
    """Per person: when a staff member added them on WeCom, who, and the causes of that."""

    since: Ints
    staff: Ints
    mask: Ints

    def add(self, person: Ints, since: Ints, mask: Ints) -> None:
        """Contacts that orders brought; whoever has one keeps it. The earliest order counts."""
        order = np.argsort(since, kind="stable")[::-1]
        person, since, mask = person[order], since[order], mask[order]
        free = self.since[person] == NEVER
        self.since[person[free]] = since[free]
        self.mask[person[free]] = mask[free]


def contacts(people: People, plan: Plan, dice: Dice) -> Contacts:
    """Contacts without an order behind them: members whom a store invited."""
    rng = dice.of("contacts")
    begins = np.maximum(people.joined, plan.calendar.start_ms - 200 * DAY_MS)
    since = begins + (rng.random(people.count) * 300 * DAY_MS).astype(np.int64)
    invited = (people.joined < NEVER) & (rng.random(people.count) < INVITED[people.market.key])
    return Contacts(
        np.where(invited & (since < plan.calendar.end_ms), since, NEVER),
        staff_of(people.store, rng),
        np.zeros(people.count, dtype=np.int64),
    )


def staff_of(store: Ints, rng: np.random.Generator) -> Ints:
    """A member of each store's staff; people without a store get one of the first store's."""
    members = [
        [n for n, (_, at) in enumerate(STAFF) if at == index] for index in range(len(STORES))
    ]
    first = np.array([of[0] for of in members])
    size = np.array([len(of) for of in members])
    place = np.maximum(store, 0)
    return first[place] + (rng.random(len(store)) * size[place]).astype(np.int64)
