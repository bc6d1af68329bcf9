"""The index of ids: whatever became of its files, it holds what the lake does up to a number."""

import errno
from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.storage import dedup, sorted_run
from touchline.storage.dedup import DedupIndex


def key(n):
    return (n * 0x9E3779B97F4A7C15 % 2**128).to_bytes(16)


def content(n):
    return (n + 7).to_bytes(16)


def pairs(numbers):
    return {key(n): content(n) for n in numbers}


class Rows:
    """What an index asks of a lake that holds rows 1 to `last`; each kind of asking is counted."""

    def __init__(self, last):
        self.last = last
        self.read = 0

    def arrived(self, columns, after, upto):
        assert columns == ("event_id", "content_hash")
        for start in range(after + 1, min(upto, self.last) + 1, 3):
            numbers = range(start, min(start + 3, upto + 1, self.last + 1))
            self.read += len(numbers)
            yield pa.table(
                {
                    "event_id": [key(n) for n in numbers],
                    "content_hash": [content(n) for n in numbers],
                }
            )


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(dedup, "YOUNG", 4)
    monkeypatch.setattr(dedup, "FAN_IN", 2)
    monkeypatch.setattr(dedup, "WINDOW", 10)


def filled(folder, count, step=1):
    index = DedupIndex(folder, Rows(0), 0)
    for start in range(1, count + 1, step):
        last = min(start + step - 1, count)
        index.add(pairs(range(start, last + 1)), last)
    return index


def assert_holds(index, last):
    assert len(index) == last
    assert index.hashes(map(key, range(-3, last + 4))) == pairs(range(1, last + 1))


@given(st.integers(0, 120), st.integers(1, 9), st.integers(0, 120))
def test_it_holds_every_row_up_to_its_number_and_none_beyond(tmp_path_factory, count, step, upto):
    folder = tmp_path_factory.mktemp("dedup")
    assert_holds(filled(folder, count, step), count)
    rows = Rows(max(count, upto))
    again = DedupIndex(folder, rows, upto)  # State may have been put back, or be ahead
    assert_holds(again, upto)
    again.add(pairs([upto + 1]), upto + 1)
    assert_holds(again, upto + 1)


def test_few_runs_are_left_and_only_what_is_young_is_learnt_again(tmp_path):
    filled(tmp_path, 1000)
    assert len(list(tmp_path.iterdir())) < 70  # the largest have 4 * 2**3 entries
    rows = Rows(1000)
    DedupIndex(tmp_path, rows, 1000)
    assert rows.read < 4


def test_a_lost_or_damaged_file_is_learnt_anew_with_all_that_came_later(tmp_path):
    for spoil in (lambda path: path.unlink(), lambda path: path.write_bytes(b"short")):
        filled(tmp_path, 60)
        spoil(min(tmp_path.iterdir()))
        rows = Rows(60)
        assert_holds(DedupIndex(tmp_path, rows, 60), 60)
        assert rows.read == 60
        assert_holds(DedupIndex(tmp_path, Rows(0), 60 - 60 % 4), 60 - 60 % 4)


def test_parts_beside_their_whole_and_unfinished_files_are_taken_away(tmp_path):
    kept = {path.name: path.read_bytes() for n in (4, 8) for path in _files(tmp_path, n)}
    for name, data in kept.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "00000000000000000008-00000000000000000012.part").write_bytes(b"half")
    assert_holds(DedupIndex(tmp_path, Rows(0), 8), 8)
    assert [path.stem[-2:] for path in tmp_path.iterdir()] == ["08"]


def _files(folder, count):
    filled(folder, count)
    return list(folder.iterdir())


def test_what_a_full_disk_has_no_room_for_stays_known_and_is_written_later(tmp_path, monkeypatch):
    index = filled(tmp_path, 3)

    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(sorted_run, "os", SimpleNamespace(**vars(sorted_run.os) | {"write": full}))
        for n in range(4, 9):
            index.add(pairs([n]), n)
        assert_holds(index, 8)
        assert_holds(DedupIndex(tmp_path, Rows(8), 8), 8)
    index.add(pairs([9]), 9)
    assert_holds(index, 9)
    assert_holds(DedupIndex(tmp_path, Rows(0), 9), 9)


def test_it_is_made_anew_when_asked(tmp_path):
    index = filled(tmp_path, 30)
    index._lake = Rows(30)
    index._young.clear()
    index.renew()
    assert_holds(index, 30)
