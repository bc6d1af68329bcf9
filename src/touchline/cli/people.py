"""`touchline people merge|unmerge`: who is one person, decided by hand."""

import argparse

from touchline.cli.identity import put_down

__all__ = ["run"]


def run(args: argparse.Namespace) -> int:
    """`merge` and `unmerge` name two values or persons."""
    return put_down(args, args.verb, names=(args.a, args.b))
