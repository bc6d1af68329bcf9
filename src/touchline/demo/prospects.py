"""Accounts + deals → the touches of their contacts: page visits, fairs, webinars, calls, meetings.

The touch that opened a deal is the first contact's, minutes to a day before the lead; the others
are spread over the account. Web visits come back as a table, all else goes to events_*.csv.
"""

from collections.abc import Iterator

import numpy as np

from touchline.demo.accounts import Accounts
from touchline.demo.channels import ALL, INDEX, Channel, of_market
from touchline.demo.deals import Deals, expo_days, webinar_days
from touchline.demo.dice import Dice, hexes
from touchline.demo.exposure import Touches, stack
from touchline.demo.pages import Speech, context_of
from touchline.demo.plan import Plan, reach_of
from touchline.demo.season import DAY_MS, Ints
from touchline.demo.shops import local
from touchline.demo.visits import JOIN, PLAIN, SITES, Visits
from touchline.demo.world import DEALERS, PRO_PEOPLE, REPS
from touchline.demo.write import Folder

__all__ = ["pro_speech", "pro_visits", "write_meetings"]

COLUMNS = {
    "events_expo.csv": "occurred_at name expo phone email account_id channel source medium "
    "campaign",
    "events_webinar.csv": "occurred_at name phone email minutes channel source medium campaign",
    "events_calls.csv": "message_id occurred_at name phone seconds channel source medium",
    "events_sales_visits.csv": "occurred_at name crm_id account_id staff_id channel",
    "events_dealer_leads.csv": "occurred_at name dealer phone account_id channel",
}
BADGES = 172  # signed in at fairs by the reference world's contacts
AROUND_DEAL = 0.6  # of page visits: while the account has a deal running
KNOWN = 0.3
HOUR_MS = DAY_MS // 24

Rows = Iterator[list[object]]
Rng = np.random.Generator


def pro_visits(accounts: Accounts, deals: Deals, plan: Plan, dice: Dice) -> Visits:
    rng = dice.of("pro visits")
    browsing = [
        _browsing(channel, accounts, deals, plan, rng)
        for channel in of_market("pro")
        if channel.seen and reach_of(channel)
    ]
    opening = _opening(accounts, deals)
    met = stack([*browsing, _downloads(accounts, deals, plan, rng), opening])
    kind = np.full(len(met.ms), PLAIN)
    kind[len(met.ms) - len(opening.ms) :] = JOIN
    inside = (met.ms >= plan.calendar.start_ms) & (met.ms < plan.calendar.end_ms)
    count = len(met.ms)
    device = np.array([channel.device for channel in ALL])[met.channel]
    return Visits(
        met.person,
        plan.calendar.office(met.ms),
        met.channel,
        met.campaign,
        np.full(count, SITES.index("pro")),
        device,
        np.minimum(rng.geometric(0.4, count), 8),
        np.full(count, -1),
        kind,
    ).only(inside)


def _browsing(channel: Channel, accounts: Accounts, deals: Deals, plan: Plan, rng: Rng) -> Touches:
    """Visits by one channel: most while the account has a deal running."""
    contacts = len(accounts.account)
    count = int(rng.poisson(reach_of(channel) * contacts / PRO_PEOPLE))
    has_lead = deals.passed[accounts.account, 0]
    weight = accounts.interest * np.where(has_lead, 1.0, 0.4)
    contact = rng.choice(contacts, count, p=weight / weight.sum())
    account = accounts.account[contact]
    slot = plan.schedules[channel.index].draw(rng.random(count))
    day = plan.schedules[channel.index].day[slot]
    alone = plan.calendar.start_ms + ((day + rng.random(count)) * DAY_MS).astype(np.int64)
    begin = deals.at[account, 0] - 20 * DAY_MS
    length = np.minimum(deals.closed[account], deals.at[account, 0] + 70 * DAY_MS) - begin
    during = begin + (length * rng.random(count)).astype(np.int64)
    near = (rng.random(count) < AROUND_DEAL) & deals.passed[account, 0]
    return _touches(channel.index, contact, np.where(near, during, alone), plan)


