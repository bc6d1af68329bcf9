"""What real data is like: forwarded links, programs, shared tablets, wrong clocks.

Each function adds what it names and nothing else; the rest of the dirt lives where it arises
(members' phones and mails in `members`, masked orders in `shops`, cost revisions in `costs`,
repeated deliveries in `write`).
"""

import numpy as np

from touchline.demo.channels import DEVICES, INDEX
from touchline.demo.dice import Dice
from touchline.demo.members import Members
from touchline.demo.people import People
from touchline.demo.plan import Plan
from touchline.demo.season import DAY_MS, Ints, Mask
from touchline.demo.visits import BOT, FORWARD, SITES, TABLET, Visits

__all__ = ["CLOCKS", "bots", "clocks", "forwarded", "tablets"]

FORWARDED = 0.03  # of visits from 微信 with a campaign
BOT_SHARE = 0.006
# Minutes a phone's clock may be wrong by; it says so when it sends, so it can be put right.
CLOCKS = (-180, -47, 12, 65, 480, 540)
WRONG_CLOCK, RESET_CLOCK = 0.012, 0.0004


def forwarded(people: People, seen: Visits, dice: Dice) -> Visits:
    """Visits of second readers, who open a link that somebody passed on in 微信.

    The link keeps the first reader's campaign and click id, so the second is credited to it.
    """
    rng = dice.of("forwarded")
    in_wechat = (seen.device == DEVICES.index("wechat")) & (seen.campaign >= 0)
    rows = np.flatnonzero(in_wechat & (rng.random(len(seen.ms)) < FORWARDED))
    late = (rng.exponential(0.3, len(rows)) * DAY_MS).astype(np.int64) + 60_000
    found = seen.only(rows)
    found.person = rng.integers(0, people.count, len(rows))
    found.ms = found.ms + late
    found.depth = np.minimum(rng.geometric(0.6, len(rows)), 4)
    found.kind = np.full(len(rows), FORWARD)
    found.about = rows
    return found


def bots(seen: Visits, plan: Plan, dice: Dice) -> Visits:
    """Programs that read pages: no person, no campaign, many pages."""
    rng = dice.of("bots")
    count = int(len(seen.ms) * BOT_SHARE)
    nothing = np.full(count, -1)
    return Visits(
        nothing,
        plan.calendar.start_ms + (rng.random(count) * plan.calendar.days * DAY_MS).astype(np.int64),
        np.full(count, INDEX["direct"]),
        nothing,
        rng.integers(0, 2, count),
        nothing,
        rng.integers(2, 9, count),
        nothing,
        np.full(count, BOT),
    )


def tablets(found: Members, plan: Plan) -> Visits:
    """Registrations typed into a store's tablet: many members, one cookie."""
    at = found.tablet & (found.since < plan.calendar.end_ms)
    person = np.flatnonzero(at)
    count = len(person)
    nothing = np.full(count, -1)
    return Visits(
        person,
        found.since[person],
        np.full(count, INDEX["direct"]),
        nothing,
        np.full(count, SITES.index("h5")),
        np.full(count, DEVICES.index("mobile")),
        np.full(count, 1),
        found.till[person],
        np.full(count, TABLET),
    )


def clocks(people: People, dice: Dice) -> tuple[Ints, Mask]:
    """(milliseconds each person's phone is ahead, whose clock was reset to 2020)."""
    rng = dice.of("clocks")
    wrong = rng.random(people.count) < WRONG_CLOCK
    minutes = np.array(CLOCKS)[rng.integers(0, len(CLOCKS), people.count)]
    reset = (rng.random(people.count) < RESET_CLOCK) & ~wrong
    return np.where(wrong, minutes * 60_000, 0), reset
