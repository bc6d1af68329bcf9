"""`touchline patterns` and its arguments, and those that tell models what to weigh."""

import argparse
from pathlib import Path
from typing import Any

from touchline.cli.building import FORMATS, folder, verb

__all__ = ["patterns", "tuning"]

KINDS = ("transitions", "synergy", "combinations", "positions")


def patterns(verbs: Any) -> None:
    made = verb(
        verbs, "patterns", "Show how channels follow, help and join each other.", "patterns"
    )
    made.add_argument("dir", type=folder, metavar="DIR", nargs="?")
    made.add_argument("--paths", type=Path, metavar="FILE", help="aggregated paths instead of DIR")
    made.add_argument("--show", choices=KINDS, default="combinations")
    made.add_argument(
        "--order", type=int, default=1, metavar="K", help="transitions from the last K channels"
    )
    made.add_argument(
        "--limit", type=int, default=100, metavar="N", help="combinations told one by one"
    )
    made.add_argument("--goal")
    made.add_argument("--window", help="how long before a conversion (default the goal's, or 90d)")
    made.add_argument("--from", dest="start", metavar="DAY", help="first local day of conversions")
    made.add_argument("--to", dest="end", metavar="DAY", help="last local day of conversions")
    made.add_argument("--as-of", metavar="DAY", help="what was known at the end of that day")
    made.add_argument("--format", choices=FORMATS, default="table")


def tuning(made: argparse.ArgumentParser) -> None:
    """What models are told by a question."""
    made.add_argument("--half-life", metavar="DAYS", help="of time_decay (default 7), or fitted")
    made.add_argument(
        "--positions", metavar="W", help="of position_based: first=0.4,last=0.4,rest=0.2"
    )
    made.add_argument(
        "--weights", metavar="W", help="of custom: first=0.5,lead=0.3,opportunity=0.1,last=0.1"
    )
