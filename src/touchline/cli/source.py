"""`touchline source add|run|list|stop|remove`: outside systems whose rows are pulled."""

import argparse
import getpass
import json
import sys
from typing import Any

from touchline.cli import language
from touchline.cli.output import Column, emit, progress_line
from touchline.collect.importers.reasons import REASONS
from touchline.jobs import definitions, job
from touchline.jobs.access import writing
from touchline.jobs.imports import pull, sources
from touchline.storage.workspace import Workspace

__all__ = ["run"]

COUNTS = ("read", "stored", "duplicate", "updated", "rejected")
HEADINGS = {
    "en": {
        "name": "name",
        "kind": "kind",
        "yields": "yields",
        "status": "status",
        "cursor": "pulled up to",
        "next_at": "next run",
        "last_at": "last run",
        "started_at": "started",
        "finished_at": "ended",
        "cursor_before": "from",
        "cursor_after": "up to",
        "error": "error",
        "column": "column",
        "field": "becomes",
        "how": "why",
    },
    "zh": {
        "name": "名称",
        "kind": "类型",
        "yields": "数据",
        "status": "状态",
        "cursor": "已拉取至",
        "next_at": "下次运行",
        "last_at": "上次运行",
        "started_at": "开始",
        "finished_at": "结束",
        "cursor_before": "起",
        "cursor_after": "止",
        "error": "错误",
        "column": "列",
        "field": "对应字段",
        "how": "依据",
    },
}
COUNTED: dict[str, dict[str, str]] = {
    "en": {name: name for name in COUNTS},
    "zh": {
        "read": "读取",
        "stored": "入库",
        "duplicate": "重复",
        "updated": "更新",
        "rejected": "异常",
    },
}
NOTES = {
    "en": {
        "added": "Source {name} is in force. Try it: touchline source run {dir} {name} --dry-run",
        "ask": "Value of the secret {name}: ",
        "dry": "Dry run: {read} rows, {rejected} would be rejected. Nothing was stored.",
        "stopped": "{count} run(s) of {name} stopped. What was stored stays.",
        "removed": "Source {name} is removed. What it brought stays.",
        "kept": "{count} rows were rejected. See them with: touchline rejects list {dir}",
    },
    "zh": {
        "added": "数据源 {name} 已生效。可先试运行:touchline source run {dir} {name} --dry-run",
        "ask": "凭证 {name} 的值:",
        "dry": "试运行:共 {read} 行,其中 {rejected} 行异常。未写入任何数据。",
        "stopped": "已停止 {name} 的 {count} 次运行,已入库的数据保留。",
        "removed": "数据源 {name} 已移除,已入库的数据保留。",
        "kept": "{count} 行异常数据,可用 touchline rejects list {dir} 查看。",
    },
}


def run(args: argparse.Namespace) -> None:
    if args.verb == "run" and not args.dry_run:
        _run(args)
        return
    workspace = Workspace.open(args.dir)
    verbs = {"add": _add, "run": _try, "list": _list, "stop": _stop, "remove": _remove}
    try:
        verbs[args.verb](workspace, args)
    finally:
        workspace.close()


def _add(workspace: Workspace, args: argparse.Namespace) -> None:
    documents = definitions.read_file(args.file).get("source", [])
    secrets = dict(_secret(given) for given in args.secret)
    for name in sources.add(workspace, documents, secrets, f"cli:{getpass.getuser()}"):
        _note("added", name=name, dir=args.dir)


def _secret(given: str) -> tuple[str, str]:
    """Asked for, or read from stdin a line each, so that it stands in no list of processes."""
    name, mark, value = given.partition("=")
    if mark:
        return name, value
    if sys.stdin.isatty():
        return name, getpass.getpass(NOTES[language()]["ask"].format(name=name))
    return name, sys.stdin.readline().rstrip("\r\n")


def _run(args: argparse.Namespace) -> None:
    asked = {"source": args.name, **({"from": args.start} if args.start else {})}
    found = writing(args.dir, "pull", asked, progress_line(args.name))
    words = COUNTED[language()]
    emit([found], [(words[name], name, _count) for name in COUNTS], args.format, found)
    if found["rejected"]:
        _note("kept", count=_count(found["rejected"]), dir=args.dir)


def _try(workspace: Workspace, args: argparse.Namespace) -> None:
    found = pull.preview(workspace, args.name)
    emit(found["columns"], _columns(("column", "field", "how")), args.format, found)
    if args.format == "table":
        _note("dry", read=found["read"], rejected=found["rejected"])
        for reason, count in found["reasons"].items():
            texts = REASONS.get(reason, (reason, reason))
            print(f"{count:,} × {reason}: {texts[language() == 'zh']}", file=sys.stderr)


def _list(workspace: Workspace, args: argparse.Namespace) -> None:
    asked = {"language": language()}
    if args.name:
        names = ("started_at", "finished_at", *COUNTS, "cursor_before", "cursor_after", "error")
        found = sources.logged(workspace, {**asked, "source": args.name})
    else:
        names = ("name", "kind", "yields", "status", "cursor", "last_at", "next_at", "error")
        found = [_with_last(one) for one in sources.listed(workspace, asked)]
    shown = [{name: _cell(one[name]) for name in names} for one in found]
    emit(shown, _columns(names), args.format, found)


def _with_last(source: dict[str, Any]) -> dict[str, Any]:
    last = source["last_run"]
    return {
        **source,
        "last_at": last and last["started_at"],
        "error": last["error"] if last and source["status"] == "failed" else None,
    }


def _stop(workspace: Workspace, args: argparse.Namespace) -> None:
    sources.source_named(workspace, args.name)
    open_jobs = [
        one for one in job.open_args(workspace.state, "pull") if one["source"] == args.name
    ]
    for one in open_jobs:
        job.cancel(workspace.state, one["job"])
    _note("stopped", count=len(open_jobs), name=args.name)


def _remove(workspace: Workspace, args: argparse.Namespace) -> None:
    sources.remove(workspace, args.name, f"cli:{getpass.getuser()}")
    _note("removed", name=args.name)


def _columns(names: tuple[str, ...]) -> list[Column]:
    words = {**COUNTED[language()], **HEADINGS[language()]}
    return [(words[name], name, str) for name in names]


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("text") or json.dumps(value, ensure_ascii=False))
    return "" if value is None else _count(value) if isinstance(value, int) else str(value)


def _count(number: int) -> str:
    return f"{number:,}"


def _note(what: str, **blanks: Any) -> None:
    print(NOTES[language()][what].format(**blanks), file=sys.stderr)
