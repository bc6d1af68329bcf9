"""Tables of a database through dlt: windows by the type of their column, only listed places."""

import datetime as dt
import json
import os
import sqlite3

import pytest

from touchline.collect.connectors.definition import sources
from touchline.collect.connectors.extract import Ask, extract
from touchline.collect.connectors.table import table_rows
from touchline.collect.connectors.window import ALL, Window
from touchline.errors import BadInput, Unavailable
from touchline.net import Reach

ZONE = "Asia/Shanghai"


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = tmp_path_factory.mktemp("db") / "shop.db"
    with sqlite3.connect(path) as shop:
        shop.executescript(
            """
            create table deals (id integer, at timestamp, day date, note text, amount decimal);
            insert into deals values (1, '2026-03-01 10:00:00.000000', '2026-03-01', 'a', 1.50);
            insert into deals values (3, '2026-03-03 00:00:00.000000', '2026-03-03', 'c', 3);
            insert into deals values (2, '2026-03-02 23:59:59.000000', '2026-03-02', 'b', 2);
            insert into deals values (4, null, null, null, null);
            create view won as select id, at from deals where id < 3;
            create table empty (id integer, at timestamp);
            """
        )
    shop.close()
    return path


def pulled(tmp_path, database, window=ALL, **more):
    document = {
        "name": "crm",
        "kind": "sql_database",
        "yields": "conversions",
        "url": f"sqlite:///{database}",
        "table": "deals",
        **more,
    }
    folder = tmp_path / os.urandom(3).hex()
    folder.mkdir()
    reach = (str(database.parent),)
    taken = extract(
        Ask(sources([document])[0], str(folder), ZONE, window, reach=reach), lambda _: None
    )
    rows = (folder / "rows.jsonl").read_bytes().splitlines()
    return taken, [json.loads(row) for row in rows]


def us(text):
    return int(dt.datetime.fromisoformat(text).timestamp()) * 1_000_000


def test_a_table_and_a_view_are_read_whole(tmp_path, database):
    taken, rows = pulled(tmp_path, database)
    assert taken.columns == ["id", "at", "day", "note", "amount"]
    assert taken.is_complete
    assert rows[0]["at"] == "2026-03-01T10:00:00"
    assert [row["id"] for row in rows] == [1, 3, 2, 4]
    assert [row["id"] for row in pulled(tmp_path, database, table="won")[1]] == [1, 2]
    taken, rows = pulled(tmp_path, database, table="empty")
    assert (taken.columns, rows) == (["id", "at"], [])


@pytest.mark.parametrize("cursor", ["at", "day"])
def test_a_window_of_time_is_half_open_and_in_the_time_of_the_workspace(tmp_path, database, cursor):
    window = Window(us("2026-03-02T00:00:00+08:00"), us("2026-03-03T00:00:00+08:00"))
    taken, rows = pulled(tmp_path, database, window, cursor=cursor)
    assert [row["id"] for row in rows] == [2]
    assert taken.unread == 1  # a row without a cursor is told of, not passed over


