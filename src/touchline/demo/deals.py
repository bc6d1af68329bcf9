"""Accounts → deals: what opened each, how far it came, when, and which touches carried it.

    lead ── MQL ── SQL ── opportunity ── won | lost | still open

Each stage is passed when a fixed number u of the deal is small enough: u / p ≤ k, where p grows
with the touches before it (a webinar carries a lead on, a visit closes it) and k is set so that the
market's counts come out. `without` asks the same numbers again with a channel's touches gone: that
is the truth. What surprises: here channels work together, so their truths overlap.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from touchline.demo.accounts import Accounts
from touchline.demo.channels import INDEX, Channel, of_market
from touchline.demo.dice import Dice, systematic
from touchline.demo.plan import Plan
from touchline.demo.season import DAY_MS, Floats, Ints, Mask
from touchline.demo.world import PRO_PRODUCTS, SERVICE

__all__ = ["STAGES", "Deals", "Fair", "draw_deals", "expo_days", "webinar_days", "without"]

STAGES = ("lead", "mql", "sql", "opportunity")
# Of 333 accounts: leads, MQL, SQL, opportunities, then closed and won.
ACCOUNTS, COUNTS, CLOSED, WON = 333, (330, 210, 96, 60), 46, 24
MONTH_MS = int(30.4 * DAY_MS)
MEDIAN_MONTHS, SPREAD, SHORTEST, LONGEST = 4.2, 0.45, 1.0, 9.0
# Share of the leads a channel opened that would not have come without it; the others would have.
NEEDED = {
    "expo": 0.8, "pro_generic": 0.6, "webinar": 0.65, "linkedin": 0.6, "pro_brand": 0.25,
    "paper": 0.5, "trade": 0.5, "hotline": 0.3, "dealer": 0.6,
}  # fmt: skip
# How much likelier a stage becomes by a touch before it.
CARRIES = {
    "webinar": (1.0, 1.25, 1.7, 1.2, 1.0),
    "paper": (1.0, 1.15, 1.1, 1.0, 1.0),
    "hotline": (1.0, 1.1, 1.0, 1.0, 1.0),
    "dealer": (1.0, 1.1, 1.2, 1.3, 1.2),
    "visit": (1.0, 1.0, 1.0, 1.1, 2.2),
}
ASSISTED = {"webinar": 0.3, "paper": 0.25, "hotline": 0.15, "visit": 0.65}
Fair = tuple[str, Ints]


@dataclass
class Deals:
    """Columns, one row an account. `at` holds the moments of STAGES, `passed` whether each was
    reached, `closed` when it was decided (past the end: still open). `helped[key]`: touched by it.
    """

    opener: Ints
    campaign: Ints
    needed: Mask
    at: Ints
    closed: Ints
    luck: Floats
    limits: Floats
    in_time: Mask
    passed: Mask
    is_closed: Mask
    won: Mask
    amount: Ints
    product: Ints
    helped: dict[str, Mask]

    @property
    def by_dealer(self) -> Mask:
        return self.opener == INDEX["dealer"]


def expo_days(plan: Plan) -> list[Fair]:
    """(name, its days of the window) of each fair."""
    fairs = ((3, 10, "广州美博会春季"), (5, 12, "上海美博会"), (9, 4, "广州美博会秋季"),
             (11, 12, "Cosmoprof Asia HK"))  # fmt: skip
    found: list[Fair] = []
    for number, date in enumerate(plan.calendar.dates):
        for month, day, name in fairs:
            if (date.month, date.day) == (month, day) and number + 3 <= plan.calendar.days:
                found.append((name, number + np.arange(3)))
    return found


def webinar_days(plan: Plan) -> Ints:
    """Third Wednesday of the busy months."""
    months = (3, 4, 5, 6, 9, 10, 11)
    return np.array(
        [
            number
            for number, date in enumerate(plan.calendar.dates)
            if date.month in months and date.weekday() == 2 and 15 <= date.day <= 21
        ]
    )


def draw_deals(accounts: Accounts, plan: Plan, dice: Dice) -> Deals:
    rng = dice.of("deals")
    count = accounts.count
    channels = of_market("pro")
    opener = _openers(channels, count, rng)
    lead, campaign = _lead_moments(opener, plan, rng)
    at, closed = _stages(lead, rng)
    deals = Deals(
        opener=opener,
        campaign=campaign,
        needed=rng.random(count) < _table(channels, lambda c: NEEDED.get(c.key, 0.0))[opener],
        at=at,
        closed=closed,
        luck=rng.random((count, len(STAGES) + 1)),
        limits=np.zeros(len(STAGES) + 1),
        in_time=at < plan.calendar.end_ms,
        passed=np.zeros((count, len(STAGES)), dtype=bool),
        is_closed=np.zeros(count, dtype=bool),
        won=np.zeros(count, dtype=bool),
        amount=np.zeros(count, dtype=np.int64),
        product=np.zeros(count, dtype=np.int64),
        helped=_help(channels, opener, at, plan, rng),
    )
    _decide(deals, plan, rng)
    _price(deals, rng)
    return deals


def _table(channels: tuple[Channel, ...], value: Callable[[Channel], float]) -> Floats:
    """Values by channel number."""
    found = np.zeros(channels[-1].index + 1)
    for channel in channels:
        found[channel.index] = value(channel)
    return found


def _openers(channels: tuple[Channel, ...], count: int, rng: np.random.Generator) -> Ints:
    """The channel of each account's first contact, in the shares of the channel table."""
    shares = np.array([channel.lift for channel in channels])
    shares[-1] += max(0.0, 1 - shares.sum())
    edges = np.cumsum(shares) / shares.sum()
    even = (rng.permutation(count) + rng.random()) / count
    numbers = np.array([channel.index for channel in channels])
    return numbers[np.searchsorted(edges, even).clip(0, len(numbers) - 1)]


