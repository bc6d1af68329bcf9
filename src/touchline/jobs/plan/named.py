"""Campaign names that visitors came with, held against the naming rules: what was tagged wrongly.

Read from the addresses of pages, since columns hold a source by its one name and not as somebody
wrote it. Each spelling is one row, however many visits it brought.
"""

from collections import Counter
from collections.abc import Mapping
from itertools import islice
from typing import Any

import msgspec

from touchline import clock
from touchline.collect.campaign import Labels, linked
from touchline.collect.link import FIELDS
from touchline.collect.naming import Naming
from touchline.collect.veiled import Sight
from touchline.jobs import arguments
from touchline.jobs.definitions import naming_of
from touchline.model import Flag
from touchline.storage.engine import View
from touchline.storage.workspace import Workspace

__all__ = ["DAYS", "named"]

DAYS = 30
LIMIT = 1000
LANGUAGES = ("en", "zh")


def named(workspace: Workspace, _registry: object, args: Mapping[str, Any]) -> dict[str, Any]:
    """{"rows": […], "days", "has_rules"} of the last `days`, most visits first. A row: the labels
    as written, `visits`, an `example` of an address, and `findings`, each in both languages.
    """
    days = arguments.days(args.get("days"), DAYS)
    rules, sight = naming_of(workspace), Sight.of(workspace)
    visits: Counter[Labels] = Counter()
    examples: dict[Labels, str] = {}
    with workspace.view() as view:
        for url, count in _tagged(view, clock.now_us() - days * clock.DAY_US):
            labels = linked(url)
            if labels is not None:
                visits[labels] += count
                shown = url if sight is None else sight.url("page_url", url)
                examples.setdefault(labels, shown or "")
    rows = (_row(rules, labels, count, examples[labels]) for labels, count in visits.most_common())
    wrong = (row for row in rows if row["findings"])
    return {"rows": list(islice(wrong, LIMIT)), "days": days, "has_rules": rules != Naming()}


def _tagged(view: View, since_us: int) -> list[tuple[str, int]]:
    """Addresses that carry a campaign, each with how many visits began there."""
    rows = view.events("ts_us", "page_url", "flags", "bot")
    brings = (rows.flags & int(Flag.BRINGS_CAMPAIGN)) != 0
    rows = rows.filter(brings, ~rows.bot, rows.ts_us >= since_us, rows.page_url.contains("utm_"))
    found = rows.group_by("page_url").agg(visits=rows.count()).order_by("page_url")
    return [
        (row["page_url"], row["visits"])
        for batch in view.batches(found)
        for row in batch.to_pylist()
    ]


def _row(rules: Naming, labels: Labels, visits: int, example: str) -> dict[str, Any]:
    said = msgspec.structs.asdict(labels)
    return {
        **{name: said[name] for name in FIELDS},
        "visits": visits,
        "example": example,
        "findings": [
            {"field": one.field, "code": one.code, **{name: one.text(name) for name in LANGUAGES}}
            for one in rules.findings(labels)
        ],
    }
