"""`touchline keys rotate|receipts`: another root key or signing key, and the list to publish."""

import argparse
import sys
from typing import Any

from touchline.cli import language
from touchline.cli.output import as_json, columns, emit, progress_line
from touchline.jobs.access import writing
from touchline.jobs.privacy import rotate
from touchline.storage.workspace import Workspace

__all__ = ["run"]

NOTES = {
    "en": {
        "root": "A new root key is in force, the old one destroyed; {rewrapped} keys wrapped anew.",
        "signing": "Receipts are signed with another key: {fingerprint}. Publish the new list.",
    },
    "zh": {
        "root": "新的根密钥已生效,旧根密钥已销毁;重新包裹 {rewrapped} 个数据密钥。",
        "signing": "删除凭证改用新密钥签名:{fingerprint}。请公布新的公钥列表。",
    },
}
HEADINGS = {
    "en": ("fingerprint", "public key", "until"),
    "zh": ("指纹", "公钥", "停用时间"),
}


def run(args: argparse.Namespace) -> None:
    {"rotate": _rotate, "receipts": _receipts}[args.verb](args)


def _rotate(args: argparse.Namespace) -> None:
    workspace = Workspace.open(args.dir)
    try:
        asked = rotate.ask(workspace, args.what, args.reason)
    finally:
        workspace.close()
    found: dict[str, Any] = writing(args.dir, "rotate", asked, progress_line("rotate"))
    if args.format == "json":
        as_json(found)
    print(NOTES[language()][args.what].format(**found), file=sys.stderr)


def _receipts(args: argparse.Namespace) -> None:
    workspace = Workspace.open(args.dir)
    try:
        found = rotate.receipt_keys(workspace)
    finally:
        workspace.close()
    names = ("fingerprint", "public_key", "until")
    emit(found, columns(HEADINGS, names), args.format, found)
