"""The verbs of `touchline attribution`, as `cli.parser` takes them."""

from typing import Any

from touchline.cli.building import FORMATS, folder, group, verb

__all__ = ["attribution_verbs"]


def attribution_verbs(verbs: Any) -> None:
    own = group(verbs, "attribution", "Choose an attribution model, and see how right each is.")
    made = verb(
        own, "leaderboard", "Score every model in worlds whose truth is known.", "attribution"
    )
    made.add_argument("--worlds", default="all", help="comma separated, own or all (default all)")
    made.add_argument("--seeds", type=int, default=3, metavar="N", help="worlds of each kind")
    made.add_argument("--people", type=int, default=20_000, metavar="N", help="in each world")
    made.add_argument("--models", default="all", help="comma separated (default all)")
    made.add_argument("--format", choices=FORMATS, default="table")

    made = verb(own, "guide", "Say which model to use, and why.", "attribution")
    made.add_argument("dir", type=folder, metavar="DIR", nargs="?")
    made.add_argument(
        "--for", dest="aim", choices=("budget", "report", "openers", "closers"), help="the aim"
    )
    made.add_argument("--goal", help="of which conversions (default the first)")
    made.add_argument(
        "--cycle", dest="cycle_days", type=float, metavar="DAYS", help="first touch to conversion"
    )
    made.add_argument("--conversions", type=int, metavar="N", help="in the period of the report")
    made.add_argument("--channels", type=int, metavar="N", help="how many there are")
    made.add_argument(
        "--tests", dest="lift_tests", type=int, metavar="N", help="lift tests that were made"
    )
    made.add_argument(
        "--stages",
        dest="has_stages",
        action="store_true",
        default=None,
        help="a CRM tells when leads and opportunities began",
    )
    made.add_argument("--format", choices=FORMATS, default="table")
