"""Files of the lake without somebody: the others' rows, all of them, as they were and in order."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import build
from touchline.jobs.privacy.erase_lake import rewrite
from touchline.jobs.privacy.erase_plan import Plan
from touchline.storage.columns import CONVERSIONS

NODES = {name: name.encode() * 16 for name in "abcd"}
GONE = {"a", "b"}  # the nodes of who is erased
TEXTS = st.sampled_from([None, "acme", f"user_id:{NODES['a'].hex()}", NODES["b"].hex().upper()])
ROWS = st.lists(
    st.tuples(st.lists(st.sampled_from("abcd"), unique=True, max_size=3), TEXTS), max_size=12
)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    made = build.workspace(tmp_path_factory.mktemp("erase") / "w")
    yield made
    made.close()


def row(number, names, text):
    ids = [{"type": "user_id", "id": NODES[name], "app": None} for name in names]
    told = {"node_ids": ids, "source": f"s{number}", "occurred_us": number, "seq": number}
    told |= {"account_id": text, "properties": text and f'{{"of": "{text}"}}'}
    return dict.fromkeys(CONVERSIONS.names) | told


def stored(table):
    paths = sorted(table.snapshot().files)
    rows = [row for path in paths for row in pq.read_table(path).to_pylist()]
    return sorted(rows, key=lambda one: (one["seq"] % 3, one["seq"]))


def left(names, text):
    """What is to stand there: nothing of theirs, all else; names of the site's own as they were."""
    for node in (NODES[name].hex() for name in GONE):
        text = text and text.replace(node, "erased").replace(node.upper(), "erased")
    return [name for name in names if name not in GONE], text


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS)
def test_only_what_is_theirs_goes_whatever_stands_where(workspace, rows):
    table = workspace.lake.conversions
    made = [row(number, *one) for number, one in enumerate(rows, 1)]
    parts = (pa.Table.from_pylist(made[at::3], schema=CONVERSIONS) for at in range(3))
    table.commit(parts, remove=table.snapshot().files)
    theirs = [one["seq"] for one, (names, _) in zip(made, rows, strict=True) if names[:1] == ["a"]]
    plan = Plan(nodes=[NODES[name] for name in GONE], person_ids=[], gone={"conversions": theirs})
    rewrite(workspace, plan)
    expected = [
        row(number, *left(*one)) | {"account_id": one[1]}
        for number, one in enumerate(rows, 1)
        if number not in theirs
    ]
    assert stored(table) == sorted(expected, key=lambda one: (one["seq"] % 3, one["seq"]))
    before = table.snapshot().files
    rewrite(workspace, plan)
    assert table.snapshot().files == before


def test_a_file_without_them_is_not_written_again(workspace):
    table = workspace.lake.conversions
    rows = [[row(1, ["c"], None)], [row(2, ["a"], None)]]
    parts = [pa.Table.from_pylist(one, schema=CONVERSIONS) for one in rows]
    table.commit(parts, remove=table.snapshot().files)
    before = table.snapshot().files
    rewrite(workspace, Plan(nodes=[NODES["a"]], person_ids=[], gone={"conversions": [2]}))
    (kept,) = table.snapshot().files
    assert kept in before
