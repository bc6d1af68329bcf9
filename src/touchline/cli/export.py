"""`touchline export`: rows of a workspace as JSON lines, CSV or Parquet.

A file appears under its name only when it is whole.
"""

import argparse
import contextlib
import csv
import io
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

from touchline.cli import refused
from touchline.cli.attribute import print_footer
from touchline.cli.figures import named
from touchline.collect.money import exponent
from touchline.errors import BadInput
from touchline.jobs import queries
from touchline.jobs.access import reading
from touchline.jobs.people.mirror import KeepingRegistry
from touchline.storage.workspace import Workspace
from touchline.text import disarmed

__all__ = ["run"]

AT_ONCE = 5_000
Lines = Iterable[bytes]


def run(args: argparse.Namespace) -> int:
    if args.format == "parquet" and args.out is None:
        why = "needs a file: add --out FILE."
        raise BadInput("bad_argument", name="--format", value="parquet", why=why)
    asked = {"goal": args.goal, "models": args.models, "window": args.window}
    asked |= {name: getattr(args, name) for name in ("half_life", "positions", "weights")}
    aside: dict[str, Any] = {}
    with reading(args.dir) as workspace:
        lines = _lines(workspace, args.what, asked, aside)
        if args.out is None:
            _write(lines, args.format, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        else:
            _to_file(lines, args.format, args.out)
        print_footer(aside.get("footer", ()), exponent(workspace.currency), sys.stderr)
    return named(aside)


def _lines(workspace: Workspace, what: str, asked: dict[str, Any], aside: dict[str, Any]) -> Lines:
    registry = KeepingRegistry(workspace)
    if what == "credit":
        return queries.credit_rows(workspace, registry, asked, aside)
    found: dict[str, Callable[..., Lines]] = {
        "events": queries.events,
        "rejects": queries.rejects,
        "people": queries.people,
        "aggregates": queries.aggregates,
    }
    return found[what](workspace, registry, {})


def _to_file(lines: Lines, output: str, path: Path) -> None:
    is_file = path.is_file() or not path.exists()
    whole = path.resolve()
    partial = whole.with_name(whole.name + ".part") if is_file else path  # a device stays one
    try:
        with partial.open("wb") as file:
            _write(lines, output, file)
        if is_file:
            partial.replace(whole)
    except OSError as error:
        raise refused(error, path) from error
    finally:
        if is_file:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)


def _write(lines: Lines, output: str, file: IO[bytes]) -> None:
    if output == "jsonl":
        file.writelines(lines)
    elif output == "csv":
        _write_csv(lines, file)
    else:
        _write_parquet(lines, file)


def _write_csv(lines: Lines, file: IO[bytes]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    names: list[str] = []
    for line in lines:
        row = msgspec.json.decode(line)
        if not names:
            names = list(row)
            writer.writerow(names)
        writer.writerow([disarmed(_flat(row.get(name))) for name in names])
    text.detach()


def _write_parquet(lines: Lines, file: IO[bytes]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    batches = _batches(lines)
    first = next(batches, [])
    # Types come from the rows seen first; what is null there may be text later.
    table = pa.Table.from_pylist(first)
    fields = [f.with_type(pa.string()) if pa.types.is_null(f.type) else f for f in table.schema]
    schema = pa.schema(fields)
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for rows in itertools.chain([first], batches):
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))


def _batches(lines: Lines) -> Iterator[list[dict[str, Any]]]:
    rest = iter(lines)
    while chunk := tuple(itertools.islice(rest, AT_ONCE)):
        yield [
            {name: _flat(value) for name, value in msgspec.json.decode(line).items()}
            for line in chunk
        ]


def _flat(value: Any) -> Any:
    """Lists and objects as JSON text: a cell holds one value."""
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    return value
