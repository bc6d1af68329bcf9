"""A table or view of a database → its rows of one window, by dlt's sql_database.

dlt reflects the table and reads it in chunks; the window is a WHERE that is made here to fit the
type of the cursor's column. A cursor in a text column cannot be compared by the database: then all
rows are read, and those outside the window are passed over later. The connection only reads.
"""

import datetime as dt
import re
import urllib.parse
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from touchline import clock
from touchline.collect.connectors.definition import Source
from touchline.collect.connectors.window import EPOCH, Window
from touchline.errors import BadInput
from touchline.net import Reach, addresses

__all__ = ["table_rows"]

CHUNK = 5_000
CONNECT_S = 10
_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306, "mssql": 1433, "oracle": 1521}
_OPTIONS = frozenset(("sslmode", "application_name", "charset", "driver"))
# Drivers put texts together: a bracket or an equals sign could name another server.
_PLAIN = re.compile(r"[\w .@$-]*")


def table_rows(
    source: Source, window: Window, reach: Reach, zone: str, columns: list[str]
) -> Iterator[Any]:
    """Rows by the cursor; `columns` is filled with the names of the table's."""
    from dlt.sources.sql_database import sql_table

    engine = _engine(source, reach)

    def bounded(query: Any, table: Any) -> Any:
        columns[:] = [str(column.name) for column in table.columns]
        return _bounded(query, table, source, window, zone)

    try:
        rows = sql_table(
            credentials=engine,
            table=source.table or "",
            schema=source.schema,
            chunk_size=CHUNK,
            backend="sqlalchemy",
            reflection_level="minimal",
            query_adapter_callback=bounded,
        )
        for row in rows:  # whose names are texts of SQLAlchemy's own kind
            yield {str(name): value for name, value in row.items()}
    finally:
        engine.dispose()


def _engine(source: Source, reach: Reach) -> sa.Engine:
    try:
        url = sa.make_url(source.url or "")
    except ArgumentError as error:
        raise _bad(source, "url is none of a database") from error
    if source.password:
        url = url.set(password=source.password)
    kind = url.get_backend_name()
    if kind == "sqlite":
        return sa.create_engine(_file(url, reach))
    if kind not in _PORTS:
        raise _bad(source, f"databases of the kind {kind} are not read")
    _check_options(source, url)
    url = _checked(source, url, reach, _PORTS[kind])
    if kind != "postgresql":
        return sa.create_engine(url)
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),  # which is told the address
        connect_args={"connect_timeout": CONNECT_S},
        execution_options={"postgresql_readonly": True},
    )


def _check_options(source: Source, url: sa.URL) -> None:
    """Nothing in the address leads elsewhere than its host and port do. As options these two are
    for a socket of PostgreSQL on this machine.
    """
    options = dict(url.query)
    is_socket = "host" in options and not url.host and url.get_backend_name() == "postgresql"
    for name in ("host", "port"):
        if options.pop(name, None) is not None and not is_socket:
            raise _bad(source, f"url: {name} stands before the name of the database, as host:port")
    for name, value in options.items():
        if name not in _OPTIONS:
            raise _bad(source, f"url: {name} may not be set")
        if not isinstance(value, str) or not _PLAIN.fullmatch(value):
            raise _bad(source, f"url: {name} must be plain letters and digits")
    if not _PLAIN.fullmatch(url.database or ""):
        raise _bad(source, "url: the database's name must be plain letters and digits")


def _file(url: sa.URL, reach: Reach) -> sa.URL:
    path = Path(url.database or "").resolve()
    if not reach.holds_path(path):
        raise BadInput("folder_refused", path=path)
    if not path.is_file():
        raise BadInput("file_missing", path=path)
    name = "file:" + urllib.parse.quote(str(path))
    return sa.URL.create("sqlite", database=name, query={"mode": "ro", "uri": "true"})


def _checked(source: Source, url: sa.URL, reach: Reach, port: int) -> sa.URL:
    """With the address that was looked at, where the driver can be told one."""
    asked = url.query.get("host", url.host)
    if not isinstance(asked, str) or not asked or "," in asked:
        raise _bad(source, "url needs one host")
    if "host" in url.query:
        if not reach.holds_path(Path(asked)):
            raise BadInput("folder_refused", path=asked)
        return url
    found = addresses(asked, url.port or port, reach)
    if url.get_backend_name() == "postgresql":
        return url.update_query_dict({"hostaddr": found[0]})
    return url


def _bounded(query: Any, table: Any, source: Source, window: Window, zone: str) -> Any:
    if source.cursor is None:
        return query
    if source.cursor not in table.c:
        names = ", ".join(column.name for column in table.columns)
        raise BadInput("source_no_column", name=source.name, column=source.cursor, columns=names)
    column = table.c[source.cursor]
    start, end = (_native(column.type, bound, source, zone) for bound in window)
    within = [column >= start] if start is not None else []
    if isinstance(end, dt.date) and not isinstance(end, dt.datetime):
        # A day has no hours: the one in which a time window ends is read whole.
        end += dt.timedelta(days=int(source.type_of_cursor == "time"))
    if end is not None:
        within.append(column < end)
    if within:
        query = query.where(sa.or_(sa.and_(*within), column.is_(None)))
    return query.order_by(column)


def _native(kind: Any, bound: int | None, source: Source, zone: str) -> Any:
    """A bound as the column's type has it; None where the two cannot be compared."""
    if bound is None:
        return None
    if source.type_of_cursor == "number":
        return bound if isinstance(kind, sa.Integer | sa.Numeric) else None
    here = zoneinfo.ZoneInfo(zone)
    if source.type_of_cursor == "day":
        local = dt.datetime.combine(EPOCH + dt.timedelta(days=bound), dt.time(), here)
    else:
        local = clock.from_us(bound).astimezone(here)
    if isinstance(kind, sa.DateTime):
        return local if kind.timezone else local.replace(tzinfo=None)
    return local.date() if isinstance(kind, sa.Date) else None


def _bad(source: Source, why: str) -> BadInput:
    return BadInput("bad_source", name=source.name, why=why)
