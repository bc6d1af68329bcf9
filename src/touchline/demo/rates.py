"""Exchange rates of the window, one a month: what a foreign coin is worth in yuan."""

import datetime as dt
from math import sin

from touchline.demo.season import Calendar

__all__ = ["rate", "rate_rows"]

PARITY = {"USD": 7.12, "EUR": 8.05, "SGD": 5.48, "CNY": 1.0}


def rate(currency: str, day: dt.date) -> float:
    """Yuan for one unit, as the month's list says."""
    month = day.year * 12 + day.month
    swing = (
        0.0 if currency == "CNY" else 0.012 * sin(month * 0.9 + len(currency) + PARITY[currency])
    )
    return round(PARITY[currency] * (1 + swing), 4)


def rate_rows(calendar: Calendar) -> list[tuple[str, str, str, str]]:
    """Rows of rates.csv: date, from, to, rate."""
    months = sorted({date.replace(day=1) for date in calendar.dates})
    return [
        (month.isoformat(), currency, "CNY", f"{rate(currency, month):.4f}")
        for month in months
        for currency in PARITY
        if currency != "CNY"
    ]
