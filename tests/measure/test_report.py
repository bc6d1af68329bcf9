"""The report's JSON: its keys, its sums, and what stands apart."""

import datetime as dt
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import build
from build import DAY, HOUR, MINUTE, T0
from touchline.attribution import MODELS
from touchline.errors import BadInput
from touchline.identity.people import Registry
from touchline.journey.goal import Goal
from touchline.measure.basis import Question, basis_of

ANN, BEN = "user_id:ann", "user_id:ben"
MARCH = dt.date(2026, 3, 1)
AGGREGATE = {"markov_1", "markov_2", "markov_3", "shapley_rate"}
TOP = [
    *("goal", "window_days", "currency", "conversions", "revenue", "rows", "unattributed"),
    "footer",
]
ROW = [
    *("model", "channel", "campaign", "term", "conversions", "revenue"),
    *("cost", "roi", "cac", "roas", "removal_effect"),
]


def json_of(rows, models="all", **asked):
    return rows.report(models, **asked).as_json()


def by_channel(whole, model):
    return {row["channel"]: row for row in whole["rows"] if row["model"] == model}


def assert_adds_up(whole):
    """Per model, rows + unattributed are the conversions and, to the unit, the revenue."""
    apart = whole["unattributed"].values()
    for model in {row["model"] for row in whole["rows"]}:
        mine = [row for row in whole["rows"] if row["model"] == model]
        conversions = sum(r["conversions"] for r in mine) + sum(a["conversions"] for a in apart)
        assert conversions == pytest.approx(whole["conversions"], abs=1e-9)
        revenue = [r["revenue"] for r in mine] + [a["revenue"] for a in apart]
        assert sum(revenue) == whole["revenue"]
        assert all(type(value) is int for value in revenue)


# Keys and figures


def test_an_empty_workspace_has_a_report_without_rows(rows):
    whole = json_of(rows)
    assert list(whole) == [*TOP, "fitted"]  # the order that markov_auto found
    del whole["fitted"]
    assert whole | {"unattributed": None, "footer": None} == {
        "goal": "default",
        "window_days": 90,
        "currency": "CNY",
        "conversions": 0,
        "revenue": 0,
        "rows": [],
        "unattributed": None,
        "footer": None,
    }
    assert whole["unattributed"]["no_touch"] == {"conversions": 0, "revenue": 0}


def test_the_rows_of_a_model_hold_every_key_of_the_contract(rows):
    rows.touch(ANN, T0, "Ads", campaign="spring", term="shoes")
    rows.conversion("a", ANN, T0 + DAY, amount=3000, currency="CNY")
    rows.cost(MARCH, "Ads", 1000, campaign="spring", term="shoes")
    whole = json_of(rows, "linear")
    assert list(whole) == TOP
    (row,) = whole["rows"]
    assert list(row) == ROW
    assert row == {
        "model": "linear",
        "channel": "Ads",
        "campaign": None,
        "term": None,
        "conversions": 1.0,
        "revenue": 3000,
        "cost": 1000,
        "roi": 2.0,
        "cac": 1000.0,
        "roas": 3.0,
        "removal_effect": None,
    }
    (row,) = json_of(rows, "linear", by=("channel", "campaign", "term"))["rows"]
    assert (row["campaign"], row["term"], row["revenue"]) == ("spring", "shoes", 3000)
    (row,) = json_of(rows, "linear", by=("channel", "ad_group", "content"))["rows"]
    assert set(row) == {*ROW, "ad_group", "content"}
    assert (row["campaign"], row["ad_group"]) == (None, None)


def test_without_cost_rows_a_conversion_is_free_and_nothing_has_a_return(rows):
    rows.touch(ANN, T0, "Ads")
    rows.conversion("a", ANN, T0, amount=3000, currency="CNY")
    (row,) = json_of(rows, "linear")["rows"]
    assert (row["cost"], row["cac"], row["roi"], row["roas"]) == (0, 0.0, None, None)


