"""What really happened → truth.json: whose each identifier is, and what each channel caused.

Purchases carry the bits of their causes, repeat orders those of the order before. So the orders a
channel caused are those that carry its bit: exactly the ones missing from a world where its touches
never were and all else fell out the same. What surprises: channels may add up to more than all
orders, since an order may need two of them.
Identifiers are listed as Touchline normalises them; null marks those that stand for nobody or many.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from touchline.demo.channels import INDEX, of_market
from touchline.demo.deals import Deals, without
from touchline.demo.orders import Orders
from touchline.demo.plan import Plan
from touchline.demo.season import Ints, Mask

__all__ = ["Truth"]

MEANING = (
    "incremental_* of a channel or campaign: conversions and revenue that would not exist had its "
    "touches not been, all other draws unchanged. Revenue in fen (CNY), refunds taken off. "
    "Shares may overlap. organic_*: conversions no marketing caused. *_identified: among orders "
    "that say who bought, the only ones that touches can be credited for."
)
INTENT = ("baidu_brand", "retarget", "google_brand", "meta_retarget")
CHUNK = 1 << 20


@dataclass
class Tally:
    """Sums of one business; counters by channel and by campaign number."""

    totals: Counter[str] = field(default_factory=Counter[str])
    count: Counter[int] = field(default_factory=Counter[int])
    revenue: Counter[int] = field(default_factory=Counter[int])
    identified: Counter[int] = field(default_factory=Counter[int])
    leads: Counter[int] = field(default_factory=Counter[int])
    campaign_count: Counter[int] = field(default_factory=Counter[int])
    campaign_revenue: Counter[int] = field(default_factory=Counter[int])
    clicked: Counter[int] = field(default_factory=Counter[int])
    clicked_caused: Counter[int] = field(default_factory=Counter[int])


class Truth:
    """Collects block by block; `write` makes the file. Ids wait in files of their own till then."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tallies = {market: Tally() for market in ("china", "abroad", "pro")}
        self._parts = {name: path.with_suffix(f".{name}.part") for name in ("orders", "people")}
        self._files: dict[str, IO[str]] = {
            name: part.open("w", encoding="utf-8") for name, part in self._parts.items()
        }

    def ids(self, type_: str, owners: Mapping[str, int | None]) -> None:
        """Whose these identifiers are; None for those of nobody or of many."""
        self._put("people", {f"{type_}:{value}": owner for value, owner in owners.items()})

    def orders(self, owners: Mapping[str, int | None]) -> None:
        self._put("orders", owners)

    def _put(self, name: str, owners: Mapping[str, int | None]) -> None:
        self._files[name].writelines(
            f'"{value}":{"null" if owner is None else owner},\n' for value, owner in owners.items()
        )

    def add_orders(self, market: str, bought: Orders, revenue: Ints, old: Mask) -> None:
        """Orders of a block with their revenue in fen; `old` tells buyers from before."""
        tally = self.tallies[market]
        buyers = np.unique(bought.person)
        organic = bought.mask == 0
        tally.totals.update(
            orders=len(bought.ms),
            revenue=int(revenue.sum()),
            buyers=len(buyers),
            new_buyers=int((~old[buyers]).sum()),
            repeat_orders=int((bought.generation > 0).sum()),
            identified_orders=int(bought.is_known.sum()),
            organic_orders=int(organic.sum()),
            organic_revenue=int(revenue[organic].sum()),
        )
        for channel in of_market(market):
            caused = (bought.mask >> channel.index & 1) > 0
            tally.count[channel.index] += int(caused.sum())
            tally.revenue[channel.index] += int(revenue[caused].sum())
            tally.identified[channel.index] += int((caused & bought.is_known).sum())
        _by_campaign(tally, bought, revenue)
        for key, clicked in zip(
            INTENT[:2] if market == "china" else INTENT[2:],
            (bought.brand >= 0, bought.retarget >= 0),
            strict=True,
        ):
            index = INDEX[key]
            caused = clicked & ((bought.mask >> index & 1) > 0)
            tally.clicked[index] += int(clicked.sum())
            tally.clicked_caused[index] += int(caused.sum())

    def add_deals(self, deals: Deals) -> None:
        tally = self.tallies["pro"]
        revenue = np.where(deals.won, deals.amount, 0)
        tally.totals.update(
            leads=int(deals.passed[:, 0].sum()),
            mql=int(deals.passed[:, 1].sum()),
            sql=int(deals.passed[:, 2].sum()),
            opportunities=int(deals.passed[:, 3].sum()),
            won=int(deals.won.sum()),
            lost=int((deals.is_closed & ~deals.won).sum()),
            open=int((deals.passed[:, 3] & ~deals.is_closed).sum()),
            revenue=int(revenue.sum()),
        )
        for channel in of_market("pro"):
            opened = deals.opener == channel.index
            lead, won = without(deals, channel.key, opened)
            tally.leads[channel.index] += int((deals.passed[:, 0] & ~lead).sum())
            tally.count[channel.index] += int((deals.won & ~won).sum())
            tally.revenue[channel.index] += int(revenue[deals.won & ~won].sum())
            self._by_opener(deals, channel.index, revenue)

    def _by_opener(self, deals: Deals, channel: int, revenue: Ints) -> None:
        """A campaign's own share: the deals it opened that would not have come without."""
        tally = self.tallies["pro"]
        opened = (deals.opener == channel) & deals.needed & deals.won & (deals.campaign >= 0)
        for campaign in np.unique(deals.campaign[opened]).tolist():
            rows = opened & (deals.campaign == campaign)
            tally.campaign_count[campaign] += int(rows.sum())
            tally.campaign_revenue[campaign] += int(revenue[rows].sum())

    def write(self, plan: Plan, seed: int) -> None:
        for file in self._files.values():
            file.close()
        head = {
            "seed": seed,
            "people_count": plan.people,
            "first_day": plan.calendar.first.isoformat(),
            "last_day": plan.calendar.end.isoformat(),
            "currency": "CNY",
            "meaning": MEANING,
            "businesses": {
                name: _business(name, self.tallies[name], plan) for name in self.tallies
            },
        }
        text = json.dumps(head, ensure_ascii=False, indent=1)
        with self.path.open("w", encoding="utf-8", newline="") as file:
            file.write(text[: text.rindex("\n}")])
            for name, part in self._parts.items():
                file.write(f',\n "{name}": {{\n')
                _copy(part, file)
                file.write("\n }")
                part.unlink()
            file.write("\n}\n")


