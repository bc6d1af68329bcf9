"""The whole battery from touches in the lake, and how its time and memory grow.

    python bench/battery.py                      5 M journeys, 12 channels (target: 10 s, 2 GiB)
    python bench/battery.py --growth             100 k to 5 M journeys, 12 to 1,000 labels; with
                                                 --plot FILE also drawn, as docs show it

Five rules, Markov 1 and 2 and both Shapley values, counts and money, on the table of world.py; no
credit rows are written. The way is the product's: `journey.path.paths` on a view, `measure.gather`,
`attribution.credit`. With labels, rules, Markov 1 and the set Shapley are told: a chain of order 2
has as many states as there are pairs, and the rate Shapley is sampled above 20 channels. Each run
has a process of its own; memory is the most that it ever held.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import machine
import world

WINDOW_US = 90 * 86_400_000_000
OTHERS = 1 << 40
RULES = ("first_touch", "last_touch", "last_non_direct", "linear", "position_based")
MODELS = (*RULES, "markov_1", "markov_2", "shapley", "shapley_rate")
OF_MANY = (*RULES, "markov_1", "shapley")
JOURNEYS, LABELS = (100_000, 300_000, 1_000_000, 2_000_000, 5_000_000), (12, 50, 200, 1_000)
ENGINE_MEMORY = "1GB"


def gathered(folder: Path) -> tuple[Any, Any]:
    """Conversions and journeys of a world's two Parquet files, made as a report makes them."""
    import numpy as np

    from touchline.journey.path import paths
    from touchline.measure.gather import gather
    from touchline.settings import Settings
    from touchline.storage.engine import View

    settings = Settings(memory_limit=ENGINE_MEMORY)
    files: Any = None  # the world's files are read as they are, so the view needs no lake
    with tempfile.TemporaryDirectory() as spill, View(files, settings, spill=Path(spill)) as view:
        engine = view._connection  # noqa: SLF001  # its tables are those of a lake alone
        points = engine.read_parquet(folder / "touches.parquet")
        bought = engine.read_parquet(folder / "conversions.parquet").order_by("conversion_id")
        counted = view.fetch(bought.mutate(count=1))
        members = counted.select(["person_ix", "ts_us"])
        members = members.rename_columns(["member_ix", "converted_us"])
        members = members.append_column("conversion_ix", [np.arange(len(counted))])
        rows = paths(points, view.given(members), WINDOW_US, OTHERS)
        return counted, gather(view, points, rows, counted, ("channel",))


def battery(folder: Path, models: tuple[str, ...]) -> dict[str, float]:
    """Seconds by step, from the two Parquet files to the credit of the models."""
    from touchline.attribution import credit

    laps = {"start": time.perf_counter()}
    counted, found = gathered(folder)
    laps["journeys"] = time.perf_counter()
    answers = credit(found.journeys, models)
    laps["credit"] = time.perf_counter()
    total = counted.column("revenue").to_numpy().sum()
    for model, answer in answers.items():
        assert abs(answer.channel_conversions.sum() - len(counted)) < 1e-6, model
        assert abs(answer.channel_revenue.sum() / total - 1) < 1e-12, model
    times = list(laps.values())
    steps = zip(list(laps)[1:], times[1:], times[:-1], strict=True)
    return {f"{name}_s": now - before for name, now, before in steps}


def measured(folder: Path, models: tuple[str, ...]) -> dict[str, float]:
    """The same in a fresh process, with its seconds of both cores and its peak of memory."""
    command = [sys.executable, __file__, "--one", str(folder), "--models", ",".join(models)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def one(folder: Path, models: tuple[str, ...]) -> dict[str, float]:
    begun = time.process_time()
    laps = battery(folder, models)
    return {
        **laps,
        "seconds": sum(laps.values()),
        "cpu": time.process_time() - begun,
        "mib": machine.peak_mib(),
    }


def growth(base: Path) -> list[dict[str, float]]:
    """One line a size: journeys at 12 labels, then labels at 1 M journeys."""
    whole = [(journeys, 12, MODELS) for journeys in JOURNEYS]
    lines: list[dict[str, float]] = []
    for journeys, labels, models in [*whole, *((1_000_000, n, OF_MANY) for n in LABELS)]:
        folder = world.write_world(base, journeys=journeys, channels=labels)
        line = measured(folder, models)
        lines.append({"journeys": journeys, "labels": labels, "models": len(models), **line})
        print(told(lines[-1]), flush=True)
    return lines


def told(line: dict[str, float]) -> str:
    steps = f"journeys {line['journeys_s']:.2f} + credit {line['credit_s']:.2f}"
    return (
        f"  {line['journeys']:>9,} journeys {line['labels']:>5,} labels"
        f" {line['seconds']:7.2f} s ({steps}), {line['cpu']:.2f} s of cores, {line['mib']:,.0f} MiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--journeys", type=int, default=5_000_000)
    parser.add_argument("--labels", type=int, default=12)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    models = tuple(given.models.split(","))
    if given.one:
        print(json.dumps(one(given.one, models)))
        return
    base = given.folder or Path(tempfile.gettempdir()) / "touchline-bench"
    folder = world.write_world(base, journeys=given.journeys, channels=given.labels)
    print(machine.describe(folder / "touches.parquet"))
    if given.growth:
        lines = growth(base)
        if given.plot:
            from growth_plot import drawn

            given.plot.write_text(drawn(lines))
        return
    line = {"journeys": given.journeys, "labels": given.labels, **measured(folder, models)}
    print(told(line))


if __name__ == "__main__":
    main()
