"""Bugs put into storage on purpose: the simulator has to find each of them, and soon."""

import itertools
import os

from crash.machine import Machine
from crash.simulator import FailedError, Story
from touchline.jobs.intake.store import EventStore
from touchline.jobs.intake.writer import Writer
from touchline.storage import dedup, log, sorted_run, state
from touchline.storage import table as table_module
from touchline.storage.frames import end_offset
from touchline.storage.lake import SETTLED, Lake
from touchline.storage.log import Tail
from touchline.storage.sorted_run import merged
from touchline.storage.table import Table

FORKS = 60


def hunt(*plan, way, failing=0, **options):
    """What the simulator has to say of crashes in the last step."""
    forks = 0
    with Machine().running() as machine:
        for seed in itertools.count(1):
            last = len(plan) - 1
            story = Story(
                machine,
                seed,
                plan=plan,
                ways=[way],
                failing=failing,
                first_step=last,
                **{"again": 0} | options,
            )
            try:
                story.run()
            except FailedError as error:
                print(f"{forks + story.forks} crashes: {error}")
                return str(error)
            forks += story.forks
            assert forks <= FORKS, "not found"
    raise AssertionError


class Without:
    """A disk that is not told to do something."""

    def __init__(self, disk, **instead):
        self._disk = disk
        self.__dict__.update(instead)

    def __getattr__(self, name):
        return getattr(self._disk, name)


def on_disk(monkeypatch, change):
    recover = Tail.recover.__func__
    monkeypatch.setattr(
        Tail,
        "recover",
        classmethod(lambda cls, folder, floor, disk: recover(cls, folder, floor, change(disk))),
    )


def test_an_answer_before_the_sync_is_found(monkeypatch):
    on_disk(monkeypatch, lambda disk: Without(disk, write=os.write))
    assert "given twice" in hunt("send", way="lost")


def test_a_segment_whose_name_is_not_synced_is_found(monkeypatch):
    monkeypatch.setattr(log, "sync", lambda path, disk: None)
    assert "given twice" in hunt("send", way="lost")


def test_a_failed_sync_that_is_tried_again_is_found(monkeypatch):
    def write(fd, data):
        written = os.write(fd, data)
        try:
            os.fdatasync(fd)
        except OSError:
            os.fdatasync(fd)
        return written

    on_disk(monkeypatch, lambda disk: Without(disk, write=write))
    assert hunt("send", "send", "send", way="lost", failing=150)


def test_a_commit_whose_name_is_not_synced_is_found(monkeypatch):
    monkeypatch.setattr(Table, "sync", lambda self: None)
    said = hunt("send", "commit", way="lost")
    assert "went back" in said or "gone" in said


def test_a_commit_named_before_its_bytes_are_synced_is_found(monkeypatch):
    real = table_module.sync
    monkeypatch.setattr(
        table_module, "sync", lambda path: None if path.suffix == ".json" else real(path)
    )
    assert hunt("send", "commit", way="torn")


def test_a_checkpoint_that_delta_writes_into_the_log_itself_is_found(monkeypatch):
    monkeypatch.setattr(
        Table,
        "_checkpoint",
        lambda self, version: table_module.DeltaTable(str(self.root)).create_checkpoint(),
    )
    assert hunt(*("send", "commit") * 4, way="torn")


def test_rows_that_are_not_synced_before_the_log_is_dropped_are_found(monkeypatch):
    monkeypatch.setattr(table_module, "sync_all", lambda paths, root: None)
    assert hunt("send", "commit", "drop", way="lost")


def test_a_log_that_is_dropped_before_it_is_committed_is_found(monkeypatch):
    monkeypatch.setattr(
        Writer,
        "drop_log",
        lambda self, older_us: log.drop(
            self.workspace.dir, end_offset(self.workspace.dir), older_us
        ),
    )
    assert "answered and lost" in hunt("send", "send", "send", "send", "drop", way="kill")


def test_state_written_before_the_lake_is_found(monkeypatch):
    to_lake, to_state = EventStore._to_lake, EventStore._to_state
    given = []

    def later(self, *args):
        given.append(args)

    def first(self, *args):
        # Arrival numbers are those of before: the lake's are counted from them.
        last = self.last_seq
        tally = to_state(self, *args)
        now, self.last_seq = self.last_seq, last
        if given:
            to_lake(self, *given.pop())
        self.last_seq = now
        return tally

    monkeypatch.setattr(EventStore, "_to_lake", later)
    monkeypatch.setattr(EventStore, "_to_state", first)
    assert "BrokenError" in hunt("send", "commit", way="kill")


def test_a_writer_that_does_not_bring_state_up_to_the_lake_is_found(monkeypatch):
    monkeypatch.setattr(Writer, "_recover", lambda self: None)
    assert "BrokenError" in hunt("send", "commit", way="kill")


def test_state_that_follows_what_a_power_cut_may_take_back_is_found(monkeypatch):
    """Killed between a commit's name and its sync; the power goes when State has followed."""
    monkeypatch.setattr(Lake, "sync", lambda self: None)
    soon = {"again": 1, "again_ways": ["lost"], "again_within": 20}
    assert hunt("send", "commit", way="kill", **soon)


def test_a_state_that_does_not_sync_its_commits_is_found(monkeypatch):
    def normal(connection, record):
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    monkeypatch.setattr(state, "_pragmas", normal)
    said = hunt("send", "commit", way="lost")
    assert "went back" in said or "gone" in said


def test_rows_that_leave_before_they_have_arrived_are_found(monkeypatch):
    commit = Table.commit

    def hasty(self, rows, *, remove=(), offsets=None):
        if offsets and SETTLED in offsets:
            fresh = Table(self.root.with_name("fresh"), self.schema)
            held = fresh.snapshot().last_seq.items()
            gone = [path for path, seq in held if seq and seq <= offsets[SETTLED]]
            commit(fresh, None, remove=gone)
        commit(self, rows, remove=remove, offsets=offsets)

    monkeypatch.setattr(Table, "commit", hasty)
    assert "gone" in hunt("send", "commit", "settle", way="kill")


def test_a_run_of_ids_that_is_not_synced_is_found(monkeypatch):
    monkeypatch.setattr(sorted_run, "os", Without(os, fsync=lambda fd: None))
    assert "the index knows" in hunt("send", "commit", "send", "commit", way="torn")


def test_ids_that_are_forgotten_when_runs_are_merged_are_found(monkeypatch):
    monkeypatch.setattr(dedup, "merged", lambda runs: merged(runs[1:]))
    assert "the index knows" in hunt("send", "commit", "send", "commit", way="kill")
