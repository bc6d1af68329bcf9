"""Commits of one Delta table: all or nothing, on disk, with their offsets."""

import datetime as dt
import errno
import os
import time

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from touchline.errors import Unavailable
from touchline.storage import disk
from touchline.storage import table as table_module
from touchline.storage.table import Table, day_of

SCHEMA = pa.schema([("seq", pa.int64()), ("name", pa.string())])
DAYS = pa.schema([("seq", pa.int64()), ("local_day", pa.date32())])
MARCH = dt.date(2026, 3, 1)


@pytest.fixture
def table(tmp_path):
    made = Table(tmp_path / "t", SCHEMA)
    made.create()
    return made


def rows(*numbers):
    return pa.table({"seq": list(numbers), "name": [str(n) for n in numbers]}, schema=SCHEMA)


def held(table):
    return sorted(DeltaTable(str(table.root)).to_pyarrow_dataset().to_table()["seq"].to_pylist())


def files(table):
    return {path for path in table.root.rglob("*.parquet") if "_delta_log" not in path.parts}


def test_rows_and_offsets_are_committed_together(table):
    assert table.snapshot().offset("seq") == 0
    table.commit(rows(1, 2), offsets={"seq": 2, "log": 70})
    found = table.snapshot()
    assert (found.rows, found.offset("seq"), found.offset("log")) == (2, 2, 70)
    assert held(table) == [1, 2]
    assert list(found.last_seq.values()) == [2]


def test_offsets_move_without_rows_and_nothing_is_no_commit(table):
    table.commit(None, offsets={"log": 5})
    table.commit(rows(), offsets={"log": 6})
    assert table.snapshot().offset("log") == 6
    version = table.snapshot().version
    table.commit(None)
    table.commit(rows())
    assert table.snapshot().version == version


def test_files_go_and_come_in_one_commit(table):
    table.commit(rows(1, 2))
    before = table.snapshot()
    table.commit(rows(3), remove=before.files, offsets={"seq": 3})
    assert held(table) == [3]
    assert table.snapshot().version == before.version + 1


def test_rows_of_several_days_are_a_folder_a_day(tmp_path):
    table = Table(tmp_path / "t", DAYS, "local_day")
    table.create()
    days = [MARCH, MARCH, MARCH + dt.timedelta(days=1)]
    table.commit(pa.table({"seq": [1, 2, 3], "local_day": days}, schema=DAYS))
    found = sorted(table.snapshot().files)
    assert [day_of(path) for path in found] == [MARCH, MARCH + dt.timedelta(days=1)]
    table.commit(None, remove=[found[0]])
    assert table.snapshot().files == [found[1]]


def test_creating_again_keeps_what_is_there(table):
    table.commit(rows(1), offsets={"seq": 1})
    table.create()
    assert held(table) == [1]
    assert table.snapshot().offset("seq") == 1


def test_all_is_on_disk_before_a_commit_has_its_name_and_then_the_name_is(table, monkeypatch):
    done = []
    real_sync, real_link = disk.sync, os.link

    def sync(path):
        done.append(("sync", path))
        real_sync(path)

    monkeypatch.setattr(disk, "sync", sync)
    monkeypatch.setattr(table_module, "sync", sync)
    table.commit(rows(1))
    monkeypatch.setattr(os, "link", lambda a, b: (done.append(("link", b)), real_link(a, b)))
    done.clear()
    table.commit(rows(2))
    (path,) = set(table.snapshot().files) & {str(path) for _, path in done}
    log, name = table.root / "_delta_log", f"{2:020d}.json"
    assert done == [
        ("sync", table.root / path),
        ("sync", table.root),
        ("sync", table.root / "_beside" / "_delta_log" / name),
        ("link", log / name),
        ("sync", log),
    ]


FULL = OSError(errno.ENOSPC, "No space left on device")
# delta-rs raises this without an errno.
FULL_IN_WORDS = OSError("Generic LocalFileSystem error: No space left on device (os error 28)")


@pytest.mark.parametrize("error", [FULL, FULL_IN_WORDS, OSError(errno.EDQUOT, "quota")])
@pytest.mark.parametrize("moment", ["writing", "syncing", "committing"])
def test_a_full_disk_leaves_nothing_and_is_said(table, monkeypatch, moment, error):
    table.commit(rows(1), offsets={"seq": 1})
    before = files(table)

    def full(*_args, **_options):
        raise error

    with monkeypatch.context() as patch:
        if moment == "writing":
            patch.setattr(table_module, "write_file", full)
        elif moment == "syncing":
            patch.setattr(table_module, "sync_all", full)
        else:
            patch.setattr(table_module.DeltaTable, "create_write_transaction", full)
        with pytest.raises(Unavailable) as caught:
            table.commit(rows(2), offsets={"seq": 2})
    assert (caught.value.code, caught.value.exit_code) == ("disk_full", 3)
    assert files(table) == before
    assert held(table) == [1]
    assert table.snapshot().offset("seq") == 1
    table.commit(rows(2), offsets={"seq": 2})
    assert held(table) == [1, 2]


