"""Files of the lake that hold somebody → the same files without them; all other rows as they were.

Only files that hold them are written again, a file at a time, and one commit a table replaces all.
Whoever reads sees the rows of before or those of after. It may be cut short and done again.
"""

import hmac
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from touchline import clock
from touchline.collect.nodes import ERASED as GONE
from touchline.jobs.definitions import goals_of
from touchline.jobs.intake.account import HOUR_US
from touchline.jobs.privacy.erase_map import LAKE, Fate
from touchline.jobs.privacy.erase_plan import Plan, searched, shared_name
from touchline.jobs.privacy.erase_words import Knife
from touchline.model import Flag
from touchline.storage.by_node import STORED, bucket_of
from touchline.storage.lake import ERASED, SEQ
from touchline.storage.search import in_rows
from touchline.storage.table import Run, Table, day_of, shaped
from touchline.storage.workspace import Workspace

__all__ = ["RETAINED", "rewrite"]

# What stays of a row that may be a conversion. Times are cut to the hour; an id becomes another.
KEPT = {
    "events": ("source", "type", "name", "local_day", "seq", "revenue", "currency", "stage", "bot"),
    "conversions": ("source", "local_day", "kind", "stage", "amount", "currency", "seq"),
}
ALSO_KEPT = ("account_id",)  # a company's, whose journey goes on
TIMES = ("ts_us", "received_us", "occurred_us", "created_us", "known_at_us")
IDS = ("event_id", "message_id", "order_id", "conversion_id", "content_hash")
EMPTY: Mapping[str, Any] = {"node_ids": [], "click_ids": [], "properties": "{}", "context": "{}"}
pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker
RETAINED = "retained"  # in `events`: the last run of retention
FLAGS = int(Flag.VERSION | Flag.REVISION)


def rewrite(workspace: Workspace, plan: Plan, retained: int = 0) -> None:
    """Takes them out of every table. `retained`: the number of a run of retention, for which rows
    of the plan go by themselves, whoever's they are.
    """
    number = clock.now_us()
    offsets = {ERASED: number, RETAINED: retained} if retained else {ERASED: number}
    tables = workspace.lake.tables
    found = {name: _places(workspace, plan, name, table) for name, table in tables.items()}
    # First, for what stands in the copy is known by the rows that it was made of.
    _refile(workspace, plan, _numbers(found["fresh"], found["events"]), number)
    for name, table in tables.items():
        if places := found[name]:
            cut = _Cut(workspace, plan, name)
            parts = (cut.file(table, path, sorted(rows)) for path, rows in sorted(places.items()))
            table.commit(parts, remove=places, offsets=offsets)


def _numbers(*places: Mapping[str, Sequence[int]]) -> pa.Array:
    """Arrival numbers of rows."""
    found = [pa.array([], pa.int64())]
    for path, at in (item for table in places for item in table.items()):
        found += _seq(path).take(pa.array(at)).chunks
    return pa.concat_arrays(found)


def _seq(path: str) -> pa.ChunkedArray:
    with pq.ParquetFile(path) as file:
        return file.read([SEQ])[SEQ]


def _refile(workspace: Workspace, plan: Plan, numbers: pa.Array, number: int) -> None:
    """The copy by identifier: nothing is filed under theirs any more, nothing else names them."""
    table = workspace.lake.by_node
    if not table.exists():
        return
    places: dict[str, list[int]] = {}
    for path in table.snapshot().files:
        is_of = pc.is_in(_seq(path), value_set=numbers).to_numpy()
        if is_of.any():
            places[path] = is_of.nonzero()[0].tolist()
    if places:
        cut = _Cut(workspace, plan, "events")
        runs = [
            Run(bucket_of(path), table.snapshot().rows_of[path], cut.groups(path, sorted(at)))
            for path, at in sorted(places.items())
        ]
        table.commit(runs, remove=places, offsets={ERASED: number})


def _places(workspace: Workspace, plan: Plan, name: str, table: Table) -> dict[str, list[int]]:
    """The rows that hold them, by file: as planned, and in files that were written since."""
    files = table.snapshot().files
    planned = plan.places.get(name, {})
    places = defaultdict(list, {path: planned[path] for path in files if path in planned})
    new = sorted(set(files).difference(plan.seen.get(name, ())))
    found = in_rows(new, searched(table.schema), plan.wanted, workspace.settings)
    for row in found.to_pylist():
        places[row["filename"]].append(row["file_row_number"])
    return dict(places)


