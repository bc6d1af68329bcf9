"""One moment of the lake as tables: absent columns are null, fresh rows count once."""

from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pytest

import build
from build import T0
from touchline.errors import BadInput, Unavailable
from touchline.storage import engine
from touchline.storage.columns import EVENTS, TABLES
from touchline.storage.principal import Principal
from touchline.storage.table import Table
from touchline.storage.workspace import Workspace


@pytest.fixture
def rows(tmp_path):
    made = build.Rows(build.workspace(tmp_path / "w"))
    yield made
    made.workspace.close()


def test_tables_without_rows_have_all_columns(rows):
    with rows.workspace.view() as view:
        for name, (schema, _) in TABLES.items():
            found = view.fetch(view.table(name))
            assert found.column_names == schema.names
            assert found.num_rows == 0
        assert view.fetch(view.events("seq")).column_names == ["seq"]


def test_a_table_comes_with_the_types_of_its_schema(rows):
    rows.touch("user_id:ann", T0, "Ads", click_ids=[("gclid", "x")])
    rows.commit()
    with rows.workspace.view() as view:
        found = view.fetch(view.events())
        assert found.cast(EVENTS).num_rows == 1
        assert found.column_names == EVENTS.names


def test_files_of_an_older_shape_are_read_beside_newer_ones(rows):
    """A column that came later is null in them, one that was dropped is left out."""
    older = EVENTS.remove(EVENTS.get_field_index("campaign")).append(pa.field("old", pa.string()))
    rows.touch("user_id:ann", T0, "Ads", campaign="x", old="y")
    (row,) = rows.rows.pop("events")
    table = rows.workspace.lake.events
    before = Table(table.root, older, "local_day")
    before._transact = table._transact
    before.commit(pa.Table.from_pylist([row], schema=older))
    rows.touch("user_id:ann", T0, "Ads", campaign="new")
    rows.commit()
    with rows.workspace.view() as view:
        found = view.fetch(view.events("seq", "campaign", "channel", "local_day").order_by("seq"))
        assert view.fetch(view.events()).column_names == EVENTS.names
    assert [(r["campaign"], r["channel"]) for r in found.to_pylist()] == [
        (None, "Ads"),
        ("new", "Ads"),
    ]


def test_of_fresh_rows_only_those_not_yet_settled_count(rows):
    for _ in range(4):
        rows.touch("user_id:ann", T0, "Ads")
    all_ = rows.rows.pop("events")
    rows.rows = {"events": all_[:2], "fresh": [dict(row) for row in all_]}
    rows.commit()
    rows.workspace.lake.events.commit(None, offsets={"settled": 2})
    with rows.workspace.view() as view:
        assert sorted(view.fetch(view.events("seq"))["seq"].to_pylist()) == [1, 2, 3, 4]
        assert sorted(view.fetch(view.events())["seq"].to_pylist()) == [1, 2, 3, 4]


def test_before_the_first_day_file_fresh_rows_are_all_there_is(rows):
    rows.touch("user_id:ann", T0, "Ads")
    rows.rows = {"fresh": rows.rows.pop("events")}
    rows.commit()
    with rows.workspace.view() as view:
        assert view.fetch(view.events("seq", "channel")).to_pylist() == [
            {"seq": 1, "channel": "Ads"}
        ]


def test_a_view_stays_as_it_was_when_it_was_opened(rows):
    rows.touch("user_id:ann", T0, "Ads")
    rows.commit()
    with rows.workspace.view() as view:
        rows.touch("user_id:ann", T0, "Ads")
        rows.commit()
        assert view.count(view.events()) == 1
    with rows.workspace.view() as view:
        assert view.count(view.events()) == 2


def test_what_is_kept_is_computed_once(rows):
    rows.touch("user_id:ann", T0, "Ads")
    rows.commit()
    with rows.workspace.view() as view:
        kept = view.keep(view.events("seq"))
        for path in rows.workspace.lake.events.root.rglob("*.parquet"):
            if "_delta_log" not in path.parts:
                path.unlink()
        assert view.fetch(kept)["seq"].to_pylist() == [1]


def test_a_stream_gives_all_rows_some_at_a_time(rows):
    for _ in range(7):
        rows.touch("user_id:ann", T0, "Ads")
    rows.commit()
    with rows.workspace.view() as view:
        sizes = [len(batch) for batch in view.batches(view.events("seq"), rows=3)]
    assert sum(sizes) == 7