def test_a_row_with_cost_and_no_credit_appears_with_zeros(rows):
    rows.touch(ANN, T0, "Ads")
    rows.conversion("a", ANN, T0, amount=3000, currency="CNY")
    rows.cost(MARCH, "TV", 500)
    row = by_channel(json_of(rows, "linear"), "linear")["TV"]
    assert (row["conversions"], row["revenue"], row["cost"]) == (0.0, 0, 500)
    assert (row["roi"], row["cac"], row["roas"]) == (-1.0, None, 0.0)


def test_all_is_every_model_in_its_order_and_names_are_answered_as_asked(rows):
    rows.touch(ANN, T0, "Ads")
    rows.conversion("a", ANN, T0, amount=3000, currency="CNY")
    order = [row["model"] for row in json_of(rows)["rows"]]
    assert order == list(MODELS)
    assert len(MODELS) == 12
    order = [row["model"] for row in json_of(rows, "shapley,first_touch")["rows"]]
    assert order == ["shapley", "first_touch"]


def test_rows_come_by_revenue_descending_then_channel_campaign_term(rows):
    for n, (channel, campaign, amount) in enumerate(
        [("b", "y", 10), ("b", "x", 10), ("a", None, 10), ("c", "z", 99), ("d", None, 0)]
    ):
        person = f"user_id:{n}"
        rows.touch(person, T0, channel, campaign=campaign)
        rows.conversion(str(n), person, T0, amount=amount, currency="CNY")
    whole = json_of(rows, "linear", by=("channel", "campaign"))
    found = [(row["channel"], row["campaign"]) for row in whole["rows"]]
    assert found == [("c", "z"), ("a", None), ("b", "x"), ("b", "y"), ("d", None)]


def test_removal_effects_are_shown_for_channels_only(rows):
    rows.touch(ANN, T0, "Ads")
    rows.touch(ANN, T0 + 1, "Mail")
    rows.touch(BEN, T0, "Mail")
    rows.conversion("a", ANN, T0 + DAY, amount=3000, currency="CNY")
    rows.cost(MARCH, "TV", 5)
    whole = json_of(rows, "markov_1,linear")
    markov = by_channel(whole, "markov_1")
    assert markov["Ads"]["removal_effect"] == pytest.approx(1 / 2)
    assert markov["Mail"]["removal_effect"] == pytest.approx(1)
    assert markov["TV"]["removal_effect"] is None
    assert {row["removal_effect"] for row in by_channel(whole, "linear").values()} == {None}
    finer = json_of(rows, "markov_1", by=("channel", "campaign"))
    assert {row["removal_effect"] for row in finer["rows"]} == {None}


# Sums


def test_cents_that_do_not_divide_go_by_largest_remainder_from_the_channel_down(rows):
    for n, (channel, campaign) in enumerate([("a", "x"), ("a", "y"), ("b", "x")]):
        rows.touch(ANN, T0 + n, channel, campaign=campaign)
    rows.conversion("a", ANN, T0 + DAY, amount=100, currency="CNY")
    coarse = by_channel(json_of(rows, "linear"), "linear")
    assert {name: row["revenue"] for name, row in coarse.items()} == {"a": 67, "b": 33}
    whole = json_of(rows, "linear", by=("channel", "campaign"))
    fine = {(r["channel"], r["campaign"]): r["revenue"] for r in whole["rows"]}
    assert fine == {("a", "x"): 34, ("a", "y"): 33, ("b", "x"): 33}


def test_conversions_no_touch_preceded_stand_apart(rows):
    rows.touch(ANN, T0, "Ads")
    rows.conversion("a", ANN, T0, amount=100, currency="CNY")
    rows.conversion("b", BEN, T0, amount=40, currency="CNY")
    rows.conversion("c", None, T0, amount=2, currency="CNY")
    rows.conversion("d", ANN, T0 + 91 * DAY, amount=1, currency="CNY")
    whole = json_of(rows)
    assert whole["unattributed"]["no_touch"] == {"conversions": 3, "revenue": 43}
    assert (whole["conversions"], whole["revenue"]) == (4, 143)
    assert_adds_up(whole)


