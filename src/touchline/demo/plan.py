"""Channels + calendar → the media plan: which campaign ran on which day, at what weight.

Both halves of the world read it: the cost files take their spend from it and people meet its
touches, so a busy campaign costs more on the days when more people click it. Campaign names follow
the company's pattern `YYMM_line_name_platform_audience_creative`.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from touchline.demo.channels import ALL, Channel
from touchline.demo.dice import Dice
from touchline.demo.season import Calendar, Floats, Ints, flights
from touchline.demo.world import MARKETS, PRO_SPEND, REFERENCE_PEOPLE

__all__ = ["Campaign", "Lump", "Plan", "Schedule", "reach_of", "spend_of"]

FLIGHT_SHARE = 0.7  # of a day's money, while a sale campaign runs
CREATIVES = ("A01", "B02")
OUTDOOR_PERIODS, OUTDOOR_DAYS = 6, 28
HEARD_DAYS = {"note": 6, "slot": 1}  # for how long a booked note or slot is met
PODCAST_DAYS = 10


@dataclass(frozen=True)
class Campaign:
    index: int
    name: str
    channel: Channel


@dataclass(frozen=True)
class Lump:
    """One booking: days of the window it is met on (last included), its price, its campaign."""

    first: int
    last: int
    amount: float
    campaign: int


@dataclass(frozen=True)
class Schedule:
    """A channel's slots: one (campaign, day) each, `touches` and `money` as shares summing to 1."""

    campaign: Ints
    day: Ints
    touches: Floats
    money: Floats

    def draw(self, uniform: Floats) -> Ints:
        """Slots of touches, from uniform numbers."""
        edges = np.cumsum(self.touches)
        return np.minimum(np.searchsorted(edges, uniform * edges[-1]), len(edges) - 1)


def spend_of(market: str) -> int:
    """A market's media money in yuan, in the reference world."""
    return PRO_SPEND if market == "pro" else MARKETS[market].spend


def reach_of(channel: Channel) -> float:
    """Touches in the reference world."""
    return channel.reach or channel.clicks(channel.share * spend_of(channel.market) / rate(channel))


def rate(channel: Channel) -> float:
    """Yuan of one unit of the currency a channel bills in, for planning."""
    return 7.1 if channel.currency == "USD" else 1.0