def test_a_view_leaves_nothing_behind(rows, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    with rows.workspace.view() as view:
        view.fetch(view.events())
    assert sorted(tmp_path.rglob("*")) == before


def test_a_view_is_opened_for_somebody_and_until_there_are_roles_for_the_admin(rows):
    with rows.workspace.view() as view:
        assert view.principal == Principal(role="admin", row_scope=None, masks=None)
    assert rows.workspace.state.principal == view.principal


def test_who_sees_a_workspace_sees_lake_and_state_by_it(rows):
    somebody = Principal()
    seen = rows.workspace.seen_by(somebody)
    with seen.view("events") as view:
        assert view.principal is somebody
    assert seen.state.principal is somebody
    assert rows.workspace.state.principal is not somebody


def test_as_of_a_moment_a_table_holds_what_was_known_by_then(rows):
    rows.event("user_id:ann", T0, known_at_us=T0)
    rows.event("user_id:ann", T0, known_at_us=T0 + 1)
    rows.commit()
    with rows.workspace.view(as_of_us=T0) as view:
        assert view.count(view.events("name")) == view.count(view.events()) == 1


@pytest.mark.parametrize(
    ("name", "value"), [("MEMORY_LIMIT", "much"), ("MEMORY_LIMIT", ""), ("THREADS", "0")]
)
def test_settings_the_engine_refuses_are_bad_settings(rows, monkeypatch, name, value):
    monkeypatch.setenv(f"TOUCHLINE_{name}", value)
    again = Workspace.open(rows.workspace.dir)
    with (
        pytest.raises(BadInput, match="memory_limit, threads") as caught,
        again.view() as view,
    ):
        view.count(view.events())
    assert (caught.value.code, caught.value.exit_code) == ("bad_settings", 2)
    again.close()


@pytest.mark.parametrize("way", ["fetch", "keep", "batches"])
def test_a_question_beyond_the_memory_allowed_says_so(rows, monkeypatch, way):
    for n in range(20_000):
        rows.touch("user_id:ann", T0, "Ads", campaign=f"{n:0200}")
    rows.commit()
    monkeypatch.setenv("TOUCHLINE_MEMORY_LIMIT", "1MB")
    again = Workspace.open(rows.workspace.dir)
    with again.view() as view, pytest.raises(Unavailable, match="1MB") as caught:
        list(getattr(view, way)(view.events().order_by("campaign")))
    assert (caught.value.code, caught.value.exit_code) == ("memory_full", 3)
    again.close()


@pytest.mark.parametrize(
    "spoil", [Path.unlink, lambda path: path.write_bytes(b"no parquet at all")]
)
def test_a_file_that_is_gone_or_damaged_is_named(rows, spoil):
    rows.touch("user_id:ann", T0, "Ads")
    rows.commit()
    for path in (rows.workspace.dir / "lake").rglob("events/*/*.parquet"):
        spoil(path)
    with rows.workspace.view() as view, pytest.raises(Unavailable, match="parquet") as caught:
        view.fetch(view.events())
    assert (caught.value.code, caught.value.exit_code) == ("lake_broken", 3)


def test_other_errors_of_the_engine_are_not_dressed_up(rows):
    rows.touch("user_id:ann", T0, "Ads")
    rows.commit()
    with rows.workspace.view() as view:
        table = view.events()
        with pytest.raises(Exception, match="Could not convert") as caught:
            view.fetch(table.select(number=table.channel.cast("int64")))
    assert not isinstance(caught.value, Unavailable)


def test_who_asks_the_same_again_says_the_same_whatever_the_rows_are(rows, monkeypatch):
    """Names of tables are numbers of the view, so SQL is made of a question once."""
    asked = []
    compiled = engine._compiled.__wrapped__

    def compiling(operation):
        asked.append(operation)
        return compiled(operation)

    monkeypatch.setattr(engine, "_compiled", lru_cache(8)(compiling))

    def question():
        rows.commit()
        with rows.workspace.view() as view:
            wanted = view.given(pa.table({"channel": ["Ads", "Mail"]}))
            kept = view.keep(view.events("channel", "seq").semi_join(wanted, "channel"))
            return view.count(kept)

    rows.touch("user_id:ann", T0, "Ads")
    rows.touch("user_id:ann", T0, "TV")
    assert question() == 1
    once = len(asked)
    rows.touch("user_id:ben", T0, "Mail")
    assert question() == 2
    assert len(asked) == once == 2