def test_deals_in_stages_that_the_goal_does_not_know_are_told_of(rows):
    rows.conversion("a", ANN, T0, stage="已签单", amount=100, currency="CNY")
    rows.conversion("b", BEN, T0, stage="谈判", amount=100, currency="CNY")
    rows.conversion("c", BEN, T0, stage="已签单", amount=100, currency="CNY")
    told = ("stages_uncounted", {"goal": "default", "stages": "已签单 (2), 谈判 (1)"})
    assert rows.report("linear").notes == [told]
    assert rows.report("linear", goal=Goal("g", stages=("已签单",))).notes == []
    assert rows.report("linear", goal=Goal("g", event="Lead")).notes == []
    rows.conversion("d", BEN, T0, stage="Closed Won", amount=100, currency="CNY")
    a_day_before = dt.date(2020, 1, 1)
    assert rows.report("linear", days=(None, a_day_before)).notes == []


def test_conversions_without_a_rate_stand_apart_and_are_named(rows):
    rows.touch(ANN, T0, "Ads")
    rows.conversion("a", ANN, T0, amount=100, currency="CNY")
    rows.conversion("b", ANN, T0, amount=100, currency="EUR")
    rows.conversion("c", ANN, T0 + DAY, amount=100, currency="EUR")
    rows.conversion("d", ANN, T0, amount=None, currency="USD")
    rows.cost(MARCH, "Ads", 5, currency="GBP")
    found = rows.report()
    whole = found.as_json()
    assert whole["unattributed"]["no_rate"] == {"conversions": 2, "revenue": 0}
    assert (whole["conversions"], whole["revenue"]) == (4, 100)
    assert found.missing_rates == (
        *(("EUR", "2026-03-01"), ("EUR", "2026-03-02"), ("GBP", "2026-03-01")),
    )
    assert_adds_up(whole)


def test_a_rate_that_a_refund_lacks_is_named_with_its_order_whenever_the_money_went_back(rows):
    rows.touch(ANN, T0, "Ads")
    rows.order(ANN, T0 + DAY, "a", revenue=900)
    rows.refund("a", T0 + 40 * DAY, revenue=10, currency="USD")
    march = (dt.date(2026, 3, 1), dt.date(2026, 3, 31))
    assert rows.report("linear", days=march).missing_rates == (("USD", "2026-04-10"),)
    april = (dt.date(2026, 4, 1), dt.date(2026, 4, 30))
    assert rows.report("linear", days=april).missing_rates == ()


def test_money_that_went_back_takes_credit_back_and_no_conversion(rows):
    rows.touch(ANN, T0, "Ads")
    rows.touch(ANN, T0 + 1, "Mail")
    rows.conversion("a", ANN, T0 + DAY, amount=1000, currency="CNY")
    rows.conversion("r", ANN, T0 + DAY, amount=-300, currency="CNY")
    rows.conversion("n", None, T0, amount=-10, currency="CNY")
    whole = json_of(rows)
    assert (whole["conversions"], whole["revenue"]) == (1, 690)
    assert_adds_up(whole)
    linear = by_channel(whole, "linear")
    assert {name: row["revenue"] for name, row in linear.items()} == {"Ads": 350, "Mail": 350}
    assert whole["unattributed"]["no_touch"] == {"conversions": 0, "revenue": -10}


def test_a_channel_met_only_before_a_refund_gives_back_once(rows):
    rows.touch(ANN, T0, "Ads")
    rows.conversion("a", ANN, T0, amount=1000, currency="CNY")
    rows.touch(BEN, T0, "Mail", campaign="x")
    rows.conversion("r", BEN, T0, amount=-300, currency="CNY")
    for by in (("channel",), ("channel", "campaign")):
        whole = json_of(rows, by=by)
        assert_adds_up(whole)
        assert by_channel(whole, "linear")["Mail"]["revenue"] == -300


