"""Labelled pairs of records: what two rows say, and whether they are one person."""

import csv
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent


class Pair(NamedTuple):
    is_same: bool
    why: str
    a: dict[str, str]
    b: dict[str, str]


def chinese() -> list[Pair]:
    with (HERE / "chinese.csv").open(encoding="utf-8") as file:
        return [
            Pair(row["same"] == "yes", row["why"], _record(row["a"]), _record(row["b"]))
            for row in csv.DictReader(file, quoting=csv.QUOTE_NONE)
        ]


def _record(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split("|"))
