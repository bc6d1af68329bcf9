"""A fixed world for benchmarks: touches and conversions of N people, as two Parquet files.

The starting table of every attribution benchmark: `touches.parquet` (person_ix, ts_us, seq,
channel), in order of time as a lake keeps it, and `conversions.parquet` (conversion_id, person_ix,
ts_us, revenue). Channels follow a Zipf mix, a quarter of the touches repeat the one before, lengths
are geometric with mean 5 and at most 50, and one journey in twenty converts. Same arguments, same
bytes of data: the seed is part of the definition.

    python bench/world.py DIR [--journeys 1000000] [--channels 12]
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SEED = 20_261_121
MEAN_TOUCHES, MOST_TOUCHES = 5, 50
STICKINESS, CONVERSION = 0.25, 0.05
HOUR_US = 3_600_000_000
YEAR_HOURS = 365 * 24
START_US = 1_735_689_600_000_000  # 2025-01-01T00:00:00Z
NAMED = (
    "Organic Search",
    "Direct",
    "Paid Search",
    "Paid Social",
    "Email",
    "Organic Social",
    "Referral",
    "Display",
    "Affiliates",
    "SMS",
    "Store Visit",
    "Sales Call",
)


def channel_names(count: int) -> list[str]:
    return [*NAMED, *(f"Placement {i}" for i in range(len(NAMED) + 1, count + 1))][:count]


def sticky(channel: np.ndarray, *, repeats: np.ndarray) -> np.ndarray:
    """Each repeat takes the channel of the nearest earlier touch that is not a repeat."""
    own = np.where(repeats, 0, np.arange(len(channel)))
    return channel[np.maximum.accumulate(own)]


def write_world(folder: Path, *, journeys: int = 1_000_000, channels: int = 12) -> Path:
    """Write both files into `folder` unless they are there; return the folder."""
    world = folder / f"world_{journeys}_{channels}"
    if (world / "conversions.parquet").exists():
        return world
    world.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng((SEED, journeys, channels))
    mix = 1 / np.arange(1, channels + 1)
    length = np.minimum(rng.geometric(1 / MEAN_TOUCHES, journeys), MOST_TOUCHES)
    ends = np.cumsum(length)
    starts = ends - length
    touches = int(ends[-1])
    repeats = rng.random(touches) < STICKINESS
    repeats[starts] = False
    code = np.int8 if channels <= 127 else np.int16
    drawn = rng.choice(channels, touches, p=mix / mix.sum()).astype(code)
    channel = sticky(drawn, repeats=repeats)

    gaps = rng.exponential(12, touches)
    elapsed = np.cumsum(gaps)
    begin = rng.random(journeys) * YEAR_HOURS
    person = np.repeat(np.arange(journeys), length)
    ts_us = START_US + ((begin - elapsed[starts])[person] + elapsed) * HOUR_US
    ts_us = ts_us.astype(np.int64)
    order = np.argsort(ts_us, kind="stable")
    names = pa.array(channel_names(channels))
    pq.write_table(
        pa.table(
            {
                "person_ix": person[order],
                "ts_us": ts_us[order],
                "seq": np.arange(touches),
                "channel": pa.DictionaryArray.from_arrays(channel[order], names).cast(pa.string()),
            }
        ),
        world / "touches.parquet",
    )

    buyers = np.flatnonzero(rng.random(journeys) < CONVERSION)
    waits = rng.exponential(24, len(buyers)) * HOUR_US
    pq.write_table(
        pa.table(
            {
                "conversion_id": [f"order-{i}" for i in range(len(buyers))],
                "person_ix": buyers,
                "ts_us": ts_us[ends[buyers] - 1] + waits.astype(np.int64),
                "revenue": np.exp(rng.normal(10, 1, len(buyers))).astype(np.int64),
            }
        ),
        world / "conversions.parquet",
    )
    return world


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--journeys", type=int, default=1_000_000)
    parser.add_argument("--channels", type=int, default=12)
    given = parser.parse_args()
    print(write_world(given.folder, journeys=given.journeys, channels=given.channels))
