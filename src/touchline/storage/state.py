"""The State database: SQLite beside the lake by default, PostgreSQL for several machines.

Bulk writes go to the driver as they are: one multi-row VALUES statement is 6 times slower, and
SQLAlchemy's look at each value, of which our plain types need none, doubles the cost of a row.
"""

import copy
import sqlite3
from collections.abc import Generator, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Self, cast

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite

from touchline.errors import Unavailable
from touchline.storage import schema
from touchline.storage.principal import ADMIN, Principal

__all__ = ["State", "Statement"]

# What `State.write` takes: a statement, and the rows it is for.
Statement = tuple[sa.Executable, Sequence[Mapping[str, Any]]]

BUSY_MS = 10_000
FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
BROKEN = (
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
)
CHUNK = 900  # SQLite takes at most 999 bound values in old builds


class State:
    """One engine over the tables of `storage.schema`; every method is one short transaction."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.principal = ADMIN
        self.engine = sa.create_engine(url)
        event.listen(self.engine, "handle_error", _in_words)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _pragmas)

    @classmethod
    def at(cls, directory: Path, url: str | None) -> "State":
        return cls(url or f"sqlite:///{directory / 'state.db'}")

    def seen_by(self, principal: Principal) -> Self:
        """The same database, of which only what the principal may see is read."""
        seen = copy.copy(self)
        seen.principal = principal
        return seen

    def migrate(self) -> None:
        """Brings the schema to this version; an up-to-date one is left alone."""
        from alembic import command  # here, as few starts need it
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def write(self, *statements: Statement) -> None:
        """All statements in one transaction; those without rows are skipped."""
        with self.engine.begin() as connection:
            for statement, rows in statements:
                if rows:
                    _execute(connection, statement, rows)

    def read(self, statement: sa.Executable) -> Sequence[sa.Row[Any]]:
        with self.engine.connect() as connection:
            return connection.execute(statement).all()

    def stream(self, statement: sa.Executable) -> Generator[sa.Row[Any]]:
        """Rows as they come, for answers too large for memory."""
        with self.engine.connect() as connection:
            yield from connection.execution_options(yield_per=500).execute(statement)

    def lookup(
        self, column: sa.Column[Any], keys: Iterable[Any], *wanted: sa.Column[Any]
    ) -> list[sa.Row[Any]]:
        """Rows whose `column` is one of many keys, asked in chunks."""
        found: list[sa.Row[Any]] = []
        ordered = sorted(keys)
        with self.engine.connect() as connection:
            for start in range(0, len(ordered), CHUNK):
                chunk = ordered[start : start + CHUNK]
                found += connection.execute(sa.select(*wanted).where(column.in_(chunk))).all()
        return found

    def upsert(
        self, table: sa.Table, *, newest_by: str | None = None, add: Sequence[str] = ()
    ) -> sa.Executable:
        """INSERT .. ON CONFLICT on the primary key, for `write`.

        Default: the row that is there stays. `newest_by`: the row with the greater value wins.
        `add`: these columns are summed.
        """
        insert = (postgresql if self.engine.dialect.name == "postgresql" else sqlite).insert(table)
        keys = list(table.primary_key.columns)
        if add:
            sums = {name: table.c[name] + insert.excluded[name] for name in add}
            return insert.on_conflict_do_update(index_elements=keys, set_=sums)
        if newest_by is None:
            return insert.on_conflict_do_nothing(index_elements=keys)
        rest = {c.name: insert.excluded[c.name] for c in table.columns if c not in keys}
        return insert.on_conflict_do_update(
            index_elements=keys,
            set_=rest,
            where=insert.excluded[newest_by] >= table.c[newest_by],
        )

    def mark(self, name: str) -> int:
        return self.marks(name)[name]

    def marks(self, *names: str) -> dict[str, int]:
        """As they are at one moment; 0 for one that nobody moved."""
        rows = self.read(sa.select(schema.mark).where(schema.mark.c.name.in_(names)))
        return dict.fromkeys(names, 0) | {row.name: int(row.value) for row in rows}

    def set_mark(self, name: str, value: int) -> tuple[sa.Executable, list[dict[str, Any]]]:
        """A statement for `write`, so that a mark moves in the transaction it describes."""
        statement = self.upsert(schema.mark, newest_by="value")
        return statement, [{"name": name, "value": value}]

    def close(self) -> None:
        self.engine.dispose()


def _execute(
    connection: sa.Connection, statement: sa.Executable, rows: Sequence[Mapping[str, Any]]
) -> None:
    text, names = _worded(statement, connection.dialect, tuple(rows[0]))
    given = [tuple(map(row.__getitem__, names)) for row in rows] if names else list(rows)
    connection.exec_driver_sql(text, given)


@lru_cache(maxsize=256)  # by identity: a statement that is made once is compiled once
def _worded(
    statement: sa.Executable, dialect: sa.Dialect, columns: tuple[str, ...]
) -> tuple[str, Sequence[str] | None]:
    """A statement as its database takes it, and the order of what it is given."""
    compiled = cast("sa.ClauseElement", statement).compile(
        dialect=dialect, column_keys=list(columns)
    )
    return str(compiled), getattr(compiled, "positiontup", None)


def _in_words(context: Any) -> None:
    """Errors of the database that its user can do something about, in our words. They are no bad
    input, since what was being written may be half done.
    """
    error = context.original_exception
    place = context.engine.url.render_as_string(hide_password=True)
    code = getattr(error, "sqlite_errorcode", 0)
    if code in FULL or getattr(error, "sqlstate", None) == "53100":  # PostgreSQL: disk_full
        raise Unavailable("disk_full", path=place) from error
    if code & 0xFF in BUSY:
        raise Unavailable("workspace_locked", path=place) from error
    if code & 0xFF in BROKEN or "no such table" in str(error):
        raise Unavailable("state_broken", path=place, why=error) from error


def _pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "secure_delete=ON",
        f"busy_timeout={BUSY_MS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
