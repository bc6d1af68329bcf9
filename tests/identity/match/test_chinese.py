"""Pairs of Chinese records, each with the reason why they are one person or are not."""

import csv
from pathlib import Path

import pytest

from touchline.identity.match.clean import compared
from touchline.identity.match.model import score

LABELLED = Path(__file__).parent / "chinese.csv"


def _record(text):
    return dict(part.split("=", 1) for part in text.split("|"))


@pytest.fixture(scope="module")
def judged():
    """(why, same, weight in bits, those of the given name) of each labelled pair, and the weight of
    every other pair; all records are scored together, with nothing said about their columns.
    """
    with LABELLED.open(encoding="utf-8") as file:
        pairs = list(csv.DictReader(file, quoting=csv.QUOTE_NONE))
    rows = [_record(pair[side]) for pair in pairs for side in ("a", "b")]
    found = score(compared(rows, "CN"))
    given = found.bits["given"].tolist()
    scored = {
        pair: (weight, bits)
        for *pair, weight, bits in zip(
            found.a.tolist(), found.b.tolist(), found.weight.tolist(), given, strict=True
        )
        for pair in [tuple(pair)]
    }
    labelled = [
        (pair["why"], pair["same"], *scored.pop((2 * n, 2 * n + 1), (-99.0, 0.0)))
        for n, pair in enumerate(pairs)
    ]
    return labelled, scored


def test_every_labelled_pair_is_judged_as_labelled(judged):
    labelled, _ = judged
    assert len(labelled) >= 60
    wrong = [one for one in labelled if (one[2] >= 0) != (one[1] in ("yes", "ask"))]
    assert wrong == []


def test_records_that_leave_it_open_are_asked_about_since_the_given_names_differ(judged):
    labelled, _ = judged
    assert all(given < 0 for _, same, _, given in labelled if same == "ask")


def test_no_two_records_of_different_pairs_are_taken_for_one(judged):
    _, others = judged
    assert {pair: said for pair, said in others.items() if said[0] >= 0} == {}
