"""Sources pulled: what is stored, how far it is noted, what a second run or a kill changes."""

import contextlib
import datetime as dt
import json
import sqlite3
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline import clock
from touchline.collect.connectors import table
from touchline.collect.connectors.extract import extract
from touchline.errors import BadInput, NotFound, Unavailable
from touchline.jobs import definitions, job
from touchline.jobs.doctor import examine
from touchline.jobs.imports import pull, runs, sources
from touchline.jobs.intake.writer import Writer
from touchline.jobs.kinds import run_here
from touchline.storage.workspace import Workspace

ZONE = "Asia/Shanghai"
NOW = clock.to_us(dt.datetime(2026, 3, 20, 4, tzinfo=dt.UTC))
COSTS = {
    "name": "spend",
    "kind": "sql_database",
    "yields": "costs",
    "url": "sqlite:////nowhere.db",
    "table": "spend",
    "cursor": "date",
    "backfill_from": dt.date(2026, 3, 1),
}
DEALS = {
    "name": "crm",
    "kind": "sql_database",
    "yields": "conversions",
    "url": "sqlite:////nowhere.db",
    "table": "history",
    "cursor": "changed_at",
    "columns": {"conversion_id": "deal", "occurred_at": "changed_at", "user_id": "owner"},
}


def at_once(_folder):
    """Asking without a process of its own."""
    return contextlib.nullcontext(extract)


class Place:
    """A workspace under its lock, with sources whose rows are at hand."""

    def __init__(self, folder, rows=None):
        self.workspace = Workspace.init(folder, time_zone=ZONE)
        self.rows = rows if rows is not None else []
        self._lock = self.workspace.write_lock()
        self._lock.__enter__()
        self.writer = Writer(self.workspace)

    def close(self):
        self._lock.__exit__(None, None, None)
        self.workspace.close()

    def define(self, *documents, secrets=None):
        return sources.add(self.workspace, list(documents), secrets or {}, "test")

    def pull(self, name, **args):
        found = run_here(self.writer, "pull", {"source": name, **args}, lambda _: None)
        return tuple(found[n] for n in ("stored", "duplicate", "updated", "rejected"))

    def lake(self, name, *columns):
        self.writer.catch_up()
        with self.workspace.view() as view:
            rows = view.events() if name == "events" else view.table(name)
            order = rows.order_by("batch" if name == "costs" else "seq")
            return [tuple(r.values()) for r in view.fetch(order).select(list(columns)).to_pylist()]

    def cursor(self, name):
        return runs.cursor_of(self.workspace.state, sources.source_named(self.workspace, name))

    def versions(self):
        return {n: t.snapshot().version for n, t in self.workspace.lake.tables.items()}


@pytest.fixture
def here(monkeypatch):
    """Pulling without a process of its own, and without a database where rows are at hand."""
    monkeypatch.setattr(clock, "now_us", lambda: NOW)
    monkeypatch.setattr(pull, "fetching", at_once)


@pytest.fixture
def place(tmp_path, monkeypatch, here):
    made = Place(tmp_path / "w")
    monkeypatch.setattr(table, "table_rows", lambda *_: iter([dict(row) for row in made.rows]))
    yield made
    made.close()


def day(number, cost, channel="Ads"):
    return {"date": f"2026-03-{number:02}", "channel": channel, "cost": str(cost)}


def in_force(place):
    """Day → what it cost, as a report would say."""
    from touchline.measure.cost import in_force as newest

    with place.workspace.view("costs") as view:
        rows = view.fetch(newest(view.table("costs"))).to_pylist()
    return sorted((str(r["day"]), r["channel"], r["cost"]) for r in rows)


def test_a_backfill_goes_in_slices_and_the_next_run_has_the_last_days_again(place):
    place.define({**COSTS, "look_back_days": 3})
    place.rows = [day(n, n) for n in range(1, 20)]
    assert place.pull("spend") == (19, 0, 0, 0)
    assert place.cursor("spend") == (dt.date(2026, 3, 19) - dt.date(1970, 1, 1)).days
    before = place.versions()
    assert place.pull("spend") == (0, 4, 0, 0)
    assert place.versions() == before
    place.rows[17] = day(18, 99)
    place.rows[2] = day(3, 99)
    assert place.pull("spend") == (0, 3, 1, 0)
    assert in_force(place)[17] == ("2026-03-18", "Ads", 9900)
    assert place.pull("spend", **{"from": "2026-03-02"}) == (0, 17, 1, 0)
    assert in_force(place)[2] == ("2026-03-03", "Ads", 9900)
    log = sources.logged(place.workspace, {"source": "spend"})
    assert [(r["read"], r["cursor_before"], r["cursor_after"]) for r in log] == [
        (18, "2026-03-19", "2026-03-19"),
        (4, "2026-03-19", "2026-03-19"),
        (4, "2026-03-19", "2026-03-19"),
        (19, None, "2026-03-19"),
    ]


