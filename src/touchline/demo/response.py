"""Touches + latent intent → shopping episodes, what they pass through, and purchases with causes.

    episode   opened by latent intent, or by a touch after its channel's delay
    path      searches, retargeting and visits that lead through an episode, whoever opened it
    purchase  one number against k·q, widened by a slice for a brand ad and one for a retargeting
              ad that were clicked; where it falls is its cause

So a purchase has all its causes written on it, as a bit mask of channels. Taking a channel out of
the world takes out exactly the purchases that carry its bit: the truth needs no second run. What
surprises: 75 % of brand-ad orders fall into the first slice, so they would have come anyway.
"""

from dataclasses import dataclass

import numpy as np

from touchline.demo.channels import ALL, INDEX
from touchline.demo.dice import Dice, systematic
from touchline.demo.exposure import Touches, stack
from touchline.demo.people import People
from touchline.demo.plan import Plan, reach_of
from touchline.demo.season import DAY_MS, Floats, Ints, Mask

__all__ = ["Episodes", "Purchases", "bit", "episodes", "purchases"]

MINUTE_MS = 60_000
AD_SHARE = 0.75  # brand searches that end on the ad rather than the result below it
# Of orders that passed the ad, 25 % and 20 % fall into its slice, the other ad counted in.
BRAND_SLICE, RETARGET_SLICE = 0.345, 0.265
OWN_BRAND = 0.35  # chance of a brand search in an episode nobody opened
RETARGETED, DIRECT, OPENED_MINI, SAW_STORE = 0.13, 0.25, 0.38, 0.16
PATH = {
    "china": ("baidu_brand", "organic", "retarget", "direct", "mini", "store"),
    "abroad": ("google_brand", "organic_abroad", "meta_retarget", "direct_abroad", "", ""),
}
# Touches that members alone get: their number is not planned, so what one opens is said here.
MEMBER_CLICK = {"sms": 0.10}


def bit(channel: Ints) -> Ints:
    """A channel's bit in a cause mask; 0 for no channel (-1)."""
    return np.where(channel < 0, 0, np.left_shift(np.int64(1), np.maximum(channel, 0)))


@dataclass
class Episodes:
    """Columns. `start` … `until` is when the person shops; `brand` and `retarget` are campaigns of
    the ads clicked on the way, -1 for none.
    """

    person: Ints
    start: Ints
    until: Ints
    origin: Ints
    campaign: Ints
    brand: Ints
    retarget: Ints


@dataclass
class Purchases:
    """Columns. `campaign` and `second` are the campaigns among the causes, -1 for none; `origin`
    is the channel that opened the episode; `brand` and `retarget` are campaigns of the ads clicked
    on the way, causes or not.
    """

    person: Ints
    ms: Ints
    mask: Ints
    campaign: Ints
    second: Ints
    origin: Ints
    brand: Ints
    retarget: Ints


def episodes(people: People, met: Touches, plan: Plan, dice: Dice) -> tuple[Episodes, Touches]:
    """Shopping episodes of a block, and the visits and ads on their way."""
    rng = dice.of("episodes")
    opened = stack([_own(people, plan, rng), _opened(people, met, rng)])
    opened = opened.only(opened.ms < plan.calendar.end_ms)
    span = np.minimum(rng.exponential(1.2, len(opened.ms)), 6.0) * DAY_MS
    until = opened.ms + span.astype(np.int64) + MINUTE_MS
    path, brand, retarget = _path(people, opened, until, plan, rng)
    return (
        Episodes(opened.person, opened.ms, until, opened.channel, opened.campaign, brand, retarget),
        path.only(path.ms < plan.calendar.end_ms),
    )


def _own(people: People, plan: Plan, rng: np.random.Generator) -> Touches:
    """Episodes of latent intent: no touch opened them."""
    market = people.market
    lifts = sum(channel.lift for channel in ALL if channel.market == market.key)
    each = market.first_orders * (1 - lifts) / market.order_chance / market.people
    want = people.appeal * np.where(people.old, market.old_factor, 1.0)
    usual = 1 + market.old_share * (market.old_factor - 1)
    person = np.repeat(np.arange(people.count), rng.poisson(each * want / usual))
    nobody = np.full(len(person), -1)
    moments = plan.calendar.moments(market.key, rng.random(len(person)))
    return Touches(person, moments, nobody, nobody)


