"""Touches, episodes, orders and registrations of consumers → visits to our pages and mini-program.

A visit is what a tracker could see: one device, one moment, what brought it. All that happens
inside other apps is left out here and nowhere visible again. Times are wall-clock from here on.
"""

from dataclasses import dataclass

import numpy as np

from touchline.demo.channels import ALL, DEVICES, INDEX
from touchline.demo.dice import Dice
from touchline.demo.exposure import Touches, stack
from touchline.demo.orders import Orders
from touchline.demo.people import NEVER, People
from touchline.demo.plan import Plan
from touchline.demo.season import DAY_MS, Ints, Mask

__all__ = ["BOT", "FORWARD", "JOIN", "ORDER", "PLAIN", "SITES", "TABLET", "Visits", "visits"]

SITES = ("h5", "pc", "intl", "mini", "pro")
PLAIN, JOIN, ORDER, FORWARD, TABLET, BOT = range(6)

MIX_TO_MINI = 0.7  # ads of 微信 that open the mini-program; the others open a page
TALK_CLICKED = 0.3
# Orders placed in the very visit that led to them: after a brand or retargeting ad, after others.
BOUGHT_FROM_AD, BOUGHT_AT_ONCE = 0.8, 0.4
JOINED_IN = (0.55, 0.70)  # registrations in the mini-program, then on the page; the rest in a store


@dataclass
class Visits:
    """Columns. `kind` is one of PLAIN … BOT. `about` is the order's row of an ORDER, the row of the
    visit whose link was passed on of a FORWARD, the store of a TABLET, else -1.
    """

    person: Ints
    ms: Ints
    channel: Ints
    campaign: Ints
    site: Ints
    device: Ints
    depth: Ints
    about: Ints
    kind: Ints

    def only(self, keep: Mask | Ints) -> "Visits":
        return Visits(
            self.person[keep],
            self.ms[keep],
            self.channel[keep],
            self.campaign[keep],
            self.site[keep],
            self.device[keep],
            self.depth[keep],
            self.about[keep],
            self.kind[keep],
        )


def visits(people: People, touched: Touches, bought: Orders, plan: Plan, dice: Dice) -> Visits:
    """All visits of a block's people, in no order. `touched` holds clicks and path together."""
    rng = dice.of("visits")
    seen = np.array([channel.seen for channel in ALL])[touched.channel]
    wecom = touched.channel == INDEX["wecom"]
    clicked = touched.only(rng.random(len(seen)) < np.where(wecom, TALK_CLICKED, seen))
    parts = [
        _arrivals(people, clicked, plan, rng),
        _buying(people, bought, plan, rng),
        _joining(people, plan, rng),
    ]
    return stack(parts)


def _arrivals(people: People, clicked: Touches, plan: Plan, rng: np.random.Generator) -> Visits:
    """Clicks land where their channel leads; people with a computer search on it now and then."""
    count = len(clicked.ms)
    to_mini = rng.random(count) < MIX_TO_MINI
    site_of = np.array([SITES.index("h5" if c.site == "mix" else c.site or "h5") for c in ALL])
    mixed = np.array([c.site == "mix" for c in ALL])[clicked.channel] & to_mini
    on_mini = mixed | (site_of[clicked.channel] == SITES.index("mini"))
    site = np.where(on_mini, SITES.index("mini"), site_of[clicked.channel])
    device = np.array([c.device for c in ALL])[clicked.channel]
    device = np.where(on_mini, DEVICES.index("mini"), device)
    browses = device == DEVICES.index("mobile")
    at_desk = browses & people.desktop[clicked.person] & (rng.random(count) < 0.6)
    device = np.where(at_desk, DEVICES.index("desktop"), device)
    site = np.where(at_desk & (site == SITES.index("h5")), SITES.index("pc"), site)
    return Visits(
        clicked.person,
        plan.calendar.wall(clicked.ms) + 20_000,
        clicked.channel,
        clicked.campaign,
        site,
        device,
        _depths(count, rng),
        np.full(count, -1),
        np.full(count, PLAIN),
    )


def _depths(count: int, rng: np.random.Generator) -> Ints:
    return np.minimum(rng.geometric(0.52, count), 8)


