"""69,659 real purchases: whitespace between the columns, no ids, 255 truly repeated rows."""

from collections import Counter

import pytest

from peers import peer_file


@pytest.fixture(scope="module")
def master():
    return peer_file("lifetimes/datasets/CDNOW_master.txt")


USD = '[constants]\ncurrency = "USD"\n'


def test_every_purchase_and_every_cent_arrive_with_their_repeats_and_lasting_ids(read, master):
    first = read("conversions", master, toml=USD)
    assert first.rejects == []
    assert len(first.good) == 69_659
    assert sum(row.amount for row in first.good) == 250_031_563
    assert {row.currency for row in first.good} == {"USD"}
    assert len({row.identifiers[0].value for row in first.good}) == 23_570
    contents = Counter(row.content_hash for row in first.good)
    assert sum(times - 1 for times in contents.values()) == 255
    ids = [row.conversion_id for row in first.good]
    assert len(set(ids)) == 69_659
    assert [row.conversion_id for row in read("conversions", master, toml=USD).rows] == ids


def test_a_copy_without_a_header_needs_column_numbers(read, master):
    lines = master.read_text().splitlines(keepends=True)[1:1001]
    columns = '[columns]\nuser_id = "1"\noccurred_at = 2\nunits = 3\namount = "4"\n'
    found = read("conversions", "".join(lines), toml=columns + USD)
    assert len(found.good) == 1000
    assert found.good[0].amount == 1177
    assert found.good[0].properties == {"units": "1"}
