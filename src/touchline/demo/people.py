"""A block of consumers: who they are, how strongly they want, and every identifier they own.

`appeal` is the latent intent that no file shows: it drives brand searches and retargeting as much
as orders. Phones are numbers that pass validation, so they may belong to someone: nothing is ever
sent to them.
"""

from dataclasses import dataclass, field

import numpy as np

from touchline.demo.dice import Dice, hexes
from touchline.demo.plan import Plan
from touchline.demo.season import DAY_MS, Floats, Ints, Mask
from touchline.demo.world import CITIES, COUNTRIES, Market

__all__ = ["NEVER", "Ids", "People", "draw", "email", "member_code", "phone", "user_id"]

NEVER = 1 << 60
TASTES = ("douyin", "xhs", "wechat", "search")
PREFIXES = (
    *("131", "132", "135", "136", "137", "139", "150", "151", "152", "157"),
    *("158", "159", "181", "182", "183", "185", "186", "187", "188", "189"),
)
FAMILY = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹"
GIVEN = ("lin", "wei", "min", "yan", "jing", "na", "xin", "yu", "ting", "hao", "qi", "lu")
MAILS = ("mail.example", "post.example", "inbox.example")
OTHER_TASTE = "any"


def phone(number: int) -> str:
    """The mobile number of person `number`: no two share one."""
    return f"{PREFIXES[number % 20]}{(number * 15_485_863 + 20_260_521) % 10**8:08d}"


def email(number: int) -> str:
    return f"{GIVEN[number % 12]}.{GIVEN[number // 12 % 12]}{number}@{MAILS[number % 3]}"


def member_code(number: int) -> str:
    return f"CY{number:08d}"


def user_id(number: int) -> str:
    return f"u{number * 2_654_435_761 % 2**32:08x}"


@dataclass
class Ids:
    """Texts by place in the block, "" for none. `device[d][generation][place]` is a cookie."""

    phone: list[str]
    openid: list[str]
    unionid: list[str]
    external: list[str]
    device: list[tuple[list[str], list[str]]]


@dataclass
class People:
    """Columns, one row a person. Times are epoch milliseconds; NEVER when it does not happen.

    `joined` is when they become a member of their own accord; orders may make it earlier.
    `cleared` is when their browser's cookies are replaced; `country` indexes COUNTRIES abroad.
    """

    market: Market
    first: int
    ids: Ids
    appeal: Floats
    old: Mask
    city: Ints
    store: Ints
    country: Ints
    joined: Ints
    cleared: Ints
    desktop: Mask
    follows: Mask
    has_email: Mask
    taste: dict[str, Floats] = field(default_factory=dict[str, Floats])

    @property
    def count(self) -> int:
        return len(self.appeal)

    def liking(self, taste: str) -> Floats:
        """How much more than others each one meets a channel of this taste; mean 1."""
        return self.taste.get(taste, self.taste[OTHER_TASTE])


def draw(market: Market, first: int, count: int, plan: Plan, dice: Dice) -> People:
    rng = dice.of("people")
    appeal = rng.gamma(1.6, 1 / 1.6, count)
    old = rng.random(count) < market.old_share
    is_china = market.key == "china"
    city = rng.choice(len(CITIES), count, p=_shares([c.weight for c in CITIES]))
    country = rng.choice(len(COUNTRIES), count, p=_shares([c[2] for c in COUNTRIES]))
    people = People(
        market=market,
        first=first,
        ids=_ids(rng, first, count, has_phone=is_china),
        appeal=appeal,
        old=old,
        city=city,
        store=_stores(rng, city) if is_china else np.where(country == 2, 10, -1),
        country=country,
        joined=_joined(rng, old, plan, market),
        cleared=plan.calendar.start_ms
        + (rng.random(count) * plan.calendar.days * 3 * DAY_MS).astype(np.int64),
        desktop=rng.random(count) < 0.22,
        follows=rng.random(count) < 0.6,
        has_email=rng.random(count) < 0.12 if is_china else np.ones(count, dtype=bool),
    )
    for taste in (*TASTES, OTHER_TASTE):
        # Wanting more goes with meeting more, in search most of all.
        power = {"search": 0.6, OTHER_TASTE: 0.2}.get(taste, 0.3)
        people.taste[taste] = _mean_one(rng.gamma(1.5, 1 / 1.5, count) * appeal**power)
    return people


def _shares(weights: list[float]) -> Floats:
    found = np.array(weights)
    return found / found.sum()


def _mean_one(weights: Floats) -> Floats:
    return weights / weights.mean()


def _stores(rng: np.random.Generator, city: Ints) -> Ints:
    """The store a person goes to: one of their city, or -1."""
    table = np.array([(*c.stores, *c.stores)[:2] if c.stores else (-1, -1) for c in CITIES])
    return table[city, rng.integers(0, 2, len(city))]


def _joined(rng: np.random.Generator, old: Mask, plan: Plan, market: Market) -> Ints:
    uniform = rng.random(len(old))
    before = plan.calendar.start_ms - (rng.random(len(old)) * 700 * DAY_MS).astype(np.int64)
    within = plan.calendar.moments(market.key, rng.random(len(old)))
    return np.where(old | (uniform < 0.14), before, np.where(uniform < 0.26, within, NEVER))


def _ids(rng: np.random.Generator, first: int, count: int, *, has_phone: bool) -> Ids:
    def cookies() -> list[str]:
        return [
            f"{t[:8]}-{t[8:12]}-4{t[12:15]}-a{t[15:18]}-{t[18:]}" for t in hexes(rng, count, 30)
        ]

    return Ids(
        phone=[phone(first + n) if has_phone else "" for n in range(count)],
        openid=["oCY5d" + text for text in hexes(rng, count, 23)],
        unionid=["oU7Ms" + text for text in hexes(rng, count, 23)],
        external=["wmCY" + text for text in hexes(rng, count, 28)],
        device=[(cookies(), cookies()) for _ in range(5)],
    )
