"""What this machine does at best, printed beside every benchmark: a Parquet scan, bare fdatasync.

A ratio travels from machine to machine; seconds do not. These two lines say what the seconds of a
run are worth.
"""

import os
import tempfile
import time
from pathlib import Path

import duckdb

BLOCK = b"\0" * 4096


def scan_rate(parquet: Path, *, rounds: int = 3) -> float:
    """Rows a second when DuckDB sums two columns of a file on all cores."""
    best = float("inf")
    rows = 0
    with duckdb.connect() as connection:
        for _ in range(rounds):
            started = time.perf_counter()
            query = f"SELECT count(*), sum(person_ix), sum(ts_us) FROM '{parquet}'"
            rows = connection.sql(query).fetchall()[0][0]
            best = min(best, time.perf_counter() - started)
    return rows / best


def fdatasync_rate(folder: Path | None = None, *, seconds: float = 1) -> float:
    """Synced appends of 4 KiB a second, one after the other."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        done, started = 0, time.perf_counter()
        while time.perf_counter() - started < seconds:
            os.write(file.fileno(), BLOCK)
            os.fdatasync(file.fileno())
            done += 1
        return done / (time.perf_counter() - started)


def peak_mib() -> float:
    """The most memory this process has held (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def describe(parquet: Path) -> str:
    return (
        f"machine: {os.cpu_count()} cores, reference scan {scan_rate(parquet) / 1e6:,.0f} M rows/s,"
        f" fdatasync {fdatasync_rate(parquet.parent):,.0f}/s, load {os.getloadavg()[0]:.1f}"
    )