def test_money_that_went_back_alone_moves_no_conversions_of_any_model(rows):
    """Its touches stay where they are: before the conversion, or on a path that leads nowhere."""
    for n, path in enumerate([("Ads", "Mail"), ("Mail", "TV"), ("TV", "Ads", "Mail")]):
        for step, channel in enumerate(path):
            rows.touch(f"user_id:{n}", T0 + step * DAY, channel)
    rows.conversion("a", "user_id:0", T0 + 2 * DAY, amount=1000, currency="CNY")
    before = json_of(rows)
    rows.conversion("r", "user_id:0", T0 + DAY, amount=-300, currency="CNY")
    rows.conversion("s", "user_id:2", T0 + DAY, amount=-20, currency="CNY")
    after = json_of(rows)
    assert_adds_up(after)
    assert (after["conversions"], after["revenue"]) == (1, 680)
    for model in MODELS:
        counts = [
            {name: row["conversions"] for name, row in by_channel(whole, model).items()}
            for whole in (before, after)
        ]
        for name in counts[0].keys() | counts[1].keys():
            assert counts[1].get(name, 0) == pytest.approx(counts[0].get(name, 0)), (model, name)


@st.composite
def worlds(draw):
    """Touches, conversions and refunds of a few people over a few days."""
    people = [f"user_id:{n}" for n in range(draw(st.integers(1, 5)))]
    labels = st.sampled_from(["Ads", "Mail", "Direct", "TV"])
    touched = st.tuples(st.sampled_from(people), st.integers(0, 300), labels, st.sampled_from("xy"))
    sold = st.tuples(
        st.sampled_from([*people, None]),
        st.integers(0, 300),
        st.integers(-500, 100_000),
        st.sampled_from(["CNY", "USD", "EUR"]),
    )
    return draw(st.lists(touched, max_size=25)), draw(st.lists(sold, max_size=12))


def write(rows, touched, sold):
    for person, hour, channel, campaign in touched:
        rows.touch(person, T0 + hour * HOUR, channel, campaign=campaign, term=campaign + channel)
    for n, (person, hour, amount, currency) in enumerate(sold):
        rows.conversion(str(n), person, T0 + hour * HOUR, amount=amount, currency=currency)
    rows.rate(MARCH, "USD", "CNY", "7.123")
    rows.cost(MARCH, "Ads", 1234, campaign="x")
    rows.cost(MARCH, "Ads", 1, currency="USD", campaign="y")


@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # an example costs seconds
)
@given(worlds())
def test_credit_and_money_are_conserved_at_every_grain(tmp_path_factory, world):
    rows = build.Rows(build.workspace(tmp_path_factory.mktemp("t") / "w"))
    write(rows, *world)
    coarse, fine = (json_of(rows, by=by) for by in (("channel",), ("channel", "campaign", "term")))
    assert_adds_up(coarse)
    assert_adds_up(fine)
    assert (fine["conversions"], fine["revenue"]) == (coarse["conversions"], coarse["revenue"])
    for model in MODELS:
        for channel, row in by_channel(coarse, model).items():
            mine = [r for r in fine["rows"] if (r["model"], r["channel"]) == (model, channel)]
            assert sum(r["cost"] for r in mine) == row["cost"]
            assert sum(r["revenue"] for r in mine) == row["revenue"]
            total = sum(r["conversions"] for r in mine)
            assert total == pytest.approx(row["conversions"], abs=1e-9)
    rows.workspace.close()


def test_the_same_question_has_the_same_answer_to_the_bit(rows):
    for n in range(30):
        rows.touch(f"user_id:{n % 7}", T0 + n * HOUR, "abcd"[n * n % 4])
    for n in range(7):
        rows.conversion(str(n), f"user_id:{n}", T0 + 2 * DAY, amount=1000 + n, currency="CNY")
    assert json_of(rows) == json_of(rows)


# Models on small journeys


