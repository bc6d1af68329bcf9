"""What a site decided about its credit: the `[attribution]` table of its definitions.

    [attribution]
    partner = "dealer"             # property of a deal that names the dealer behind it
    partner_share = 0.3            # how much of it is the dealer's, or a property that says so
    lead = ["mql", "新线索"]        # stages of a deal by which somebody is a lead,
    opportunity = ["proposal"]     # and an opportunity, beside those that are known
    lost = ["战败"]                 # stages of a deal that came to nothing
    view_events = ["Banner Shown"]  # events that are impressions, beside those that are known
    half_life = 14                  # days, or "fitted", for time_decay
    positions = {first = 0.5, last = 0.3, rest = 0.2}  # what position_based weighs
    weights = {first = 0.3, lead = 0.4, last = 0.3}    # a rule of one's own: the model custom

How touches reach a conversion (windows, direct traffic) is said by each goal: see `journey.goal`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from touchline.errors import BadInput
from touchline.journey.goal import Goal, as_compared, canonical
from touchline.measure.tuning import Tuning
from touchline.storage.engine import View

__all__ = ["Crediting"]

KIND = "attribution"
LEAD = ("lead", "new_lead", "mql", "sql", "线索", "新线索", "销售线索", "潜在客户")
OPPORTUNITY = (
    *("opportunity", "qualified", "proposal", "quote", "negotiation", "contract_sent"),
    *("商机", "立项", "方案", "报价", "谈判", "商务谈判", "合同"),
)
LOST = ("lost", "closed_lost", "disqualified", "输单", "丢单", "流失", "战败", "无效")


class Crediting(Struct, frozen=True, forbid_unknown_fields=True):
    """`partner_share` is a part of 1, or the name of a property that holds one."""

    partner: str | None = None
    partner_share: float | str = 1.0
    lead: tuple[str, ...] = ()
    opportunity: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    view_events: tuple[str, ...] = ()
    half_life: float | str | None = None
    positions: dict[str, float] | None = None
    weights: dict[str, float] | None = None

    @classmethod
    def of(cls, documents: Mapping[str, Any]) -> "Crediting":
        """Raises BadInput("bad_attribution") with what is wrong."""
        try:
            found = msgspec.convert(documents.get(KIND, {}), cls)
        except msgspec.ValidationError as error:
            raise BadInput("bad_attribution", why=error) from error
        if isinstance(found.partner_share, float) and not 0 <= found.partner_share <= 1:
            raise BadInput("bad_attribution", why="partner_share must be from 0 to 1")
        if found.partner is not None and not found.partner.strip():
            raise BadInput("bad_attribution", why="partner is empty")
        found.tuning.options()
        return found

    @property
    def tuning(self) -> Tuning:
        """What models are told, where a question says nothing else."""
        return Tuning(self.half_life, self.positions, self.weights)

    @property
    def leads(self) -> tuple[str, ...]:
        """Stages, as they are compared, by which somebody is a lead."""
        return tuple(dict.fromkeys(canonical(one) for one in (*self.lead, *LEAD)))

    @property
    def opportunities(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(canonical(one) for one in (*self.opportunity, *OPPORTUNITY)))

    @property
    def losses(self) -> tuple[str, ...]:
        """Stages of deals that came to nothing."""
        return tuple(dict.fromkeys(canonical(one) for one in (*self.lost, *LOST)))

    def lost_deals(self, view: View, asked: Goal, besides: Sequence[str] = ()) -> Goal | None:
        """Deals that came to nothing, as a goal of their own with the touches of the one asked for;
        None where there are none. `besides`: stages left out.

        A deal is lost whatever it was worth: none may be missing for want of an exchange rate.
        """
        left_out = {canonical(stage) for stage in besides}
        stages = tuple(one for one in self.losses if one not in left_out)
        rows = view.table("conversions", "stage")
        if not view.count(rows.filter(as_compared(rows.stage).isin(stages))):
            return None
        return Goal("lost", stages=stages, value=0, direct=asked.direct, windows=asked.windows)
