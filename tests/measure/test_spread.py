"""How values are spread, and how a partner's part is taken off: arithmetic without a lake."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.measure.partner import Partners
from touchline.measure.spread import DAYS, TOUCHES, spread

VALUES = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 5)), min_size=1, max_size=12)


@given(VALUES)
def test_bands_hold_every_value_once_and_quantiles_are_values(pairs):
    values, weight = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    found = spread(values, weight, TOUCHES)
    assert sum(band["conversions"] for band in found["bands"]) == weight.sum()
    each = np.sort(np.repeat(values, weight.astype(int)))
    assert found["mean"] == pytest.approx(each.mean())
    assert found["median"] == each[(len(each) - 1) // 2]
    assert found["p90"] in values
    assert (each <= found["p90"]).mean() >= 0.9


def test_days_begin_a_band_and_never_end_one():
    found = spread(np.array([0.0, 0.99, 1.0, 7.0, 400.0]), np.ones(5), DAYS)
    assert [band["conversions"] for band in found["bands"]] == [2, 1, 1, 0, 0, 1]


def test_nothing_has_no_spread():
    found = spread(np.zeros(0), np.zeros(0), DAYS)
    assert (found["conversions"], found["mean"], found["median"]) == (0, None, None)


@given(st.lists(st.tuples(st.integers(-(10**9), 10**9), st.floats(0, 1)), max_size=8))
def test_a_partner_and_the_rest_add_up_to_each_deal(deals):
    revenue = np.array([money for money, _ in deals], dtype=np.int64)
    share = np.array([part for _, part in deals], dtype=float)
    rows = pa.table({"revenue": revenue, "count": np.ones(len(deals), dtype=np.int64)})
    theirs = Partners(["x"] * len(deals), share, np.rint(revenue * share).astype(np.int64))
    rest = theirs.rest(rows)
    assert (rest.column("revenue").to_numpy() + theirs.revenue).tolist() == revenue.tolist()
    assert rest.column("count").to_numpy() + share == pytest.approx(1)
    if share.any():
        conversions, money = theirs.totals(rows)["x"]
        assert conversions == pytest.approx(share.sum())
        assert money == theirs.revenue[share != 0].sum()