def test_rules_share_a_journey_of_three_as_their_names_say(rows):
    for n, channel in enumerate(("Ads", "Mail", "Direct")):
        rows.touch(ANN, T0 + n * DAY, channel)
    rows.conversion("a", ANN, T0 + 2 * DAY, amount=10_000, currency="CNY")
    whole = json_of(rows)
    shares = {
        model: [
            by_channel(whole, model).get(c, {}).get("revenue", 0) for c in ("Ads", "Mail", "Direct")
        ]
        for model in MODELS
    }
    assert shares["first_touch"] == [10_000, 0, 0]
    assert shares["last_touch"] == [0, 0, 10_000]
    assert shares["last_non_direct"] == [0, 10_000, 0]
    assert shares["linear"] == [3334, 3333, 3333]
    assert shares["position_based"] == [4000, 2000, 4000]
    weights = [Fraction(2) ** 0, Fraction(2 ** (1 / 7)), Fraction(2 ** (2 / 7))]
    for got, weight in zip(shares["time_decay"], weights, strict=True):
        assert abs(got - 10_000 * weight / sum(weights)) < 1
    assert shares["shapley"] == [3334, 3333, 3333]


def test_direct_is_known_in_any_case_and_a_path_of_it_alone_credits_it(rows):
    rows.touch(ANN, T0, "Mail")
    rows.touch(ANN, T0 + 1, "DIRECT")
    rows.touch(BEN, T0, "direct")
    rows.conversion("a", ANN, T0 + 1, amount=1, currency="CNY")
    rows.conversion("b", BEN, T0 + 1, amount=2, currency="CNY")
    found = by_channel(json_of(rows, "last_non_direct"), "last_non_direct")
    assert {name: row["revenue"] for name, row in found.items()} == {"Mail": 1, "direct": 2}


def test_shapley_splits_over_distinct_channels_then_over_their_touches(rows):
    for n, (channel, campaign) in enumerate([("a", "x"), ("a", "y"), ("a", "y"), ("b", "z")]):
        rows.touch(ANN, T0 + n, channel, campaign=campaign)
    rows.conversion("a", ANN, T0 + DAY, amount=6000, currency="CNY")
    whole = json_of(rows, "shapley", by=("channel", "campaign"))
    found = {(r["channel"], r["campaign"]): r["revenue"] for r in whole["rows"]}
    assert found == {("b", "z"): 3000, ("a", "y"): 2000, ("a", "x"): 1000}


def test_a_channel_an_aggregate_model_credits_without_a_converting_touch_keeps_one_row(rows):
    """Rate Shapley debits a channel that only stands in journeys that lead nowhere."""
    rows.touch(ANN, T0, "Ads", campaign="x")
    rows.touch(BEN, T0, "Ads", campaign="y")
    rows.touch(BEN, T0 + 1, "TV", campaign="z")
    rows.conversion("a", ANN, T0 + DAY, amount=1000, currency="CNY")
    whole = json_of(rows, "shapley_rate", by=("channel", "campaign", "term"))
    left = [row for row in whole["rows"] if row["channel"] == "TV"]
    assert [(row["campaign"], row["term"]) for row in left] == [(None, None)]
    assert left[0]["conversions"] < 0
    assert_adds_up(whole)


def test_the_tie_of_two_touches_at_one_moment_breaks_by_arrival(rows):
    rows.touch(ANN, T0, "second", seq=9)
    rows.touch(ANN, T0, "first", seq=8)
    rows.conversion("a", ANN, T0, amount=1, currency="CNY")
    whole = json_of(rows, "first_touch,last_touch")
    assert [(r["model"], r["channel"]) for r in whole["rows"]] == [
        ("first_touch", "first"),
        ("last_touch", "second"),
    ]


