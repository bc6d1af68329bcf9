"""A table of a real PostgreSQL as source: reflected, windowed, read by a process of its own."""

import contextlib
import datetime as dt

import pytest
import sqlalchemy as sa

from touchline import clock
from touchline.errors import BadInput, Unavailable
from touchline.jobs.imports import pull, sources
from touchline.jobs.intake.writer import Writer
from touchline.jobs.kinds import run_here
from touchline.storage.workspace import Workspace

NOW = clock.to_us(dt.datetime(2026, 3, 20, 4, tzinfo=dt.UTC))
TABLE = """
    create schema shop;
    create table shop.deals (
        id uuid primary key default gen_random_uuid(),
        deal text, stage text, amount numeric(12, 2), mail text,
        changed_at timestamptz, day date, more jsonb, tags text[]
    );
    insert into shop.deals (deal, stage, amount, mail, changed_at, day, more, tags)
    select 'D' || mod(n, 50), case when mod(n, 2) = 0 then 'won' else 'offer' end, n + 0.25,
           'p' || mod(n, 50) || '@shop.cn',
           '2026-03-01 00:00+08'::timestamptz + n * interval '2 hours',
           date '2026-03-01' + n / 12, '{"a": {"b": 1}}', array['x', 'y']
    from generate_series(0, 199) n;
    create view shop.won as select * from shop.deals where stage = 'won';
    create role reader login;
    grant usage on schema shop to reader;
    grant select on shop.deals to reader;
"""


@pytest.fixture(scope="module")
def shop(postgres_url):
    """The URL of a database, and its socket's folder."""
    owner = sa.create_engine(postgres_url)
    with owner.begin() as connection:
        connection.exec_driver_sql(TABLE)
    owner.dispose()
    folder = sa.make_url(postgres_url).query["host"]
    yield f"postgresql://reader@/postgres?host={folder}", folder
    owner = sa.create_engine(postgres_url)
    with owner.begin() as connection:
        connection.exec_driver_sql(
            "drop schema shop cascade; drop owned by reader; drop role reader"
        )
    owner.dispose()


@pytest.fixture
def workspace(tmp_path, shop, monkeypatch):
    monkeypatch.setenv("TOUCHLINE_REACH", shop[1])
    monkeypatch.setattr(clock, "now_us", lambda: NOW)
    made = Workspace.init(tmp_path / "w", time_zone="Asia/Shanghai")
    with made.write_lock():
        yield made
    made.close()


def deals(url, **more):
    return {
        "name": "crm",
        "kind": "sql_database",
        "yields": "conversions",
        "url": url,
        "schema": "shop",
        "table": "deals",
        "cursor": "changed_at",
        "backfill_from": dt.date(2026, 3, 1),
        "slice_days": 30,
        "columns": {
            "conversion_id": "deal",
            "occurred_at": "changed_at",
            "email": "mail",
        },
        **more,
    }


def run(workspace, document):
    sources.add(workspace, [document], {}, "test")
    found = run_here(Writer(workspace), "pull", {"source": "crm"}, lambda _: None)
    return tuple(found[n] for n in ("stored", "duplicate", "updated", "rejected"))


def test_a_table_becomes_conversions_once(workspace, shop):
    assert run(workspace, deals(shop[0])) == (50, 0, 150, 0)
    assert run(workspace, deals(shop[0], look_back_days=100)) == (0, 200, 0, 0)
    with workspace.view("conversions") as view:
        rows = view.fetch(view.table("conversions").order_by("seq")).to_pylist()
    assert [r["amount"] for r in rows] == [n * 100 + 25 for n in range(200)]
    assert rows[0]["occurred_us"] == clock.to_us(dt.datetime(2026, 2, 28, 16, tzinfo=dt.UTC))
    assert all("shop.cn" not in (row["properties"] or "") for row in rows)


def test_errors_of_the_database_are_told_in_words(workspace, shop, monkeypatch):
    from touchline.collect.connectors.extract import extract

    monkeypatch.setattr(pull, "fetching", lambda _: contextlib.nullcontext(extract))
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    url, folder = shop
    for document, code, says in (
        (deals(url, table="nothing"), "source_no_table", "nothing"),
        (deals(url, table="won"), "source_denied", "permission denied"),
        (deals(url.replace("/postgres?", "/none?")), "source_away", "none"),
        (deals(f"postgresql://reader@/postgres?host={folder}/x"), "source_away", "such file"),
        (deals(url, columns={"amount": "price"}), "map_no_column", "price"),
    ):
        with pytest.raises((BadInput, Unavailable)) as told:
            run(workspace, document)
        assert (told.value.code, says in told.value.text("en")) == (code, True)
