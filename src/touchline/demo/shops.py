"""Orders → what each shop's system says of them: tracker calls, or rows of the order export.

Marketplaces mask their buyers, so only a scanned parcel card says who it was. A refund on day 15
comes as a second version of the row, with what is left of the amount; a web order's refund is a
call of its own.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from touchline.demo.care import staff_of
from touchline.demo.dice import hexes
from touchline.demo.members import Members
from touchline.demo.orders import LINES, REFUND_DAYS, Orders
from touchline.demo.pages import Calls, moments
from touchline.demo.people import NEVER, People
from touchline.demo.plan import Plan
from touchline.demo.season import DAY_MS, SHANGHAI_MS, Ints
from touchline.demo.visits import SITES
from touchline.demo.world import COUNTRIES, DEVICE, PRODUCTS, STAFF, STORES

__all__ = ["COLUMNS", "Shop", "local", "properties", "refund_calls", "rows"]

COLUMNS = (
    *("conversion_id", "occurred_at", "kind", "stage", "amount", "currency", "shop"),
    *("store_code", "staff_id", "member_code", "phone", "buyer_nick", "coupon", "lines"),
    "refunded_at",
)
CODE = "澄屿20"
KEEPS_PHONE = 0.5  # known till buyers who say their number instead of showing the code
GOODS = (*PRODUCTS, DEVICE)


@dataclass
class Shop:
    """A block's orders with what writing them takes. `ms` is wall-clock, `ids` by row."""

    people: People
    members: Members
    orders: Orders
    scanned: Ints
    ms: Ints
    ids: list[str]
    currency: list[str]


def shop(people: People, found: Members, bought: Orders, scanned: Ints, plan: Plan) -> Shop:
    ms = plan.calendar.wall(bought.ms)
    days = moments(ms + SHANGHAI_MS)
    prefixes = [venue.prefix for venue in people.market.venues]
    ids = [
        f"{prefixes[venue]}{day[2:4]}{day[5:7]}{day[8:10]}{people.first + row:09d}"
        for row, (venue, day) in enumerate(zip(bought.venue.tolist(), days, strict=True))
    ]
    if people.market.key == "china":
        currency = ["CNY"] * len(ids)
    else:
        currency = [COUNTRIES[n][1] for n in people.country[bought.person].tolist()]
    return Shop(people, found, bought, scanned, ms, ids, currency)


def local(ms: Ints) -> list[str]:
    """Shanghai time as Chinese systems export it."""
    return [text[:19].replace("T", " ") for text in moments(ms + SHANGHAI_MS)]


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _lines(bought: Orders, row: int, *, abroad: bool) -> list[tuple[str, str, int, int]]:
    """(sku, name, quantity, cents of one piece) of an order."""
    found: list[tuple[str, str, int, int]] = []
    for place in range(LINES):
        number = int(bought.line[row, place])
        if number >= 0:
            good = GOODS[number]
            name = good.english if abroad else good.name
            found.append(
                (good.sku, name, int(bought.quantity[row, place]), int(bought.price[row, place]))
            )
    return found


def properties(about: Shop) -> dict[int, str]:
    """Row → properties of its Order Completed call, for orders placed on our own pages."""
    bought, abroad = about.orders, about.people.market.key == "abroad"
    own = [n for n, venue in enumerate(about.people.market.venues) if venue.key in SITES]
    found: dict[int, str] = {}
    for row in np.flatnonzero(np.isin(bought.venue, own)).tolist():
        goods = ",".join(
            f'{{"product_id":"{sku}","name":"{name}","quantity":{pieces},"price":{_money(cents)}}}'
            for sku, name, pieces, cents in _lines(bought, row, abroad=abroad)
        )
        coupon = f'"coupon":"{CODE}",' if bought.has_code[row] else ""
        found[row] = (
            f'"order_id":"{about.ids[row]}","revenue":{_money(int(bought.amount[row]))},'
            f'"currency":"{about.currency[row]}",{coupon}"products":[{goods}]'
        )
    return found


def refund_calls(about: Shop, rng: np.random.Generator) -> tuple[Calls, Ints]:
    """(refunds of web orders, the site of each): sent by the shop's server, without a device."""
    bought = about.orders
    keys = [venue.key for venue in about.people.market.venues]
    site = np.array([SITES.index(key) if key in SITES else -1 for key in keys])[bought.venue]
    at = about.ms + REFUND_DAYS * DAY_MS
    row = np.flatnonzero((site >= 0) & (bought.refund > 0))
    text: list[str] = []
    ids = hexes(rng, len(row), 32)
    for order, message, when in zip(row.tolist(), ids, moments(at[row]), strict=True):
        whole = bought.refund[order] == bought.amount[order]
        amount = "" if whole else f',"revenue":{_money(int(bought.refund[order]))}'
        user = about.members.user[int(bought.person[order])]
        text.append(
            f'{{"type":"track","messageId":"{message}","userId":"{user}","timestamp":"{when}",'
            f'"event":"Order Refunded","properties":{{"order_id":"{about.ids[order]}"{amount},'
            f'"currency":"{about.currency[order]}"}},"context":{{}}}}'
        )
    return Calls(at[row], np.full(len(row), -1), text), site[row]


def rows(about: Shop, rng: np.random.Generator) -> Iterator[list[str]]:
    """Rows of the order export: marketplaces and tills, each followed by its refund if any."""
    bought, venues = about.orders, about.people.market.venues
    files = [n for n, venue in enumerate(venues) if venue.key not in SITES]
    row = np.flatnonzero(np.isin(bought.venue, files))
    refunded = about.ms + REFUND_DAYS * DAY_MS
    staff = staff_of(about.people.store[bought.person], rng).tolist()
    by_phone = (rng.random(len(about.ms)) < KEEPS_PHONE).tolist()
    for order, when, back in zip(
        row.tolist(), local(about.ms[row]), local(refunded[row]), strict=True
    ):
        amount, refund = int(bought.amount[order]), int(bought.refund[order])
        who = _buyer(about, order, venues[int(bought.venue[order])].key, by_phone=by_phone[order])
        goods = json.dumps(
            [
                {"product": name, "quantity": pieces, "amount": float(_money(pieces * cents))}
                for _, name, pieces, cents in _lines(bought, order, abroad=False)
            ],
            ensure_ascii=False,
        )
        place = venues[int(bought.venue[order])]
        store = STORES[STAFF[staff[order]][1]].code if place.key == "store" else ""
        head = [about.ids[order], when, "order", ""]
        tail = [
            *(about.currency[order], place.name, store),
            STAFF[staff[order]][0] if store else "",
            *who,
            CODE if bought.has_code[order] else "",
            goods,
        ]
        yield [*head, _money(amount), *tail, ""]
        if refund:
            yield [*head, _money(amount - refund), *tail, back]


def _buyer(about: Shop, row: int, venue: str, *, by_phone: bool) -> tuple[str, str, str]:
    """(member code, phone, nick) as the shop's export shows them."""
    person = int(about.orders.person[row])
    code, number = about.members.code[person], about.people.ids.phone[person]
    is_known = bool(about.orders.is_known[row])
    if venue == "store":
        if not is_known:
            return "", "", ""
        return ("", number, "") if by_phone and number else (code, "", "")
    masked = f"{number[:3]}****{number[-4:]}" if venue == "tmall" else f"{number[0]}{'*' * 10}"
    bound = code if is_known and about.scanned[row] < NEVER else ""
    return bound, masked, f"{'tdmy'[person % 4]}**{person % 10}"