def test_an_order_told_of_twice_at_one_moment_is_no_touch_of_itself(rows):
    rows.touch(ANN, T0, "Email")
    for _ in range(2):
        rows.order(ANN, T0 + HOUR, "o1", revenue=900, channel="Store", flags=1)
    assert set(by_channel(json_of(rows, "linear"), "linear")) == {"Email"}
    rows.order(ANN, T0 + DAY, "o2", revenue=900)
    credited = by_channel(json_of(rows, "last_touch"), "last_touch")
    assert {name: row["revenue"] for name, row in credited.items()} == {"Email": 900, "Store": 900}


def test_above_twenty_channels_shapley_rate_is_sampled_and_says_how_far_off_it_may_be(rows):
    for n in range(21):
        rows.touch(ANN, T0 + n, f"channel {n}")
    rows.conversion("a", ANN, T0 + DAY, amount=1000, currency="CNY")
    found = rows.report()
    assert {row.model for row in found.rows} == {*MODELS}
    ((code, params),) = found.notes
    assert (code, params["model"]) == ("model_sampled", "shapley_rate")
    for row in found.as_json()["rows"]:
        assert ("standard_error" in row) == (row["model"] == "shapley_rate")
    sampled = [row for row in found.as_json()["rows"] if row["model"] == "shapley_rate"]
    assert sum(row["revenue"] for row in sampled) == 1000
    assert all(row["standard_error"]["conversions"] >= 0 for row in sampled)


def test_an_unknown_model_is_refused_with_those_there_are(rows):
    with pytest.raises(BadInput, match="first_touch") as caught:
        rows.report("lastt")
    assert caught.value.exit_code == 2


# Which journeys


def test_days_are_those_of_the_conversion_and_costs_count_by_their_own(rows):
    for n in range(4):
        person = f"user_id:{n}"
        rows.touch(person, T0 + n * DAY, "Ads")
        rows.conversion(str(n), person, T0 + n * DAY, amount=10**n, currency="CNY")
        rows.cost(MARCH + n * dt.timedelta(days=1), "Ads", 10**n)
    days = (MARCH + dt.timedelta(days=1), MARCH + dt.timedelta(days=2))
    (row,) = json_of(rows, "linear", days=days)["rows"]
    assert (row["conversions"], row["revenue"], row["cost"]) == (2.0, 110, 110)


def nulls(rows, **asked):
    """Journeys that lead nowhere, from the removal effects' own denominator."""
    rows.commit()
    goal = asked.pop("goal", Goal("g", stages=("",)))
    with rows.workspace.view() as view:
        people = Registry(rows.workspace).at(view)
        found = basis_of(view, people, Question(goal=goal, currency="CNY", **asked))
    journeys, names = found.journeys, found.journeys.labels.channels
    spans = zip(journeys.offsets[:-1], journeys.offsets[1:], strict=True)
    paths = [[names[journeys.channel[i]] for i in range(a, b)] for a, b in spans]
    return sorted(paths[journeys.converting :])


def test_touches_in_no_window_form_one_path_a_person_whatever_the_conversions_date(rows):
    rows.touch(ANN, T0, "served")
    rows.touch(ANN, T0 + 40 * DAY, "late a")
    rows.touch(ANN, T0 + 41 * DAY, "late b")
    rows.touch(BEN, T0 + HOUR, "ben")
    rows.conversion("a", ANN, T0 + DAY, amount=1, currency="CNY")
    assert nulls(rows) == [["ben"], ["late a", "late b"]]
    april = (dt.date(2026, 4, 10), None)
    assert nulls(rows, days=april) == [["late a", "late b"]]
    march = (MARCH, MARCH)
    assert nulls(rows, days=march) == [["ben"]]
    assert nulls(rows, window_days=0.5) == [["ben"], ["served", "late a", "late b"]]


