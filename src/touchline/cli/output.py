"""Rows → a table for people, JSON or CSV for programs, on stdout; progress on stderr.

CSV cells that a spreadsheet would run as a formula are disarmed with a leading apostrophe.
"""

import csv
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from touchline.cli import language
from touchline.text import disarmed

__all__ = [
    "Column",
    "Write",
    "as_json",
    "cell",
    "columns",
    "counted",
    "digits_of",
    "emit",
    "harmless",
    "money",
    "number",
    "progress_line",
    "share",
    "table",
]

Write = Callable[[Any], str]
Column = tuple[str, str, Write]  # heading, key, how it is written


def cell(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType]
    return "" if value is None else str(value)


def counted(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else cell(value)


def number(value: float | None, places: int = 1) -> str:
    return "–" if value is None else f"{value:,.{places}f}"


def share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def digits_of(currency: str | None) -> int | None:
    """Digits of money after the point; None for a path file, whose money has no currency."""
    from touchline.collect.money import exponent

    return exponent(currency) if currency else None


def money(amount: float | None, digits: int | None) -> str:
    """Minor units as major ones; without a currency as they are."""
    if amount is None or digits is None:
        return number(amount, 2)
    return number(amount / 10**digits, digits)


def columns(
    headings: Mapping[str, Sequence[str]], keys: Sequence[str], write: Write = cell, **own: Write
) -> list[Column]:
    """Columns with headings in the reader's language; `own`: keys that are written otherwise."""
    named = zip(headings[language()], keys, strict=True)
    return [(heading, key, own.get(key, write)) for heading, key in named]


def as_json(whole: Any) -> None:
    json.dump(whole, sys.stdout, ensure_ascii=False, indent=2)
    print()


def emit(
    rows: Sequence[dict[str, Any]], columns: Sequence[Column], output: str, whole: Any
) -> None:
    """Prints rows as a table or CSV, or `whole` as JSON."""
    if output == "json":
        as_json(whole)
    elif output == "csv":
        write_csv(rows, list(rows[0]) if rows else [key for _, key, _ in columns])
    else:
        table(rows, columns)


def write_csv(rows: Iterable[dict[str, Any]], names: Sequence[str]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([disarmed(row.get(name)) for name in names] for row in rows)


def table(rows: Sequence[dict[str, Any]], columns: Sequence[Column], title: str = "") -> None:
    """A table whose columns line up also with Chinese text in them."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    drawn = Table(title=title or None, box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    for place, (heading, _, _) in enumerate(columns):
        drawn.add_column(heading, justify="left" if place == 0 else "right", overflow="fold")
    for row in rows:
        drawn.add_row(*(harmless(write(row.get(key))) for _, key, write in columns))
    width = None if sys.stdout.isatty() else 160
    Console(width=width, soft_wrap=False, markup=False, emoji=False, highlight=False).print(drawn)


def harmless(text: str) -> str:
    """Without control characters: a campaign's name must not steer the terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def progress_line(what: str) -> Callable[[float], None]:
    """A callback that shows how far a thing is, on stderr, once it has taken 2 s."""
    started = time.monotonic()
    shown = 0.0
    # A log file does not want a line every moment.
    pause = 0.5 if sys.stderr.isatty() else 5.0

    def show(share: float) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - started < 2 or (now - shown < pause and share < 1):
            return
        shown = now
        ending = "\r" if sys.stderr.isatty() and share < 1 else "\n"
        print(f"{what} … {share:4.0%}", end=ending, file=sys.stderr, flush=True)

    return show
