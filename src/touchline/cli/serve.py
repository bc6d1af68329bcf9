"""`touchline serve`: receives, commits and answers until it is told to stop."""

import argparse

from touchline.web.serve import serve

__all__ = ["run"]


def run(args: argparse.Namespace) -> int:
    return serve(args.dir, host=args.host, port=args.port, role=args.role)
