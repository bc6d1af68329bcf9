"""A basis → what no model is asked about, by its reason; all that its parts add up to.

The report, roles, patterns and every explanation tell these by the same numbers. The surprise: what
is a partner's is in no journey, so it stands apart even of what no touch preceded.
"""

from collections.abc import Iterable
from typing import Any

from touchline.measure.basis import Basis
from touchline.measure.footer import plain_count

__all__ = ["missing_rates", "totals", "unattributed", "with_partner"]

Shown = dict[str, Any]


def unattributed(found: Basis) -> Shown:
    """Each reason with its conversions and money."""
    journeys = found.journeys
    untouched = ~journeys.is_touched
    return {
        "no_touch": {
            "conversions": plain_count(float(journeys.conversions[untouched].sum())),
            "revenue": int(journeys.value[untouched].sum()),
        },
        "no_rate": {"conversions": found.unrated, "revenue": 0},
    }


def with_partner(found: Basis) -> Shown:
    """The same, and what is partners' where any has a part, for answers without rows of theirs."""
    if found.partners is None:
        return unattributed(found)
    parts = found.partners.totals(found.conversions).values()
    conversions, revenue = (sum(part[place] for part in parts) for place in (0, 1))
    theirs = {"conversions": conversions, "revenue": revenue}
    return {**unattributed(found), "partner": theirs}


def totals(found: Basis) -> Shown:
    """All conversions and all money of the question."""
    return {"conversions": found.counted + found.unrated, "revenue": found.revenue}


def missing_rates(pairs: Iterable[tuple[str, str]]) -> Shown:
    """Currencies and days without a rate, as JSON tells them: nothing where there are none."""
    told = [{"currency": currency, "day": day} for currency, day in sorted(set(pairs))]
    return {"missing_rates": told} if told else {}
