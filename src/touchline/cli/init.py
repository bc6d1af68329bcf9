"""`touchline init`: a folder becomes a workspace."""

import argparse
import sys
from collections.abc import Collection

from touchline.collect.money import currency_code
from touchline.collect.normalise import check_region
from touchline.errors import BadInput
from touchline.jobs.keys import check_line
from touchline.storage.workspace import Workspace

__all__ = ["run"]


def run(args: argparse.Namespace) -> None:
    write_keys = named_keys(args.write_key)
    workspace = Workspace.init(
        args.dir,
        currency=currency_code(args.currency),
        time_zone=args.time_zone,
        region=check_region(args.region),
        write_keys=write_keys,
        admin_keys=admin_keys(args.admin_key, write_keys.values()),
    )
    workspace.close()
    print(f"Workspace ready: {args.dir}", file=sys.stderr)


def admin_keys(given: list[str], write_keys: Collection[str]) -> list[str]:
    for key in given:
        check_line("--admin-key", key)
        if key in write_keys:
            why = "is a write key too, which every page shows. Choose another."
            raise BadInput("bad_argument", name="--admin-key", value=key, why=why)
    return given


def named_keys(given: list[str]) -> dict[str, str]:
    """`["web=abc", "def"]` -> {"web": "abc", "key1": "def"}; unnamed ones count from 1."""
    keys: dict[str, str] = {}
    unnamed = 0
    for text in given:
        name, _, key = text.partition("=")
        if not key.strip("="):  # no "=", or only the padding of a base64 key
            unnamed += 1
            name, key = f"key{unnamed}", text
        if not name or not key:
            raise BadInput("bad_argument", name="--write-key", value=text, why="needs NAME=KEY")
        check_line("--write-key", name)
        check_line("--write-key", key)
        if name in keys or key in keys.values():
            raise BadInput("bad_argument", name="--write-key", value=text, why="is given twice")
        keys[name] = key
    return keys
