"""Journeys → pairs of channels: do they do more together than each does beside the other?

Journeys fall into four: with both channels a and b, with a alone, with b alone, with neither (other
channels may be there or not). If what a adds does not depend on b, rates add up; the rest is
synergy:

    contrast = p_both - p_a - p_b + p_neither        (interaction contrast, Rothman 1976)
    synergy  = journeys with both x contrast         extra conversions, below 0 when they overlap
    its standard error: each rate is a share of its own journeys, so variances p (1 - p) / n add up

The surprise: this says what goes together, not what causes what. Whoever is about to buy anyway
meets more channels, so pairs of long journeys look better than they are.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from touchline.attribution.arrays import Floats, Int64s
from touchline.attribution.journeys import Journeys
from touchline.attribution.sets import channel_sets

__all__ = ["Synergy", "synergy"]


@dataclass(frozen=True, eq=False)
class Synergy:
    """Arrays by pair: `first` before `second` in the order of channels; only pairs that met.

    NaN where one of the four kinds of journeys does not occur, so that nothing can be compared.
    """

    first: Int64s
    second: Int64s
    journeys: Floats
    conversions: Floats
    rate: Floats
    expected_rate: Floats
    extra_conversions: Floats
    error: Floats
    extra_revenue: Floats


def synergy(journeys: Journeys) -> Synergy:
    """Every pair of channels that stand together in some journey."""
    sets = channel_sets(journeys)
    totals = sets.totals(journeys)
    totals[:, sets.sizes == 0] = 0
    met = sparse.triu(sets.table.T @ sparse.diags_array(totals[0]) @ sets.table, k=1).tocoo()
    met.eliminate_zeros()
    first, second = (axis.astype(np.int64) for axis in met.coords)
    four = np.stack([_four(sets.table, one, first, second) for one in totals])
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = np.where(four[0] > 0, four[1] / four[0], np.nan)
        money = np.where(four[0] > 0, four[2] / four[0], np.nan)
        error = np.sqrt((rates * (1 - rates) / four[0]).sum(axis=0))
    both = four[0, 0]
    expected = rates[1] + rates[2] - rates[3]
    return Synergy(
        *(first, second, both, four[1, 0], rates[0], expected),
        extra_conversions=both * (rates[0] - expected),
        error=both * error,
        extra_revenue=both * (money[0] - money[1] - money[2] + money[3]),
    )


def _four(table: sparse.csr_array, amount: Floats, first: Int64s, second: Int64s) -> Floats:
    """The amount of sets with both, the first alone, the second alone and neither (4 × pairs)."""
    each = table.T @ amount
    products = (table.T @ sparse.diags_array(amount) @ table).tocsr()
    both = np.asarray(products[first, second]).ravel() if len(first) else np.zeros(0)
    alone, other = each[first] - both, each[second] - both
    return np.stack([both, alone, other, amount.sum() - both - alone - other])