def test_days_that_lie_ahead_do_not_carry_the_cursor_along(place):
    place.define(COSTS)
    place.rows = [day(19, 1), day(31, 1)]
    assert place.pull("spend")[0] == 2
    assert sources.listed(place.workspace, {})[0]["cursor"] == "2026-03-20"


def test_a_row_without_a_cursor_is_one_reject_for_ever(place):
    place.define(COSTS)
    place.rows = [day(19, 1), {"date": None, "channel": "Ads", "cost": "5"}, day(18, 1)]
    assert place.pull("spend")[3] > 0
    place.pull("spend")
    with sqlite3.connect(place.workspace.dir / "state.db") as state:
        assert state.execute("select reason from reject").fetchall() == [("bad_cursor",)]


def test_a_bad_row_is_kept_once_however_often_it_is_pulled(place):
    place.define({**COSTS, "look_back_days": 30})
    place.rows = [day(19, "much"), day(18, 1), day(17, "much")]
    for at in range(3):
        place.rows = place.rows[at:] + place.rows[:at]
        assert place.pull("spend")[3] == 2
    with sqlite3.connect(place.workspace.dir / "state.db") as state:
        assert state.execute("select count(*) from reject").fetchone() == (2,)


def change(deal, number, stage):
    return {"deal": deal, "changed_at": f"2026-03-{number:02}T10:00:00Z", "stage": stage,
            "owner": "u1", "amount": number}  # fmt: skip


changes = st.lists(
    st.tuples(st.sampled_from("AB"), st.integers(10, 19), st.sampled_from(["won", "lost"])),
    min_size=5,
    max_size=9,
).map(lambda found: [change(*one) for one in found])


@settings(max_examples=3, deadline=None)
@given(changes, st.lists(st.integers(2, 4), min_size=2, max_size=2), st.integers(0, 9))
def test_any_slicing_gives_the_same_lake(tmp_path_factory, rows, slices, back):
    """Deals whose whole history the source tells, pulled whole or in any slices, again and again,
    also from the middle.
    """
    told = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now_us", lambda: NOW)
        patch.setattr(pull, "fetching", at_once)
        patch.setattr(table, "table_rows", lambda *_: iter([dict(row) for row in rows]))
        for lengths in ([366], slices):
            place = Place(tmp_path_factory.mktemp("p") / "w")
            for number, length in enumerate(lengths):
                place.define({**DEALS, "backfill_from": dt.date(2026, 3, 10), "slice_days": length,
                              "look_back_days": back})  # fmt: skip
                place.pull("crm", **({"from": f"2026-03-{10 + length}"} if number else {}))
            found = place.lake("conversions", "conversion_id", "stage", "amount", "occurred_us")
            told.append(found)
            place.close()
    assert told[0] == told[1]


def test_newest_first_is_put_right(place):
    place.define(DEALS)
    place.rows = [change("A", 3, "won"), change("A", 2, "offer"), change("A", 1, "new")]
    assert place.pull("crm") == (1, 0, 2, 0)
    assert place.lake("conversions", "stage") == [("new",), ("offer",), ("won",)]


def test_what_is_mapped_inside_others_is_lifted_out(place):
    place.define(
        {
            **DEALS,
            "yields": "events",
            "columns": {"user_id": "who.id", "occurred_at": "at.time"},
            "cursor": "at.time",
            "constants": {"name": "Call"},
        }
    )
    place.rows = [
        {"who": {"id": "u1", "team": "x"}, "at": {"time": "2026-03-01T00:00:00Z"}, "n": 1}
    ]
    assert place.pull("crm")[0] == 1
    (row,) = place.lake("events", "name", "properties")
    assert row[0] == "Call"
    assert json.loads(row[1])["who"] == {"team": "x"}
    assert "u1" not in row[1]


