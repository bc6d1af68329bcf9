"""`touchline links create|list|check` and `touchline qr`: short links, and addresses for print."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from touchline.cli import language, refused
from touchline.cli.output import as_json, columns, emit
from touchline.collect.link import FIELDS
from touchline.errors import BadInput
from touchline.jobs import links
from touchline.storage.workspace import Workspace

__all__ = ["run"]

SHOWN = ("code", "target", "source", "medium", "campaign", "label", "owner", "expires_at")
HEADINGS = {
    "en": ("code", "leads to", "source", "medium", "campaign", "label", "owner", "until"),
    "zh": ("代码", "目标网址", "来源", "媒介", "营销活动", "备注", "负责人", "有效期至"),
}
CHECKED = ("source", "medium", "campaign", "visits")
CHECK_HEADINGS = {
    "en": ("source", "medium", "campaign", "visits", "findings"),
    "zh": ("来源", "媒介", "营销活动", "访问次数", "问题"),
}
NOTES = {
    "en": {
        "no_rules": "There are no naming rules: write [naming] and put it in force.",
        "made": "Leads to {leads_to}",
        "trial": "Not made (--dry-run). It would lead to {leads_to}",
        "no_host": "Visitors open it at your server's address: set public_url, or give --host.",
        "drawn": "{path}: {size:,} bytes",
    },
    "zh": {
        "no_rules": "还没有命名规则:请编写 [naming] 并启用。",
        "made": "跳转到 {leads_to}",
        "trial": "试运行(--dry-run),未创建。将跳转到 {leads_to}",
        "no_host": "访客通过您的服务器网址打开短链:请设置 public_url,或用 --host 指定。",
        "drawn": "{path}:{size:,} 字节",
    },
}


def run(args: argparse.Namespace) -> int:
    if args.verb == "check":
        return _check(args)
    workspace = Workspace.open(args.dir)
    try:
        {"create": _create, "list": _list, "qr": _qr}[args.verb](workspace, args)
    finally:
        workspace.close()
    return 0


def _create(workspace: Workspace, args: argparse.Namespace) -> None:
    said = {name: getattr(args, name) for name in links.Wanted.__struct_fields__}
    wanted = links.Wanted(**said)
    (made,) = links.create(workspace, [wanted], host=args.host, is_trial=args.dry_run)
    if args.format == "json":
        as_json(made)
    else:
        print(made["url"] or made["path"])
    _note("trial" if args.dry_run else "made", **made)
    if made["url"] is None:
        _note("no_host")


def _list(workspace: Workspace, args: argparse.Namespace) -> None:
    names = ("campaign", "source", "owner", "limit", "host")
    asked = {name: getattr(args, name) for name in names}
    found = [json.loads(line) for line in links.links(workspace, None, asked)]
    emit(found, columns(HEADINGS, SHOWN), args.format, found)


def _qr(workspace: Workspace, args: argparse.Namespace) -> None:
    from touchline.jobs.qr import drawn

    if (args.code is None) == (args.url is None):
        why = "needs a CODE or --url, and not both."
        raise BadInput("bad_argument", name="qr", value=args.code or "", why=why)
    names = ("code", "url", "host", *FIELDS, "label", "error", "border", "scale", "font")
    asked: dict[str, Any] = {
        name: getattr(args, name) for name in names if getattr(args, name) is not None
    }
    asked["format"] = args.format or args.out.suffix.lstrip(".").lower() or "svg"
    made = b"".join(drawn(workspace, None, asked))
    try:
        args.out.write_bytes(made)
    except OSError as error:
        raise refused(error, args.out) from error
    _note("drawn", path=Path(args.out), size=len(made))


def _check(args: argparse.Namespace) -> int:
    from touchline.jobs.access import reading
    from touchline.jobs.plan.named import named

    with reading(args.dir) as workspace:
        found = named(workspace, None, {"days": args.days})
    rows: list[dict[str, Any]] = [
        {**row, "findings": "; ".join(one[language()] for one in row["findings"])}
        for row in found["rows"]
    ]
    emit(rows, columns(CHECK_HEADINGS, (*CHECKED, "findings")), args.format, found)
    if not found["has_rules"]:
        _note("no_rules")
    return 1 if rows else 0


def _note(what: str, **about: Any) -> None:
    print(NOTES[language()][what].format(**about), file=sys.stderr)
