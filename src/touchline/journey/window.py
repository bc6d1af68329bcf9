"""How long before a conversion a touch still counts, where that differs: by channel, or by kind.

    windows = { view = "1d", "Paid Social" = "7d", paid = "30d", organic = "14d", click = "30d" }

What says most decides: a channel by its name, then view, then paid and organic, then click. A view
is an impression: an event of such a name, or of such a medium; every other touch is a click.
The surprise: a window of 0 days lets a touch count only at the very moment of the conversion, so
`view = 0` leaves impressions out of the credit.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import ibis

from touchline.clock import DAY_US
from touchline.journey.goal import days_of
from touchline.storage.engine import Expression

__all__ = ["KINDS", "READ", "VIEW_MEDIUMS", "VIEW_NAMES", "windowed"]

KINDS = ("view", "paid", "organic", "click")
READ = ("channel", "medium", "name")  # what of a touch says which window is its own
VIEW_NAMES = (
    *("ad viewed", "ad impression", "ad_impression", "impression", "content impression"),
    *("曝光", "广告曝光"),
)
VIEW_MEDIUMS = ("view", "impression", "view-through", "viewthrough", "曝光")
PAID_NAMES = ("display", "cross-network", "affiliates")


def windowed(
    touches: Expression, windows: Mapping[str, Any], days: float, views: Sequence[str] = ()
) -> Expression:
    """Adds `window_us` to touches that have READ. `views`: further names of impressions."""
    channel = touches.channel.strip().lower()
    names = (*VIEW_NAMES, *(one.strip().lower() for one in views))
    is_view: Expression = ibis.or_(
        touches.name.strip().lower().isin(names).fill_null(False),
        touches.medium.strip().lower().isin(VIEW_MEDIUMS).fill_null(False),
    )
    is_paid = channel.startswith("paid ") | channel.startswith("付费") | channel.isin(PAID_NAMES)
    tests = {
        "view": is_view,
        "paid": is_paid,
        "organic": channel.startswith("organic ") | channel.startswith("自然"),
        "click": ~is_view,
    }
    named = [name for name in windows if name.lower() not in tests]
    cases = [(channel == name.strip().lower(), _us(windows[name])) for name in named]
    kinds = {name.lower(): window for name, window in windows.items() if name not in named}
    cases += [(tests[name], _us(kinds[name])) for name in KINDS if name in kinds]
    return touches.mutate(window_us=ibis.cases(*cases, else_=_us(days)))


def _us(window: str | float) -> int:
    return round((days_of(window) or 0) * DAY_US)
