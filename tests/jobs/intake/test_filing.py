"""Events filed by identifier: read through the copy, a person's events are those of all events."""

import os
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import build
from build import HOUR, MINUTE, T0
from touchline.identity import timeline
from touchline.identity.people import Registry
from touchline.identity.speaker import with_person
from touchline.jobs.intake import filing
from touchline.jobs.intake import settle as settling
from touchline.jobs.intake import writer as writer_module
from touchline.jobs.intake.healing import Healing
from touchline.jobs.intake.store import Arrival, EventStore
from touchline.jobs.intake.writer import Writer
from touchline.jobs.rebuild import rebuild
from touchline.model import Event, Flag, Identifier
from touchline.storage import by_node
from touchline.storage.by_node import BUILT, FILED, ByNode, bucket_of, merge
from touchline.storage.table import Run, Table

IN_SESSION = int(Flag.IN_SESSION | Flag.CHANNEL_BY_RULE)


def page(name, at, campaign=None, **identifiers):
    """A view of a page by these identifiers; with `campaign` it brings one."""
    labels = {"channel": "Direct"}
    if campaign:
        labels = {"channel": "Paid Search", "source_name": "google", "campaign": campaign}
    event = Event(
        source="web",
        message_id=name,
        type="page",
        name="page",
        ts_us=at,
        received_us=T0,
        identifiers=tuple(Identifier(kind, value) for kind, value in identifiers.items()),
        page_url=f"https://shop.cn/{name}",
        content_hash=name.encode().ljust(16),
        flags=IN_SESSION | (int(Flag.BRINGS_CAMPAIGN) if campaign else 0),
        **labels,
    )
    return Arrival(event, {})


def settle(workspace):
    """What the worker does now and then."""
    Writer(workspace).catch_up()


@pytest.fixture
def small(monkeypatch):
    """Bounds so low that a few events meet all of them."""
    shrink(monkeypatch)


def shrink(patch):
    patch.setattr(by_node, "SMALL", 4)
    patch.setattr(by_node, "SPLIT", 12)
    patch.setattr(by_node, "GROUPS", 3)
    patch.setattr(ByNode, "rows_a_group", 3)
    patch.setattr(filing, "ROWS_AT_ONCE", 5)
    patch.setattr(filing, "DAYS_ROWS", 5)


def is_read_alike(workspace, *, labels=True):
    """Whether all persons have the same events by the copy as by a search of all events."""
    with workspace.view() as view:
        people = Registry(workspace).at(view)
        rows = with_person(view.events(), people.speakers(view))
        all_ = view.fetch(rows.order_by("ts_us", "seq")).to_pylist()
        for person in range(len(people.people)):
            assert timeline.filed(workspace.lake.by_node, view, []) is not None
            mine = timeline.events_of(workspace.lake.by_node, view, people, person)
            names = mine.column_names if labels else ["seq", "ts_us", "message_id"]
            theirs = [{n: row[n] for n in names} for row in all_ if row["person_ix"] == person]
            assert mine.select(names).to_pylist() == theirs
    return True


@st.composite
def stories(draw):
    """Batches of events of a few people with borrowed phones, many late; and where one is cut."""
    said, batches = 0, []
    for _ in range(draw(st.integers(2, 5))):
        batch = []
        for _ in range(draw(st.integers(1, 8))):
            said += 1
            named = {"anonymous_id": f"a{draw(st.integers(0, 4))}"}
            if draw(st.booleans()):
                named["user_id"] = f"u{draw(st.integers(0, 8))}"
            if draw(st.booleans()):
                named["phone"] = f"+861380013800{draw(st.integers(0, 1))}"
            at = T0 + draw(st.integers(0, 30)) * HOUR + draw(st.sampled_from((0, 1, 29))) * MINUTE
            campaign = draw(st.sampled_from((None, None, "spring")))
            batch.append(page(f"m{said}", at, campaign, **named))
        batches.append((batch, draw(st.sampled_from(("settle", "leave", "cut")))))
    return batches