def _buying(people: People, bought: Orders, plan: Plan, rng: np.random.Generator) -> Visits:
    """Visits that hold an order of the web; their moment is the order's."""
    sites = [SITES.index(v.key) if v.key in SITES else -1 for v in people.market.venues]
    site = np.array(sites)[bought.venue]
    rows = np.flatnonzero(site >= 0)
    site = site[rows]
    person = bought.person[rows]
    at_desk = people.desktop[person] & (site != SITES.index("mini"))
    on_mini = site == SITES.index("mini")
    device = np.where(at_desk, DEVICES.index("desktop"), DEVICES.index("mobile"))
    site = np.where(at_desk & (site == SITES.index("h5")), SITES.index("pc"), site)
    channel, campaign = _brought_by(people, bought, rows, on_mini, rng)
    return Visits(
        person,
        plan.calendar.wall(bought.ms[rows]),
        channel,
        campaign,
        site,
        np.where(on_mini, DEVICES.index("mini"), device),
        rng.integers(2, 4, len(rows)),
        rows,
        np.full(len(rows), ORDER),
    )


def _brought_by(
    people: People, bought: Orders, rows: Ints, on_mini: Mask, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """(channel, campaign) of the visits that hold these orders: an ad's, or none but their own."""
    china = people.market.key == "china"
    channel = np.where(on_mini, INDEX["mini"], INDEX["direct" if china else "direct_abroad"])
    campaign = np.full(len(rows), -1)
    origin = np.where(bought.generation[rows] == 0, bought.origin[rows], -1)
    lands = np.array([c.seen > 0 and c.site in ("mini", "mix") for c in ALL])[origin]
    on_page = np.array([c.seen > 0 and c.site in ("h5", "intl", "mix") for c in ALL])[origin]
    at_once = (origin >= 0) & np.where(on_mini, lands, on_page)
    at_once &= rng.random(len(rows)) < BOUGHT_AT_ONCE
    channel = np.where(at_once, origin, channel)
    campaign = np.where(at_once, bought.campaign[rows], campaign)
    ads = ("retarget", "baidu_brand") if china else ("meta_retarget", "google_brand")
    for key, clicked in zip(ads, (bought.retarget[rows], bought.brand[rows]), strict=True):
        from_ad = (clicked >= 0) & (rng.random(len(rows)) < BOUGHT_FROM_AD)
        channel = np.where(from_ad, INDEX[key], channel)
        campaign = np.where(from_ad, clicked, campaign)
    return channel, campaign


def _joining(people: People, plan: Plan, rng: np.random.Generator) -> Visits:
    """Registrations of their own accord within the window, where a tracker sees them."""
    within = (people.joined >= plan.calendar.start_ms) & (people.joined < NEVER)
    person = np.flatnonzero(within)
    uniform = rng.random(len(person))
    if people.market.key == "china":
        on_mini = uniform < JOINED_IN[0]
        keep = uniform < JOINED_IN[1]
        site = np.where(on_mini, SITES.index("mini"), SITES.index("h5"))
        device = np.where(on_mini, DEVICES.index("mini"), DEVICES.index("wechat"))
        channel = np.where(on_mini, INDEX["mini"], INDEX["oa"])
    else:
        keep = uniform < 1
        site = np.full(len(person), SITES.index("intl"))
        device = np.zeros(len(person), dtype=np.int64)
        channel = np.full(len(person), INDEX["direct_abroad"])
    campaign = np.where(channel == INDEX["oa"], _campaigns(plan, "oa", people.joined[person]), -1)
    count = len(person)
    return Visits(
        person,
        plan.calendar.wall(people.joined[person]) if count else people.joined[person],
        channel,
        campaign,
        site,
        device,
        np.full(count, 2),
        np.full(count, -1),
        np.full(count, JOIN),
    ).only(keep)


def _campaigns(plan: Plan, key: str, moments: Ints) -> Ints:
    day = np.clip((moments - plan.calendar.start_ms) // DAY_MS, 0, plan.calendar.days - 1)
    return plan.on_day(INDEX[key])[day]
