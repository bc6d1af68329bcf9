"""The customer's folder on disk: batches for the collector and CSV files, written as they come.

Files grow block by block, so a world of a million people never stands in memory. A batch is one
line of at most 500 events; now and then its tail is delivered again, as a client does when the
answer got lost.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from touchline.demo.pages import Calls
from touchline.demo.season import SHANGHAI_MS, Ints
from touchline.demo.visits import SITES

__all__ = ["BATCH", "SOURCES", "Folder"]

# The write key's name each site sends under.
SOURCES = {
    "h5": "website",
    "pc": "website",
    "pro": "website",
    "mini": "miniprogram",
    "intl": "intl",
}
LIBRARIES = {"website": "clarisle-web", "miniprogram": "clarisle-mini", "intl": "clarisle-web"}
BATCH = 480
RESENT, TAIL = 0.08, 20


class Folder:
    """Open files of one output folder. Use as a context manager."""

    def __init__(self, out: Path, begins_ms: int) -> None:
        self.out = out
        self.first_month = _months(np.array([begins_ms]))[0]
        self.web: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()
        self.batches = 0
        self.duplicates = 0
        self._files: dict[str, IO[str]] = {}
        self._tables: dict[str, Any] = {}
        (out / "web").mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def calls(self, made: Calls, site: Ints, rng: np.random.Generator) -> None:
        """Calls at these sites, as batches by source and month, in order of time."""
        order = np.argsort(made.ms, kind="stable")
        # Clocks that were reset count from 2020: what they send goes with the oldest file.
        months = np.maximum(_months(made.ms), self.first_month)
        names = np.array([SOURCES[name] for name in SITES])
        for source in sorted(set(names.tolist())):
            is_here = (names[site] == source)[order]
            rows = order[is_here]
            month = months[rows]
            for each in np.unique(month):
                at = rows[month == each].tolist()
                self._batches(source, f"{source}-{each}", [made.text[n] for n in at], rng)

    def late(self, made: Calls, site: Ints, sent: list[str]) -> None:
        """Calls of phones that were offline: every one says when it is sent, by its own clock."""
        for number, name in enumerate(SITES):
            rows = np.flatnonzero(site == number).tolist()
            texts = [f'{{"sentAt":"{sent[n]}",{made.text[n][1:]}' for n in rows]
            self._batches(SOURCES[name], f"{SOURCES[name]}-late-phones", texts, None)

    def _batches(
        self, source: str, name: str, texts: list[str], rng: np.random.Generator | None
    ) -> None:
        for start in range(0, len(texts), BATCH):
            batch = texts[start : start + BATCH]
            self._batch(source, name, batch)
            self.web[source] += len(batch)
            if rng is not None and rng.random() < RESENT:
                self._batch(source, name, batch[-TAIL:])
                self.duplicates += len(batch[-TAIL:])

    def _batch(self, source: str, name: str, texts: list[str]) -> None:
        about = f'"context":{{"library":{{"name":"{LIBRARIES[source]}","version":"2.3.0"}}}}'
        self._open(f"web/{name}.jsonl").write(f'{{"batch":[{",".join(texts)}],{about}}}\n')
        self.batches += 1

    def table(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Append rows to a CSV file; the first call writes its header."""
        if name not in self._tables:
            self._tables[name] = csv.writer(self._open(name), lineterminator="\n")
            self._tables[name].writerow(columns)
        writer, count = self._tables[name], 0
        for row in rows:
            writer.writerow(row)
            count += 1
        self.rows[name] += count

    def _open(self, name: str) -> IO[str]:
        if name not in self._files:
            self._files[name] = (self.out / name).open("w", encoding="utf-8", newline="")
        return self._files[name]


def _months(ms: Ints) -> NDArray[np.datetime64]:
    """The local month of each moment."""
    return (ms + SHANGHAI_MS).astype("datetime64[ms]").astype("datetime64[M]")
