"""The public names: a site is opened and asked from Python, with the answers of the API."""

import datetime as dt
import subprocess
import sys

import msgspec
import pytest

import build
import touchline
from build import DAY, T0, Tracker, track
from touchline.identity.people import Registry
from touchline.jobs import queries

ORDER = {"properties": {"revenue": 100, "currency": "CNY", "order_id": "1"}}


@pytest.fixture
def folder(tmp_path):
    """Ann's two touches and her order, acknowledged but not yet committed."""
    made = build.workspace(tmp_path / "w")
    Tracker(made).send(
        track("a", "Touch", at=T0, properties={"channel": "Email", "campaign": "x"}),
        track("b", "Touch", at=T0 + DAY, properties={"channel": "Store"}),
        track("c", "Order Completed", at=T0 + 2 * DAY, **ORDER),
        at=T0 + 2 * DAY,
    )
    made.close()
    return tmp_path / "w"


def test_what_waits_in_the_log_is_part_of_the_answer(folder):
    with touchline.open(folder) as site:
        found = site.attribution(models="last_touch")
        assert [(row.labels["channel"], row.revenue) for row in found.rows] == [("Store", 10_000)]


def test_texts_and_values_ask_the_same(folder):
    with touchline.open(str(folder)) as site:
        by_text = site.attribution(
            models="first_touch,linear", by="channel,campaign", window="30d", start="2026-03-01"
        )
        by_value = site.attribution(
            models=["first_touch", "linear"],
            by=("campaign", "channel"),
            window=30,
            start=dt.date(2026, 3, 1),
        )
        assert by_text.as_json() == by_value.as_json()
        assert by_text.as_json()["window_days"] == 30


def test_what_a_report_was_asked_its_numbers_can_be_asked(folder):
    """The same models, weights and days; what is not known is refused and not passed over."""
    asked = {"weights": {"first": 3, "last": 1}, "start": "2026-03-01", "end": "2026-03-31"}
    with touchline.open(folder) as site:
        rows = site.attribution(models="custom", **asked).rows
        email = next(row for row in rows if row.labels["channel"] == "Email")
        assert email.conversions == 0.75
        assert site.behind("custom", {"channel": "Email"}, **asked)["credit"] == 0.75
        first, _ = site.explain("1", models="custom", **asked)["touches"]
        assert first["credit"]["custom"] == {"conversions": 0.75, "revenue": 7_500}
        with pytest.raises(touchline.BadInput, match="colour"):
            site.behind("linear", {"channel": "Email", "colour": "x"})
        with pytest.raises(TypeError, match="half_live"):
            site.explain("1", half_live=3)
        for wrong in ({"half_life": 0}, {"weights": {}}, {"positions": {}}):
            with pytest.raises(touchline.BadInput):
                site.attribution(models="linear", **wrong)


def test_answers_are_those_of_the_queries(folder):
    with touchline.open(folder) as site:
        workspace = site._workspace
        registry = Registry(workspace)
        asked = {"models": "all", "to": "2026-03-31", "as_of": None}
        same = queries.attribution(workspace, registry, asked)
        assert site.attribution(end=dt.date(2026, 3, 31)).as_json() == same.as_json()
        lines = [msgspec.json.decode(line) for line in queries.events(workspace, registry, {})]
        assert list(site.events()) == lines
        assert [event["message_id"] for event in lines] == ["a", "b", "c"]


def test_a_person_is_found_and_followed(folder):
    with touchline.open(folder) as site:
        (ann,) = site.people()
        told = site.timeline("ann")
        assert told["person_id"] == ann["person_id"]
        assert [event["message_id"] for event in told["events"]] == ["a", "b", "c"]
        days = site.events(person="ann", start="2026-03-02", end=dt.date(2026, 3, 3))
        assert [event["message_id"] for event in days] == ["b"]


def test_a_report_as_it_was_known_before_anything_came_is_empty(folder):
    with touchline.open(folder) as site:
        assert site.attribution(as_of="2020-01-01").conversions == 0


def test_what_cannot_be_is_refused_by_a_public_error(folder, tmp_path):
    with pytest.raises(touchline.BadInput, match="not a Touchline workspace"):
        touchline.open(tmp_path / "nowhere")
    with touchline.open(folder) as site:
        with pytest.raises(touchline.NotFound):
            site.timeline("nobody")
        with pytest.raises(touchline.BadInput, match="window"):
            site.attribution(window="soon")


def test_closing_twice_does_no_harm(folder):
    site = touchline.open(folder)
    site.close()
    site.close()


def test_every_public_name_is_there_and_no_other():
    assert len(touchline.__all__) <= 25
    for name in touchline.__all__:
        assert getattr(touchline, name) is not None
    assert set(touchline.__all__) <= set(dir(touchline))
    with pytest.raises(AttributeError, match="close"):
        _ = touchline.close


def test_importing_touchline_loads_no_engine_and_no_arrays():
    heavy = "{'numpy', 'pyarrow', 'ibis', 'duckdb', 'sqlalchemy'}"
    code = f"import sys, touchline; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
