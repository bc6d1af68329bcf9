"""One block of consumers, from nobody to everything they leave behind in the customer's files."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from touchline.demo import care, dirt, offline, pages, shops
from touchline.demo.channels import DEVICES, INDEX
from touchline.demo.dice import Dice
from touchline.demo.exposure import stack, touches
from touchline.demo.members import NO_MAILS, Members, external_ids, members, scans
from touchline.demo.orders import orders
from touchline.demo.people import People, draw
from touchline.demo.plan import Plan
from touchline.demo.rates import rate
from touchline.demo.response import episodes, purchases
from touchline.demo.season import DAY_MS, Ints
from touchline.demo.shops import Shop, local
from touchline.demo.speech import speech_of
from touchline.demo.truth import Truth
from touchline.demo.visits import PLAIN, TABLET, Visits, visits
from touchline.demo.world import CITIES, COUNTRIES, STAFF, STORES, Market
from touchline.demo.write import Folder

__all__ = ["UPLOAD_MS", "World", "consumers"]

MEMBERS = (
    *("member_code", "phone", "email", "unionid", "openid", "external_userid", "name", "city"),
    *("level", "joined_at", "store_code", "registered_by"),
)
LEVELS = ("银卡", "金卡", "黑卡")
FAMILY = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹"
UPLOAD_MS = DAY_MS // 6  # phones that were offline send everything the night after
LIVE_COMMISSION = 0.2
RESET_MS = 1_577_808_000_000  # 2020-01-01 in China


@dataclass
class World:
    """What all blocks share. `commissions`: (day of the window, channel) → fen."""

    plan: Plan
    seed: int
    folder: Folder
    truth: Truth
    commissions: Counter[tuple[int, str]] = field(default_factory=Counter[tuple[int, str]])


def consumers(market: Market, first: int, count: int, dice: Dice, world: World) -> None:
    """Simulate `count` people of a market, numbered from `first`, and write what they leave."""
    plan, folder = world.plan, world.folder
    people = draw(market, first, count, plan, dice)
    sent = care.messages(people, plan, dice)
    reached = stack([touches(people, plan, dice), sent.clicks()])
    shopping, path = episodes(people, reached, plan, dice)
    contacts = care.contacts(people, plan, dice)
    bought, talks = orders(people, purchases(people, shopping, plan, dice), contacts, plan, dice)
    scanned = scans(bought, people, plan, dice)
    known = members(people, bought, scanned, plan, dice)
    shop = shops.shop(people, known, bought, scanned, plan)
    touched = stack([reached, path, talks])
    seen = visits(people, touched, bought, plan, dice)
    found = stack([seen, *_dirt(people, known, seen, plan, dice)])
    _write_web(shop, found, dice, world)
    rows = shops.rows(shop, dice.of("order export"))
    folder.table("conversions_orders.csv", shops.COLUMNS, rows)
    met = offline.Met(touched, talks, sent, contacts)
    offline.write_offline(folder, shop, met, plan, dice)
    folder.table("people_members.csv", MEMBERS, _member_rows(people, known, contacts, plan))
    _tell(shop, contacts, world)


def _dirt(people: People, known: Members, seen: Visits, plan: Plan, dice: Dice) -> list[Visits]:
    """Second readers, tablets and programs."""
    if people.market.key != "china":
        return []
    return [
        dirt.forwarded(people, seen, dice),
        dirt.tablets(known, plan),
        dirt.bots(seen, plan, dice),
    ]


def _write_web(shop: Shop, found: Visits, dice: Dice, world: World) -> None:
    plan, rng = world.plan, dice.of("pages")
    ahead, reset = dirt.clocks(shop.people, dice)
    on_phone = (found.kind < TABLET) & (found.device != DEVICES.index("desktop"))
    wrong = np.where(on_phone, ahead[found.person], 0)
    lost = on_phone & reset[found.person] & (found.kind == PLAIN)
    speech, owners = speech_of(shop, found, dice, world.seed)
    world.truth.ids("anonymous_id", owners)
    found.ms = np.where(lost, RESET_MS + found.ms % (3 * DAY_MS), found.ms + wrong)
    made = pages.calls(found, speech, shops.properties(shop), plan, rng)
    late = wrong[made.visit]
    delayed = np.flatnonzero(late)
    sent_at = pages.moments(plan.calendar.end_ms + UPLOAD_MS + late[delayed])
    world.folder.late(made.only(delayed), found.site[made.visit[delayed]], sent_at)
    on_time = np.flatnonzero(late == 0)
    back, back_site = shops.refund_calls(shop, rng)
    every = made.only(on_time).joined(back)
    site = np.concatenate([found.site[made.visit[on_time]], back_site])
    world.folder.calls(every, site, dice.of("delivery"))


def _member_rows(
    people: People, known: Members, contacts: care.Contacts, plan: Plan
) -> Iterator[list[str]]:
    external = external_ids(people, contacts)
    own = np.flatnonzero(known.since < plan.calendar.end_ms)
    china = people.market.key == "china"
    for person, joined in zip(own.tolist(), local(known.since[own]), strict=True):
        till = int(known.till[person])
        number = people.first + person
        title = "女士" if number % 6 else "先生"
        yield [
            known.code[person],
            known.phone[person],
            known.email[person],
            people.ids.unionid[person] if china and people.follows[person] else "",
            people.ids.openid[person] if china else "",
            external[person],
            FAMILY[number * 7 % len(FAMILY)] + title if china else f"Customer {number}",
            CITIES[int(people.city[person])].name if china else _country(people, person),
            LEVELS[number % 10 // 7 + number % 30 // 29],
            joined,
            STORES[till].code if till >= 0 else "",
            STAFF[int(known.staff[person])][0] if till >= 0 else "",
        ]


def _country(people: People, person: int) -> str:
    return COUNTRIES[int(people.country[person])][0]


def _tell(shop: Shop, contacts: care.Contacts, world: World) -> None:
    """The block's truth, and the commissions that follow from its sales."""
    people, known, bought = shop.people, shop.members, shop.orders
    truth, end = world.truth, world.plan.calendar.end_ms
    numbers = range(people.first, people.first + people.count)
    is_member = known.since < end
    if people.market.key == "china":
        truth.ids("phone", {f"+86{p}": n for p, n in zip(people.ids.phone, numbers, strict=True)})
        truth.ids("openid", dict(zip(people.ids.openid, numbers, strict=True)))
        truth.ids(
            "openid",
            {
                offline.channels_openid(p): n
                for p, n in zip(people.ids.openid, numbers, strict=True)
            },
        )
        truth.ids("unionid", dict(zip(people.ids.unionid, numbers, strict=True)))
        external = external_ids(people, contacts)
        truth.ids("external_userid", {p: n for p, n in zip(external, numbers, strict=True) if p})
    for type_, values in (("member_code", known.code), ("user_id", known.user)):
        truth.ids(type_, {values[n]: people.first + n for n in np.flatnonzero(is_member).tolist()})
    mailed = np.flatnonzero(is_member & people.has_email).tolist()
    named = [n for n in mailed if known.email[n] not in NO_MAILS]
    truth.ids("email", {known.email[n]: people.first + n for n in named})
    truth.orders(
        {name: people.first + n for name, n in zip(shop.ids, bought.person.tolist(), strict=True)}
    )
    day = (bought.ms - world.plan.calendar.start_ms) // DAY_MS
    truth.add_orders(people.market.key, bought, _revenue(shop, day, world.plan), people.old)
    _add_commissions(shop, day, world)


def _revenue(shop: Shop, day: Ints, plan: Plan) -> Ints:
    """What was kept of each order, in fen."""
    kept = shop.orders.amount - shop.orders.refund
    if shop.people.market.key == "china":
        return kept
    dates = plan.calendar.dates
    rates = [
        rate(currency, dates[number].replace(day=1))
        for currency, number in zip(shop.currency, day.tolist(), strict=True)
    ]
    return np.rint(kept * np.array(rates)).astype(np.int64)


def _add_commissions(shop: Shop, day: Ints, world: World) -> None:
    """Hosts earn on what their rooms sell, and the Douyin shop knows which orders came from one."""
    venues = [venue.key for venue in shop.people.market.venues]
    if "douyin" not in venues:
        return
    bought = shop.orders
    live = (bought.origin == INDEX["live"]) & (bought.venue == venues.index("douyin"))
    live &= bought.generation == 0
    cents = np.rint((bought.amount - bought.refund) * LIVE_COMMISSION).astype(np.int64)
    for number in np.flatnonzero(live).tolist():
        world.commissions[int(day[number]), "live"] += int(cents[number])
