"""A seed, a number of people and an end date → the folder of a customer, and the truth beside it.

The world is made in blocks of people, each from dice of its own and written at once, so a million
people need no more memory than twenty thousand. The same arguments give the same bytes.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from touchline import clock
from touchline.demo.consumers import UPLOAD_MS, World, consumers
from touchline.demo.costs import write_commissions, write_costs
from touchline.demo.dice import Dice
from touchline.demo.members import NO_PHONES, STAFF_NUMBER
from touchline.demo.pages import moments
from touchline.demo.people import phone
from touchline.demo.plan import Plan
from touchline.demo.professionals import professionals
from touchline.demo.season import SHANGHAI_MS, Calendar
from touchline.demo.site import write_site
from touchline.demo.speech import store_tablet
from touchline.demo.truth import Truth
from touchline.demo.world import MARKETS, PRO_PEOPLE, REFERENCE_PEOPLE, STAFF, STORES
from touchline.demo.write import Folder
from touchline.errors import BadInput

__all__ = ["SEED", "Summary", "check", "simulate", "yesterday"]

SEED = 20_260_618
FEWEST, MOST = 200, 20_000_000
BLOCK = 5_000

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Summary:
    """What was written. `events` are calls plus offline rows, without repeated deliveries."""

    out: Path
    people: int
    first_day: dt.date
    last_day: dt.date
    events: int
    batches: int
    duplicates: int
    calls: dict[str, int]
    rows: dict[str, int]


def yesterday() -> dt.date:
    """The last full day in Shanghai."""
    moment = clock.from_us(clock.now_us() + SHANGHAI_MS * 1000)
    return moment.date() - dt.timedelta(days=1)


def simulate(
    out: Path,
    *,
    people: int = REFERENCE_PEOPLE,
    seed: int = SEED,
    end: dt.date | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Write the demo company's files under `out` (made if missing); `end` defaults to yesterday.

    Raises BadInput when `people` is out of range or `out` holds something else.
    """
    check(out, people)
    _empty(out)
    write_site(out)
    plan = Plan(Calendar(end or yesterday()), people, seed)
    truth = Truth(out / "truth.json")
    with Folder(out, plan.calendar.start_ms) as folder:
        world = World(plan, seed, folder, truth)
        for done, what in _blocks(world):
            if progress:
                progress(done / people, what)
        write_costs(folder, plan, seed)
        write_commissions(folder, world.commissions, plan)
        _shared_ids(truth, seed)
    truth.write(plan, seed)
    _write_sources(out, folder, plan)
    offline = {name: count for name, count in folder.rows.items() if name.startswith("events_")}
    return Summary(
        out, people, plan.calendar.first, plan.calendar.end,
        events=sum(folder.web.values()) + sum(offline.values()), batches=folder.batches,
        duplicates=folder.duplicates, calls=dict(folder.web), rows=dict(folder.rows),
    )  # fmt: skip


def check(out: Path, people: int) -> None:
    """Raises BadInput for what `simulate` would refuse. A folder of our own may be made anew, any
    other stays untouched.
    """
    if not FEWEST <= people <= MOST:
        why = f"is not a number from {FEWEST} to {MOST}."
        raise BadInput("bad_argument", name="people", value=people, why=why)
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not (out / "site.toml").exists()):
        raise BadInput("demo_folder_taken", path=out)


def _empty(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for old in [*out.glob("*.csv"), *out.glob("*.part"), *out.glob("web/*.jsonl")]:
        old.unlink()


def _blocks(world: World) -> Iterator[tuple[int, str]]:
    """Make every block; gives (people so far, which business)."""
    people = world.plan.people
    pro = round(people * PRO_PEOPLE / REFERENCE_PEOPLE)
    abroad = round(people * MARKETS["abroad"].people / REFERENCE_PEOPLE)
    sizes = {"china": people - pro - abroad, "abroad": abroad, "pro": pro}
    number = accounts = 0
    for place, (key, size) in enumerate(sizes.items()):
        for block, count in enumerate(_cut(size)):
            dice = Dice(world.seed, place, block)
            if key == "pro":
                accounts += professionals(number, count, accounts, dice, world)
            else:
                consumers(MARKETS[key], number, count, dice, world)
            number += count
            yield number, key


def _cut(size: int) -> list[int]:
    """Block sizes, as even as can be: totals hold in each block, so none may be tiny."""
    blocks = max(1, round(size / BLOCK))
    return [size * (n + 1) // blocks - size * n // blocks for n in range(blocks)]


def _shared_ids(truth: Truth, seed: int) -> None:
    """Identifiers of nobody in particular."""
    numbers = [phone(STAFF_NUMBER + n) for n in range(len(STAFF))]
    numbers += [number for number in sorted(set(NO_PHONES)) if "*" not in number]
    truth.ids("phone", {f"+86{number}": None for number in numbers})
    truth.ids("anonymous_id", {store_tablet(seed, n): None for n in range(len(STORES))})


def _write_sources(out: Path, folder: Folder, plan: Plan) -> None:
    """web/sources.json: under which write key each file goes, and when late phones sent theirs."""
    files = sorted(path.name for path in (out / "web").glob("*.jsonl"))
    about = {
        "sent_at": moments(np.array([plan.calendar.end_ms + UPLOAD_MS]))[0],
        "files": {name: next(s for s in folder.web if name.startswith(s)) for name in files},
    }
    text = json.dumps(about, ensure_ascii=False, indent=1)
    (out / "web" / "sources.json").write_text(text + "\n", encoding="utf-8")
