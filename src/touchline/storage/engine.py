"""DuckDB behind Ibis: a view of the lake as tables that analytics are written against.

One `View` is one in-memory connection over explicit file lists: no shared database file, no
extension, a memory cap, spill to a folder of the workspace.

Both are imported when the first view is opened: half of what a start would cost, and the server,
which only receives, never opens one.

To put an expression into SQL takes longer than to answer it where rows are few. So tables are known
to expressions by name and schema alone, and are numbered in the order they are first read: who asks
the same again says the same, and its SQL is remembered.
"""

import contextlib
import copy
import itertools
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute

from touchline.errors import BadInput, Unavailable
from touchline.model import LABELS
from touchline.settings import Settings
from touchline.storage.columns import EVENTS, TABLES
from touchline.storage.lake import LakeFiles
from touchline.storage.principal import ADMIN, Principal

__all__ = ["AMENDED", "Expression", "View"]

pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker

# An Ibis table. Its columns are known at run time only, so a type checker can say nothing of them.
Expression = Any

# Columns of events that a view may have been told to read otherwise than they are stored.
AMENDED = ("session_id", "landing_page", "flags", *LABELS)

REMEMBERED = 256  # expressions of which the SQL is known; a report has a dozen


class View:
    """The lake at one moment, as Ibis tables. Close it, or use it as a context manager.

    With `as_of_us` it holds only what was known by then. `documents`: the definitions in force.
    """

    def __init__(
        self,
        files: LakeFiles,
        settings: Settings,
        *,
        spill: Path,
        principal: Principal = ADMIN,
        as_of_us: int | None = None,
        documents: Callable[[], Mapping[str, Any]] = dict[str, Any],
    ) -> None:
        self.files = files
        self._documents = documents
        self.principal = principal
        self.as_of_us = as_of_us
        self._settings, self._spill = settings, spill
        self._read: dict[str, Expression] = {}
        self.own_rows: dict[str, pa.Table] = {}
        self._amended: Expression | None = None
        self._number = itertools.count()

    @cached_property
    def _connection(self) -> Any:
        """Made when something is asked: what needs the files alone is answered sooner."""
        import duckdb
        import ibis

        settings = self._settings
        try:
            return ibis.duckdb.connect(
                threads=settings.threads,
                memory_limit=settings.memory_limit,
                temp_directory=str(self._spill),
                autoinstall_known_extensions=False,
                autoload_known_extensions=False,
            )
        except duckdb.Error as error:
            why = str(error).rstrip(".!")
            raise BadInput("bad_settings", path="memory_limit, threads", why=why) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if "_connection" in self.__dict__:
            self._connection.disconnect()

    @cached_property
    def documents(self) -> Mapping[str, Any]:
        """The site's definitions by kind, as of the same moment: see `definition.known`."""
        return self._documents()

    def table(self, name: str, *columns: str) -> Expression:
        """All rows of a lake table: the columns named, or all of its schema; absent ones as null.

        Naming them makes an expression several times cheaper to compile.
        """
        schema, partition = TABLES[name]
        files = self.files.tables[name].files
        if columns:
            schema = pa.schema([schema.field(column) for column in columns])
        if name in self.own_rows:
            return _conform(self.given(self.own_rows[name]), schema)
        if not files:
            return self.given(schema.empty_table())
        if name not in self._read:
            # Comparing the columns of all files means opening each of them twice.
            has_one_shape = self.files.tables[name].has_one_shape(TABLES[name][0])
            with self._in_words():
                read = self._connection.read_parquet(
                    files,
                    table_name=f"{name}_{next(self._number)}",
                    union_by_name=not has_one_shape,
                    hive_partitioning=partition is not None,
                )
            rows = _named(read.get_name(), read.schema())
            if self.as_of_us is not None and "known_at_us" in TABLES[name][0].names:
                rows = rows.filter(rows.known_at_us <= self.as_of_us)
            self._read[name] = rows
        return _conform(self._read[name], schema)

    def events(self, *columns: str) -> Expression:
        """Day files and the fresh rows beyond them: every event exactly once."""
        names = columns or tuple(EVENTS.names)
        if "events" in self.own_rows:
            return self.table("events", *columns)
        if self._amended is None or not set(AMENDED).intersection(names):
            return self._stored(*columns)
        stored = self._stored(*dict.fromkeys([*names, "seq"]))
        kept = stored.anti_join(self._amended, "seq").select(*names)
        return kept.union(self._amended.select(*names))

    def unsettled(self, *columns: str) -> Expression:
        """Fresh rows beyond the day files: what of them sessions decide is provisional."""
        fresh = self.table("fresh", *dict.fromkeys([*columns, "seq"]) if columns else ())
        fresh = fresh.filter(fresh.seq > self.files.settled_seq)
        return fresh.select(*columns) if columns else fresh

    def _stored(self, *columns: str) -> Expression:
        settled = self.table("events", *columns)
        if not self.files.tables["fresh"].files:
            return settled
        fresh = self.unsettled(*columns)
        return settled.union(fresh) if self.files.tables["events"].files else fresh

    def amend(self, parts: Iterable[pa.Table]) -> None:
        """Reads these events otherwise than they are stored: by `seq`, their columns AMENDED."""
        import ibis

        kept = [self.keep(self.given(part)) for part in parts]
        if kept:
            others = [name for name in EVENTS.names if name not in AMENDED]
            rows = self._stored(*others).inner_join(ibis.union(*kept), "seq")
            self._amended = self.keep(rows.select(*EVENTS.names))

    def whole(self) -> Self:
        """The same lake with what became known since. Closed with this one."""
        found = self.narrowed()
        found.as_of_us = None
        found.__dict__.update(_read={}, _amended=None)
        return found

    def narrowed(self, **tables: pa.Table) -> Self:
        """The same view, of which these tables have these rows alone: for a question about little,
        answered by what answers it about all. Closed with this one.
        """
        _ = self._connection  # shared, so it is to be there
        found = copy.copy(self)
        found.own_rows = {**self.own_rows, **tables}
        return found

    def lacks(self, table: str, column: str = "", values: Collection[str] = ()) -> bool:
        """Whether a narrowed table has no row, or none of these values: then a question need not be
        asked, of which the engine would take longer to read than to answer it.
        """
        rows = self.own_rows.get(table)
        if rows is None or not column:
            return rows is not None and not len(rows)
        among = pa.array(sorted(values), pa.string())
        return not pc.any(pc.is_in(rows[column], value_set=among)).as_py()

    def given(self, rows: pa.Table) -> Expression:
        """Rows from memory as a table of this view, which holds them until it is closed."""
        import ibis

        name = f"given_{next(self._number)}"
        with self._in_words():
            self._connection.con.register(name, rows)
        return _named(name, ibis.schema(rows.schema))

    def keep(self, expression: Expression) -> Expression:
        """The rows of an expression, computed now and kept (on disk if need be) by this view.

        For what several later steps read: neither its plan nor its rows are made twice.
        """
        name, schema = f"kept_{next(self._number)}", expression.schema()
        columns = ", ".join(one.sql("duckdb") for one in schema.to_sqlglot_column_defs("duckdb"))
        with self._in_words():
            self._connection.con.execute(f'CREATE TEMP TABLE "{name}" ({columns})')
            self._connection.con.execute(f'INSERT INTO "{name}" {_sql(expression)}')
        return _named(name, schema)

    def fetch(self, expression: Expression) -> pa.Table:
        """Runs an expression; the result in memory."""
        from ibis.backends.duckdb.converter import DuckDBPyArrowData

        with self._in_words():
            found = self._connection.con.sql(_sql(expression)).to_arrow_table()
        return expression.__pyarrow_result__(found, data_mapper=DuckDBPyArrowData)

    def count(self, expression: Expression) -> int:
        """How many rows an expression has."""
        return int(self.fetch(expression.count().as_table()).column(0)[0].as_py())

    def batches(self, expression: Expression, rows: int = 20_000) -> Iterator[pa.RecordBatch]:
        """Runs an expression; the result as a stream."""
        with self._in_words():
            yield from self._connection.con.sql(_sql(expression)).to_arrow_reader(rows)

    @contextlib.contextmanager
    def _in_words(self) -> Generator[None]:
        """Errors of the engine that its user can do something about, in our words."""
        import duckdb

        try:
            yield
        except (duckdb.Error, OSError) as error:
            if "Out of Memory" in str(error):
                raise Unavailable("memory_full", limit=self._settings.memory_limit) from error
            if "No space left" in str(error):
                raise Unavailable("disk_full", path=self._spill) from error
            if isinstance(error, duckdb.IOException) or "magic bytes" in str(error):
                raise Unavailable("lake_broken", why=str(error).partition("\n")[0]) from error
            raise


def _conform(table: Expression, schema: pa.Schema) -> Expression:
    import ibis

    found = table.schema()
    columns: dict[str, Expression] = {}
    for name, kind in ibis.schema(schema).items():
        if name not in found:
            columns[name] = ibis.null(kind)
        elif found[name] == kind:
            columns[name] = table[name]
        else:
            columns[name] = table[name].cast(kind)
    return table.select(**columns)


def _named(name: str, schema: Any) -> Expression:
    import ibis

    return ibis.table(schema, name=name)


def _sql(expression: Expression) -> str:
    return _compiled(expression.op())


@lru_cache(REMEMBERED)
def _compiled(operation: Any) -> str:
    import ibis

    return str(ibis.to_sql(operation.to_expr(), dialect="duckdb", pretty=False))