def _lead_moments(opener: Ints, plan: Plan, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """(moment of each lead, campaign that opened it)."""
    count = len(opener)
    day = np.zeros(count, dtype=np.int64)
    campaign = np.full(count, -1)
    fairs = np.concatenate([days for _, days in expo_days(plan)] or [np.zeros(1, np.int64)])
    fixed = {"expo": fairs, "webinar": webinar_days(plan)}
    for channel in of_market("pro"):
        here = np.flatnonzero(opener == channel.index)
        days = fixed.get(channel.key)
        if days is not None and len(days):
            day[here] = days[rng.integers(0, len(days), len(here))]
            campaign[here] = plan.on_day(channel.index)[day[here]]
        else:
            schedule = plan.schedules[channel.index]
            slot = schedule.draw(rng.random(len(here)))
            day[here], campaign[here] = schedule.day[slot], schedule.campaign[slot]
    moment = plan.calendar.start_ms + ((day + rng.random(count)) * DAY_MS).astype(np.int64)
    return moment, campaign


def _stages(lead: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    count = len(lead)
    months = MEDIAN_MONTHS * rng.lognormal(0.0, SPREAD, count)
    length = np.clip(months, SHORTEST, LONGEST) * MONTH_MS
    parts = np.stack(
        [
            np.zeros(count),
            rng.uniform(0.02, 0.08, count),
            rng.uniform(0.12, 0.30, count),
            rng.uniform(0.35, 0.60, count),
        ],
        axis=1,
    )
    at = lead[:, None] + (parts * length[:, None]).astype(np.int64)
    return at, lead + length.astype(np.int64)


def _help(
    channels: tuple[Channel, ...], opener: Ints, at: Ints, plan: Plan, rng: np.random.Generator
) -> dict[str, Mask]:
    """Which deals each carrying channel touched, by chance or because it opened them."""
    index = {channel.key: channel.index for channel in channels}
    found = {key: rng.random(len(opener)) < ASSISTED.get(key, 0.0) for key in CARRIES}
    # A webinar carries a lead on only if one was held before the SQL.
    days = plan.calendar.start_ms + webinar_days(plan) * DAY_MS
    ahead = np.searchsorted(days, at[:, 0])
    held = np.append(days, 1 << 60)[ahead] < at[:, 2]
    found["webinar"] &= held
    for key in ("webinar", "paper", "hotline", "dealer"):
        found[key] |= opener == index[key]
    return found


def _scores(deals: Deals, off: str = "") -> Floats:
    """U / p of each deal and step; small is good."""
    base = np.ones_like(deals.luck)
    for key, factors in CARRIES.items():
        if key != off:
            base *= np.where(deals.helped[key][:, None], np.array(factors), 1.0)
    return deals.luck / base


def _decide(deals: Deals, plan: Plan, rng: np.random.Generator) -> None:
    """Set the limits k so that the market's counts come out, and who passed what."""
    count = len(deals.opener)
    scores = _scores(deals)
    alive = np.ones(count, dtype=bool)
    for step, target in enumerate(COUNTS):
        alive = alive & deals.in_time[:, step]
        deals.limits[step] = _limit(scores[alive, step], round(target * count / ACCOUNTS))
        alive = alive & (scores[:, step] <= deals.limits[step])
        deals.passed[:, step] = alive
    closed = round(CLOSED * count / ACCOUNTS)
    candidates = np.flatnonzero(alive)
    soon = candidates[np.argsort(deals.closed[candidates], kind="stable")][:closed]
    deals.is_closed[soon] = True
    end = plan.calendar.end_ms
    days = (rng.random(count) * 6 * DAY_MS).astype(np.int64)
    latest = np.maximum(end - days, deals.at[:, 3] + DAY_MS // 4).clip(max=end - 60_000)
    deals.closed = np.where(deals.is_closed, np.minimum(deals.closed, latest), deals.closed)
    deals.limits[-1] = _limit(scores[deals.is_closed, -1], round(WON * count / ACCOUNTS))
    deals.won = deals.is_closed & (scores[:, -1] <= deals.limits[-1])


def _limit(scores: Floats, count: int) -> float:
    """The score that the best `count` do not exceed."""
    if not count or not len(scores):
        return -1.0
    return float(np.sort(scores)[min(count, len(scores)) - 1])


def _price(deals: Deals, rng: np.random.Generator) -> None:
    """Machines in their shares among the won and among the others, a service contract now and
    then.
    """
    shares = np.array([weight for _, _, weight in PRO_PRODUCTS])
    edges = np.cumsum(shares / shares.sum())
    prices = np.array([price for _, price, _ in PRO_PRODUCTS])
    for group in (deals.won, ~deals.won):
        rows = np.flatnonzero(group)
        even = (rng.permutation(len(rows)) + 0.5) / max(len(rows), 1)
        deals.product[rows] = np.searchsorted(edges, even).clip(0, len(prices) - 1)
    service, _ = systematic(np.full(len(deals.won), 0.3), rng)
    factor = 1 - rng.integers(0, 5, len(deals.won)) / 100
    amount = prices[deals.product] * factor + np.where(service, SERVICE[1], 0)
    deals.amount = np.rint(amount).astype(np.int64) * 100


def without(deals: Deals, channel: str, opened: Mask) -> tuple[Mask, Mask]:
    """(leads, won deals) left when a channel's touches had not been. `opened`: deals it opened."""
    scores = _scores(deals, channel)
    alive = ~(opened & deals.needed)
    lead = alive
    for step in range(len(STAGES)):
        alive = alive & deals.in_time[:, step] & (scores[:, step] <= deals.limits[step])
        lead = alive if step == 0 else lead
    return lead, alive & deals.is_closed & (scores[:, -1] <= deals.limits[-1])
