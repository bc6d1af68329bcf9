"""Rows of a CRM → when each conversion's buyer became a lead, and an opportunity.

A deal's own rows say it (a stage such as 线索, or when it was created). Where they do not, the
newest lead or opportunity of the same account, else of the same person, from before the conversion
does: a CRM keeps leads under numbers of their own. The surprise: a row of kind `opportunity` that
is won by now became one when it was created, not when it was won.
"""

from typing import Any, NamedTuple

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from touchline.attribution.journeys import Journeys
from touchline.attribution.stages import UNKNOWN_US, Stages
from touchline.identity.speaker import Speakers, with_person
from touchline.journey.goal import as_compared, canonical
from touchline.measure.crediting import Crediting
from touchline.storage.engine import Expression, View

__all__ = ["STAGES", "Milestones", "milestones"]

Times = npt.NDArray[np.int64]
STAGES = ("visitor", "lead", "opportunity")  # what a buyer is at a touch, in order
pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker


class Milestones(NamedTuple):
    """Of each conversion, when its buyer became a lead and an opportunity, or UNKNOWN_US."""

    lead_us: Times
    opportunity_us: Times

    def stages(self, journeys: Journeys) -> Stages:
        """The touches that made a lead and an opportunity of the buyer."""
        return Stages.at(journeys, self.lead_us, self.opportunity_us)

    def of_touches(self, journey: Times, ts_us: Times) -> pa.Array:
        """What the buyer was at each touch of a converting journey; null where no CRM tells."""
        lead, opportunity = self.lead_us[journey], self.opportunity_us[journey]
        is_after = [(at != UNKNOWN_US) & (ts_us > at) for at in (lead, opportunity)]
        code = np.select([is_after[1], is_after[0]], [2, 1], 0)
        is_told = (lead != UNKNOWN_US) | (opportunity != UNKNOWN_US)
        names = pa.array(STAGES, pa.string())
        return names.take(pa.array(code, mask=~is_told))


def milestones(
    view: View, speakers: Speakers, rows: pa.Table, crediting: Crediting
) -> Milestones | None:
    """Of conversions (rows of `journey.conversion`), in their order; None where no row tells."""
    told = _told(view, speakers, crediting)
    if not len(rows) or not view.count(told):
        return None
    told = view.keep(told)
    numbered = rows.select(["conversion_id", "account_id", "person_ix", "converted_us"])
    wanted = view.given(numbered.append_column("at", pa.array(np.arange(len(rows)))))
    size = len(rows)
    own = _times(view, _own(told, wanted), size)
    of_account = _times(view, _before(told, wanted, "account_id"), size)
    of_person = _times(view, _before(told, wanted, "person_ix"), size)
    lead, opportunity = (
        np.select([a != UNKNOWN_US, b != UNKNOWN_US], [a, b], c)
        for a, b, c in zip(own, of_account, of_person, strict=True)
    )
    return Milestones(lead, opportunity)


def _told(view: View, speakers: Speakers, crediting: Crediting) -> Expression:
    """Rows that make somebody a lead or an opportunity, with the moment at which they do."""
    rows = view.table(
        "conversions",
        *("conversion_id", "account_id", "kind", "stage", "occurred_us", "created_us"),
        *("node_ids", "seq"),
    )
    rows = rows.mutate(stage=as_compared(rows.stage), kind=rows.kind.fill_null("").strip().lower())
    begun = rows.created_us.coalesce(rows.occurred_us)
    is_lead = rows.stage.isin(crediting.leads)
    is_opportunity = rows.stage.isin(crediting.opportunities)
    was_made = (rows.kind == canonical("opportunity")) & (
        rows.created_us.notnull() | (rows.stage == "")
    )
    nothing = ibis.null("int64")
    rows = rows.mutate(
        lead_us=ibis.cases(
            (is_lead, rows.occurred_us), (rows.kind == "lead", begun), else_=nothing
        ),
        opportunity_us=ibis.cases(
            (is_opportunity, rows.occurred_us), (was_made, begun), else_=nothing
        ),
    )
    rows = rows.filter(rows.lead_us.notnull() | rows.opportunity_us.notnull())
    found = with_person(rows, speakers)
    return found.select("conversion_id", "account_id", "person_ix", "lead_us", "opportunity_us")


def _own(told: Expression, wanted: Expression) -> Expression:
    """The first time a deal's own rows name; later than the conversion says nothing of it."""
    found = wanted.join(told, "conversion_id")
    return found.group_by("at").agg(
        **{
            name: found[name].min(where=found[name] <= found.converted_us)
            for name in ("lead_us", "opportunity_us")
        }
    )


def _before(told: Expression, wanted: Expression, key: str) -> Expression:
    """The last time before the conversion that rows of the same account or person name."""
    mine = wanted.filter(wanted[key].notnull())
    mine = mine.select("at", key, "converted_us")
    found = mine.join(told.select(key, "lead_us", "opportunity_us"), key)
    return found.group_by("at").agg(
        **{
            name: found[name].max(where=found[name] <= found.converted_us)
            for name in ("lead_us", "opportunity_us")
        }
    )


def _times(view: View, found: Expression, size: int) -> tuple[Times, Times]:
    rows = view.fetch(found)
    at = rows.column("at").to_numpy()
    times: list[Times] = []
    for name in ("lead_us", "opportunity_us"):
        one = np.full(size, UNKNOWN_US)
        one[at] = pc.fill_null(rows.column(name), int(UNKNOWN_US)).to_numpy()
        times.append(one)
    return times[0], times[1]
