"""What it costs to ask of each event whether it is stored, and to learn all ids from the lake anew.

python bench/dedup.py [EVENTS]     default 4,000,000, all new, in batches of 5,000
"""

import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from touchline.storage.dedup import DedupIndex

BATCH = 5_000
REPORT = 2_000_000


class Lake:
    """What an index asks of a lake, with ids made as they are read."""

    def arrived(self, columns: Sequence[str], after: int, upto: int) -> Iterator[pa.Table]:
        for start in range(after, upto, 100_000):
            ids = made(min(100_000, upto - start))
            yield pa.table(dict.fromkeys(columns, ids))


def made(count: int) -> list[bytes]:
    data = os.urandom(16 * count)
    return [data[at : at + 16] for at in range(0, len(data), 16)]


def main() -> int:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 4_000_000
    lake: Any = Lake()
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        index = DedupIndex(Path(name) / "dedup", lake, 0)
        cpu, longest = time.process_time(), 0.0
        for last in range(BATCH, events + 1, BATCH):
            ids, started = made(BATCH), time.perf_counter()
            held = index.hashes(ids)
            index.add(dict.fromkeys(ids, bytes(16)), last)
            longest = max(longest, time.perf_counter() - started)
            assert not held
            if last % REPORT == 0:
                spent, cpu = time.process_time() - cpu, time.process_time()
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
                print(
                    f"{last:,} events: {spent / REPORT * 1e6:.1f} us of CPU an event,"
                    f" longest batch {longest:.2f} s, peak {peak:,} MiB with mapped pages"
                )
                longest = 0.0
        started = time.perf_counter()
        DedupIndex(Path(name) / "anew", lake, events)
        print(f"learnt anew in {time.perf_counter() - started:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