@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # an example costs seconds
)
@given(stories(), st.sampled_from((3, 10_000)))
def test_each_event_is_read_once_whatever_is_settled_cut_short_or_rebuilt(
    tmp_path_factory, story, at_once
):
    workspace = build.workspace(tmp_path_factory.mktemp("filing") / "w")
    store = EventStore(workspace)
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch)
        patch.setattr(settling, "ROWS_AT_ONCE", at_once)
        settle(workspace)
        for batch, then in story:
            store.store(batch)
            if then == "cut":
                cut_short(workspace)
                assert is_read_alike(workspace, labels=False)
            elif then == "settle":
                settle(workspace)
                assert is_read_alike(workspace)
        settle(workspace)
        assert is_read_alike(workspace)
        if at_once == 3:
            with workspace.write_lock():
                rebuild(Writer(workspace), lambda _: None)
            assert is_read_alike(workspace)
    workspace.close()


def cut_short(workspace):
    """A round of settling that files its rows and comes no further."""

    def cut(_table, parts, **_options):
        for part in parts:
            list(part.parts if isinstance(part, Run) else ())
        raise OSError("cut short")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workspace.lake.events, "commit", lambda *a, **o: cut(None, *a, **o))
        with pytest.raises(OSError, match="cut short"):
            settle(workspace)


def visits(workspace, days=4, **named):
    store = EventStore(workspace)
    for day in range(days):
        at = T0 + day * 24 * HOUR
        store.store([page(f"{day}-{n}", at + n * HOUR, anonymous_id=f"a{n}", **named)
                     for n in range(4)])  # fmt: skip
        settle(workspace)


def test_a_workspace_from_before_there_was_a_copy_gets_one_day_by_day(tmp_path, small):
    workspace = build.workspace(tmp_path / "w")
    visits(workspace)
    filing.forget(workspace)
    assert not filing.build(workspace, 0.0)
    with workspace.view() as view:
        people = Registry(workspace).at(view)
        assert timeline.filed(workspace.lake.by_node, view, []) is None
        assert len(timeline.events_of(workspace.lake.by_node, view, people, 0)) == 4
    filing._build_some(workspace, workspace.lake.by_node)
    EventStore(workspace).store([page("late", T0 + MINUTE, "spring", anonymous_id="a0")])
    settle(workspace)
    assert workspace.lake.by_node.snapshot().offset(BUILT) == 1
    assert is_read_alike(workspace)
    workspace.close()


def test_a_load_onto_nothing_is_filed_when_there_is_time_and_kept_up_as_far_as_it_is(
    tmp_path, small, monkeypatch
):
    for module in (filing, writer_module):
        monkeypatch.setattr(module, "ROWS", 3)
    workspace = build.workspace(tmp_path / "w")
    table, store = workspace.lake.by_node, EventStore(workspace)
    store.store([page(f"m{n}", T0 + n * 24 * HOUR, anonymous_id=f"a{n}") for n in range(6)])
    settle(workspace)
    assert not table.snapshot().rows_of
    filing._build_some(workspace, table)  # five days of six
    late = page("late", T0 - MINUTE, "spring", anonymous_id="a0")
    later = [page(f"n{n}", T0 + 6 * 24 * HOUR, anonymous_id=f"a{n}") for n in range(3)]
    store.store([late, *later])
    settle(workspace)
    rows = table.rows_under(table.snapshot(), table_nodes(workspace))
    assert Counter(rows["message_id"].to_pylist()) == {
        **{f"m{n}": 1 for n in range(5)}, "m0": 2, "late": 1}  # fmt: skip
    with workspace.view() as view:
        assert timeline.filed(table, view, []) is None
    settle(workspace)
    assert table.snapshot().offset(BUILT) == 1
    assert is_read_alike(workspace)
    workspace.close()


def table_nodes(workspace):
    return [workspace.vault.node_id("anonymous_id", f"a{n}") for n in range(6)]


def empty(path):
    pa.OSFile(path, "wb").close()


def spoil(path):
    """Its footer is whole, and what stands before it is not."""
    held = bytearray(Path(path).read_bytes())
    held[4:-2000] = b"\xff" * len(held[4:-2000])
    Path(path).write_bytes(held)