def _opened(people: People, met: Touches, rng: np.random.Generator) -> Touches:
    """Episodes that a touch opened; the moment is the touch's plus the channel's delay."""
    market = people.market
    chance = np.zeros(len(ALL))
    for channel in ALL:
        wanted = channel.lift * market.first_orders / market.order_chance
        reach = reach_of(channel)
        chance[channel.index] = MEMBER_CLICK.get(channel.key, wanted / reach if reach else 0.0)
    low = np.array([channel.delay[0] for channel in ALL])
    high = np.array([channel.delay[1] for channel in ALL])
    acts = rng.random(len(met.ms)) < chance[met.channel]
    found = met.only(acts)
    late = low[found.channel] + (high - low)[found.channel] * rng.random(len(found.ms))
    return Touches(
        found.person, found.ms + (late * DAY_MS).astype(np.int64), found.channel, found.campaign
    )


def _path(
    people: People, opened: Touches, until: Ints, plan: Plan, rng: np.random.Generator
) -> tuple[Touches, Ints, Ints]:
    """(visits on the way, brand campaign clicked, retargeting campaign clicked)."""
    count = len(until)
    brand, organic, retarget, direct, mini, store = PATH[people.market.key]
    searches = np.where(
        opened.channel < 0, OWN_BRAND, np.array([c.brand for c in ALL])[opened.channel]
    )
    found = rng.random(count) < searches
    on_ad = rng.random(count) < AD_SHARE
    near_store = people.store[opened.person] >= 0
    steps = (
        (brand, found & on_ad, _late(rng, opened.ms, until)),
        (organic, found & ~on_ad, _late(rng, opened.ms, until)),
        (retarget, rng.random(count) < RETARGETED, _between(rng, opened.ms, until)),
        (direct, rng.random(count) < DIRECT, _between(rng, opened.ms, until)),
        (mini, rng.random(count) < OPENED_MINI, _between(rng, opened.ms, until)),
        (store, (rng.random(count) < SAW_STORE) & near_store, _between(rng, opened.ms, until)),
    )
    parts: list[Touches] = []
    campaigns: list[Ints] = []
    for key, taken, at in steps:
        if not key:
            continue
        campaign = np.where(taken, _campaign_on(plan, key, at), -1)
        campaigns.append(campaign)
        every = Touches(opened.person, at, np.full(count, INDEX[key]), campaign)
        parts.append(every.only(taken))
    return stack(parts), campaigns[0], campaigns[2]


def _between(rng: np.random.Generator, start: Ints, until: Ints) -> Ints:
    return start + ((until - start) * rng.random(len(start)) * 0.97).astype(np.int64)


def _late(rng: np.random.Generator, start: Ints, until: Ints) -> Ints:
    """Half of the searches for the brand come minutes before the end: looking for the shop."""
    minutes = until - ((3 + 20 * rng.random(len(start))) * MINUTE_MS).astype(np.int64)
    last = rng.random(len(start)) < 0.5
    return np.where(last & (minutes > start), minutes, _between(rng, start, until))


def _campaign_on(plan: Plan, key: str, moments: Ints) -> Ints:
    day = (moments - plan.calendar.start_ms) // DAY_MS
    return plan.on_day(INDEX[key])[np.minimum(day, plan.calendar.days - 1)]


def purchases(people: People, found: Episodes, plan: Plan, dice: Dice) -> Purchases:
    """Which episodes end in an order, and why."""
    rng = dice.of("purchases")
    in_time = found.until < plan.calendar.end_ms
    has_brand, has_retarget = found.brand >= 0, found.retarget >= 0
    first = _chances(people, found, in_time)
    second = first + first * BRAND_SLICE * has_brand
    third = second + first * RETARGET_SLICE * has_retarget
    bought, uniform = systematic(third, rng)
    by_brand = bought & (uniform >= first) & (uniform < second)
    by_retarget = bought & (uniform >= second)
    brand, _, retarget, *_ = PATH[people.market.key]
    slices = np.where(by_brand, INDEX[brand], np.where(by_retarget, INDEX[retarget], -1))
    extra = np.where(by_brand, found.brand, np.where(by_retarget, found.retarget, -1))
    return Purchases(
        found.person[bought],
        found.until[bought],
        (bit(found.origin) | bit(slices))[bought],
        found.campaign[bought],
        extra[bought],
        found.origin[bought],
        found.brand[bought],
        found.retarget[bought],
    )


def _chances(people: People, found: Episodes, in_time: Mask) -> Floats:
    """k·q: q grows with appeal, k makes the expected orders of the block those of the market."""
    market = people.market
    want = np.sqrt(people.appeal)[found.person] * np.where(people.old, 1.5, 1.0)[found.person]
    raw = np.where(in_time, want, 0.0)
    slices = 1 + BRAND_SLICE * (found.brand >= 0) + RETARGET_SLICE * (found.retarget >= 0)
    target = market.first_orders * people.count / market.people
    scale = target / max(float((raw * slices).sum()), 1e-9)
    return np.minimum(raw * scale, 0.6)
