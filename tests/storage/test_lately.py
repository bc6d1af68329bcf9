"""What was used lately stays, up to a weight; which rows of a file carry whom."""

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from touchline.storage.columns import NODE_IDS
from touchline.storage.lately import Lately
from touchline.storage.mentions import mentions_in, rows_at

IDS = [bytes([n]) * 16 for n in range(5)] + [bytes(8) + b"\1" * 8]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12)), max_size=30))
def test_no_more_is_held_than_the_most_and_what_was_used_last_is(told):
    held, weights = Lately(10, int), {}
    for key, weight in told:
        assert held.put(key, weight) == weight
        weights[key] = weight
        assert (held.get(key) == weight) == (weight <= 10)
        found = {one: held.get(one) for one in weights}
        assert sum(one for one in found.values() if one is not None) <= 10
        assert all(one in (None, weights[key]) for key, one in found.items())
    held.clear()
    assert all(held.get(key) is None for key in weights)


def test_what_was_asked_for_again_stays_longer():
    held = Lately(2, lambda _: 1)
    for key in ("a", "b"):
        held.put(key, key)
    held.get("a")
    held.put("c", "c")
    assert [held.get(key) for key in ("a", "b", "c")] == ["a", None, "c"]


@given(st.lists(st.lists(st.sampled_from(IDS), max_size=3), max_size=12), st.integers(1, 5))
def test_rows_are_found_by_whom_they_carry(tmp_path_factory, sets, group):
    path = str(tmp_path_factory.mktemp("mentions") / "f.parquet")
    rows = [[{"type": "user_id", "id": node, "app": None} for node in one] for one in sets]
    table = pa.table({"node_ids": pa.array(rows, NODE_IDS), "seq": range(len(rows))})
    pq.write_table(table, path, row_group_size=group)
    mentions = mentions_in(path)
    assert mentions.of([]).tolist() == []
    for wanted in ([IDS[0]], IDS[1:3]):
        places = mentions.of(wanted)
        halves = {node[:8] for node in wanted}
        here = [n for n, one in enumerate(sets) if any(node[:8] in halves for node in one)]
        assert places.tolist() == here
        if here:
            assert rows_at(path, places, ["seq", "absent"])["seq"].to_pylist() == here
