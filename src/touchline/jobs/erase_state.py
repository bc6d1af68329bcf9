"""State without somebody: every row that holds a node of theirs, in whatever table, is theirs.

So tables that are added later are covered when they are added. What surprises: the audit log, the
definitions and the tombstones are left alone. The first two name nobody, which the scan behind an
erasure checks; the last are what keeps the person out.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from touchline.storage import schema
from touchline.storage.search import Wanted
from touchline.storage.state import State, Statement

__all__ = ["count", "shred", "tidy"]

NODE = 16
AT_ONCE = 500
TRIES, PAUSE_S = 10, 0.2  # the log of a database in use is emptied between two readers
LEFT = ("audit", "definition", "erasure", "tombstone")
# A cell that is only an example: it goes, the row counts something and stays.
EXAMPLES = {"off_plan": "example"}

_reject_id = schema.reject.c.reject_id


def shred(state: State, wanted: Wanted, rejects: Sequence[bytes], *beside: Statement) -> None:
    """Deletes what is theirs (wrapped keys, sealed values, traits, links …) in one transaction with
    these statements.
    """
    with state.engine.begin() as connection:
        for table, test in _theirs(wanted):
            example = EXAMPLES.get(table.name)
            if example is None:
                connection.execute(sa.delete(table).where(test))
            else:
                connection.execute(sa.update(table).where(test).values({example: None}))
        for start in range(0, len(rejects), AT_ONCE):
            chunk = rejects[start : start + AT_ONCE]
            connection.execute(sa.delete(schema.reject).where(_reject_id.in_(chunk)))
        for statement, rows in beside:
            if rows:
                connection.execute(statement, list(rows))


def count(state: State, wanted: Wanted, *, everywhere: bool = False) -> dict[str, int]:
    """Table → rows of theirs; `everywhere`: also where none may be."""
    found: dict[str, int] = {}
    for table, test in _theirs(wanted, () if everywhere else LEFT):
        query = sa.select(sa.func.count()).select_from(table).where(test)
        found[str(table.name)] = int(state.read(query)[0][0])
    return found


def tidy(state: State, *, whole: bool = False) -> None:
    """What was deleted leaves the files of the database. SQLite: its write-ahead log as well;
    `whole`: pages that an older version left are written anew. PostgreSQL leaves a row where it
    was until its table is written anew; its log goes by itself, or opens nothing any more when the
    root key is changed.
    """
    if state.engine.dialect.name == "postgresql":
        with state.engine.connect() as connection:
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in filter(_names_nodes, schema.metadata.sorted_tables):
                alone.execute(sa.text(f'VACUUM (FULL) "{table.name}"'))
        return
    connection = state.engine.raw_connection()
    try:
        cursor = connection.cursor()
        if whole:
            cursor.execute("VACUUM")
        for _ in range(TRIES):
            (is_busy, *_rest) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not is_busy:
                break
            time.sleep(PAUSE_S)
        cursor.close()
    finally:
        connection.close()


def _names_nodes(table: sa.Table) -> bool:
    kinds = [column.type for column in table.columns]
    return any(isinstance(kind, sa.LargeBinary) and kind.length == NODE for kind in kinds)


def _theirs(
    wanted: Wanted, left: tuple[str, ...] = LEFT
) -> Iterator[tuple[sa.Table, sa.ColumnElement[bool]]]:
    for table in schema.metadata.sorted_tables:
        tests = [test for column in table.columns for test in _tests(column, wanted)]
        if tests and table.name not in left:
            yield table, sa.or_(*tests)


def _tests(column: sa.Column[Any], wanted: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    kind = column.type
    if isinstance(kind, sa.LargeBinary):
        if kind.length == NODE:
            yield column.in_(wanted.nodes)
    elif isinstance(kind, sa.String):
        words = [*(node.hex() for node in wanted.nodes), *wanted.texts]
        yield from (column.contains(word, autoescape=True) for word in words)
