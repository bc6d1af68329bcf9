"""The whole battery from touches, and path files, beside PyPI channelattribution.

    python bench/attribution.py [--journeys 10000 100000 1000000] [--rounds 3] [--folder DIR]
    python bench/attribution.py --wide        part C alone

A  from the starting table (world.py, 12 channels): eleven models, counts and money, against the
   peer's Markov 1 alone, for which paths are first built in DuckDB from the same file.
B  from a file of aggregated paths (50 channels), reading included on both sides: first, last,
   linear and Markov 1, counts and money, against the peer's heuristics + Markov 1.

C  wide and deep, from arrays: a million journeys, up to 1,000 channels, chains of three and more
   steps, sampled Shapley. No peer does these: see docs/concepts/attribution.md.

Each side runs in a process of its own, rounds taking turns; best of the rounds. The peer gets its
paths handed over for free, and in the form that suits it best.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import duckdb

import machine
import world
from battery import gathered

PEERS = Path(os.environ.get("TOUCHLINE_PEERS", Path(__file__).parent.parent / ".venv-peers"))
BATTERY = (
    *("first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based"),
    *("markov_1", "markov_2", "markov_3", "shapley", "shapley_rate"),
)
WIDE = (  # model, channels, seconds asked for on an idle machine
    ("markov_3", 50, 10.0),
    ("shapley", 1_000, 5.0),
    ("markov_auto", 12, None),
    ("markov_4", 12, None),
    ("shapley_rate", 50, None),
)

PATHS = """
    WITH walked AS (
        SELECT person_ix, string_agg(channel, ' > ' ORDER BY ts_us, seq) AS path
        FROM read_parquet($touches) GROUP BY person_ix
    ), bought AS (
        SELECT person_ix, count(*) AS n, sum(revenue) / 100 AS money
        FROM read_parquet($conversions) GROUP BY person_ix
    )
    SELECT path, sum(coalesce(n, 0))::BIGINT AS total_conversions,
        coalesce(sum(money), 0)::DOUBLE AS total_conversion_value,
        count_if(n IS NULL)::BIGINT AS total_null
    FROM walked LEFT JOIN bought USING (person_ix) GROUP BY path
"""
PEER = """
import contextlib, io, json, sys, time
with contextlib.redirect_stdout(io.StringIO()):
    import ChannelAttribution as peer
import pandas
task, file = sys.argv[1:]
names, money = ("path", "total_conversions"), {"var_value": "total_conversion_value"}
quiet = {"flg_pro": False}
started = time.perf_counter()
rows = pandas.read_csv(file)
if task == "markov":
    started = time.perf_counter()
else:
    peer.heuristic_models(rows, *names, **money, **quiet)
peer.markov_model(rows, *names, **money, **quiet, var_null="total_null", verbose=False)
spent = time.perf_counter() - started
status = dict(line.split(":") for line in open("/proc/self/status"))
print(json.dumps([spent, int(status["VmHWM"].split()[0]) / 1024]))
"""


def connect(**config: str) -> duckdb.DuckDBPyConnection:
    db = duckdb.connect(config=config)
    db.execute("SET enable_progress_bar = false")
    return db


def battery(folder: Path) -> float:
    """Seconds from the two Parquet files to the credit of eleven models, by the product."""
    from touchline.attribution import credit

    started = time.perf_counter()
    counted, found = gathered(folder)
    answers = credit(found.journeys, BATTERY)
    spent = time.perf_counter() - started
    total = counted.column("revenue").to_numpy().sum()
    for model, answer in answers.items():
        assert abs(answer.channel_conversions.sum() - len(counted)) < 1e-6, model
        assert abs(answer.channel_revenue.sum() / total - 1) < 1e-12, model
    return spent


def path_building(folder: Path) -> float:
    """Seconds DuckDB needs to make the peer's paths; they are left in paths.csv, untimed."""
    given = {name: str(folder / f"{name}.parquet") for name in ("touches", "conversions")}
    with connect() as db:
        started = time.perf_counter()
        paths = db.sql(PATHS, params=given).to_arrow_table()
        spent = time.perf_counter() - started
        db.sql("SELECT * FROM paths ORDER BY path").write_csv(str(folder / "paths.csv"))
        assert paths.num_rows
    return spent


def path_file(folder: Path) -> float:
    """Seconds from the path file to the credit of three rules and Markov 1."""
    from touchline.attribution import credit
    from touchline.measure.path_file import read_paths

    started = time.perf_counter()
    journeys = read_paths(folder / "paths.csv")
    credit(journeys, ["first_touch", "last_touch", "linear", "markov_1"])
    return time.perf_counter() - started


