"""What a [[source]] may say: each slip is named, and no credential stands in clear."""

import datetime as dt
import itertools

import pytest

from touchline.collect.connectors.definition import sources
from touchline.collect.connectors.reference import resolved
from touchline.collect.connectors.window import Window, reached, shown, windows
from touchline.errors import BadInput

API = {
    "name": "ads",
    "kind": "rest_api",
    "yields": "costs",
    "client": {"base_url": "https://api.example.com/"},
    "endpoint": {"path": "spend"},
}
TABLE = {
    "name": "crm",
    "kind": "sql_database",
    "yields": "conversions",
    "url": "postgresql://db.example.com/crm",
    "table": "deals",
}
FOLDER = {"name": "files", "kind": "filesystem", "yields": "events", "folder": "/srv/x"}


def with_client(**more):
    return {**API, "client": {**API["client"], **more}}


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({}, "missing required field"),
        ({**API, "kind": "ftp"}, "ftp"),
        ({**API, "yields": "money"}, "money"),
        ({**API, "shedule": "@daily"}, "shedule"),
        ({**API, "name": " "}, "its name"),
        ({**API, "name": "a\nb"}, "its name"),
        ({**API, "table": "x"}, "table is for kind sql_database"),
        ({**API, "client": None}, "needs client"),
        (with_client(base_url=None), "needs base_url"),
        (with_client(session="x"), "client.session is unknown"),
        ({**API, "endpoint": {"response_actions": []}}, "response_actions is unknown"),
        ({**API, "parents": [{"processing_steps": []}]}, "processing_steps is unknown"),
        ({**TABLE, "table": ""}, "needs table"),
        ({**API, "cursor": "updated_at"}, "costs replace whole days"),
        ({**API, "cursor": "date", "cursor_type": "time"}, "costs replace whole days"),
        ({**API, "cursor": "date", "columns": {"date_to": "to"}}, "date_to"),
        ({**TABLE, "look_back_days": 3}, "look_back_days needs a cursor"),
        ({**TABLE, "cursor": "id", "cursor_type": "number", "look_back_days": 3}, "no days"),
        ({**TABLE, "slice_days": 0}, "slice_days"),
        ({**FOLDER, "cursor": "x"}, "a folder has no cursor"),
        ({**FOLDER, "folder": "s3://bucket/reports"}, "mount the bucket"),
        ({**FOLDER, "folder": "sftp://host/reports"}, "mount the bucket"),
        ({**API, "parents": [{"name": "a", "endpoint": "accounts"}]}, "must be a table"),
        ({**TABLE, "columns": {"amuont": "x"}}, "did you mean amount"),
        ({**TABLE, "password": "env:HOME"}, "TOUCHLINE_SOURCE_"),
    ],
)
def test_slips_are_named(document, says):
    with pytest.raises(BadInput, match=says):
        sources([document])


@pytest.mark.parametrize(
    "document",
    [
        with_client(auth={"type": "bearer", "token": "abc"}),
        with_client(auth={"type": "http_basic", "username": "u", "password": "p"}),
        with_client(headers={"Authorization": "Bearer abc"}),
        with_client(headers={"X-Api-Key": "abc"}),
        {**API, "endpoint": {"path": "x", "params": {"access_token": "abc"}}},
        {**API, "endpoint": {"path": "x", "json": {"deep": [{"app_secret": "abc"}]}}},
        {**TABLE, "password": "abc"},
        {**TABLE, "url": "postgresql://me:abc@db.example.com/crm"},
    ],
)
def test_credentials_in_clear_are_refused(document):
    with pytest.raises(BadInput) as told:
        sources([document])
    assert told.value.code == "source_secret_in_clear"
    assert "abc" not in told.value.text("en")


def test_references_are_followed_only_where_they_lead_somewhere():
    value = {"auth": {"token": "secret:a"}, "list": ["env:TOUCHLINE_SOURCE_B", "env: no"]}
    found = resolved(value, {"a": "A"}.get, {"TOUCHLINE_SOURCE_B": "B"})
    assert found == {"auth": {"token": "A"}, "list": ["B", "env: no"]}
    with pytest.raises(BadInput, match="secret:a has no value"):
        resolved(value, lambda _: None, {})


def test_names_are_unique_and_the_document_is_a_list():
    with pytest.raises(BadInput, match="two of this name"):
        sources([FOLDER, FOLDER])
    for document in ({"name": "x"}, "x", ["x"]):
        with pytest.raises(BadInput):
            sources(document)


def days(text):
    return (dt.date.fromisoformat(text) - dt.date(1970, 1, 1)).days


NOW = 1_773_979_200_000_000  # 2026-03-20 12:00 in Shanghai


def planned(at, asked=None, **more):
    source = sources([{**API, "cursor": "date", "slice_days": 5, **more}])[0]
    return list(windows(source, at, NOW, "Asia/Shanghai", asked)), source


def test_a_first_run_goes_back_in_slices_that_meet():
    found, _ = planned(None, backfill_from=dt.date(2026, 3, 8))
    bounds = [days("2026-03-08"), days("2026-03-13"), days("2026-03-18"), None]
    assert found == [Window(*pair) for pair in itertools.pairwise(bounds)]


def test_later_runs_look_back_and_go_back_further_when_asked():
    at = days("2026-03-19")
    assert planned(at)[0] == [Window(at)]
    assert planned(at, look_back_days=3)[0] == [Window(at - 3)]
    assert planned(at, dt.date(2026, 3, 18), look_back_days=3)[0] == [Window(at - 3)]
    assert planned(at, dt.date(2026, 3, 10))[0][0] == Window(days("2026-03-10"), days("2026-03-15"))
    assert planned(None)[0] == [Window()]


def test_a_cursor_is_noted_and_shown():
    source = planned(None)[1]
    zone = "Asia/Shanghai"
    assert reached(source, Window(1, 5), 3, NOW, zone) == 5
    assert reached(source, Window(1, None), None, NOW, zone) == 1
    assert reached(source, Window(1, None), days("2099-01-01"), NOW, zone) == days("2026-03-20")
    assert reached(source, Window(), None, NOW, zone) is None
    assert shown(days("2026-03-20"), "day", zone) == "2026-03-20"
    assert shown(NOW, "time", zone) == "2026-03-20T12:00:00+08:00"