def test_rows_come_by_their_cursor(tmp_path, database):
    assert [row["id"] for row in pulled(tmp_path, database, cursor="at")[1]] == [1, 2, 3]
    taken, rows = pulled(tmp_path, database, Window(2), cursor="id", cursor_type="number")
    assert [row["id"] for row in rows] == [2, 3, 4]
    assert taken.latest == 4


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"table": "nothing"}, "source_no_table"),
        ({"cursor": "changed"}, "source_no_column"),
        ({"url": "sqlite:////etc/shadow.db"}, "folder_refused"),
        ({"url": "nonsense"}, "bad_source"),
        ({"url": "access://x/y"}, "bad_source"),
        ({"url": "postgresql://me@127.0.0.1/x"}, "address_refused"),
        ({"url": "postgresql://me@/x?host=/run"}, "folder_refused"),
        ({"url": "postgresql://me@/x"}, "bad_source"),
        ({"url": "postgresql://me@a,b/x"}, "bad_source"),
        ({"url": "postgresql://me@db.cn/x?passfile=/etc/x"}, "bad_source"),
        ({"url": "mysql://me@192.168.0.1/x"}, "address_refused"),
        ({"url": "postgresql://me@8.8.8.8/x?port=22"}, "bad_source"),
        ({"url": "postgresql://me@8.8.8.8/x?host=10.0.0.1"}, "bad_source"),
        ({"url": "postgresql://me@8.8.8.8/x?hostaddr=10.0.0.1"}, "bad_source"),
        ({"url": "postgresql://me@8.8.8.8/x?service=inside"}, "bad_source"),
        ({"url": "postgresql://me@/x?host=10.0.0.1"}, "folder_refused"),
        ({"url": "postgresql://me@/x?host=8.8.8.8:5432"}, "folder_refused"),
        ({"url": "postgresql://me@8.8.8.8/x?sslmode=require&sslmode=disable"}, "bad_source"),
        ({"url": "mysql+pymysql://me@8.8.8.8/x?unix_socket=/run/my.sock"}, "bad_source"),
        ({"url": "mysql+pymysql://me@8.8.8.8/x?read_default_file=/etc/x"}, "bad_source"),
        ({"url": "mssql+pyodbc://me@8.8.8.8/x?driver=a};Server=10.0.0.1;b={c"}, "bad_source"),
        ({"url": "mssql+pyodbc://me@8.8.8.8/x;Server=10.0.0.1?driver=a"}, "bad_source"),
        ({"url": "oracle+oracledb://me@8.8.8.8/x)(ADDRESS=(HOST=10.0.0.1"}, "bad_source"),
    ],
)
def test_what_may_not_or_cannot_be_read_is_told(tmp_path, database, more, code):
    with pytest.raises((BadInput, Unavailable)) as told:
        pulled(tmp_path, database, **more)
    assert told.value.code == code


def test_a_listed_port_of_a_host_is_no_way_to_its_others():
    """What the driver is given is what was looked at, so no option may name another."""
    reach = Reach(["127.0.0.1:5432"])
    for url in ("postgresql://me@127.0.0.1:22/x", "postgresql://me@127.0.0.1:5432/x?port=22"):
        table = {"name": "crm", "kind": "sql_database", "yields": "people", "table": "t"}
        with pytest.raises(BadInput) as told:
            list(table_rows(sources([{**table, "url": url}])[0], ALL, reach, ZONE, []))
        assert told.value.code in {"address_refused", "bad_source"}


def test_an_odd_name_of_a_file_is_read_as_it_is(tmp_path, database):
    odd = tmp_path / "shop?mode=rwc#%20.db"
    odd.write_bytes(database.read_bytes())
    url = f"sqlite:///{tmp_path}/shop%3Fmode=rwc#%2520.db"
    table = {"name": "crm", "kind": "sql_database", "yields": "people", "table": "won"}
    source = sources([{**table, "url": url}])[0]
    assert len(list(table_rows(source, ALL, Reach([str(tmp_path)]), ZONE, []))) == 2


def test_a_database_that_is_broken_is_told_in_one_line(tmp_path, database):
    broken = database.parent / "broken.db"
    broken.write_bytes(b"no database at all, " * 100)
    with pytest.raises(BadInput) as told:
        pulled(tmp_path, broken)
    assert told.value.code == "source_failed"
    assert "\n" not in told.value.text("en")


def test_it_only_reads(tmp_path, database):
    before = database.read_bytes()
    pulled(tmp_path, database)
    assert database.read_bytes() == before
    assert sorted(path.name for path in database.parent.glob("shop*")) == ["shop.db"]
    source = sources(
        [
            {
                "name": "x",
                "kind": "sql_database",
                "yields": "rates",
                "url": f"sqlite:///{database}",
                "table": "deals",
            }
        ]
    )[0]
    assert len(list(table_rows(source, ALL, Reach([str(database.parent)]), ZONE, []))) == 4
