"""A file of aggregated paths → the attribution report, without a workspace.

The rows are those of a workspace's report, but money is in the file's own unit and unrounded, and
what a file cannot know (currency, window, costs) is null. Every channel of the file has its row
under every model, also when a model gives it nothing.
"""

from pathlib import Path
from typing import Any

import msgspec

from touchline.attribution.credit import Credit, choose, credit
from touchline.measure.footer import footer
from touchline.measure.path_file import read_paths
from touchline.measure.told import errors_of, fitted_of, sampled
from touchline.measure.tuning import Tuning

__all__ = ["PathsReport", "paths_report"]

SAID_NOTHING = Tuning()


class PathsReport(msgspec.Struct, frozen=True):
    """The answer; `notes` say which models were left out of "all" and why."""

    conversions: float
    revenue: float
    rows: list[dict[str, Any]]
    no_touch: dict[str, float]
    notes: list[tuple[str, dict[str, Any]]]
    models: tuple[str, ...] = ()
    fitted: dict[str, dict[str, float | None]] = {}

    def as_json(self) -> dict[str, Any]:
        """The JSON of a report; a path file has one goal, the unnamed default."""
        totals = {"conversions": self.conversions, "revenue": self.revenue}
        apart = {"no_touch": self.no_touch}
        found = {"fitted": self.fitted} if self.fitted else {}
        return {
            "goal": "default",
            "window_days": None,
            "currency": None,
            **totals,
            "rows": self.rows,
            "unattributed": apart,
            "footer": footer(self.models, self.rows, apart, totals),
            **found,
        }


def paths_report(path: Path, models: str = "all", tuning: Tuning = SAID_NOTHING) -> PathsReport:
    """Credit of the models asked for ("all" or "a,b") over a file of paths."""
    journeys = read_paths(path)
    given = tuning.options()
    chosen, left_out = choose(models, journeys, **given)
    answers = credit(journeys, chosen, **given)
    rows: list[dict[str, Any]] = []
    for one in answers.values():
        rows += _rows(one)
    conversions, revenue = journeys.no_touch
    return PathsReport(
        conversions=_plain(float(journeys.conversions.sum())),
        revenue=float(journeys.value.sum()),
        rows=rows,
        no_touch={"conversions": _plain(conversions), "revenue": revenue},
        notes=[*((why.code, why.params) for why in left_out), *sampled(answers.values())],
        models=tuple(chosen),
        fitted=fitted_of(answers.values()),
    )


def _rows(one: Credit) -> list[dict[str, Any]]:
    channels = one.journeys.labels.channels
    effects = one.removal_effect
    errors = errors_of(one)
    rows = [
        {
            "model": one.model,
            "channel": name,
            "campaign": None,
            "term": None,
            "conversions": float(one.channel_conversions[code]),
            "revenue": float(one.channel_revenue[code]),
            "cost": None,
            "roi": None,
            "cac": None,
            "roas": None,
            "removal_effect": None if effects is None else float(effects[code]),
            **({"standard_error": errors[name]} if name in errors else {}),
        }
        for code, name in enumerate(channels)
    ]
    return sorted(rows, key=lambda row: (-row["revenue"], row["channel"]))


def _plain(count: float) -> float:
    """Whole counts without a decimal point."""
    return int(count) if count == int(count) else count