def test_an_accounts_deal_is_credited_over_all_its_contacts(rows):
    """Contacts come from events, conversions and people rows; each touch counts once."""
    cfo, it, cto, out = "email:cfo", "email:it", "email:cto", "email:out"
    rows.touch(cfo, T0, "Fair", account_id="acme")
    rows.people(it, account_id="acme")
    rows.touch(it, T0 + 1, "Search")
    rows.conversion("other", cto, T0, stage="lost", account_id="acme")
    rows.touch(cto, T0 + 2, "Mail")
    rows.touch(out, T0 + 3, "Ads")
    rows.conversion("deal", cfo, T0 + DAY, stage="won", account_id="acme", amount=9, currency="CNY")
    found = by_channel(json_of(rows, "linear"), "linear")
    assert {name: row["revenue"] for name, row in found.items()} == {
        "Fair": 3,
        "Mail": 3,
        "Search": 3,
    }


def test_a_deal_without_any_person_is_its_accounts(rows):
    rows.touch("email:cfo", T0, "Fair", account_id="acme")
    rows.conversion("deal", None, T0 + DAY, stage="won", account_id="acme", amount=9)
    found = by_channel(json_of(rows, "linear"), "linear")
    assert found["Fair"]["conversions"] == 1.0


def test_a_shared_value_makes_nobody_a_contact(rows):
    for n in range(6):
        rows.people(f"user_id:{n}", "phone:desk")
    rows.touch("phone:desk", T0, "Fair", account_id="acme")
    rows.conversion("deal", None, T0 + DAY, stage="won", account_id="acme", amount=9)
    assert json_of(rows)["unattributed"]["no_touch"]["conversions"] == 1


def test_as_of_a_day_reports_what_was_known_of_everything(rows):
    known = {"known_at_us": T0}
    rows.touch("email:a", T0, "Mail", **known)
    rows.touch("user_id:ann", T0, "Ads", **known)
    rows.conversion("a", "user_id:ann", T0 + DAY, amount=100, currency="USD", **known)
    rows.seq = 10 * DAY  # from here on, things become known later
    rows.rate(MARCH, "USD", "CNY", "7")
    rows.people("email:a", "user_id:ann")
    rows.cost(MARCH, "Ads", 50)
    before = json_of(rows, "linear", as_of_us=T0 + DAY)
    assert before["unattributed"]["no_rate"]["conversions"] == 1
    assert before["rows"] == []
    now = by_channel(json_of(rows, "linear"), "linear")
    assert {name: (row["revenue"], row["cost"]) for name, row in now.items()} == {
        "Ads": (350, 50),
        "Mail": (350, 0),
    }


def test_two_conversions_of_one_journey_are_both_credited(rows):
    rows.touch(ANN, T0, "Ads")
    rows.conversion("a", ANN, T0 + MINUTE, amount=1, currency="CNY")
    rows.conversion("b", ANN, T0 + MINUTE, amount=2, currency="CNY")
    (row,) = json_of(rows, "first_touch")["rows"]
    assert (row["conversions"], row["revenue"]) == (2.0, 3)


def test_a_touch_whose_channel_nobody_named_is_unassigned(rows):
    rows.touch(ANN, T0, None)
    rows.conversion("a", ANN, T0, amount=1, currency="CNY")
    assert list(by_channel(json_of(rows, "linear"), "linear")) == ["Unassigned"]


@pytest.mark.parametrize("name", ["(baseline)", "(Baseline)", "(partner)", "(no touch)"])
def test_a_channel_that_calls_itself_what_no_channel_is_called_is_unassigned(rows, name):
    """Whoever knows a write key may send any name; no row of a report is lost or passed off so."""
    rows.touch(ANN, T0, name)
    rows.touch(BEN, T0, "Ads")
    rows.conversion("a", ANN, T0 + MINUTE, amount=100, currency="CNY")
    rows.conversion("b", BEN, T0 + MINUTE, amount=200, currency="CNY")
    rows.cost(MARCH, name, 500)
    whole = json_of(rows, "linear,markov_1")
    assert_adds_up(whole)
    found = by_channel(whole, "linear")
    assert set(found) == {"Ads", "Unassigned"}
    assert (found["Unassigned"]["revenue"], found["Unassigned"]["cost"]) == (100, 500)
