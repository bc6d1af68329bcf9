"""Which events are stored, and with what content: an index of the lake, for ever and exact.

It speaks of the rows up to one arrival number. Young ids are in a dict; beyond some number of them
they become a sorted run on disk, and a few runs of one size become a larger one, so that there are
few to look into: of 100 M events 11 runs of 8 M, and at most 9 smaller ones.

All of it can be learnt anew from the lake. So a file that is missing, damaged, or ahead of State
(of which an older copy was put back) is simply not used, and a crash costs nothing.
"""

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from touchline.storage.disk import make_folder
from touchline.storage.lake import Lake
from touchline.storage.sorted_run import Entries, SortedRun, merged, write_run

__all__ = ["DedupIndex"]

YOUNG = 1 << 17
FAN_IN = 4
LEVELS = 3  # the largest runs have some YOUNG * FAN_IN**LEVELS entries
KEY = ("event_id", "content_hash")
WINDOW = 1 << 20  # arrival numbers that are learnt at once


class DedupIndex:
    """Of the rows of `lake` that arrived up to `upto`. One per process, in the write lock."""

    def __init__(self, folder: Path, lake: Lake, upto: int) -> None:
        self.folder = folder
        self._lake = lake
        self._young: dict[bytes, bytes] = {}
        self._runs: list[SortedRun] = []
        self._in_runs = 0  # the last arrival number that runs speak of
        self._upto = 0
        make_folder(folder)
        self._open_runs(upto)
        self._learn(upto)

    def __len__(self) -> int:
        return len(self._young) + sum(map(len, self._runs))

    def hashes(self, ids: Iterable[bytes]) -> dict[bytes, bytes]:
        """event_id → content_hash of those that are stored."""
        asked = set(ids)
        held = {event_id: self._young[event_id] for event_id in asked & self._young.keys()}
        rest = sorted(asked - held.keys())
        entries = Entries.of(rest)
        for run in self._runs if rest else ():
            places = run.find(entries)
            found = np.flatnonzero(places >= 0)
            for i, row in zip(found, run.hashes_at(places[found]), strict=True):
                held[rest[i]] = row.tobytes()
        return held

    def add(self, keys: Mapping[bytes, bytes], upto: int) -> None:
        """The rows that came next, event_id → content_hash, and the last of their numbers."""
        self._young.update(keys)
        self._upto = upto
        if len(self._young) >= YOUNG:
            self._to_disk(Entries.of(()))

    def renew(self) -> None:
        """Forgets everything and learns it anew."""
        for run in self._runs:
            run.path.unlink(missing_ok=True)
        self._young, self._runs, self._in_runs = {}, [], 0
        self._learn(self._upto)

    def _open_runs(self, upto: int) -> None:
        """Those that follow each other from the first row on; a whole is taken before its parts."""
        files = set(self.folder.iterdir())
        spans = [(*_span(path), path) for path in files if path.suffix == ".run"]
        for after, last, path in sorted(spans, key=lambda span: (span[0], -span[1])):
            if after == self._in_runs and last <= upto:
                with contextlib.suppress(OSError, ValueError):
                    self._runs.append(SortedRun(path))
                    self._in_runs = last
        for path in files - {run.path for run in self._runs}:
            path.unlink()

    def _learn(self, upto: int) -> None:
        """From the lake, what runs do not tell; as much at a time as memory allows."""
        self._upto = self._in_runs
        while self._upto < upto:
            last = min(self._upto + WINDOW, upto)
            parts = self._lake.arrived(KEY, self._upto, last)
            rows = [Entries.of(*(part[name].to_pylist() for name in KEY)) for part in parts]
            found = Entries.joined([Entries.of(()), *rows])
            self._upto = last
            if len(self._young) + len(found) >= YOUNG:
                self._to_disk(found)
            else:
                self._young.update(found.pairs())

    def _to_disk(self, found: Entries) -> None:
        """Young ids and those found become a run. What a full disk has no room for stays in
        memory, and is tried again with the next.
        """
        young = Entries.of(self._young.keys(), self._young.values())
        entries = Entries.joined([young, found])
        try:
            run = write_run(self._named(self._in_runs), len(entries), [entries.in_order()])
        except OSError:
            self._young.update(found.pairs())
            return
        self._runs.append(run)
        self._in_runs, self._young = self._upto, {}
        with contextlib.suppress(OSError):
            self._merge()

    def _merge(self) -> None:
        """The last runs become one, as long as there are enough of one size."""
        while len(last := self._runs[-FAN_IN:]) == FAN_IN:
            levels = {_level(len(run)) for run in last}
            if len(levels) > 1 or levels == {LEVELS}:
                return
            after, _ = _span(last[0].path)
            self._runs[-FAN_IN:] = [write_run(self._named(after), *merged(last))]
            for run in last:
                run.path.unlink()

    def _named(self, after: int) -> Path:
        return self.folder / f"{after:020d}-{self._upto:020d}.run"


def _span(path: Path) -> tuple[int, int]:
    """Rows beyond the first number, up to the last."""
    after, _, last = path.stem.partition("-")
    return int(after), int(last)


def _level(count: int) -> int:
    level = 0
    while count >= YOUNG * FAN_IN:
        count, level = count // FAN_IN, level + 1
    return level
