"""Who is watched, from when to when, and what was known of them before; and the report of it."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import touchline
from build import DAY, HOUR, T0
from touchline.attribution.observed import Moments, exposures, risk_set
from touchline.identity.people import Registry
from touchline.journey.goal import DEFAULT, Goal
from touchline.measure.basis import Question, basis_of
from touchline.measure.credit_table import credit_table
from touchline.measure.explain import EXPLAINED, explained
from touchline.measure.observed import observed_of
from touchline.measure.units import Bought, Met, Span, units_of
from touchline.model import LABELS

ANN, BEN, CAT = "user_id:ann", "user_id:ben", "user_id:cat"
ONCE = Goal("first", event="Order Completed", stages=("",), count="once")


def watched(rows, goal=DEFAULT, **asked):
    rows.commit()
    question = Question(goal=goal, currency=rows.workspace.currency, time_zone="UTC", **asked)
    with rows.workspace.view() as view:
        people = Registry(rows.workspace).at(view)
        return observed_of(view, people, basis_of(view, people, question))


def units(found):
    """(touches, start, end, converts?) of each unit, in days from T0."""
    starts = found.starts_us
    return [
        (
            " ".join(
                f"{found.channels[found.channel[i]]}@{(found.ts_us[i] - T0) / DAY:g}"
                for i in range(found.offsets[u], found.offsets[u + 1])
            ),
            (starts[u] - T0) / DAY,
            (found.end_us[u] - T0) / DAY,
            bool(found.is_converted[u]),
        )
        for u in range(found.units)
    ]


def control(found, name):
    return np.expm1(found.z[:, found.control_names.index(name)])


def test_somebody_is_watched_from_the_first_touch_and_anew_after_each_conversion(rows):
    rows.touch(ANN, T0, "Ads")
    rows.touch(ANN, T0 + 3 * DAY, "Mail")
    rows.conversion("a", ANN, T0 + 4 * DAY, amount=100, currency="CNY")
    rows.conversion("b", ANN, T0 + 6 * DAY, amount=100, currency="CNY")
    rows.touch(BEN, T0 + 10 * DAY, "Ads")
    rows.touch(CAT, T0 + 1 * DAY, "Ads")
    assert sorted(units(watched(rows))) == [
        ("Ads@0 Mail@3", 0, 4, True),
        ("Ads@0 Mail@3", 4, 6, True),
        ("Ads@0 Mail@3", 6, 10, False),
        ("Ads@1", 1, 10, False),
    ]


def test_who_is_known_for_the_conversion_alone_is_in_no_unit(rows):
    rows.touch(ANN, T0, "Ads")
    rows.conversion("a", BEN, T0 + DAY, amount=100, currency="CNY")
    rows.conversion("b", CAT, T0 + DAY, amount=100, currency="CNY")
    rows.touch(CAT, T0 + 2 * DAY, "Ads")
    found = watched(rows)
    assert found.conversions == 0
    assert units(found) == [("Ads@0", 0, 2, False)]
    assert found.moments_us.tolist() == [T0 + DAY, T0 + DAY]


def test_days_asked_for_bound_what_is_watched_and_touches_before_them_still_act(rows):
    rows.touch(ANN, T0, "Ads")
    rows.conversion("early", ANN, T0 + DAY, amount=100, currency="CNY")
    rows.touch(ANN, T0 + 3 * DAY, "Mail")
    rows.conversion("asked", ANN, T0 + 5 * DAY, amount=100, currency="CNY")
    rows.conversion("late", ANN, T0 + 9 * DAY, amount=100, currency="CNY")
    day = [(np.datetime64("2026-03-01") + n).astype(object) for n in (2, 6)]
    found = watched(rows, days=tuple(day))
    assert [(*unit[:2], round(unit[2], 6), unit[3]) for unit in units(found)] == [
        ("Ads@0 Mail@3", 2, 5, True),
        ("Ads@0 Mail@3", 5, 7, False),
    ]
    assert control(found, "conversions before").tolist() == [0, 0]


def test_after_the_one_conversion_that_counts_nobody_is_at_risk_any_more(rows):
    rows.touch(ANN, T0, "Ads")
    rows.conversion("a", ANN, T0 + DAY, amount=100, currency="CNY")
    rows.touch(BEN, T0 + 2 * DAY, "Ads")
    rows.touch(CAT, T0 + 3 * DAY, "Ads")
    assert units(watched(rows, ONCE)) == [("Ads@0", 0, 1, True), ("Ads@2", 2, 3, False)]


def test_who_converted_before_the_first_touch_is_not_at_risk_of_a_first_conversion(rows):
    rows.conversion("a", ANN, T0, amount=100, currency="CNY")
    rows.touch(ANN, T0 + DAY, "Ads")
    rows.touch(BEN, T0 + 3 * DAY, "Ads")
    rows.touch(CAT, T0 + 5 * DAY, "Ads")
    assert units(watched(rows, ONCE)) == [("Ads@3", 3, 5, False)]


def test_controls_are_what_was_known_before_the_first_exposure_in_the_window(rows):
    rows.touch(ANN, T0, "Direct")
    rows.touch(ANN, T0 + DAY, "Ads")
    rows.conversion("a", ANN, T0 + 2 * DAY, amount=4900, currency="CNY")
    rows.touch(ANN, T0 + 40 * DAY, "Mail")
    rows.conversion("b", ANN, T0 + 41 * DAY, amount=100, currency="CNY")
    found = watched(rows, window_days=10)
    second = [unit[2] for unit in units(found)].index(41)
    assert control(found, "touches before")[second] == 0  # both lie within ten days of its start
    assert control(found, "conversions before")[second] == 0
    rows.touch(ANN, T0 + 60 * DAY, "Ads")
    rows.conversion("c", ANN, T0 + 61 * DAY, amount=100, currency="CNY")
    found = watched(rows, window_days=10)
    third = [unit[2] for unit in units(found)].index(61)
    assert control(found, "touches before")[third] == pytest.approx(2)
    assert control(found, "direct touches before")[third] == pytest.approx(1)
    assert control(found, "conversions before")[third] == pytest.approx(1)
    assert control(found, "money before")[third] == pytest.approx(4900)
    assert control(found, "days known")[third] == pytest.approx(40)


def test_a_deal_is_its_accounts_and_open_accounts_are_censored(rows):
    won = Goal("deals", stages=("won",))
    rows.touch(ANN, T0, "Ads", account_id="acme")
    rows.touch(BEN, T0 + DAY, "Mail", account_id="acme")
    rows.touch(CAT, T0 + 2 * DAY, "Ads", account_id="open")
    rows.touch("user_id:dan", T0 + 3 * DAY, "Visit")
    rows.conversion(
        "deal", ANN, T0 + 4 * DAY, stage="won", amount=100, currency="CNY", account_id="acme"
    )
    rows.conversion("other", CAT, T0 + 5 * DAY, stage="proposal", amount=100, account_id="open")
    rows.touch("user_id:eve", T0 + 9 * DAY, "Visit")
    assert sorted(units(watched(rows, won))) == [
        ("Ads@0 Mail@1", 0, 4, True),
        ("Ads@0 Mail@1", 4, 9, False),
        ("Ads@2", 2, 9, False),
        ("Visit@3", 3, 9, False),
    ]


def test_a_deal_that_was_lost_ends_the_risk_until_its_account_is_touched_again(rows):
    deals = Goal("deals", stages=("won",))
    for who, account in ((ANN, "lost"), (BEN, "back"), (CAT, "open")):
        rows.touch(who, T0, "Ads", account_id=account)
        rows.conversion(account, who, T0 + DAY, stage="proposal", amount=100, account_id=account)
    for who, account in ((ANN, "lost"), (BEN, "back")):
        rows.conversion(account, who, T0 + 3 * DAY, stage="战败", amount=0, account_id=account)
    rows.touch(BEN, T0 + 5 * DAY, "Mail", account_id="back")
    rows.conversion(
        "again", BEN, T0 + 6 * DAY, stage="won", amount=100, currency="CNY", account_id="back"
    )
    rows.touch("user_id:eve", T0 + 9 * DAY, "Visit")
    found = watched(rows, deals)
    assert sorted(units(found)) == [
        ("Ads@0", 0, 3, False),
        ("Ads@0", 0, 3, False),
        ("Ads@0", 0, 9, False),
        ("Ads@0 Mail@5", 5, 6, True),
        ("Ads@0 Mail@5", 6, 9, False),
    ]
    assert set(control(found, "conversions before").tolist()) == {0}
    whole = Goal("orders", event="Order Completed", stages=("won",))
    assert {unit[2] for unit in units(watched(rows, whole))} == {6, 9}


def test_a_deal_lost_before_the_days_asked_for_stays_lost_until_the_next_touch(rows):
    deals = Goal("deals", stages=("won",))
    for who, account in ((ANN, "lost"), (BEN, "back")):
        rows.touch(who, T0, "Ads", account_id=account)
        rows.conversion(account, who, T0 + DAY, stage="lost", amount=0, account_id=account)
    rows.touch(BEN, T0 + 4 * DAY, "Mail", account_id="back")
    rows.touch(CAT, T0 + 9 * DAY, "Ads")
    from_the_third = ((np.datetime64("2026-03-01") + 2).astype(object), None)
    assert units(watched(rows, deals, days=from_the_third)) == [("Ads@0 Mail@4", 4, 9, False)]


def test_touches_count_for_their_own_windows_and_not_after_a_conversion_that_used_them_up(rows):
    rows.touch(ANN, T0, "Display", name="Ad Viewed")
    rows.touch(ANN, T0 + 2 * DAY, "Mail")
    rows.conversion("a", ANN, T0 + 3 * DAY, amount=100, currency="CNY")
    rows.touch(ANN, T0 + 4 * DAY, "Mail")
    rows.conversion("b", ANN, T0 + 5 * DAY, amount=100, currency="CNY")
    short = Goal("short", stages=("",), windows={"view": "1d", "mail": "30d"})
    found = watched(rows, short)
    days = dict(zip(found.channel.tolist(), (found.reach_us / DAY).tolist(), strict=True))
    assert {found.channels[code]: reach for code, reach in days.items()} == {
        "Display": 1,
        "Mail": 30,
    }
    moments = Moments(np.array([0]), found.end_us[:1], np.array([True]), np.ones(1))
    assert exposures(found, moments)[0].age.tolist() == [1]
    anew = Goal("anew", stages=("",), restarts=True)
    assert [unit[:3] for unit in units(watched(rows, anew))] == [
        ("Display@0 Mail@2", 0, 3),
        ("Mail@4", 3, 5),
    ]


def in_store(rows, who, at, name):
    """An order in a store, which tells its channel and so is a touch as well."""
    rows.order(who, at, name, channel="Store", flags=1, revenue=100, currency="CNY")


def test_the_event_that_is_the_conversion_is_a_touch_of_what_follows_and_not_of_itself(rows):
    rows.touch(ANN, T0, "Ads")
    in_store(rows, ANN, T0 + DAY, "a")
    in_store(rows, ANN, T0 + 3 * DAY, "b")
    rows.touch(BEN, T0 + 5 * DAY, "Ads")
    assert units(watched(rows))[:3] == [
        ("Ads@0", 0, 1, True),
        ("Ads@0 Store@1", 1, 3, True),
        ("Ads@0 Store@1 Store@3", 3, 5, False),
    ]


def test_who_comes_by_an_order_is_watched_from_then_on(rows):
    in_store(rows, ANN, T0, "a")
    in_store(rows, ANN, T0 + 2 * DAY, "b")
    rows.touch(BEN, T0 + 5 * DAY, "Ads")
    rows.touch(CAT, T0 + 5 * DAY, "Ads")
    in_store(rows, CAT, T0 + 5 * DAY, "c")
    found = watched(rows)
    assert units(found)[:2] == [("Store@0", 0, 2, True), ("Store@0 Store@2", 2, 5, False)]
    assert units(found)[-1] == ("Ads@5", 5, 5, True)


def test_orders_in_a_store_have_the_credit_that_a_data_frame_gives_them(rows):
    """There an event is no conversion: told a moment later, it is a touch of what follows alone."""
    rng = np.random.default_rng(0)
    met, bought = [], []
    for n in range(120):
        who, at = f"u{n}", T0 + int(rng.random() * 20 * DAY)
        rows.touch(f"user_id:{who}", at, "Ads")
        met.append((who, at, "Ads"))
        for turn in range(rng.integers(0, 4)):
            at += int((1 + rng.exponential(5)) * DAY)
            in_store(rows, f"user_id:{who}", at, f"o{n}-{turn}")
            met.append((who, at + 1, "Store"))
            bought.append((who, at, 100.0))
    rows.commit()
    question = Question(goal=DEFAULT, currency="CNY", time_zone="UTC")
    with rows.workspace.view() as view:
        people = Registry(rows.workspace).at(view)
        found = basis_of(view, people, question)
        assert set(found.journeys.labels.channels) <= set(observed_of(view, people, found).channels)
    whole = rows.report("hazard,incremental").as_json()["rows"]
    here = {(row["model"], row["channel"]): row["conversions"] for row in whole}
    names = (["person_id", "occurred_at", "channel"], ["person_id", "occurred_at", "revenue"])
    tables = (
        pa.Table.from_pylist([dict(zip(of, row, strict=True)) for row in rows_])
        for of, rows_ in zip(names, (met, bought), strict=True)
    )
    there = touchline.attribute(*tables, models="hazard,incremental").to_pylist()
    assert here == {
        (row["model"], row["channel"]): pytest.approx(row["conversions"], rel=1e-3, abs=1e-3)
        for row in there
    }


def test_touches_of_the_same_second_as_the_conversion_are_known_by_then(rows):
    rows.touch(ANN, T0 + DAY, "Ads")
    rows.conversion("a", ANN, T0 + DAY, amount=100, currency="CNY")
    rows.touch(BEN, T0 + 2 * DAY, "Ads")
    assert units(watched(rows))[0] == ("Ads@1", 1, 1, True)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30), st.integers(0, 3)), max_size=25),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30)), max_size=12),
    st.integers(0, 15),
    st.integers(1, 20),
    st.booleans(),
)
def test_units_of_an_owner_follow_each_other_and_hold_what_was_met(
    met, bought, first, window, once
):
    """Touches of the last channel are events of conversions themselves."""
    own = 3
    columns = [np.array(c, dtype=np.int64) for c in zip(*met, strict=True)] if met else []
    touches = Met(*(columns or [np.zeros(0, np.int64)] * 3))
    touches = touches._replace(is_own=touches.channel == own)
    if once:
        bought = list({owner: (owner, at) for owner, at in bought}.values())
    sold = np.array(bought, dtype=np.int64).reshape(-1, 2)
    nothing = np.zeros(len(sold), np.bool_)
    conversions = Bought(sold[:, 0], sold[:, 1], np.full(len(sold), 7), nothing)
    span = Span(first, 30, window, once)
    found = units_of(touches, conversions, ("a", "b", "c", "own"), span, np.zeros(0, np.int64))
    assert np.all(found.starts_us <= found.end_us)
    assert np.all(found.end_us <= 30)
    expected = [
        (owner, at)
        for owner, at in bought
        if at >= first and any(o == owner and ts <= at - (code == own) for o, ts, code in met)
    ]
    assert found.conversions == len(expected)
    for unit in range(found.units):
        part = slice(found.offsets[unit], found.offsets[unit + 1])
        times = found.ts_us[part]
        assert np.all(np.diff(times) >= 0)
        assert np.all(times <= found.end_us[unit])
        assert np.all(times >= found.starts_us[unit] - window)
        if found.is_converted[unit]:
            assert np.all(times[found.channel[part] == own] < found.end_us[unit])
    assert np.all(found.z >= 0)
    if found.conversions:
        moments = risk_set(found, 2, 0, 100, 0)
        exposures(found, moments)


@pytest.fixture
def busy(rows):
    """Forty people: half meet Ads and most of those buy; all meet Mail, which does nothing."""
    for n in range(80):
        who = f"user_id:{n}"
        rows.touch(who, T0 + n % 20 * HOUR, "Mail")
        if n % 2:
            rows.touch(who, T0 + (20 + n % 7) * DAY, "Ads", campaign="c")
        if (n % 2 and n % 5) or n % 20 == 0:
            when = T0 + (20 + n % 7) * DAY + (1 + n % 3) * HOUR
            rows.conversion(f"o{n}", who, when, amount=100 + n, currency="CNY")
    rows.touch("user_id:last", T0 + 60 * DAY, "Mail")
    return rows


def test_a_report_has_a_baseline_of_its_own_and_adds_up(busy):
    whole = busy.report("hazard,incremental", by=("channel", "campaign")).as_json()
    assert all(line["adds_up"] for line in whole["footer"])
    for model in ("hazard", "incremental"):
        mine = {row["channel"]: row for row in whole["rows"] if row["model"] == model}
        assert set(mine) >= {"Ads", "(baseline)"}
        assert mine["(baseline)"]["cost"] == 0
        assert mine["Ads"]["conversions"] > 0.5 * whole["conversions"]
        assert mine["Ads"]["campaign"] == "c"
        assert sum(row["conversions"] for row in mine.values()) == pytest.approx(36, abs=1e-9)
        assert sum(row["revenue"] for row in mine.values()) == whole["revenue"]


def test_rows_of_credit_add_up_to_the_money_of_the_report(busy):
    busy.commit()
    question = Question(goal=DEFAULT, currency="CNY", by=LABELS)
    with busy.workspace.view() as view:
        people = Registry(busy.workspace).at(view)
        table = list(credit_table(view, people, question, "hazard"))
    whole = busy.report("hazard").as_json()
    assert sum(row["revenue"] for row in table) == whole["revenue"]
    assert sum(row["credit"] for row in table) == pytest.approx(36, abs=1e-9)
    assert {row["channel"] for row in table} >= {"Ads", "(baseline)"}


def test_one_conversion_tells_them_apart_from_rules_as_they_leave_something_to_the_baseline(busy):
    busy.commit()
    question = Question(goal=DEFAULT, currency="CNY", by=EXPLAINED)
    with busy.workspace.view() as view:
        people = Registry(busy.workspace).at(view)
        asked = "linear,markov_1,hazard,incremental"
        models = explained(view, people, question, "o1", asked)["models"]
    kinds = {one["model"]: one["kind"] for one in models}
    assert kinds == {
        "linear": "rule",
        "markov_1": "aggregate",
        "hazard": "fitted",
        "incremental": "fitted",
    }


def test_all_leaves_them_out_where_there_is_too_little_to_fit(rows):
    rows.touch(ANN, T0, "Ads")
    rows.conversion("a", ANN, T0 + DAY, amount=100, currency="CNY")
    whole = rows.report("all").as_json()
    assert not {"hazard", "incremental"} & {row["model"] for row in whole["rows"]}


def test_all_has_them_where_there_is_enough(busy):
    whole = busy.report("all").as_json()
    assert {"hazard", "incremental"} <= {row["model"] for row in whole["rows"]}


def test_by_name_too_few_conversions_are_refused_with_what_to_do(rows):
    rows.touch(ANN, T0, "Ads")
    rows.conversion("a", ANN, T0 + DAY, amount=100, currency="CNY")
    with pytest.raises(Exception, match="at least 30 conversions, not 1"):
        rows.report("hazard")
