"""Deals that a partner or dealer brought or closed → what is theirs, before any model is asked.

    a deal of 100,000 with partner_share 0.3   →   30,000 and 0.3 conversions are the dealer's

What is left goes through the models like every other deal, so a partner's share is the same under
all of them and stands in a row of its own. Money is rounded half to even, deal by deal: the dealer
and the rest add up to the deal.
"""

import math
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from touchline.measure.crediting import Crediting
from touchline.storage.engine import View

__all__ = ["Partners", "partners"]


class Partners(NamedTuple):
    """Of each conversion: whose it is in part (None: nobody's), which part, and how much money.
    `unread`: how many name a partner, but no share that can be read; they are left whole.
    """

    names: list[str | None]
    share: npt.NDArray[np.float64]
    revenue: npt.NDArray[np.int64]
    unread: int = 0

    def rest(self, rows: pa.Table) -> pa.Table:
        """The conversions less what is a partner's; `count` is a part of one then."""
        for name, taken in (("revenue", self.revenue), ("count", self._count(rows))):
            left = rows.column(name).to_numpy() - taken
            rows = rows.set_column(rows.schema.get_field_index(name), name, pa.array(left))
        return rows

    def totals(self, rows: pa.Table) -> dict[str, tuple[float, int]]:
        """Name → conversions and money that are theirs, of the conversions as they were."""
        found: dict[str, tuple[float, int]] = {}
        count = self._count(rows)
        for at in np.flatnonzero(self.share).tolist():
            name = self.names[at] or ""
            conversions, revenue = found.get(name, (0.0, 0))
            found[name] = conversions + float(count[at]), revenue + int(self.revenue[at])
        return found

    def drawn(
        self, rows: pa.Table
    ) -> dict[str | None, tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]]:
        """Conversions and money that are theirs, by conversion: of all (None) and of each name."""
        count = self._count(rows)
        named = {name for name, share in zip(self.names, self.share, strict=True) if share}
        is_mine = {
            name: np.array([name in (None, one) for one in self.names], dtype=np.bool_)
            for name in (None, *sorted(filter(None, named)))
        }
        return {name: (count * mine, self.revenue * mine) for name, mine in is_mine.items()}

    def _count(self, rows: pa.Table) -> npt.NDArray[np.float64]:
        return rows.column("count").to_numpy() * self.share


def partners(view: View, rows: pa.Table, crediting: Crediting) -> Partners | None:
    """Of conversions (rows of `journey.conversion`), in their order; None where none has any."""
    if crediting.partner is None or not len(rows):
        return None
    said = _said(view, rows, crediting)
    shares = np.zeros(len(rows))
    names: list[str | None] = [None] * len(rows)
    for at, one in enumerate(rows.column("conversion_id").to_pylist()):
        if one in said:
            names[at], shares[at] = said[one]
    unread = int(np.isnan(shares).sum())
    shares = np.nan_to_num(shares)
    if not shares.any() and not unread:
        return None
    revenue = np.rint(rows.column("revenue").to_numpy() * shares).astype(np.int64)
    return Partners(names, shares, revenue, unread)


def _said(view: View, rows: pa.Table, crediting: Crediting) -> dict[str, tuple[str, float]]:
    """conversion_id → partner and share, if its newest row names a partner: that row decides, as
    it does for stage and amount. What went back is no row of it.
    """
    wanted = view.given(rows.select(["conversion_id"]))
    found = view.table("conversions", "conversion_id", "properties", "seq", "amount")
    found = found.filter(~(found.amount < 0).fill_null(False)).semi_join(wanted, "conversion_id")
    newest = found.group_by("conversion_id").agg(
        properties=found.properties.fill_null("").argmax(found.seq)
    )
    said: dict[str, tuple[str, float]] = {}
    for batch in view.batches(newest.filter(newest.properties.contains(crediting.partner))):
        for row in batch.to_pylist():
            properties = msgspec.json.decode(row["properties"] or "{}")
            name = properties.get(crediting.partner)
            if name is not None and str(name).strip():
                said[row["conversion_id"]] = (str(name).strip(), _share(properties, crediting))
    return said


def _share(properties: dict[str, Any], crediting: Crediting) -> float:
    """0 to 1; 30 and "30%" are 0.3. NaN for what cannot be read."""
    asked = crediting.partner_share
    if not isinstance(asked, str):
        return float(asked)
    text = str(properties.get(asked, "")).strip()
    try:
        found = float(text.removesuffix("%"))
    except ValueError:
        return math.nan
    found = found / 100 if text.endswith("%") or found > 1 else found
    return found if 0 <= found <= 1 else math.nan
