"""A file of aggregated paths → the attribution report, without a workspace.

The rows are those of a workspace's report, but money is in the file's own unit and unrounded, and
what a file cannot know (currency, window, costs) is null. Every channel of the file has its row
under every model, also when a model gives it nothing.
"""

from pathlib import Path
from typing import Any

import msgspec

from touchline.attribution.credit import Credit, choose, credit
from touchline.measure.footer import footer, plain_count
from touchline.measure.interval import Interval, Spreads, spreads
from touchline.measure.notes import noted
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
    spreads: Spreads | None = None

    def as_json(self) -> dict[str, Any]:
        """The JSON of a report; a path file has one goal, the unnamed default."""
        totals = {"conversions": self.conversions, "revenue": self.revenue}
        apart = {"no_touch": self.no_touch}
        found: dict[str, Any] = {"fitted": self.fitted} if self.fitted else {}
        if self.spreads is not None:
            found["interval"] = self.spreads.as_json(is_whole=False)
        return {
            "goal": "default",
            "window_days": None,
            "currency": None,
            **totals,
            "rows": self.rows,
            "unattributed": apart,
            "footer": footer(self.models, self.rows, apart, totals),
            **found,
            **noted(self.notes),
        }


def paths_report(
    path: Path,
    models: str = "all",
    tuning: Tuning = SAID_NOTHING,
    interval: Interval | None = None,
) -> PathsReport:
    """Credit of the models asked for ("all" or "a,b") over a file of paths."""
    journeys = read_paths(path)
    given = tuning.options()
    chosen, left_out = choose(models, journeys, **given)
    answers = credit(journeys, chosen, **given)
    drawn = None
    if interval is not None:
        names: list[tuple[str | None, ...]] = [(name,) for name in journeys.labels.channels]
        drawn = spreads(interval, answers, names, journeys)
    rows: list[dict[str, Any]] = []
    for one in answers.values():
        rows += _rows(one, drawn)
    conversions, revenue = journeys.no_touch
    return PathsReport(
        conversions=plain_count(float(journeys.conversions.sum())),
        revenue=float(journeys.value.sum()),
        rows=rows,
        no_touch={"conversions": plain_count(conversions), "revenue": revenue},
        notes=[*((why.code, why.params) for why in left_out), *sampled(answers.values())]
        + ([] if drawn is None else drawn.notes),
        models=tuple(chosen),
        fitted=fitted_of(answers.values()),
        spreads=drawn,
    )


def _rows(one: Credit, drawn: Spreads | None) -> list[dict[str, Any]]:
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
            **_interval(drawn, one.model, name),
        }
        for code, name in enumerate(channels)
    ]
    return sorted(rows, key=lambda row: (-row["revenue"], row["channel"]))


def _interval(drawn: Spreads | None, model: str, channel: str) -> dict[str, Any]:
    spread = None if drawn is None else drawn.of(model, (channel,))
    return {} if spread is None else {"interval": spread.as_json(None, is_whole=False)}