def _touches(channel: int, contact: Ints, ms: Ints, plan: Plan) -> Touches:
    day = np.clip((ms - plan.calendar.start_ms) // DAY_MS, 0, plan.calendar.days - 1)
    return Touches(contact, ms, np.full(len(ms), channel), plan.on_day(channel)[day])


def _opening(accounts: Accounts, deals: Deals) -> Touches:
    """The visits in which leads of the web were made."""
    seen = np.array([channel.seen > 0 for channel in ALL])
    rows = np.flatnonzero(deals.passed[:, 0] & seen[deals.opener])
    return Touches(
        accounts.start[rows], deals.at[rows, 0] - HOUR_MS // 3, deals.opener[rows],
        deals.campaign[rows],
    )  # fmt: skip


def _downloads(accounts: Accounts, deals: Deals, plan: Plan, rng: Rng) -> Touches:
    """A second contact reads the white paper."""
    index = INDEX["paper"]
    rows = np.flatnonzero(deals.passed[:, 0] & deals.helped["paper"] & (deals.opener != index))
    length = deals.at[rows, 1] - deals.at[rows, 0]
    ms = deals.at[rows, 0] + (length * rng.random(len(rows))).astype(np.int64)
    return _touches(index, accounts.start[rows] + 1, ms, plan)


def pro_speech(accounts: Accounts, visits: Visits, dice: Dice) -> Speech:
    """A form makes a visitor known by mail and phone; later on every third visit says who it is."""
    rng = dice.of("pro speech")
    known = ((visits.kind == JOIN) | (rng.random(len(visits.ms)) < KNOWN)).tolist()
    agent = visits.person.tolist()
    return Speech(
        anon=[
            accounts.device[device][contact]
            for device, contact in zip(visits.device.tolist(), agent, strict=True)
        ],
        user=[""] * len(known),
        context=[
            context_of(device, SITES.index("pro"), agent=contact)
            for device, contact in zip(visits.device.tolist(), agent, strict=True)
        ],
        traits=[
            f'"email":"{accounts.email(contact)}","phone":"{accounts.phone(contact)}",'
            f'"name":"{accounts.contact_name(contact)}"'
            if is_known
            else ""
            for contact, is_known in zip(agent, known, strict=True)
        ],
    )


def write_meetings(
    folder: Folder, accounts: Accounts, deals: Deals, plan: Plan, dice: Dice
) -> None:
    rng = dice.of("meetings")
    found = {
        "events_expo.csv": _expo(accounts, deals, plan, rng),
        "events_webinar.csv": _webinar(accounts, deals, plan, rng),
        "events_calls.csv": _calls(accounts, deals, plan, rng),
        "events_sales_visits.csv": _sales_visits(accounts, deals, plan, rng),
        "events_dealer_leads.csv": _dealer_leads(accounts, deals, plan),
    }
    for name, rows in found.items():
        folder.table(name, COLUMNS[name].split(), rows)


def _opened_by(deals: Deals, key: str) -> Ints:
    return np.flatnonzero(deals.passed[:, 0] & (deals.opener == INDEX[key]))


def _expo(accounts: Accounts, deals: Deals, plan: Plan, rng: Rng) -> Rows:
    """Badges scanned at the stand: those who opened a deal, and passers-by."""
    rows = _opened_by(deals, "expo")
    fairs = expo_days(plan)
    others = max(0, round(BADGES * len(accounts.account) / PRO_PEOPLE) - len(rows))
    others = others if fairs else 0
    days = np.concatenate([days for _, days in fairs] or [np.zeros(1, dtype=np.int64)])
    day = days[rng.integers(0, len(days), others)]
    ms = plan.calendar.start_ms + ((day + rng.random(others)) * DAY_MS).astype(np.int64)
    guests = rng.integers(0, len(accounts.account), others)
    met = _touches(
        INDEX["expo"],
        np.concatenate([accounts.start[rows], guests]),
        np.concatenate([deals.at[rows, 0] - HOUR_MS // 10, ms]),
        plan,
    )
    name_of = {int(day): name for name, days in fairs for day in days}
    place = ((met.ms - plan.calendar.start_ms) // DAY_MS).tolist()
    has_mail = (rng.random(len(place)) < 0.6).tolist()
    for who, when, day, campaign, mail in zip(
        met.person.tolist(), local(plan.calendar.office(met.ms)), place, met.campaign.tolist(),
        has_mail, strict=True,
    ):  # fmt: skip
        account = accounts.code(int(accounts.account[who]))
        yield [when, "展会签到", name_of.get(day, "展会"), accounts.phone(who),
               accounts.email(who) if mail else "", account, "展会", "expo", "event",
               plan.campaigns[campaign].name]  # fmt: skip


def _webinar(accounts: Accounts, deals: Deals, plan: Plan, rng: Rng) -> Rows:
    """Who watched: openers on the day of their lead, others the next one held after it."""
    opened = _opened_by(deals, "webinar")
    helped = deals.passed[:, 0] & deals.helped["webinar"] & (deals.opener != INDEX["webinar"])
    rows = np.flatnonzero(helped)
    days = plan.calendar.start_ms + webinar_days(plan) * DAY_MS + DAY_MS // 2
    ahead = np.searchsorted(days - DAY_MS // 2, deals.at[rows, 0])
    second = np.minimum(accounts.start[rows] + 1, len(accounts.account) - 1)
    met = _touches(
        INDEX["webinar"],
        np.concatenate([accounts.start[opened], second]),
        np.concatenate([deals.at[opened, 0] - HOUR_MS // 2, days[ahead]]),
        plan,
    )
    minutes = rng.integers(8, 75, len(met.ms)).tolist()
    for who, when, campaign, stayed in zip(
        met.person.tolist(), local(plan.calendar.office(met.ms)), met.campaign.tolist(), minutes,
        strict=True,
    ):  # fmt: skip
        yield [when, "观看研讨会", accounts.phone(who), accounts.email(who), stayed, "研讨会",
               "webinar", "event", plan.campaigns[campaign].name]  # fmt: skip


def _calls(accounts: Accounts, deals: Deals, plan: Plan, rng: Rng) -> Rows:
    label = ALL[INDEX["hotline"]].label
    rows = np.flatnonzero(deals.passed[:, 0] & deals.helped["hotline"])
    opened = deals.opener[rows] == INDEX["hotline"]
    later = ((deals.at[rows, 1] - deals.at[rows, 0]) * rng.random(len(rows))).astype(np.int64)
    ms = deals.at[rows, 0] + np.where(opened, -HOUR_MS // 10, later)
    keep = ms < plan.calendar.end_ms
    rows, ms = rows[keep], ms[keep]
    ids = hexes(rng, len(rows), 14)
    seconds = rng.integers(20, 900, len(rows)).tolist()
    for who, when, message, length in zip(
        accounts.start[rows].tolist(), local(plan.calendar.office(ms)), ids, seconds, strict=True
    ):
        yield [f"call-{message}", when, "400来电", accounts.phone(who), length, label, "call",
               "phone"]  # fmt: skip


def _sales_visits(accounts: Accounts, deals: Deals, plan: Plan, rng: Rng) -> Rows:
    """Visits between the SQL and the decision; any contact of the account may receive the rep."""
    visited = np.flatnonzero(deals.passed[:, 2] & deals.helped["visit"])
    rows = np.repeat(visited, rng.integers(1, 4, len(visited)))
    size = np.bincount(accounts.account, minlength=accounts.count)
    contact = accounts.start[rows] + (rng.random(len(rows)) * size[rows]).astype(np.int64)
    until = np.minimum(deals.closed[rows], plan.calendar.end_ms) - HOUR_MS
    ms = deals.at[rows, 2] + ((until - deals.at[rows, 2]) * rng.random(len(rows))).astype(np.int64)
    for who, at, when in zip(
        contact.tolist(), rows.tolist(), local(plan.calendar.office(ms)), strict=True
    ):
        rep = REPS[int(accounts.rep[at])][0]
        yield [when, "上门拜访", accounts.crm_id(who), accounts.code(at), rep, "销售拜访"]


def _dealer_leads(accounts: Accounts, deals: Deals, plan: Plan) -> Rows:
    """Customers a dealer registers as theirs."""
    rows = _opened_by(deals, "dealer")
    moments = local(plan.calendar.office(deals.at[rows, 0] - HOUR_MS))
    for at, when in zip(rows.tolist(), moments, strict=True):
        dealer = DEALERS[int(accounts.dealer[at])][0]
        who = int(accounts.start[at])
        yield [when, "经销商报备", dealer, accounts.phone(who), accounts.code(at), "经销商"]
