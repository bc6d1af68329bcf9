"""The customer's folder → a workspace, by what a customer can do: apply, post, import.

It starts nothing and knows no engine: the three ways in are given to it. Phones that were offline
stamp their batch when they send it, so their `sentAt` is moved to the moment of posting; all other
lines go out byte for byte.
"""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touchline import clock
from touchline.demo.costs import REVISED
from touchline.errors import BadInput

__all__ = ["Customer", "build", "stamped"]

Progress = Callable[[float, str], None]
SENT_AT = re.compile(rb'"sentAt":"([0-9T:.\-]+Z)"')
# Costs need the channel rules, deals the contacts: the order is a customer's, not a must.
KINDS = ("rates", "people", "conversions", "costs", "events")


@dataclass(frozen=True)
class Customer:
    """The three ways into a workspace.

    `post(body, source)` sends a batch under the write key of that name; `import_file(kind, path,
    map, source)` imports a file (`map` may be None) under a source name; `apply(path)` puts a
    definition file in force. Each raises when it fails.
    """

    post: Callable[[bytes, str], Any]
    import_file: Callable[[str, Path, Path | None, str], Any]
    apply: Callable[[Path], Any]


def build(data: Path, customer: Customer, *, progress: Progress | None = None) -> int:
    """Bring everything in `data` into the customer's workspace; the number of batches posted.

    Raises BadInput when `data` was not made by `simulate`.
    """
    if not (data / "web" / "sources.json").is_file():
        raise BadInput("file_missing", path=data / "web" / "sources.json")
    customer.apply(data / "site.toml")
    files = list(_imports(data))
    requests = sorted((data / "web").glob("*.jsonl"), key=_month)
    total = sum(path.stat().st_size for path in [*requests, *(path for _, path, _ in files)])
    done = 0
    for kind, path, source in files:
        about = path.with_suffix(".map.toml")
        customer.import_file(kind, path, about if about.exists() else None, source)
        done += path.stat().st_size
        _tell(progress, done / total, path.name)
    batches = 0
    told = json.loads((data / "web" / "sources.json").read_text(encoding="utf-8"))
    moment = clock.to_us(dt.datetime.fromisoformat(told["sent_at"]))
    for path in requests:
        for line in _lines(path):
            is_late = "late" in path.stem
            body = stamped(line, clock.now_us() - moment) if is_late else line
            customer.post(body, told["files"][path.name])
            batches += 1
            done += len(line)
            _tell(progress, done / total, path.name)
    return batches


def _month(path: Path) -> tuple[str, str]:
    """Months in order, all sources of a month together; phones that were offline come last."""
    return path.stem.partition("-")[2], path.name


def _tell(progress: Progress | None, share: float, what: str) -> None:
    if progress:
        progress(min(share, 1.0), what)


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        for line in file:
            yield line.rstrip(b"\n")


def _imports(data: Path) -> Iterator[tuple[str, Path, str]]:
    """(kind, file, source) of every file to import; a revision follows what it revises."""
    for kind in KINDS:
        for path in sorted(data.glob(f"{kind}*.csv")):
            name = path.stem.removesuffix(REVISED)
            yield kind, path, name.removeprefix(kind).removeprefix("_") or kind


def stamped(body: bytes, later_us: int) -> bytes:
    """The batch with every `sentAt` moved by so much: the clocks keep their error."""

    def moved(found: re.Match[bytes]) -> bytes:
        moment = dt.datetime.fromisoformat(found.group(1).decode())
        return f'"sentAt":"{clock.iso(clock.to_us(moment) + later_us)}"'.encode()

    return SENT_AT.sub(moved, body)
