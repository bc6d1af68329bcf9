"""What each label cost: which rows are in force, and their money."""

import datetime as dt

import pytest

import build
from build import T0
from touchline.journey.rate import Rates
from touchline.measure.cost import costs

MARCH = dt.date(2026, 3, 1)
DAY = dt.timedelta(days=1)


def spent(rows, *labels, currency="CNY", as_of_us=None, **options):
    rows.commit()
    with rows.workspace.view(as_of_us=as_of_us) as view:
        rates = Rates.of(view, currency)
        return costs(view, labels or ("channel",), rates, **options), rates.missing


def test_no_rows_cost_nothing(rows):
    assert spent(rows) == ({}, set())


def test_rows_add_up_by_the_labels_asked_for(rows):
    rows.cost(MARCH, "Ads", 100, campaign="a", term="x")
    rows.cost(MARCH, "Ads", 10, campaign="a", term="y")
    rows.cost(MARCH + DAY, "Ads", 1, campaign="b")
    rows.cost(MARCH, "TV", 5)
    assert spent(rows)[0] == {("Ads",): 111, ("TV",): 5}
    by_campaign = {("Ads", "a"): 110, ("Ads", "b"): 1, ("TV", None): 5}
    assert spent(rows, "channel", "campaign")[0] == by_campaign


@pytest.mark.parametrize("cost", [30, -30])
def test_a_rebate_lowers_the_cost_whichever_sign_it_has(rows, cost):
    rows.cost(MARCH, "Ads", 100)
    rows.cost(MARCH, "Ads", cost, kind="rebate")
    rows.cost(MARCH, "Ads", 5, kind="fee")
    assert spent(rows)[0] == {("Ads",): 75}


def test_a_re_import_replaces_the_day_of_a_channel_and_source(rows):
    rows.cost(MARCH, "Ads", 100, source_name="baidu", campaign="a")
    rows.cost(MARCH, "Ads", 50, source_name="baidu", campaign="b")
    rows.cost(MARCH, "Ads", 7, source_name="bing")
    rows.cost(MARCH, "Ads", 3)
    rows.cost(MARCH + DAY, "Ads", 11, source_name="baidu")
    rows.cost(MARCH, "Ads", 13, source_name="baidu", source="other import")
    rows.cost(MARCH, "Ads", 90, source_name="baidu", campaign="a", batch=2)
    rows.cost(MARCH, "Ads", 4, batch=2)
    assert spent(rows)[0] == {("Ads",): 7 + 11 + 13 + 90 + 4}


def test_days_are_inclusive_and_open_where_none_is_given(rows):
    for n in range(4):
        rows.cost(MARCH + n * DAY, "Ads", 10**n)
    between = (MARCH + DAY, MARCH + 2 * DAY)
    assert spent(rows, days=between)[0] == {("Ads",): 110}
    assert spent(rows, days=(None, MARCH))[0] == {("Ads",): 1}
    assert spent(rows, days=(MARCH + 3 * DAY, None))[0] == {("Ads",): 1000}


def test_as_of_uses_the_import_in_force_then(rows):
    rows.cost(MARCH, "Ads", 100, known_at_us=T0)
    rows.cost(MARCH, "Ads", 90, batch=2, known_at_us=T0 + 1)
    assert spent(rows, as_of_us=T0 - 1)[0] == {}
    assert spent(rows, as_of_us=T0)[0] == {("Ads",): 100}
    assert spent(rows)[0] == {("Ads",): 90}


def test_foreign_money_is_converted_by_its_own_day(rows):
    rows.rate(MARCH, "USD", "CNY", "7")
    rows.rate(MARCH + DAY, "USD", "CNY", "8")
    rows.cost(MARCH, "Ads", 100, currency="USD")
    rows.cost(MARCH + DAY, "Ads", 100, currency="USD")
    rows.cost(MARCH + DAY, "Ads", 100)
    assert spent(rows) == ({("Ads",): 1600}, set())


def test_foreign_money_adds_up_at_every_grain(rows):
    rows.rate(MARCH, "USD", "CNY", "1.5")
    for n in range(9):
        rows.cost(MARCH, "Ads", 1, currency="USD", campaign=str(n % 3), term=str(n))
    fine = spent(rows, "channel", "campaign", "term")[0]
    middle, coarse = spent(rows, "channel", "campaign")[0], spent(rows)[0]
    assert sum(fine.values()) == sum(middle.values()) == sum(coarse.values()) == 18


def test_money_without_a_rate_is_named_and_counts_as_nothing(rows):
    rows.cost(MARCH, "Ads", 100, currency="EUR")
    rows.cost(MARCH + DAY, "Ads", 0, currency="USD")
    assert spent(rows) == ({("Ads",): 0}, {("EUR", MARCH)})


def test_costs_know_nothing_of_the_order_they_were_written_in(rows, tmp_path):
    written = [(MARCH + n % 3 * DAY, "Ads", n, n % 2 + 1) for n in range(12)]
    for day, channel, cost, batch in written:
        rows.cost(day, channel, cost, batch=batch)
    other = build.Rows(build.workspace(tmp_path / "other"))
    for day, channel, cost, batch in reversed(written):
        other.cost(day, channel, cost, batch=batch)
    assert spent(rows) == spent(other)
