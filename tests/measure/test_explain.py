"""Any number → its conversions → the journey → what each touch got, adding up to the report."""

import pytest

from build import DAY, HOUR, MINUTE, T0
from touchline.attribution.models import TABLE, markov_order
from touchline.errors import BadInput, NotFound
from touchline.identity.people import Registry
from touchline.jobs import definitions
from touchline.journey.goal import DEFAULT
from touchline.measure.basis import Question
from touchline.measure.behind import behind
from touchline.measure.explain import EXPLAINED, STAGE, explained
from touchline.measure.notes import NOTES, UNKNOWN, left_out, note_of

ANN, BEN = "user_id:ann", "user_id:ben"


@pytest.fixture
def world(rows):
    rows.touch(ANN, T0, "Ads", campaign="spring")
    rows.session(ANN, T0 + HOUR, "Search", landing_page="https://shop.cn/a?b=c")
    rows.touch(ANN, T0 + 2 * HOUR, "Email")
    rows.touch(BEN, T0, "Ads", campaign="autumn")
    rows.touch("user_id:cy", T0, "Radio")
    rows.conversion("a", ANN, T0 + DAY, amount=1000, currency="CNY")
    rows.conversion("b", BEN, T0 + DAY, amount=501, currency="CNY")
    rows.conversion("alone", "user_id:dee", T0 + DAY, amount=7, currency="CNY")
    rows.conversion("open", BEN, T0 + DAY, amount=7, currency="CNY", stage="proposal")
    return rows


def ask(rows, what, *asked, by=EXPLAINED, **more):
    rows.commit()
    question = Question(goal=DEFAULT, currency="CNY", by=by)
    with rows.workspace.view() as view:
        return what(view, Registry(rows.workspace).at(view), question, *asked, **more)


def test_a_conversion_is_told_touch_by_touch_under_each_model(world):
    found = ask(world, explained, "a", "linear,first_touch,markov_1")
    assert (found["conversions"], found["revenue"], found["status"]) == (1, 1000, "credited")
    assert [touch["role"] for touch in found["touches"]] == ["opener", "assist", "closer"]
    assert [touch["channel"] for touch in found["touches"]] == ["Ads", "Search", "Email"]
    first, second, third = found["touches"]
    assert (first["campaign"], second["landing_page"]) == ("spring", "https://shop.cn/a")
    assert (first["days_before"], third["days_before"]) == (1, pytest.approx(22 / 24))
    assert first["credit"]["first_touch"] == {"conversions": 1, "revenue": 1000}
    assert [t["credit"]["linear"]["revenue"] for t in found["touches"]] == [334, 333, 333]
    sums = {one["model"]: (one["kind"], one["revenue"]) for one in found["models"]}
    assert sums["linear"] == ("rule", 1000)
    assert sums["markov_1"][0] == "aggregate"


def test_the_conversions_behind_a_number_add_up_to_it(world):
    for model in ("linear", "markov_1", "shapley_rate"):
        rows = world.report(model).as_json()["rows"]
        for row in rows:
            found = ask(world, behind, model, {"channel": row["channel"]})
            credit = found["credit"] + found["elsewhere"]
            assert credit == pytest.approx(row["conversions"])
            assert sum(one["credit"] for one in found["rows"]) == pytest.approx(found["credit"])
            assert sum(one["credited_revenue"] for one in found["rows"]) == found["revenue"]
    found = ask(world, behind, "linear", {"channel": "Ads", "campaign": "spring"}, limit=1)
    assert [one["conversion_id"] for one in found["rows"]] == ["a"]
    assert ask(world, behind, "linear", {"source": "none"})["conversions"] == 0
    found = ask(world, behind, "linear", {"channel": "Ads"}, limit=1)
    assert (found["conversions"], [one["conversion_id"] for one in found["rows"]]) == (2, ["b"])


def told_of(rows, model, **labels):
    """credit, revenue and the rows of a number; all of it adds up."""
    found = ask(rows, behind, model, labels)
    assert sum(one["credit"] for one in found["rows"]) == pytest.approx(found["credit"])
    assert sum(one["credited_revenue"] for one in found["rows"]) == found["revenue"]
    return found


@pytest.mark.parametrize("by", [("channel",), ("channel", "campaign")])
def test_money_behind_a_number_is_that_of_the_report_to_the_cent(rows, by):
    """Each conversion alone would be rounded up: 17 times a third of a cent."""
    for number in range(17):
        for hour, name in enumerate(("Ads", "Email", "Store")):
            campaign = f"c{number % 3}" if name == "Ads" else None
            rows.touch(f"user_id:p{number}", T0 + hour * HOUR, name, campaign=campaign)
        rows.conversion(f"c{number}", f"user_id:p{number}", T0 + DAY, amount=100, currency="CNY")
    rows.touch("user_id:other", T0, "Ads")
    for model in ("linear", "markov_1"):
        for row in rows.report(model, by=by).as_json()["rows"]:
            labels = {name: row[name] for name in by}
            found = told_of(rows, model, **labels)
            assert found["revenue"] + found["elsewhere_revenue"] == row["revenue"]
            whole = found["credit"] + found["elsewhere"]
            assert whole == pytest.approx(row["conversions"])


