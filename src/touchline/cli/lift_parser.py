"""`touchline lift` and its arguments: tests of what marketing causes."""

from typing import Any

from touchline.cli.building import FORMATS, group, verb_in

__all__ = ["lift"]


def lift(verbs: Any) -> None:
    own = group(verbs, "lift", "Enter tests of what marketing causes, and see which comes next.")
    _add(own)
    made = verb_in(own, "list", "List lift tests, the latest first.", "lift")
    made.add_argument("--as-of", metavar="DAY", help="what was known at the end of that day")
    made.add_argument("--format", choices=FORMATS, default="table")
    made = verb_in(own, "remove", "Take a lift test back.", "lift")
    made.add_argument("name", metavar="NAME")
    made = verb_in(own, "next", "Say which test would teach most.", "lift")
    made.add_argument(
        "--error",
        type=float,
        default=0.15,
        metavar="PART",
        help="standard error of the test to come, as a part of what it tests (default 0.15)",
    )
    made.add_argument("--campaigns", action="store_true", help="tests of campaigns as well")
    made.add_argument("--goal")
    made.add_argument("--window", help="how long before a conversion (default the goal's, or 90d)")
    made.add_argument("--from", dest="start", metavar="DAY", help="first local day of conversions")
    made.add_argument("--to", dest="end", metavar="DAY", help="last local day of conversions")
    made.add_argument("--format", choices=FORMATS, default="table")


def _add(own: Any) -> None:
    made = verb_in(own, "add", "Enter what a lift test found, or replace it.", "lift")
    made.add_argument("name", metavar="NAME", help="what the test is called")
    made.add_argument("--channel", required=True, help="what was tested, as reports name it")
    made.add_argument("--campaign", help="the one campaign that was tested")
    made.add_argument("--from", dest="start", required=True, metavar="DAY", help="its first day")
    made.add_argument("--to", dest="end", required=True, metavar="DAY", help="its last day")
    made.add_argument(
        "--kind",
        choices=("geo", "user", "time"),
        default="geo",
        help="what was held out: places (default), users, or times",
    )
    made.add_argument(
        "--metric",
        choices=("conversions", "revenue"),
        default="conversions",
        help="what the effect counts (default conversions)",
    )
    made.add_argument("--effect", type=float, help="conversions, or money, that it caused")
    made.add_argument("--error", type=float, help="the standard error of the effect")
    made.add_argument("--low", type=float, help="instead: lower bound of 95 %%")
    made.add_argument("--high", type=float, help="instead: upper bound of 95 %%")
    made.add_argument("--treated", metavar="N:K", help="instead: people reached, conversions")
    made.add_argument("--control", metavar="N:K", help="people held out, conversions")
    made.add_argument(
        "--share",
        type=float,
        default=1.0,
        help="how much of the channel the test saw, such as 0.4 (default 1)",
    )
    made.add_argument("--goal", help="which conversions it counted (default the first goal)")
    made.add_argument("--author", metavar="NAME", help="who enters it (default: who runs this)")
    made.add_argument("--format", choices=FORMATS[:2], default="table")
