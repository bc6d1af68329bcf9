"""An end date → the calendar of the eighteen months before it: how busy each day is.

Weights are means of 1 over an ordinary year; a plan normalises them over its own window, so totals
do not depend on the end date. What surprises: dear days (CPM) and busy days are different curves.
"""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from touchline.demo.world import FLIGHTS, Flight

__all__ = ["DAY_MS", "SHANGHAI_MS", "Calendar", "Floats", "Ints", "Mask", "flights"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

DAY_MS = 86_400_000
SHANGHAI_MS = 8 * 3_600_000
MONTHS = 18

MONTH_INDEX = (0.80, 0.55, 1.00, 0.80, 0.90, 1.60, 0.70, 0.80, 0.80, 1.00, 2.15, 0.90)
PEAKS = {
    (6, 1): 2.0,
    (6, 16): 1.6,
    (6, 17): 1.8,
    (6, 18): 2.8,
    (9, 9): 1.8,
    (10, 20): 2.6,
    (10, 31): 3.0,
    (11, 1): 1.8,
    (11, 10): 2.4,
    (11, 11): 3.2,
    (12, 12): 2.0,
}
DEAR = (((5, 13), (6, 20)), ((10, 15), (11, 11)))

# First day of the lunar year; outside the table the mean date serves.
SPRING = {
    2022: (2, 1), 2023: (1, 22), 2024: (2, 10), 2025: (1, 29), 2026: (2, 17), 2027: (2, 6),
    2028: (1, 26), 2029: (2, 13), 2030: (2, 3), 2031: (1, 23), 2032: (2, 11), 2033: (1, 31),
}  # fmt: skip
SPRING_MEAN = (2, 5)

PRO_MONTHS = (0.8, 0.6, 1.3, 1.3, 1.3, 0.9, 0.8, 0.8, 1.2, 1.1, 1.2, 1.1)
WEEKDAYS = (0.95, 0.95, 0.95, 0.95, 1.05, 1.10, 1.05)


# How awake people are, hour by hour; and clinics, which keep office hours.
HOURS = (
    *(2.0, 1.0, 0.5, 0.3, 0.3, 0.5, 1.5, 3.0, 4.0, 5.0, 5.5, 5.5),
    *(6.0, 5.5, 5.0, 5.0, 5.0, 5.0, 5.5, 6.5, 8.0, 9.0, 8.0, 5.0),
)
OFFICE_HOURS = (
    *(0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.2, 0.5, 4.0, 9.0, 10.0, 8.0),
    *(3.0, 4.0, 9.0, 10.0, 9.0, 6.0, 2.0, 1.0, 0.8, 0.6, 0.3, 0.2),
)


@dataclass(frozen=True)
class Calendar:
    """The window: local days `first` … `end`, both included."""

    end: dt.date

    @cached_property
    def first(self) -> dt.date:
        after = self.end + dt.timedelta(days=1)
        month = after.year * 12 + after.month - 1 - MONTHS
        # Counting from the 1st lets a 31st run over into the next month.
        return dt.date(month // 12, month % 12 + 1, 1) + dt.timedelta(days=after.day - 1)

    @cached_property
    def dates(self) -> list[dt.date]:
        return [self.first + dt.timedelta(days=n) for n in range((self.end - self.first).days + 1)]

    @property
    def days(self) -> int:
        return len(self.dates)

    @cached_property
    def start_ms(self) -> int:
        """First local midnight, in epoch milliseconds."""
        return (self.first - dt.date(1970, 1, 1)).days * DAY_MS - SHANGHAI_MS

    @cached_property
    def end_ms(self) -> int:
        return self.start_ms + self.days * DAY_MS

    def active(self, flight: Flight) -> Mask:
        return np.array([flight.first <= (d.month, d.day) <= flight.last for d in self.dates])

    @cached_property
    def consumer(self) -> Floats:
        """Demand in China: the month index with its sale peaks, quiet over the spring festival."""
        raw = np.array([self._consumer(date) for date in self.dates])
        return raw * np.where(self._spring(3, 8), 0.35, 1.0)

    @staticmethod
    def _consumer(date: dt.date) -> float:
        here = PEAKS.get((date.month, date.day), 1.0) * WEEKDAYS[date.weekday()]
        extra = sum(peak - 1 for (month, _), peak in PEAKS.items() if month == date.month)
        return MONTH_INDEX[date.month - 1] * here * 30 / (30 + extra)

    @cached_property
    def abroad(self) -> Floats:
        """Demand abroad: even, but for Black Friday to Cyber Monday and a warm December."""
        found = np.ones(self.days)
        for number, date in enumerate(self.dates):
            friday = self._black_friday(date.year)
            if friday <= date <= friday + dt.timedelta(days=3):
                found[number] = 3.2
            elif date.month == 12 and date.day <= 18:
                found[number] = 1.3
        return found

    @staticmethod
    def _black_friday(year: int) -> dt.date:
        first = dt.date(year, 11, 1)
        return first + dt.timedelta(days=(3 - first.weekday()) % 7 + 22)

    @cached_property
    def pro(self) -> Floats:
        """Demand of clinics: working days, quiet around the spring festival and early October."""
        found = np.array(
            [PRO_MONTHS[d.month - 1] * (1.0 if d.weekday() < 5 else 0.15) for d in self.dates]
        )
        golden = np.array([d.month == 10 and d.day <= 7 for d in self.dates])
        return found * np.where(self._spring(14, 14) | golden, 0.2, 1.0)

    def moments(self, market: str, uniform: Floats) -> Ints:
        """Moments of the window by a market's demand, from uniform numbers."""
        edges = np.concatenate(([0.0], np.cumsum(self.demand(market))))
        at = np.interp(uniform * edges[-1], edges, np.arange(len(edges)))
        return self.start_ms + (at * DAY_MS).astype(np.int64)

    def wall(self, moments: Ints, hours: tuple[float, ...] = HOURS) -> Ints:
        """Moments as clocks show them: the simulation's days are even, people's are not.

        The map never swaps two moments, so what caused what stays in order.
        """
        day, rest = np.divmod(moments - self.start_ms, DAY_MS)
        edges = np.concatenate(([0.0], np.cumsum(hours))) / sum(hours)
        shown = np.interp(rest / DAY_MS, edges, np.linspace(0, DAY_MS, len(edges)))
        return self.start_ms + day * DAY_MS + shown.astype(np.int64)

    def office(self, moments: Ints) -> Ints:
        """`wall` for people at work."""
        return self.wall(moments, OFFICE_HOURS)

    def demand(self, market: str) -> Floats:
        return {"china": self.consumer, "abroad": self.abroad, "pro": self.pro}[market]

    @cached_property
    def dear(self) -> Floats:
        """What an impression costs in China against an ordinary day."""
        is_dear = [
            any(first <= (d.month, d.day) <= last for first, last in DEAR) for d in self.dates
        ]
        return np.where(np.array(is_dear), 1.6, 1.0)

    def _spring(self, before: int, after: int) -> Mask:
        return np.array(
            [
                any(
                    -before <= (date - dt.date(year, *SPRING.get(year, SPRING_MEAN))).days <= after
                    for year in (date.year, date.year + 1)
                )
                for date in self.dates
            ]
        )


def flights(market: str) -> tuple[Flight, ...]:
    return tuple(flight for flight in FLIGHTS if market in flight.markets)
