"""Lift tests as they are entered: what counts as one, and what is known of them when."""

import datetime as dt
import json

import pytest

import build
from touchline.errors import BadInput, NotFound
from touchline.jobs import definitions, lift
from touchline.jobs.lift import Wanted, add, lift_tests, remove
from touchline.storage import audit

MARCH = {"start": "2026-03-01", "end": "2026-03-31"}


@pytest.fixture
def site(tmp_path):
    made = build.workspace(tmp_path / "w")
    yield made
    made.close()


def entered(site, name="brand", **said):
    effect = (
        {} if {"low", "high", "treated", "effect"} & set(said) else {"effect": 120.0, "error": 30.0}
    )
    return add(site, Wanted(name=name, **({"channel": "Ads"} | MARCH | effect | said)))


def listed(site, **args):
    return [json.loads(line) for line in lift_tests(site, None, args)]


def test_a_test_is_listed_as_it_was_entered(site):
    told = entered(site, campaign="spring", kind="user", author="Ann")
    assert told.pop("is_met") is False  # nothing came in yet
    assert listed(site) == [told]
    assert {name: told[name] for name in ("name", "kind", "goal", "channel", "campaign")} == {
        "name": "brand",
        "kind": "user",
        "goal": "default",
        "channel": "Ads",
        "campaign": "spring",
    }
    assert (told["effect"], told["error"], told["from"], told["author"]) == (
        120,
        30,
        "2026-03-01",
        "Ann",
    )


def test_bounds_of_95_percent_are_an_effect_and_its_error(site):
    told = entered(site, low=60.0, high=180.0)
    assert told["effect"] == pytest.approx(120)
    assert told["error"] == pytest.approx(30.61, abs=0.01)


def test_two_groups_of_people_are_an_effect_and_its_error(site):
    told = entered(site, treated="20000:400", control="10000:150")
    assert told["effect"] == pytest.approx(100)
    assert told["error"] == pytest.approx((392 + 4 * 147.75) ** 0.5, rel=0.01)


def test_a_group_in_which_nobody_converts_is_not_exact(site):
    assert entered(site, treated="100:0", control="100:0")["error"] > 0.5


def test_a_test_that_saw_a_part_speaks_for_the_whole(site):
    told = entered(site, share=0.4)
    assert (told["effect"], told["error"]) == (pytest.approx(300), pytest.approx(75))


def test_money_is_entered_in_major_units_and_told_in_minor(site):
    told = entered(site, metric="revenue", effect=1200.5, error=300.0)
    assert (told["effect"], told["error"], told["currency"]) == (120_050, 30_000, "CNY")


def test_the_same_name_replaces_and_a_day_before_knows_the_earlier(site, monkeypatch):
    monkeypatch.setattr(lift.clock, "now_us", lambda: build.T0)
    entered(site)
    monkeypatch.setattr(lift.clock, "now_us", lambda: build.T0 + 5 * build.DAY)
    entered(site, effect=90.0, error=20.0)
    assert [row["effect"] for row in listed(site)] == [90]
    assert [row["effect"] for row in listed(site, as_of="2026-03-02")] == [120]
    (then,) = lift.tests_of(site, build.T0, "default")
    assert (then.effect, then.days) == (120, (dt.date(2026, 3, 1), dt.date(2026, 3, 31)))


def test_a_test_taken_back_is_gone_but_not_from_the_past(site, monkeypatch):
    monkeypatch.setattr(lift.clock, "now_us", lambda: build.T0)
    entered(site)
    monkeypatch.setattr(lift.clock, "now_us", lambda: build.T0 + 5 * build.DAY)
    remove(site, "brand")
    assert listed(site) == []
    assert len(lift.tests_of(site, build.T0 + build.DAY, "default")) == 1
    with pytest.raises(NotFound, match="no lift test brand"):
        remove(site, "brand")


def test_tests_of_another_goal_are_not_those_of_this(site):
    goals = [{"name": "leads", "event": "Lead"}, {"name": "deals", "stages": ["won"]}]
    with site.write_lock():
        definitions.apply(site, {"goal": goals}, "test")
    entered(site)
    entered(site, "other", goal="deals")
    assert [test.name for test in lift.tests_of(site, None, "leads")] == ["brand"]
    assert [test.name for test in lift.tests_of(site, None, "deals")] == ["other"]


def test_who_entered_what_is_in_the_audit_log(site):
    entered(site)
    actions = [row["action"] for row in audit.entries(site.state)]
    assert "lift_add" in actions


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"effect": 10.0}, "error.*missing"),
        ({"effect": 10.0, "error": 0.0}, "no test is so exact"),
        ({"effect": 10.0, "error": 1e-300}, "no test is so exact"),
        ({"effect": 1e7, "error": 5e-6}, "no test is so exact"),
        ({"effect": 1000.0, "error": 10.0, "share": 1e-310}, "not a number"),
        ({"effect": 10.0, "error": 1.0, "low": 8.0, "high": 12.0}, "one way"),
        ({"effect": 10.0, "error": 1.0, "treated": "9:3", "control": "9:1"}, "one way"),
        ({"effect": 10.0, "low": 8.0, "high": 12.0}, "one way"),
        ({"low": 5.0}, "high.*missing"),
        ({"high": 5.0}, "low.*missing"),
        ({"effect": float("nan"), "error": 1.0}, "not a number"),
        ({"effect": 1e300, "error": 1.0}, "not a number"),
        ({"effect": 10.0, "error": float("inf")}, "no number"),
        ({"low": float("nan"), "high": 5.0}, "not a number"),
        ({"low": 5.0, "high": 5.0}, "not above 5"),
        ({"treated": "100:3"}, "control"),
        ({"treated": "100:300", "control": "5:1"}, "PEOPLE:CONVERSIONS"),
        ({"treated": "100:3", "control": "0:0"}, "PEOPLE:CONVERSIONS"),
        ({"treated": "9:3", "control": "9:1", "metric": "revenue"}, "only be conversions"),
        ({"share": 0.0}, "part of 1"),
        ({"share": 2.0}, "part of 1"),
        ({"start": ""}, "which days"),
        ({"end": "2026-02-01"}, "before 2026-03-01"),
        ({"start": "March"}, "not a day"),
        ({"channel": "  "}, "missing"),
        ({"name": ""}, "missing"),
        ({"kind": "guess"}, "geo, user, time"),
        ({"metric": "clicks"}, "conversions, revenue"),
        ({"campaign": "a\nb"}, "one line"),
    ],
)
def test_what_is_no_test_is_refused_with_the_reason(site, said, why):
    with pytest.raises(BadInput, match=why):
        entered(site, **said)
    assert listed(site) == []


def test_a_goal_that_is_not_there_is_refused(site):
    with pytest.raises(NotFound, match="no goal nothing"):
        entered(site, goal="nothing")