def _by_campaign(tally: Tally, bought: Orders, revenue: Ints) -> None:
    """An order counts for each of its causes' campaigns once."""
    second = np.where(bought.second == bought.campaign, -1, bought.second)
    for campaigns in (bought.campaign, second):
        rows = campaigns >= 0
        count = np.bincount(campaigns[rows])
        money = np.zeros(len(count), dtype=np.int64)
        np.add.at(money, campaigns[rows], revenue[rows])
        for number in np.flatnonzero(count).tolist():
            tally.campaign_count[number] += int(count[number])
            tally.campaign_revenue[number] += int(money[number])


def _business(market: str, tally: Tally, plan: Plan) -> dict[str, Any]:
    channels: dict[str, Any] = {}
    for channel in of_market(market):
        found: dict[str, Any] = {
            "incremental_conversions": tally.count[channel.index],
            "incremental_revenue": tally.revenue[channel.index],
        }
        if market == "pro":
            found["incremental_leads"] = tally.leads[channel.index]
        else:
            found["incremental_identified"] = tally.identified[channel.index]
        if channel.key in INTENT:
            found["conversions_after_click"] = tally.clicked[channel.index]
            found["incremental_after_click"] = tally.clicked_caused[channel.index]
        channels[channel.label] = found
    campaigns = {
        plan.campaigns[number].name: {
            "channel": plan.campaigns[number].channel.label,
            "incremental_conversions": tally.campaign_count[number],
            "incremental_revenue": tally.campaign_revenue[number],
        }
        for number in sorted(tally.campaign_count)
    }
    return {"totals": dict(tally.totals), "channels": channels, "campaigns": campaigns}


def _copy(part: Path, into: IO[str]) -> None:
    """A list of entries without the comma after the last one."""
    with part.open(encoding="utf-8") as file:
        held = ""
        while text := file.read(CHUNK):
            into.write(held)
            held = text
        into.write(held.rstrip(",\n"))
