"""Purchases → orders: where, what, how much, returned or not; and the orders these bring in turn.

A used-up pack brings the next order with a chance that a WeCom contact by staff lifts by half.
Generations are made one after another until none is left. Money is integer minor units of the
order's own currency; `refund` is taken back on day 15.
"""

from dataclasses import dataclass

import numpy as np

from touchline.demo.care import Contacts
from touchline.demo.channels import ALL, INDEX
from touchline.demo.dice import Dice, systematic
from touchline.demo.exposure import Touches, stack
from touchline.demo.people import People
from touchline.demo.plan import Plan
from touchline.demo.response import Purchases, bit
from touchline.demo.season import DAY_MS, Floats, Ints, Mask, flights
from touchline.demo.world import COUNTRIES, DEVICE, PRODUCTS, Market

__all__ = ["LINES", "Orders", "orders"]

LINES = 3
REFUND_DAYS = 15
PARTIAL = 0.15  # of returns: only the first line goes back
THIRD_LINE, PAIR = 0.40, 0.10
ORDINARY_PRICE, SALE_PRICE, CODE_PRICE = 0.95, 0.82, 0.80
SAYS_CODE = 0.6  # podcast listeners who type the code 澄屿20
STAYS = 0.75  # repeat orders placed where the last one was
WECOM_FACTOR = 1.5
# A brand ad leads to the company's own pages, so orders after it are placed there more often.
AFTER_BRAND_AD = {"h5": 3.0, "mini": 2.0, "tmall": 0.7, "douyin": 0.4}
CONTACTED = {"store": 0.35, "tmall": 0.45, "douyin": 0.45}  # known buyers who add a staff member


@dataclass
class Orders:
    """Columns, one row an order. `line` and `quantity` have LINES columns, product -1 for none."""

    person: Ints
    ms: Ints
    mask: Ints
    campaign: Ints
    second: Ints
    origin: Ints
    brand: Ints
    retarget: Ints
    generation: Ints
    venue: Ints
    line: Ints
    quantity: Ints
    price: Ints
    amount: Ints
    refund: Ints
    is_known: Mask
    has_code: Mask


def orders(
    people: People, bought: Purchases, met: Contacts, plan: Plan, dice: Dice
) -> tuple[Orders, Touches]:
    """(all orders of a block, the staff messages that came before repeat orders)."""
    rng = dice.of("orders")
    parts = [_placed(people, bought, None, plan, rng)]
    talks: list[Touches] = []
    while len(parts[-1].ms):
        _add_contacts(people, parts[-1], met, rng)
        again, previous, talked = _repeats(people, parts[-1], met, plan, rng)
        talks.append(talked)
        parts.append(_placed(people, again, previous, plan, rng))
    every = stack(parts)
    every.generation = np.repeat(np.arange(len(parts)), [len(part.ms) for part in parts])
    return every, stack(talks) if talks else _no_touches()


def _no_touches() -> Touches:
    none = np.zeros(0, dtype=np.int64)
    return Touches(none, none, none, none)


def _placed(
    people: People, bought: Purchases, previous: Ints | None, plan: Plan, rng: np.random.Generator
) -> Orders:
    venue = _venues(people, bought, previous, rng)
    line, quantity = _baskets(people.market, venue, bought.ms, plan, rng)
    has_code = (bought.origin == INDEX["podcast"]) & (rng.random(len(venue)) < SAYS_CODE)
    has_code &= venue != 1  # a Douyin shop takes no code of ours
    price = _prices(people, bought, line, has_code, plan)
    amount = (price * quantity).sum(axis=1)
    # What comes back after the window is nobody's knowledge yet, so it is not the truth's either.
    in_time = bought.ms + (REFUND_DAYS + 1) * DAY_MS < plan.calendar.end_ms
    rates = np.array([shop.returned for shop in people.market.venues])[venue]
    returned = in_time & (rng.random(len(venue)) < rates)
    partly = (rng.random(len(venue)) < PARTIAL) & (line[:, 1] >= 0)
    back = np.where(partly, price[:, 0] * quantity[:, 0], amount)
    known = np.array([v.known for v in people.market.venues])[venue]
    return Orders(
        bought.person, bought.ms, bought.mask, bought.campaign, bought.second, bought.origin,
        bought.brand, bought.retarget, np.zeros(len(venue), dtype=np.int64),
        venue, line, quantity, price, amount, np.where(returned, back, 0),
        rng.random(len(venue)) < known, has_code,
    )  # fmt: skip


def _venues(
    people: People, bought: Purchases, previous: Ints | None, rng: np.random.Generator
) -> Ints:
    """Each purchase's venue: drawn by what opened it, raked so that the shares are the market's."""
    target = np.array([venue.share for venue in people.market.venues])
    count, width = len(bought.ms), len(target)
    if previous is not None:
        moves = rng.random(count) >= STAYS
        weights = np.where(moves[:, None], target, np.eye(width)[previous])
    else:
        table = np.array([c.venues if len(c.venues) == width else target for c in ALL])
        weights = np.where((bought.origin < 0)[:, None], target, table[bought.origin])
        pull = np.array([AFTER_BRAND_AD.get(venue.key, 1.0) for venue in people.market.venues])
        weights = weights * np.where((bought.brand >= 0)[:, None], pull, 1.0)
    shop = [venue.key for venue in people.market.venues].index("store")
    weights = weights.copy()
    weights[people.store[bought.person] < 0, shop] = 0
    chance = _raked(weights, target) if previous is None else weights
    edges = np.cumsum(chance, axis=1)
    draws = rng.random((count, 1)) * edges[:, -1:]
    return (draws >= edges).sum(axis=1).clip(0, width - 1)