def test_another_failure_of_the_disk_is_not_called_full(table, monkeypatch):
    def fail(*_args, **_options):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(table_module, "write_file", fail)
    with pytest.raises(OSError, match="Input/output"):
        table.commit(rows(1))
    assert not files(table)


@pytest.mark.parametrize("error", [FULL, OSError(errno.EIO, "Input/output error")])
def test_a_commit_whose_name_cannot_be_synced_is_taken_back_and_keeps_its_files(
    table, monkeypatch, error
):
    """A power cut may bring it back."""
    table.commit(rows(1), offsets={"seq": 1})

    def fail():
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(table, "sync", fail)
        with pytest.raises((Unavailable, OSError)) as caught:
            table.commit(rows(2), offsets={"seq": 2})
    assert isinstance(caught.value, Unavailable) == (error is FULL)
    assert held(table) == [1]
    assert len(files(table)) == 2
    table.commit(rows(3), offsets={"seq": 3})
    assert held(table) == [1, 3]


def test_what_a_killed_process_left_beside_the_log_is_not_taken_for_a_commit(table):
    table.commit(rows(1))
    beside = table.root / "_beside" / "_delta_log"
    (beside / f"{2:020d}.json").write_bytes(b'{"add":{"path":"torn')
    other = Table(table.root, SCHEMA)
    other.commit(rows(2))
    table.commit(rows(3))
    assert held(table) == [1, 2, 3]


def test_a_folder_without_a_first_commit_is_no_table_and_becomes_one(tmp_path):
    (tmp_path / "t" / "_delta_log").mkdir(parents=True)
    made = Table(tmp_path / "t", SCHEMA)
    assert not made.exists()
    made.create()
    made.commit(rows(1))
    assert held(made) == [1]


def test_a_checkpoint_that_fails_costs_nothing_but_time(table, monkeypatch):
    monkeypatch.setattr(table_module, "CHECKPOINT_EVERY", 1)

    def fail(_table):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(table_module.DeltaTable, "create_checkpoint", fail)
        table.commit(rows(1))
    table.commit(rows(2))
    assert held(table) == [1, 2]
    assert (table.root / "_delta_log" / "_last_checkpoint").exists()


def test_offsets_and_rows_outlive_checkpoints_and_cleaning(table, monkeypatch):
    monkeypatch.setattr(table_module, "CHECKPOINT_EVERY", 3)
    for n in range(1, 9):
        table.commit(rows(n), offsets={"seq": n})
    table.sweep(0)
    assert held(table) == list(range(1, 9))
    assert table.snapshot().offset("seq") == 8


def test_files_no_version_uses_are_swept_once_they_are_old_enough(table):
    table.commit(rows(1))
    (gone,) = table.snapshot().files
    long_ago = time.time() - 86_400
    os.utime(gone, (long_ago, long_ago))
    orphan = table.root / "half-written.parquet"
    orphan.write_bytes(b"")
    table.commit(rows(2), remove=[gone])
    table.sweep(3_600_000_000)
    assert len(files(table)) == 3, "a reader may still hold what was removed a moment ago"
    os.utime(orphan, (long_ago, long_ago))
    table.sweep(3_600_000_000)
    assert orphan not in files(table)
    table.sweep(0)
    assert [str(path) for path in files(table)] == table.snapshot().files
    assert held(table) == [2]


def test_old_commits_are_swept_once_a_checkpoint_holds_them(table):
    for number in range(1, table_module.CHECKPOINT_EVERY + 6):
        table.commit(rows(number), offsets={"seq": number})
    log = table.root / "_delta_log"
    table.sweep(3_600_000_000)
    assert len(list(log.glob("*.json"))) == table_module.CHECKPOINT_EVERY + 6
    yesterday = time.time() - 86_400
    for path in log.iterdir():
        os.utime(path, (yesterday, yesterday))
    table.sweep(3_600_000_000)
    assert len(list(log.glob("*.json"))) <= 7
    assert held(table) == list(range(1, table_module.CHECKPOINT_EVERY + 6))
    assert table.snapshot().offset("seq") == table_module.CHECKPOINT_EVERY + 5
    table.commit(rows(0))
    assert 0 in held(table)