def test_the_baseline_is_a_number_too(rows):
    for number in range(80):
        person = f"user_id:p{number}"
        rows.touch(person, T0 + number * HOUR, "Ads" if number % 3 else "Email")
        if number % 2:
            at = T0 + (10 + number % 7) * DAY
            rows.conversion(f"c{number}", person, at, amount=100 + number, currency="CNY")
    whole = rows.report("incremental").as_json()
    for row in whole["rows"]:
        found = told_of(rows, "incremental", channel=row["channel"])
        assert found["elsewhere"] == 0
        assert found["credit"] == pytest.approx(row["conversions"])
        assert found["revenue"] == row["revenue"]
    everything = told_of(rows, "incremental")
    assert everything["credit"] == pytest.approx(whole["conversions"])
    assert everything["revenue"] == whole["revenue"]


def test_what_stands_apart_has_its_conversions(world):
    """What no touch preceded, what has no rate, and what is a partner's."""
    world.conversion("usd", ANN, T0 + DAY, amount=900, currency="USD")
    with world.workspace.write_lock():
        crediting = {"partner": "dealer", "partner_share": 0.3}
        definitions.apply(world.workspace, {"attribution": crediting}, "test")
    for name, dealer in (("p1", "D"), ("p2", "E")):
        more = {"properties": f'{{"dealer": "{dealer}"}}'}
        world.conversion(name, BEN, T0 + DAY, amount=1000, currency="CNY", **more)
    whole = world.report("linear").as_json()
    (partner,) = (row for row in whole["rows"] if row["channel"] == "(partner)")
    found = told_of(world, "linear", channel="(partner)")
    assert found["credit"] == partner["conversions"] == pytest.approx(0.6)
    assert found["revenue"] == partner["revenue"] == 600
    assert told_of(world, "linear", channel="(partner)", campaign="E")["revenue"] == 300
    assert told_of(world, "linear", channel="(partner)", campaign="F")["rows"] == []
    assert told_of(world, "linear", channel="(partner)", term="x")["rows"] == []
    untouched = told_of(world, "linear", channel="(no touch)")
    assert [one["conversion_id"] for one in untouched["rows"]] == ["alone"]
    assert untouched["revenue"] == whole["unattributed"]["no_touch"]["revenue"] == 7
    unrated = told_of(world, "linear", channel="(no rate)")
    assert [one["conversion_id"] for one in unrated["rows"]] == ["usd"]
    assert (unrated["credit"], unrated["revenue"]) == (1, 0)
    missing = [{"currency": "USD", "day": "2026-03-02"}]
    assert unrated["missing_rates"] == missing
    alone = ask(world, explained, "usd", "linear")
    assert (alone["status"], alone["touches"], alone["conversions"]) == ("no_rate", [], 1)
    assert alone["missing_rates"] == missing


def test_models_that_are_left_out_are_named_with_the_reason():
    few = BadInput("too_few_conversions", model="hazard", limit=30, found=2)
    (note,) = left_out([few])["left_out"]
    assert note["code"] == "too_few_conversions"
    assert "hazard" in note["en"]
    assert "hazard" in note["zh"]
    assert left_out([]) == {}


def test_a_conversion_nothing_preceded_says_so(world):
    found = ask(world, explained, "alone", "linear")
    assert (found["status"], found["touches"]) == ("no_touch", [])


def test_a_touch_tells_how_far_its_buyer_was(world):
    world.conversion("lead", ANN, T0 + 90 * MINUTE, kind="lead")
    found = ask(world, explained, "a", "linear")
    assert [touch["stage"] for touch in found["touches"]] == ["visitor", "visitor", "lead"]
    found = ask(world, behind, "linear", {"stage": "lead"}, by=(*EXPLAINED, STAGE))
    assert [one["conversion_id"] for one in found["rows"]] == ["a"]
    assert found["credit"] == pytest.approx(1 / 3)


def test_what_is_not_counted_or_not_there_is_told_apart(world):
    with pytest.raises(NotFound) as unknown:
        ask(world, explained, "zzz", "linear")
    assert unknown.value.code == "conversion_unknown"
    with pytest.raises(BadInput) as other:
        ask(world, explained, "open", "linear")
    assert other.value.code == "conversion_uncounted"
    assert other.value.params["stage"] == "proposal"


def test_every_model_has_a_note_in_both_languages():
    assert {name for name in TABLE if markov_order(name) is None} | {"markov"} == set(NOTES)
    assert note_of("markov_7") == note_of("markov_1") != note_of("linear")
    assert note_of("of my own")["en"]["means"] == UNKNOWN[0][0]
    for model in NOTES:
        note = note_of(model)
        assert all(note[language][part] for language in ("en", "zh") for part in ("means", "doubt"))