def _raked(weights: Floats, target: Floats) -> Floats:
    """Rows that sum to 1 and whose column means are `target`."""
    scale = np.ones(len(target))
    for _ in range(25):
        rows = weights * scale
        rows /= rows.sum(axis=1, keepdims=True)
        scale *= target / np.maximum(rows.mean(axis=0), 1e-9) if len(rows) else 1.0
    return weights * scale


def _baskets(
    market: Market, venue: Ints, ms: Ints, plan: Plan, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """(product of each line or -1, quantity of each line). Product len(PRODUCTS) is the device."""
    count = len(venue)
    month = np.array([date.month for date in plan.calendar.dates])
    month = month[np.minimum((ms - plan.calendar.start_ms) // DAY_MS, len(month) - 1)]
    weights = np.array([[p.weight if not p.months or m in p.months else 0.0 for p in PRODUCTS]
                        for m in range(1, 13)])  # fmt: skip
    edges = np.cumsum(weights, axis=1)
    rows = edges[month - 1]
    draws = rng.random((count, LINES)) * rows[:, -1:]
    line = (draws[:, :, None] >= rows[:, None, :]).sum(axis=2)
    shop = [v.key for v in market.venues].index("store")
    device, _ = systematic(np.where(venue == shop, *market.devices), rng)
    more = rng.random((count, 2))
    has_second = more[:, 0] < market.second_line
    line[~has_second, 1] = -1
    line[~(has_second & (more[:, 1] < THIRD_LINE)), 2] = -1
    line[device, 0] = len(PRODUCTS)
    quantity = 1 + (rng.random((count, LINES)) < PAIR)
    quantity[device, 0] = 1
    return line, np.where(line < 0, 0, quantity)


def _prices(people: People, bought: Purchases, line: Ints, has_code: Mask, plan: Plan) -> Ints:
    """Price of one piece on each line, in minor units of the order's currency."""
    on_sale = np.zeros(plan.calendar.days, dtype=bool)
    for flight in flights(people.market.key):
        on_sale |= plan.calendar.active(flight)
    day = (bought.ms - plan.calendar.start_ms) // DAY_MS
    factor = np.where(on_sale[np.minimum(day, len(on_sale) - 1)], SALE_PRICE, ORDINARY_PRICE)
    factor = np.where(has_code, CODE_PRICE, factor)
    if people.market.key == "china":
        table = np.array([*(p.price for p in PRODUCTS), DEVICE.price, 0])
    else:
        table = np.array([*(p.dollars for p in PRODUCTS), DEVICE.dollars, 0])
        local = np.array([country[3] for country in COUNTRIES])
        factor = factor * local[people.country[bought.person]]
    whole = np.rint(table[line] * factor[:, None]).astype(np.int64)
    return whole * 100


def _add_contacts(people: People, placed: Orders, met: Contacts, rng: np.random.Generator) -> None:
    share = np.array([CONTACTED.get(venue.key, 0.0) for venue in people.market.venues])
    adds = placed.is_known & (rng.random(len(placed.ms)) < share[placed.venue])
    adds &= people.market.key == "china"
    late = ((0.02 + 6 * rng.random(len(placed.ms))) * DAY_MS).astype(np.int64)
    met.add(placed.person[adds], (placed.ms + late)[adds], placed.mask[adds])


def _repeats(
    people: People, placed: Orders, met: Contacts, plan: Plan, rng: np.random.Generator
) -> tuple[Purchases, Ints, Touches]:
    """(repeat purchases, where each one's predecessor was placed, staff messages before)."""
    refill = np.array([*(product.refill for product in PRODUCTS), 0, 0])[placed.line[:, 0]]
    count = len(placed.ms)
    at = placed.ms + (refill * rng.lognormal(0.0, 0.25, count) * DAY_MS).astype(np.int64)
    may = (refill > 0) & (placed.refund < placed.amount) & (at < plan.calendar.end_ms)
    before = at - ((0.3 + 2.5 * rng.random(count)) * DAY_MS).astype(np.int64)
    talked = may & (met.since[placed.person] < before) & (rng.random(count) < 0.9)
    uniform = rng.random(count) / people.market.repeat
    again = may & (uniform < np.where(talked, WECOM_FACTOR, 1.0))
    wecom = np.full(count, INDEX["wecom"])
    extra = np.where(uniform >= 1.0, bit(wecom) | met.mask[placed.person], 0)
    campaign = plan.on_day(INDEX["wecom"])
    day = np.clip((before - plan.calendar.start_ms) // DAY_MS, 0, plan.calendar.days - 1)
    talk = Touches(placed.person, before, wecom, campaign[day]).only(talked)
    none = np.full(int(again.sum()), -1)
    return (
        Purchases(
            placed.person[again], at[again], (placed.mask | extra)[again],
            placed.campaign[again], placed.second[again], placed.origin[again], none, none,
        ),
        placed.venue[again],
        talk,
    )  # fmt: skip
