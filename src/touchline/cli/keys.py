"""`touchline keys create|list|revoke`: who may send, who may administer."""

import argparse
import sys
from typing import Any

from touchline.cli import language
from touchline.cli.output import as_json, cell, columns, emit
from touchline.jobs import keys
from touchline.storage.workspace import Workspace

__all__ = ["run"]

NOTES = {
    "en": {
        "made": "Key {id} of {name} is good from now on. It is shown this once: keep it.",
        "revoked": "Key {id} of {name} is revoked; a running server refuses it within 10 s.",
    },
    "zh": {
        "made": "密钥 {id}({name})现已生效。密钥只显示这一次,请妥善保存。",
        "revoked": "密钥 {id}({name})已吊销,运行中的服务将在 10 秒内拒绝它。",
    },
}
HEADINGS = {
    "en": ("id", "kind", "name", "may", "aliases", "created", "revoked"),
    "zh": ("编号", "类型", "名称", "权限", "别名", "创建时间", "吊销时间"),
}


def run(args: argparse.Namespace) -> None:
    workspace = Workspace.open(args.dir)
    try:
        {"create": _create, "list": _list, "revoke": _revoke}[args.verb](workspace, args)
    finally:
        workspace.close()


def _create(workspace: Workspace, args: argparse.Namespace) -> None:
    wanted = keys.Wanted(
        kind=args.kind,
        value=args.value,
        name=args.name,
        aliases=tuple(args.alias),
        scopes=tuple(args.scope),
    )
    made = keys.create(workspace, wanted)
    if args.format == "json":
        as_json(made)
    else:
        print(made["key"])
    _note("made", made)


def _list(workspace: Workspace, args: argparse.Namespace) -> None:
    found = keys.keys(workspace)
    names = ("id", "kind", "name", "scopes", "aliases", "created_at", "revoked_at")
    shown = [{name: cell(key[name]) for name in names} for key in found]
    emit(shown, columns(HEADINGS, names), args.format, found)


def _revoke(workspace: Workspace, args: argparse.Namespace) -> None:
    _note("revoked", keys.revoke(workspace, args.key))


def _note(what: str, key: dict[str, Any]) -> None:
    print(NOTES[language()][what].format(**key), file=sys.stderr)