@dataclass
class Plan:
    """The plan of a world of `people` persons."""

    calendar: Calendar
    people: int
    seed: int = 0
    campaigns: list[Campaign] = field(default_factory=list[Campaign])
    schedules: list[Schedule] = field(default_factory=list[Schedule])
    lumps: dict[str, list[Lump]] = field(default_factory=dict[str, list[Lump]])
    _days: dict[int, Ints] = field(default_factory=dict[int, Ints])

    def __post_init__(self) -> None:
        for channel in ALL:
            self.schedules.append(self._schedule(channel))
            if channel.bill in HEARD_DAYS or channel.key == "outdoor":
                self.lumps[channel.key] = self._booked(channel)
                self.schedules[channel.index] = self._met(self.lumps[channel.key])

    @property
    def scale(self) -> float:
        return self.people / REFERENCE_PEOPLE

    def spend(self, channel: Channel) -> float:
        """What a channel costs over the window, in the currency it bills in."""
        return channel.share * spend_of(channel.market) * self.scale / rate(channel)

    def on_day(self, channel: int) -> Ints:
        """The campaign a channel runs on each day; a sale goes before what is always on."""
        if channel not in self._days:
            schedule = self.schedules[channel]
            found = np.full(self.calendar.days, -1)
            # Sales are listed first, so written last.
            found[schedule.day[::-1]] = schedule.campaign[::-1]
            self._days[channel] = found
        return self._days[channel]

    def _schedule(self, channel: Channel) -> Schedule:
        demand = self.calendar.demand(channel.market)
        busy = np.zeros(self.calendar.days, dtype=bool)
        campaign: list[Ints] = []
        day: list[Ints] = []
        weight: list[Floats] = []
        for number, mask, share in self._runs(channel, busy):
            days = np.flatnonzero(mask)
            campaign.append(np.full(len(days), number))
            day.append(days)
            weight.append(demand[days] * share[days])
        days, touches = np.concatenate(day), np.concatenate(weight)
        dear = self.calendar.dear[days] if channel.bill in ("cpm", "cpc") else 1.0
        money = touches * (dear if channel.market == "china" else 1.0)
        return Schedule(
            np.concatenate(campaign), days, touches / touches.sum(), money / money.sum()
        )

    def _booked(self, channel: Channel) -> list[Lump]:
        """Notes, slots and posters, until the channel's money is spent."""
        money, days = self.spend(channel), self.calendar.days
        campaigns = self.on_day(channel.index)
        if channel.key == "outdoor":
            starts = np.linspace(10, days - OUTDOOR_DAYS - 1, OUTDOOR_PERIODS).astype(int)
            return [
                Lump(day, day + OUTDOOR_DAYS - 1, money / OUTDOOR_PERIODS, int(campaigns[day]))
                for day in starts.tolist()
            ]
        rng = Dice(self.seed).of(f"plan {channel.key}")
        prices: list[float] = []
        # In a small world no single booking may eat the money.
        low, high = channel.low, max(channel.low, min(channel.high, money / 3))
        while sum(prices) < money:
            prices.append(float(np.exp(rng.uniform(np.log(low), np.log(high)))))
        if len(prices) > 1 and money - sum(prices[:-1]) < channel.low:
            prices.pop()
        factor = money / sum(prices)
        slots = self.schedules[channel.index].draw(rng.random(len(prices)))
        length = PODCAST_DAYS if channel.key == "podcast" else HEARD_DAYS[channel.bill]
        return [
            Lump(day, min(day + length, days) - 1, price * factor, int(campaigns[day]))
            for day, price in sorted(
                zip(self.schedules[channel.index].day[slots].tolist(), prices, strict=True)
            )
        ]

    @staticmethod
    def _met(lumps: list[Lump]) -> Schedule:
        """Bookings as slots: met evenly over their days, more where more was paid."""
        sizes = [lump.last - lump.first + 1 for lump in lumps]
        day = np.concatenate([np.arange(lump.first, lump.last + 1) for lump in lumps])
        paid = np.array([lump.amount / size for lump, size in zip(lumps, sizes, strict=True)])
        weight = np.repeat(paid, sizes)
        campaign = np.repeat([lump.campaign for lump in lumps], sizes)
        return Schedule(campaign, day, weight / weight.sum(), weight / weight.sum())

    def _runs(
        self, channel: Channel, busy: np.ndarray
    ) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """(campaign, its days, its share of each day's weight): sales first, then always-on."""
        if not channel.audience:
            yield -1, ~busy, np.ones(len(busy))
            return
        for flight in flights(channel.market):
            active = self.calendar.active(flight)
            busy |= active
            for start, mask in self._stretches(active):
                number = self._campaign(channel, start, f"{flight.line}_{flight.name}")
                yield number, mask, np.full(len(mask), FLIGHT_SHARE)
        share = np.where(busy, 1 - FLIGHT_SHARE, 1.0)
        line = "pro" if channel.market == "pro" else "skin"
        name = "evergreen" if channel.market == "abroad" else "日常"
        quarters = np.array([d.year * 4 + (d.month - 1) // 3 for d in self.calendar.dates])
        for quarter in np.unique(quarters):
            start = dt.date(int(quarter) // 4, int(quarter) % 4 * 3 + 1, 1)
            yield self._campaign(channel, start, f"{line}_{name}"), quarters == quarter, share

    def _stretches(self, active: np.ndarray) -> Iterator[tuple[dt.date, np.ndarray]]:
        """A flight comes round every year: each unbroken run of its days is a campaign."""
        edges = np.flatnonzero(np.diff(np.concatenate(([0], active.astype(np.int8), [0]))))
        for first, after in edges.reshape(-1, 2):
            mask = np.zeros(len(active), dtype=bool)
            mask[first:after] = True
            yield self.calendar.dates[first], mask

    def _campaign(self, channel: Channel, start: dt.date, name: str) -> int:
        number = len(self.campaigns)
        full = f"{start:%y%m}_{name}_{channel.key}_{channel.audience}_{CREATIVES[number % 2]}"
        self.campaigns.append(Campaign(number, full, channel))
        return number