@pytest.mark.parametrize("harm", [empty, spoil, os.unlink])
def test_a_copy_with_a_file_that_is_gone_or_damaged_costs_no_event_and_is_made_anew(
    tmp_path, small, harm
):
    workspace = build.workspace(tmp_path / "w")
    visits(workspace, days=1)
    table = workspace.lake.by_node
    for path in table.snapshot().files:
        harm(path)
    with workspace.view() as view:
        people = Registry(workspace).at(view)
        assert len(timeline.events_of(table, view, people, 0)) == 1
        assert timeline.filed(table, view, [people.known.node_id(0)]) is None
    assert table.is_damaged
    healing = Healing(workspace)
    healing.when_due()
    assert not table.is_damaged
    assert table.snapshot().offset(BUILT) == 0
    settle(workspace)
    assert table.snapshot().offset(BUILT) == 1
    assert is_read_alike(workspace)
    healing.when_due()
    assert table.snapshot().offset(BUILT) == 1
    workspace.close()


def test_a_file_that_is_gone_is_missed_before_anybody_asks_for_it(tmp_path, small):
    workspace = build.workspace(tmp_path / "w")
    visits(workspace, days=1)
    table = workspace.lake.by_node
    Path(table.snapshot().files[0]).unlink()
    Healing(workspace).when_due()
    assert table.snapshot().offset(BUILT) == 0
    workspace.close()


def test_a_round_files_what_arrives_and_what_sessions_change_and_no_more(tmp_path):
    workspace = build.workspace(tmp_path / "w")
    store = EventStore(workspace)
    store.store([page(f"m{n}", T0 + HOUR, anonymous_id=f"a{n}") for n in range(5)])
    settle(workspace)
    held = sum(workspace.lake.by_node.snapshot().rows_of.values())
    store.store([page("late", T0 + HOUR - MINUTE, "spring", anonymous_id="a0")])
    settle(workspace)
    snapshot = workspace.lake.by_node.snapshot()
    assert (held, sum(snapshot.rows_of.values())) == (5, 7)
    assert snapshot.offset(FILED) == 6
    assert is_read_alike(workspace)
    workspace.close()


def filed_rows(count, number):
    """Rows of the copy: `count` identifiers, whose ids are spread, and one that is everywhere."""
    nodes = [bytes([n * 37 % 256, n]).ljust(16, b"\7") for n in range(count)]
    rows = [
        {"node": node, "round": number, "seq": 1 + n, "ts_us": n, "message_id": f"{number}"}
        for n in range(count)
        for node in (nodes[n], b"\x80" * 16)
    ]
    table = pa.Table.from_pylist(rows, schema=by_node.STORED)
    return Run("all", len(table), (table.sort_by(by_node.ORDER),))


def test_files_are_merged_down_into_buckets_and_the_latest_round_is_kept(tmp_path, small):
    table = ByNode(tmp_path / "t")
    table.create()
    for number in range(30):
        table.commit([filed_rows(5 + number % 3, number)], offsets={FILED: number})
        merge(table)
    snapshot = table.snapshot()
    assert snapshot.offset(FILED) == 29
    assert {len(bucket_of(path)) for path in snapshot.files} == {1, 2, 3}
    sizes = [(bucket_of(p), by_node._size(n)) for p, n in snapshot.rows_of.items()]
    assert max(sizes.count(one) for one in sizes) < by_node.FAN_IN
    for path in snapshot.files:
        rows = pq.ParquetFile(path).read()
        assert rows.equals(by_node.in_force(rows))
        prefix = "" if bucket_of(path) == "all" else bucket_of(path)
        assert all(node.hex().startswith(prefix) for node in rows["node"].to_pylist())
    everywhere = by_node.in_force(table.rows_under(snapshot, [b"\x80" * 16]))
    newest = {seq: max(n for n in range(30) if 5 + n % 3 >= seq) for seq in range(1, 8)}
    told = dict(
        zip(everywhere["seq"].to_pylist(), everywhere["message_id"].to_pylist(), strict=True)
    )
    assert told == {seq: str(number) for seq, number in newest.items()}


def test_a_row_is_written_a_few_times_in_its_life(tmp_path, monkeypatch):
    monkeypatch.setattr(by_node, "SMALL", 40)
    monkeypatch.setattr(by_node, "SPLIT", 300)
    table = ByNode(tmp_path / "t")
    table.create()
    written = []
    real = Table._file

    def counted(self, run, *rest):
        for add in real(self, run, *rest):
            written.append(pq.ParquetFile(self.root / add.path).metadata.num_rows)
            yield add

    monkeypatch.setattr(Table, "_file", counted)
    rounds = 32
    for number in range(rounds):
        table.commit([filed_rows(20, number)])
        merge(table)
    assert sum(written) < 6 * rounds * 40
