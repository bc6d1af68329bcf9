"""People + their orders → members: since when, under which phone and mail, at which till.

This is where a member list gets its dirt: numbers of staff, numbers of nobody, mails called null.
Whoever buys in the mini-program or on the site, or is known at a till or by a scanned parcel card,
is a member from then on.
"""

from dataclasses import dataclass

import numpy as np

from touchline.demo.care import Contacts, staff_of
from touchline.demo.dice import Dice
from touchline.demo.orders import Orders
from touchline.demo.people import NEVER, People, email, member_code, phone, user_id
from touchline.demo.plan import Plan
from touchline.demo.season import DAY_MS, Ints, Mask

__all__ = ["NO_MAILS", "NO_PHONES", "STAFF_NUMBER", "Members", "members", "scans"]

STAFF_NUMBER = 90_000_000  # staff phones follow the rule of people's, from here on
NO_PHONES = ("138****8000", "13800138000", "138****8000")
NO_MAILS = ("null", "NULL", "无", "null@null.com", "n/a", "-")
OWN_PHONE_OF_STAFF, NOBODYS_PHONE, NO_MAIL = 0.06, 0.012, 0.03  # shares of till and all members
AT_TILL = 0.3
ON_TABLET = 0.2  # of till registrations: typed into the store's tablet


@dataclass
class Members:
    """Columns by place in the block. `since` is wall-clock, NEVER for those who are none; `till`
    is the store that registered them or -1.
    """

    since: Ints
    till: Ints
    staff: Ints
    tablet: Mask
    phone: list[str]
    email: list[str]
    code: list[str]
    user: list[str]

    def at(self, person: Ints, ms: Ints) -> Mask:
        """Whether each of these people is a member at that moment."""
        return self.since[person] <= ms


def scans(bought: Orders, people: People, plan: Plan, dice: Dice) -> Ints:
    """When the buyer of each marketplace order scans its parcel card; NEVER if they do not."""
    rng = dice.of("scans")
    late = ((3 + 4 * rng.random(len(bought.ms))) * DAY_MS).astype(np.int64)
    shops = [n for n, v in enumerate(people.market.venues) if v.key in ("tmall", "douyin")]
    at = plan.calendar.wall(bought.ms + late)
    scanned = np.isin(bought.venue, shops) & bought.is_known & (at < plan.calendar.end_ms)
    return np.where(scanned, at, NEVER)


def members(people: People, bought: Orders, scanned: Ints, plan: Plan, dice: Dice) -> Members:
    rng = dice.of("members")
    count = people.count
    own = people.joined < NEVER
    since = np.where(own, plan.calendar.wall(np.where(own, people.joined, 0)), NEVER)
    keys = np.array([v.key for v in people.market.venues])[bought.venue]
    market_place = np.isin(keys, ("tmall", "douyin"))
    first = np.where(market_place, scanned, plan.calendar.wall(bought.ms))
    first = np.where(bought.is_known, first, NEVER)
    np.minimum.at(since, bought.person, first)
    at_till = (people.store >= 0) & (rng.random(count) < AT_TILL) & (since < NEVER)
    staff = staff_of(people.store, rng)
    uniform = rng.random((4, count))
    first_number = people.first
    phones, mails = list(people.ids.phone), [""] * count
    for n in np.flatnonzero(people.has_email):
        mails[n] = email(first_number + int(n))
    if people.market.key == "china":
        for n in np.flatnonzero(at_till & (uniform[0] < OWN_PHONE_OF_STAFF)):
            phones[n] = phone(STAFF_NUMBER + int(staff[n]))
        for n in np.flatnonzero(uniform[1] < NOBODYS_PHONE):
            phones[n] = NO_PHONES[n % len(NO_PHONES)]
        for n in np.flatnonzero(uniform[2] < NO_MAIL):
            mails[n] = NO_MAILS[n % len(NO_MAILS)]
    return Members(
        since=since,
        till=np.where(at_till, people.store, -1),
        staff=staff,
        tablet=at_till & (uniform[3] < ON_TABLET) & (since >= plan.calendar.start_ms),
        phone=phones,
        email=mails,
        code=[member_code(first_number + n) for n in range(count)],
        user=[user_id(first_number + n) for n in range(count)],
    )


def external_ids(people: People, met: Contacts) -> list[str]:
    """WeCom's id of each person, "" for those no staff member has added."""
    has = met.since < NEVER
    return [people.ids.external[n] if has[n] else "" for n in range(people.count)]