class _Cut:
    """Takes somebody out of the rows of one table."""

    def __init__(self, workspace: Workspace, plan: Plan, name: str) -> None:
        self._name = shared_name(name)
        self._nodes = frozenset(plan.nodes)
        self._gone = frozenset(plan.gone.get(self._name, ()))
        self._kept = frozenset(plan.kept.get(self._name, ()))
        self._values = {str(goal.value) for goal in goals_of(workspace)}
        self._key = workspace.vault.derived("erased")
        self._knife = Knife(plan.wanted)

    def file(self, table: Table, path: str, at: list[int]) -> pa.Table:
        """The rows that are to stand in the place of a file's."""
        with pq.ParquetFile(path) as file:
            rows = _shaped(file.read(), table, path)
        return self._replaced(rows, list(self._changed(rows.take(at), at)))

    def groups(self, path: str, at: list[int]) -> Iterator[pa.Table]:
        """The same of a file of the copy by identifier, which may be large: group by group."""
        begin = 0
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                rows = shaped(file.read_row_group(group), STORED)
                here = [place - begin for place in at if begin <= place < begin + len(rows)]
                changed = self._changed(rows.take(here), here) if here else ()
                # What stands for nobody now is filed under nobody.
                named = [(n, row if row and row.get("node") else None) for n, row in changed]
                begin += len(rows)
                if len(left := self._replaced(rows, named)):
                    yield left

    @staticmethod
    def _replaced(rows: pa.Table, changed: list[tuple[int, dict[str, Any] | None]]) -> pa.Table:
        order, new = list(range(len(rows))), list[dict[str, Any]]()
        for number, row in changed:
            order[number] = -1 if row is None else len(rows) + len(new)
            if row is not None:
                new.append(row)
        both = pa.concat_tables([rows, pa.Table.from_pylist(new, schema=rows.schema)])
        return both.take(pa.array([place for place in order if place >= 0], pa.int64()))

    def _changed(
        self, rows: pa.Table, at: list[int]
    ) -> Iterator[tuple[int, dict[str, Any] | None]]:
        """Number in the file → the row as it is to be; None: it goes."""
        numbers = rows[SEQ].to_pylist() if SEQ in rows.column_names else [None] * len(rows)
        gone = [number in self._gone for number in numbers]
        yield from ((number, None) for number, is_gone in zip(at, gone, strict=True) if is_gone)
        left = [number for number, is_gone in zip(at, gone, strict=True) if not is_gone]
        rest = rows.filter(pa.array([not is_gone for is_gone in gone], pa.bool_()))
        for number, row in zip(left, rest.to_pylist(), strict=True):
            if row.get("seq") in self._kept:
                yield number, self._anonymous(row)
            else:
                yield number, self._redacted(row)

    def _anonymous(self, row: dict[str, Any]) -> dict[str, Any]:
        kept = {name: row[name] for name in (*KEPT[self._name], *ALSO_KEPT)}
        kept |= {
            name: row[name] - row[name] % HOUR_US for name in TIMES if row.get(name) is not None
        }
        kept |= {name: self._other(row[name]) for name in IDS if row.get(name) is not None}
        kept |= {name: value for name, value in EMPTY.items() if name in row}
        if "properties" in row:
            kept["properties"] = self._worth(row["properties"])
        return kept | ({"flags": row["flags"] & FLAGS} if "flags" in row else {})

    def _worth(self, properties: str | None) -> str:
        """Of properties, numbers by which a goal counts what a conversion is worth."""
        held: dict[str, Any] = msgspec.json.decode(properties) if properties else {}
        left = {k: v for k, v in held.items() if k in self._values and isinstance(v, int | float)}
        return msgspec.json.encode(left).decode()

    def _other(self, value: str | bytes) -> str | bytes:
        """An id in the place of another, the same each time: versions of an order stay one."""
        if isinstance(value, bytes):
            return hmac.digest(self._key, value, "sha256")[: len(value)]
        return f"{GONE}-{hmac.digest(self._key, value.encode(), 'sha256')[:12].hex()}"

    def _redacted(self, row: dict[str, Any]) -> dict[str, Any]:
        """Somebody else's row, in which nothing names them."""
        return {name: self._clean(LAKE.get(name), value) for name, value in row.items()}

    def _clean(self, fate: Fate | None, value: Any) -> Any:
        if isinstance(value, str):
            if fate is Fate.ID:
                return self._other(value) if self._knife.finds(value) else value
            return value if fate is None else self._knife.cut(fate, value)
        if isinstance(value, list):  # nodes, or names and values
            left = [one for one in value if not self._names(one)]
            return [self._pair(fate, one) if isinstance(one, tuple) else one for one in left]
        return None if isinstance(value, bytes) and value in self._nodes else value

    def _pair(self, fate: Fate | None, pair: tuple[Any, ...]) -> tuple[Any, ...]:
        return (pair[0], *(self._clean(fate, value) for value in pair[1:]))

    def _names(self, one: Any) -> bool:
        return isinstance(one, dict) and one.get("id") in self._nodes


def _shaped(rows: pa.Table, table: Table, path: str) -> pa.Table:
    """Rows of a file as its table has them now: what the file lacks is null."""
    columns: list[Any] = []
    for field in table.schema:
        if field.name == table.partition:
            columns.append(pa.repeat(pa.scalar(day_of(path), field.type), len(rows)))
        elif field.name in rows.column_names:
            columns.append(rows[field.name].cast(field.type))
        else:
            columns.append(pa.nulls(len(rows), field.type))
    return pa.Table.from_arrays(columns, schema=table.schema)
