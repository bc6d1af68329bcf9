"""State without somebody: what `erase_map` says of each column, done in one transaction.

What surprises: only what is theirs by an identifier or a person's id goes as a row. Words of theirs
in what others wrote are cut out, and the rows stay: anybody may choose what a user id is.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from touchline.errors import BadInput
from touchline.jobs.failure import packed
from touchline.jobs.job import UNTIL_DONE
from touchline.jobs.privacy.erase_map import STATE, Fate, theirs
from touchline.jobs.privacy.erase_words import Knife
from touchline.storage import schema
from touchline.storage.search import Wanted
from touchline.storage.state import State, Statement

__all__ = ["Found", "found", "held", "names", "shred", "tidy"]

AT_ONCE = 500
TRIES, PAUSE_S = 10, 0.2  # the log of a database in use is emptied between two readers
CUT = (Fate.TEXT, Fate.LABEL)
_reject_id = schema.reject.c.reject_id
# Jobs of erasures stay: they name requests alone, and tell how often one has failed.
_has_ended = schema.job.c.finished_at_us.is_not(None) & schema.job.c.kind.not_in(UNTIL_DONE)
_fails = schema.job.c.finished_at_us.is_not(None) & schema.job.c.kind.in_(UNTIL_DONE)
_FAILED = packed(BadInput("job_failed", kind="erase", why="")).decode()
Run = Callable[[sa.Select[Any]], Sequence[sa.Row[Any]]]
Test = sa.ColumnElement[bool]


class Found(NamedTuple):
    """Rows by table: those that go, and those out of which something is cut."""

    gone: Counter[str]
    cut: Counter[str]


class _Cell(NamedTuple):
    """`key` names the row."""

    key: dict[str, Any]
    column: str
    text: str


def shred(state: State, wanted: Wanted, rejects: Sequence[bytes], *beside: Statement) -> None:
    """Deletes what is theirs (wrapped keys, sealed values, traits, links …) in one transaction with
    these statements, and cuts them out of what others wrote.
    """
    knife = Knife(wanted)
    with state.engine.begin() as connection:
        for table in schema.metadata.sorted_tables:
            if (test := _theirs(table, wanted)) is not None:
                connection.execute(sa.delete(table).where(test))
            rows = list(_cells(lambda query: connection.execute(query).all(), table, wanted, CUT))
            for cell in rows:
                same = [table.c[name] == value for name, value in cell.key.items()]
                left = knife.cut(Fate.TEXT, cell.text)
                connection.execute(sa.update(table).where(*same).values({cell.column: left}))
        test = _fails & _holds(schema.job.c.error, (*wanted.ids, *wanted.texts, *wanted.chosen))
        connection.execute(sa.update(schema.job).where(test).values(error=_FAILED))
        for start in range(0, len(rejects), AT_ONCE):
            chunk = rejects[start : start + AT_ONCE]
            connection.execute(sa.delete(schema.reject).where(_reject_id.in_(chunk)))
        for statement, rows in beside:
            if rows:
                connection.execute(statement, list(rows))


def found(state: State, wanted: Wanted) -> Found:
    """What of theirs an erasure takes away."""
    counts = Found(Counter(), Counter())
    for table in schema.metadata.sorted_tables:
        if (test := _theirs(table, wanted)) is not None:
            query = sa.select(sa.func.count()).select_from(table).where(test)
            counts.gone[table.name] += int(state.read(query)[0][0])
        counts.cut[table.name] += sum(1 for _ in _cells(state.read, table, wanted, CUT))
    return counts


def held(state: State, wanted: Wanted) -> Counter[str]:
    """Rows by table that hold them and that no erasure touches one by one: what may not be changed,
    waits to be done, or is emptied with all others. Reads all of the live store that is packed.
    """
    counts = Counter[str]()
    for table in schema.metadata.sorted_tables:
        cells = _cells(state.read, table, wanted, (Fate.PASSING, Fate.PROOF))
        counts[table.name] += sum(1 for _ in cells)
        made = [table.c[name] for name, fate in STATE[table.name].items() if fate is Fate.MADE]
        packed = [column for column in made if not _is_id(column)]
        if ids := [column.in_(wanted.nodes) for column in made if _is_id(column)]:
            query = sa.select(sa.func.count()).select_from(table).where(sa.or_(*ids))
            counts[table.name] += int(state.read(query)[0][0])
        if packed:
            rows, raw = state.stream(sa.select(*packed)), wanted.raw
            whole = (b"|".join(filter(None, row)) for row in rows)
            counts[table.name] += sum(any(one in bytes_ for one in raw) for bytes_ in whole)
    return counts


def names(state: State, words: Sequence[str]) -> Iterator[tuple[str, Fate, Mapping[str, int]]]:
    """Columns of names that hold any of these words: (table.column, its fate, text → rows)."""
    for table in schema.metadata.sorted_tables:
        for column in _texts(table, (Fate.NAME, Fate.LABEL)):
            test = _holds(column, words)
            query = sa.select(column.label("text_"), sa.func.count().label("rows_"))
            if words and (rows := state.read(query.where(test).group_by(column))):
                fate = STATE[table.name][column.name]
                yield f"{table.name}.{column.name}", fate, {row.text_: row.rows_ for row in rows}


def tidy(state: State, *, whole: bool = False) -> None:
    """What was deleted leaves the files of the database. SQLite: its write-ahead log as well;
    `whole`: pages that an older version left are written anew. PostgreSQL leaves a row where it
    was until its table is written anew; its log goes by itself, or opens nothing any more when the
    root key is changed.
    """
    if state.engine.dialect.name == "postgresql":
        with state.engine.connect() as connection:
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in filter(_may_change, schema.metadata.sorted_tables):
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


def _is_id(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, sa.LargeBinary) and column.type.length is not None


def _may_change(table: sa.Table) -> bool:
    return not set(STATE[table.name].values()) <= {Fate.NAME, Fate.PROOF}


def _theirs(table: sa.Table, wanted: Wanted) -> Test | None:
    """Rows that go: of an identifier or person of theirs, and jobs about them."""
    tests = theirs(table, wanted.nodes, wanted.texts)
    for column in _texts(table, (Fate.PASSING,)):
        by_word = _holds(column, (*wanted.texts, *wanted.chosen))
        tests += [_holds(column, wanted.ids), sa.and_(_has_ended, by_word)]
    return sa.or_(*tests) if tests else None


def _cells(run: Run, table: sa.Table, wanted: Wanted, fates: tuple[Fate, ...]) -> Iterator[_Cell]:
    """Texts in which their words stand by themselves."""
    keys, words = list(table.primary_key.columns), wanted.words()
    for column in _texts(table, fates):
        test = _holds(column, (*wanted.ids, *wanted.texts, *wanted.chosen))
        for row in run(sa.select(*keys, column.label("text_")).where(test)):
            if words.search(row.text_):
                key = {key.name: value for key, value in zip(keys, row, strict=False)}
                yield _Cell(key, column.name, row.text_)


def _texts(table: sa.Table, fates: tuple[Fate, ...]) -> Iterator[sa.Column[Any]]:
    for name, fate in STATE[table.name].items():
        if fate in fates and isinstance(table.c[name].type, sa.String):
            yield table.c[name]


def _holds(column: sa.Column[Any], words: Sequence[str]) -> Test:
    return sa.or_(sa.false(), *(column.icontains(word, autoescape=True) for word in words))
