"""`touchline rebuild`: channels, sessions and indexes, derived anew under the rules in force."""

import argparse
import sys

from touchline.cli.output import progress_line
from touchline.jobs.access import writing

__all__ = ["run"]


def run(args: argparse.Namespace) -> None:
    done = writing(args.dir, "rebuild", {}, progress_line("rebuild"))
    print(f"Rebuilt {done['events']:,} events on {done['days']:,} days", file=sys.stderr)