def test_a_killed_run_is_told_and_costs_nothing(place, monkeypatch):
    place.define({**COSTS, "slice_days": 5})
    place.rows = [day(n, n) for n in range(1, 20)]
    real, calls = runs.set_cursor, []

    def killed(*args):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(*args)

    monkeypatch.setattr(runs, "set_cursor", killed)
    with pytest.raises(KeyboardInterrupt):
        place.pull("spend")
    monkeypatch.setattr(runs, "set_cursor", real)
    assert sources.listed(place.workspace, {})[0]["status"] == "interrupted"
    assert place.pull("spend") == (9, 5, 0, 0)
    assert len(in_force(place)) == 19
    last, first = sources.logged(place.workspace, {"source": "spend"})
    assert (first["error"]["code"], last["error"]) == ("run_interrupted", None)


KILLED = """
    import contextlib, os, sys
    from touchline import clock
    from touchline.collect.connectors import table
    from touchline.collect.connectors.extract import extract
    from touchline.jobs.imports import pull, runs
    from touchline.jobs.access import writing
    from pathlib import Path
    pull.fetching = lambda _: contextlib.nullcontext(extract)
    clock.now_us = lambda: {now}
    table.table_rows = lambda *_: iter({rows!r})
    assert "dlt" not in sys.modules  # slow to import: only the process that pulls does
    runs.set_cursor = lambda *_: os.kill(os.getpid(), 9)
    writing(Path({folder!r}), "pull", {{"source": "crm"}}, lambda _: None)
"""


def test_kill_9_between_rows_and_cursor_neither_loses_nor_doubles(tmp_path, monkeypatch, here):
    place = Place(tmp_path / "w")
    place.rows = [change("A", 1, "new"), change("B", 1, "new"), change("A", 9, "won")]
    monkeypatch.setattr(table, "table_rows", lambda *_: iter([dict(row) for row in place.rows]))
    place.define({**DEALS, "backfill_from": dt.date(2026, 3, 1)})
    place.close()
    script = KILLED.format(now=NOW, rows=place.rows, folder=str(tmp_path / "w"))
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert done.returncode == -9
    workspace = Workspace.open(tmp_path / "w")
    with workspace.write_lock():
        writer = Writer(workspace)
        found = run_here(writer, "pull", {"source": "crm"}, lambda _: None)
        assert (found["stored"], found["duplicate"], found["updated"]) == (0, 2, 1)
        with workspace.view("conversions") as view:
            rows = view.fetch(view.table("conversions").order_by("seq")).to_pylist()
    workspace.close()
    assert [(r["conversion_id"], r["stage"]) for r in rows] == [("A", "new"), ("B", "new"),
                                                                 ("A", "won")]  # fmt: skip


def test_files_of_a_folder_are_read_when_new_or_changed(tmp_path, monkeypatch, here):
    exports = tmp_path / "exports"
    exports.mkdir()
    monkeypatch.setenv("TOUCHLINE_REACH", str(exports))
    place = Place(tmp_path / "w")
    place.define(
        {
            "name": "agency",
            "kind": "filesystem",
            "yields": "costs",
            "folder": str(exports),
            "files": "*.*",
        }
    )
    from touchline.collect.connectors import folder as folders

    def listed(_source, reach):
        for path in sorted(exports.iterdir()):
            assert reach.holds_path(path)
            about = path.stat()
            yield {"path": str(path), "size": about.st_size, "changed_ns": about.st_mtime_ns}

    monkeypatch.setattr(folders, "folder_files", listed)
    (exports / "a.csv").write_text("日期,渠道,消耗\n2026-03-01,百度,5\n")
    (exports / "b.jsonl").write_text('{"date": "2026-03-02", "channel": "百度", "cost": 7}\n')
    (exports / "broken.csv").write_bytes(b"%PDF-1.7")
    with pytest.raises(BadInput) as told:
        place.pull("agency")
    assert told.value.code == "file_unreadable"
    assert in_force(place) == [("2026-03-01", "百度", 500), ("2026-03-02", "百度", 700)]
    (exports / "broken.csv").unlink()
    assert place.pull("agency") == (0, 0, 0, 0)
    (exports / "a.csv").write_text("日期,渠道,消耗\n2026-03-01,百度,5.50\n")
    assert place.pull("agency") == (0, 0, 1, 0)
    assert in_force(place)[0] == ("2026-03-01", "百度", 550)
    assert place.pull("agency", **{"from": "2020-01-01"}) == (0, 2, 0, 0)
    place.close()


