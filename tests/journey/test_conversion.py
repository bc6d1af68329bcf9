"""Which rows are a conversion, when, whose and of what amount."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import build
from build import DAY, HOUR, T0
from touchline.journey.conversion import conversions
from touchline.journey.goal import DEFAULT, Goal
from touchline.journey.rate import Rates

ANN, BEN = "user_id:ann", "user_id:ben"
WON = Goal("won", stages=("won",))
OPEN_OR_WON = Goal("opportunities", stages=("open", "won"))
LEADS = Goal("leads", event="Lead")
ORDERS = Goal("orders", event="Order Completed")


def found(rows, goal=DEFAULT, *, as_of_us=None):
    """conversion_id → its row."""
    rows.commit()
    with rows.workspace.view(as_of_us=as_of_us) as view:
        rates = Rates.of(view, "CNY")
        who = build.speakers(view, ANN, BEN)
        table = conversions(view, who, goal, rates).rows
    listed = table.to_pylist()
    assert len({row["conversion_id"] for row in listed}) == len(listed)
    return {row["conversion_id"]: row for row in listed}


def worth(rows, goal=DEFAULT, **options):
    """conversion_id → (count, revenue)"""
    got = found(rows, goal, **options)
    return {name: (row["count"], row["revenue"]) for name, row in got.items()}


# The default goal


def test_finished_orders_of_files_and_trackers_count(rows):
    rows.conversion("empty", ANN, T0, amount=1, currency="CNY")
    for number, stage in enumerate(("won", "closed_won", "成交", "赢单"), 2):
        rows.conversion(stage, ANN, T0, stage=stage, amount=number, currency="CNY")
    rows.conversion("spoken", ANN, T0, stage="Closed Won ", amount=7, currency="CNY")
    for stage in ("lost", "open", "not won", "丢单"):
        rows.conversion(f"not {stage}", ANN, T0, stage=stage, amount=9, currency="CNY")
    rows.order(ANN, T0, "tracked", revenue=6)
    rows.event(ANN, T0, "Checkout Started", revenue=9)
    assert {name: revenue for name, (_, revenue) in worth(rows).items()} == {
        "empty": 1,
        "won": 2,
        "closed_won": 3,
        "成交": 4,
        "赢单": 5,
        "tracked": 6,
        "spoken": 7,
    }


def test_orders_of_bots_and_page_views_of_that_name_are_none(rows):
    rows.order(ANN, T0, "bot", bot=True)
    rows.order(ANN, T0, "page", type="page")
    assert worth(rows) == {}


def test_an_order_without_an_id_is_one_by_itself(rows):
    rows.order(ANN, T0, None, revenue=5)
    rows.order(ANN, T0, None, revenue=5)
    assert sorted(worth(rows).values()) == [(1, 5), (1, 5)]


def test_order_ids_and_conversion_ids_are_one_namespace(rows):
    rows.order(ANN, T0 + HOUR, "o1", revenue=100)
    rows.conversion("o1", None, T0, amount=120, currency="CNY", stage="won", source="erp")
    (row,) = found(rows).values()
    assert (row["count"], row["revenue"], row["converted_us"]) == (1, 120, T0)
    assert row["person_ix"] == 0


def test_the_newest_arrival_gives_stage_and_amount(rows):
    rows.conversion("a", ANN, T0, stage="won", amount=100, currency="CNY")
    rows.conversion("a", ANN, T0 - DAY, stage="won", amount=80, currency="CNY")
    rows.conversion("b", ANN, T0, stage="won", amount=100, currency="CNY")
    rows.conversion("b", ANN, T0, stage="lost", amount=100, currency="CNY")
    rows.order(ANN, T0, "c", revenue=100)
    rows.conversion("c", ANN, T0, stage="cancelled", amount=100, currency="CNY")
    rows.conversion("d", ANN, T0, stage="lost", amount=70, currency="CNY")
    rows.order(ANN, T0, "d", revenue=60)
    assert worth(rows) == {"a": (1, 80), "d": (1, 60)}


def test_what_arrived_later_is_newer_whatever_its_number(rows):
    """Each table numbers its own rows, so between tables the time of arrival decides."""
    rows.order(ANN, T0, "a", revenue=60, known_at_us=T0 + 9, seq=1)
    rows.conversion("a", ANN, T0, amount=100, currency="CNY", known_at_us=T0 + 8, seq=7)
    assert worth(rows) == {"a": (1, 60)}


def test_a_conversion_without_an_amount_counts_and_is_worth_nothing(rows):
    rows.conversion("a", ANN, T0)
    rows.order(ANN, T0, "b", revenue=None, currency="USD")
    assert worth(rows) == {"a": (1, 0), "b": (1, 0)}


def test_a_conversion_of_nobody_is_still_there(rows):
    rows.conversion("a", None, T0, amount=5, currency="CNY")
    (row,) = found(rows).values()
    assert (row["person_ix"], row["revenue"]) == (None, 5)


def test_the_owner_is_who_was_last_named(rows):
    rows.conversion("a", ANN, T0, account_id="acme")
    rows.conversion("a", BEN, T0, stage="won")
    rows.conversion("a", None, T0, stage="won")
    (row,) = found(rows).values()
    assert (row["person_ix"], row["account_id"]) == (1, "acme")


# Goals by stages


def test_a_stages_goal_counts_at_the_earliest_of_its_newest_row_per_stage(rows):
    rows.conversion("a", ANN, T0 + 9 * DAY, stage="open")
    rows.conversion("a", ANN, T0 + 3 * DAY, stage="open")  # corrected: this row speaks for "open"
    rows.conversion("a", ANN, T0 + 5 * DAY, stage="won")
    rows.conversion("a", ANN, T0 + 6 * DAY, stage="won")
    both, won = found(rows, OPEN_OR_WON)["a"], found(rows, WON)["a"]
    assert both["converted_us"] == T0 + 3 * DAY
    assert won["converted_us"] == T0 + 6 * DAY
    assert (both["local_day"], won["local_day"]) == (dt.date(2026, 3, 4), dt.date(2026, 3, 7))


def test_a_correction_may_move_a_stage_later(rows):
    rows.conversion("a", ANN, T0, stage="won")
    rows.conversion("a", ANN, T0 + DAY, stage="won")
    assert found(rows, WON)["a"]["converted_us"] == T0 + DAY


def test_a_conversion_counts_by_its_newest_stage_only(rows):
    rows.conversion("a", ANN, T0, stage="won")
    rows.conversion("a", ANN, T0 + DAY, stage="lost")
    rows.conversion("b", ANN, T0, stage="open")
    assert list(found(rows, WON)) == []
    assert list(found(rows, OPEN_OR_WON)) == ["b"]


def test_a_stages_goal_takes_no_events(rows):
    rows.order(ANN, T0, "o")
    rows.event(ANN, T0, "Deal", stage="won", order_id="x")
    assert worth(rows, WON) == {}


# Goals by event


def test_an_event_goal_keeps_the_first_events_time(rows):
    rows.order(ANN, T0 + DAY, "a", revenue=50)
    rows.order(ANN, T0, "a", revenue=40)
    rows.conversion("a", ANN, T0 - 9 * DAY, amount=70, currency="CNY")
    (row,) = found(rows, ORDERS).values()
    assert (row["converted_us"], row["revenue"]) == (T0, 70)
    assert row["own_event"] == (2).to_bytes(16)


def test_an_event_goal_ignores_rows_of_files_that_no_event_spoke_of(rows):
    rows.conversion("file", ANN, T0, amount=70, currency="CNY")
    rows.conversion("file", ANN, T0, amount=-70, currency="CNY")
    rows.event(ANN, T0, "Lead")
    assert len(found(rows, LEADS)) == 1


def test_a_goal_of_event_and_stages_takes_both(rows):
    goal = Goal("both", event="Lead", stages=("won",))
    rows.event(ANN, T0, "Lead", order_id="l")
    rows.conversion("w", ANN, T0, stage="won")
    rows.conversion("x", ANN, T0, stage="")
    assert sorted(found(rows, goal)) == ["l", "w"]


# Once


def test_once_keeps_a_persons_first_ever_and_everyone_of_nobody(rows):
    goal = Goal("first", stages=("",), count="once")
    rows.conversion("a2", ANN, T0 + DAY, amount=2, currency="CNY")
    rows.conversion("a1", ANN, T0, amount=1, currency="CNY")
    rows.conversion("b1", BEN, T0 + 2 * DAY, amount=4, currency="CNY")
    rows.conversion("n1", None, T0, amount=8, currency="CNY")
    rows.conversion("n2", None, T0, amount=16, currency="CNY")
    assert worth(rows, goal) == {"a1": (1, 1), "b1": (1, 4), "n1": (1, 8), "n2": (1, 16)}


def test_once_is_an_accounts_first_where_there_is_an_account(rows):
    goal = Goal("first", stages=("",), count="once")
    rows.conversion("a1", ANN, T0, account_id="acme")
    rows.conversion("a2", BEN, T0 + 1, account_id="acme")
    rows.conversion("p", ANN, T0 + 2)
    rows.conversion("zero", BEN, T0 + 3, account_id="0")
    assert sorted(found(rows, goal)) == ["a1", "p", "zero"]


def test_money_that_goes_back_apart_never_takes_the_first_orders_place(rows):
    goal = Goal("first", stages=("",), count="once")
    rows.conversion("r", ANN, T0, amount=-5, currency="CNY")
    rows.conversion("a", ANN, T0 + DAY, amount=10, currency="CNY")
    assert worth(rows, goal) == {"a": (1, 10)}


# Value


def test_a_constant_is_in_the_workspace_currency_and_nothing_goes_back_from_it(rows):
    goal = Goal("leads", event="Lead", value=12.345)
    rows.event(ANN, T0, "Lead", order_id="a", revenue=999, currency="USD")
    rows.event(ANN, T0, "Lead", order_id="b")
    rows.event(ANN, T0, "Lead", order_id="c", revenue=-1, currency="CNY")
    rows.refund("a", T0 + 1)
    assert worth(rows, goal) == {"a": (1, 1234), "b": (1, 1234)}


@pytest.mark.parametrize(
    ("properties", "currency", "minor"),
    [
        ('{"margin": 12.5}', "CNY", 1250),
        ('{"margin": "¥1,234.50"}', "CNY", 123450),
        ('{"margin": 0.125}', "CNY", 12),
        ('{"margin": "0.135"}', "CNY", 14),
        ('{"margin": 7}', None, 700),
        ('{"margin": "x"}', "CNY", 0),
        ('{"margin": null}', "CNY", 500),
        ("{}", "CNY", 500),
        (None, "CNY", 500),
    ],
)
def test_a_property_is_read_as_amounts_are_and_half_even(rows, properties, currency, minor):
    goal = Goal("margin", event="Order Completed", value="margin")
    rows.order(ANN, T0, "a", revenue=500, currency=currency, properties=properties)
    assert worth(rows, goal) == {"a": (1, minor)}


def test_a_property_in_another_currency_has_that_currencys_units(rows):
    goal = Goal("total", event="Order Completed", value="total")
    rows.rate(dt.date(2026, 1, 1), "JPY", "CNY", "0.05")
    rows.order(ANN, T0, "a", revenue=1, currency="JPY", properties='{"total": 1000}')
    assert worth(rows, goal) == {"a": (1, 5000)}


def test_a_property_of_a_file_row_counts_as_well(rows):
    goal = Goal("seats", stages=("won",), value="seats")
    rows.conversion("a", ANN, T0, stage="won", amount=9, currency="CNY", properties='{"seats":"3"}')
    assert worth(rows, goal) == {"a": (1, 300)}


# As of


def test_as_of_uses_what_was_known_then(rows):
    rows.conversion("a", ANN, T0, stage="won", amount=10, currency="CNY", known_at_us=T0)
    rows.conversion("a", ANN, T0, stage="lost", amount=10, currency="CNY", known_at_us=T0 + DAY)
    rows.order(ANN, T0, "b", revenue=7, known_at_us=T0 + 2 * DAY)
    rows.refund("b", T0, revenue=2, currency="CNY", known_at_us=T0 + 3 * DAY)
    assert worth(rows, as_of_us=T0 - 1) == {}
    assert worth(rows, as_of_us=T0) == {"a": (1, 10)}
    assert worth(rows, as_of_us=T0 + DAY) == {}
    assert worth(rows, as_of_us=T0 + 2 * DAY) == {"b": (1, 7)}
    assert worth(rows) == {"b": (1, 5)}


def test_as_of_a_day_an_event_goal_knows_no_file_row_of_a_later_event(rows):
    rows.conversion("a", ANN, T0, amount=-5, currency="CNY", known_at_us=T0)
    rows.order(ANN, T0, "a", revenue=7, known_at_us=T0 + DAY)
    assert worth(rows, ORDERS, as_of_us=T0) == {}
    assert worth(rows, ORDERS) == {"a": (1, 2)}


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcdef"),
            st.integers(0, 9),
            st.sampled_from(("", "open", "won", "lost")),
            st.integers(1, 99),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_stages_goals_agree_with_the_words_of_the_contract(tmp_path_factory, told):
    rows = build.Rows(build.workspace(tmp_path_factory.mktemp("t") / "w"))
    for name, day, stage, amount in told:
        rows.conversion(name, ANN, T0 + day * DAY, stage=stage, amount=amount, currency="CNY")
    for goal in (WON, OPEN_OR_WON):
        wanted = {}
        for name in {name for name, *_ in told}:
            mine = [row for row in told if row[0] == name]
            newest = {stage: day for _, day, stage, _ in mine}
            *_, stage, amount = mine[-1]
            if stage in goal.stages:
                day = min(newest[s] for s in goal.stages if s in newest)
                wanted[name] = (T0 + day * DAY, amount)
        got = found(rows, goal)
        assert {n: (r["converted_us"], r["revenue"]) for n, r in got.items()} == wanted
    rows.workspace.close()