def measured(task: Callable[[Path], float], folder: Path) -> tuple[float, float]:
    """Seconds and peak MiB of a task in a fresh process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_measure, task, folder).result()


def _measure(task: Callable[[Path], float], folder: Path) -> tuple[float, float]:
    seconds = task(folder)
    return seconds, machine.peak_mib()


def peer(task: str, folder: Path) -> tuple[float, float]:
    command: list[Any] = [PEERS / "bin" / "python", "-c", PEER, task, folder / "paths.csv"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    seconds, mib = json.loads(answer)
    return seconds, mib


def wide(journeys: int) -> None:
    """Seconds, clock and CPU, from arrays to the credit of every channel, one process a line."""
    print("C  arrays → credit, wide and deep")
    for model, channels, asked in WIDE:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            clock, cpu, mib = pool.submit(_wide, model, channels, journeys).result()
        target = "" if asked is None else f"   (target: {asked:.0f} s)"
        line = f"  {model:13} {channels:5} channels {journeys:10,} journeys {clock:7.2f} s"
        print(f"{line} {cpu:7.2f} s CPU {mib:6.0f} MiB{target}", flush=True)


def _wide(model: str, channels: int, count: int) -> tuple[float, float, float]:
    from touchline.attribution import credit

    journeys = drawn(count, channels)
    started, cpu = time.perf_counter(), time.process_time()
    answer = credit(journeys, [model])[model]
    spent = time.perf_counter() - started, time.process_time() - cpu
    assert abs(answer.channel_conversions.sum() - journeys.conversions.sum()) < 1e-4
    return *spent, machine.peak_mib()


def drawn(count: int, channels: int) -> Any:
    """The journeys of world.py (mix, lengths, repeats, conversions) as arrays, for any width."""
    import numpy as np

    from touchline.attribution import Journeys, Labels

    rng = np.random.default_rng((world.SEED, count, channels))
    mix = 1 / np.arange(1, channels + 1)
    length = np.minimum(rng.geometric(1 / world.MEAN_TOUCHES, count), world.MOST_TOUCHES)
    offsets = np.concatenate([[0], np.cumsum(length)])
    repeats = rng.random(offsets[-1]) < world.STICKINESS
    repeats[offsets[:-1]] = False
    channel = rng.choice(channels, offsets[-1], p=mix / mix.sum()).astype(np.uint16)
    won = (rng.random(count) < world.CONVERSION).astype(float)
    value = won * np.round(np.exp(rng.normal(10, 1, count)))
    return Journeys.from_paths(
        offsets,
        world.sticky(channel, repeats=repeats),
        Labels.of_channels(tuple(f"channel {code}" for code in range(channels))),
        counts=(won, value, 1 - won),
    )


def best(runs: list[tuple[float, float]]) -> tuple[float, float]:
    """Least seconds, most memory."""
    return min(seconds for seconds, _ in runs), max(mib for _, mib in runs)


def compare(folder: Path, rounds: int, *, from_touches: bool) -> None:
    has_peer = (PEERS / "bin" / "python").exists()
    ours, theirs, building = [], [], []
    for _ in range(rounds):
        building.append(measured(path_building, folder))
        ours.append(measured(battery if from_touches else path_file, folder))
        if has_peer:
            theirs.append(peer("markov" if from_touches else "all", folder))
    seconds, mib = best(ours)
    print(f"  {folder.name:18} touchline {seconds:7.3f} s {mib:6.0f} MiB", end="")
    if not has_peer:
        print(f"   (no peer in {PEERS}: run `make peers`)")
        return
    their_seconds, their_mib = best(theirs)
    paths = best(building)[0] if from_touches else 0.0
    total = their_seconds + paths
    parts = f" ({paths:.3f} paths + {their_seconds:.3f})" if from_touches else ""
    print(f"   channelattribution {total:7.3f} s{parts} {their_mib:6.0f} MiB", end="")
    verdict = f"{seconds / total:.2f} of the peer" if from_touches else f"{total / seconds:.1f} x"
    print(f"   → {verdict}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--journeys", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--wide", action="store_true", help="part C alone")
    given = parser.parse_args()
    if given.wide:
        wide(max(given.journeys))
        return
    base = given.folder or Path(tempfile.gettempdir()) / "touchline-bench"
    largest = world.write_world(base, journeys=max(given.journeys), channels=12)
    print(machine.describe(largest / "touches.parquet"))
    print("A  touches → eleven models; the peer: paths + Markov 1 (target: at most 1.5 of it)")
    for journeys in given.journeys:
        folder = world.write_world(base, journeys=journeys, channels=12)
        compare(folder, given.rounds, from_touches=True)
    print("B  path file → three rules + Markov 1, the peer the same (target: at least 3 x)")
    for journeys in given.journeys:
        folder = world.write_world(base, journeys=journeys, channels=50)
        compare(folder, given.rounds, from_touches=False)
    wide(max(given.journeys))


if __name__ == "__main__":
    main()