def test_a_failure_is_told_in_words_in_the_list_and_by_the_doctor(place, monkeypatch):
    def away(*_):
        raise Unavailable("source_away", name="spend", why="HTTP 503")

    monkeypatch.setattr(table, "table_rows", away)
    place.define(COSTS)
    with pytest.raises(Unavailable):
        place.pull("spend")
    (shown,) = sources.listed(place.workspace, {"language": "zh"})
    assert shown["status"] == "failed"
    assert "没有响应" in shown["last_run"]["error"]["text"]
    (finding,) = examine(place.workspace)["findings"]
    assert (finding["check"], finding["where"]) == ("source", "spend")
    assert "HTTP 503" in finding["what"]


def test_a_column_that_is_gone_is_named(place):
    place.define({**COSTS, "columns": {"cost": "amount"}})
    place.rows = [{"date": "2026-03-01", "channel": "Ads", "spend": "1"}]
    with pytest.raises(BadInput, match=r"no column for cost .* date, channel, spend"):
        place.pull("spend")
    assert not (place.workspace.dir / pull.SPOOL).exists()


def test_rows_of_a_slice_do_not_depend_on_its_columns(place):
    """Column names are never guessed: 平台 stays what it is, with 渠道 beside it or without."""
    place.define({**DEALS, "yields": "people", "cursor": None, "columns": {}})
    place.rows = [{"user_id": "u1", "平台": "x"}]
    place.pull("crm")
    place.rows = [{"user_id": "u1", "平台": "x"}, {"user_id": "u2", "mobile no": "13800138000"}]
    assert place.pull("crm") == (1, 1, 0, 0)


def test_secrets_are_sealed_and_shown_nowhere(place, monkeypatch):
    seen = []
    monkeypatch.setattr(table, "table_rows", lambda source, *_: iter(seen.append(source) or []))
    document = {**COSTS, "url": "postgresql://reader@db.shop/x", "password": "secret:shop"}
    with pytest.raises(BadInput) as told:
        place.define(document)
    assert told.value.code == "source_secret_missing"
    place.define(document, secrets={"shop": "s3cr3t-word"})
    place.pull("spend")
    assert seen[0].password == "s3cr3t-word"
    assert "s3cr3t" not in definitions.dump(place.workspace)
    assert "s3cr3t" not in repr(sources.listed(place.workspace, {}))
    state = (place.workspace.dir / "state.db").read_bytes()
    assert b"s3cr3t" not in state
    monkeypatch.setenv("TOUCHLINE_SOURCE_DB", "of-env")
    place.define({**document, "password": "env:TOUCHLINE_SOURCE_DB"})
    place.pull("spend")
    assert seen[-1].password == "of-env"
    assert place.workspace.state.url


def test_a_cancelled_run_ends_at_its_next_step(place):
    place.define(COSTS)
    place.rows = [day(19, 1)]
    state = place.workspace.state
    number = job.submit(state, "pull", {"source": "spend"})

    def run(args, progress):
        assert job.cancel(state, number) == {"job": number, "is_cancelled": True}
        progress(0.5)

    assert job.run_next(state, {"pull": run})
    with pytest.raises(BadInput, match="cancelled"):
        job.told(state, number)
    again = job.submit(state, "pull", {"source": "spend"})
    assert job.cancel(state, again)["is_cancelled"]
    assert not job.run_next(state, {"pull": run})
    assert job.cancel(state, again)["is_cancelled"] is False
    with pytest.raises(NotFound):
        job.cancel(state, 99)


def test_a_line_that_is_no_schedule_is_refused_when_it_is_written(place):
    with pytest.raises(BadInput, match="minute"):
        place.define({**COSTS, "schedule": "61 * * * *"})
    place.define({**COSTS, "schedule": "15 6 * * *"})
    (line,) = sources.schedules(place.workspace)
    assert line[:2] == ("source:spend", "15 6 * * *")


def test_removed_it_is_forgotten_and_what_it_brought_stays(place):
    place.define(COSTS)
    place.rows = [day(19, 1)]
    place.pull("spend")
    sources.remove(place.workspace, "spend", "test")
    assert sources.listed(place.workspace, {}) == []
    with pytest.raises(NotFound):
        place.pull("spend")
    place.define(COSTS)
    assert place.cursor("spend") is None
    assert place.pull("spend") == (0, 1, 0, 0)


def test_a_preview_stores_nothing(place):
    place.define(COSTS)
    place.rows = [day(19, 1), day(20, "x"), {**day(20, 2), "extra": 1}]
    before = place.versions()
    found = pull.preview(place.workspace, "spend")
    assert (found["read"], found["reasons"]) == (3, {"bad_amount": 1})
    assert {c["column"]: c["how"] for c in found["columns"]}["extra"] == "unused"
    assert place.versions() == before
    assert not list(place.workspace.dir.glob("pull*"))
