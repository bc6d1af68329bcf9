"""`touchline people export|erase|erasures|readmit`: what a customer may ask for.

An erasure answers with its receipt, which is what the customer gets; exit 1 when the scan behind it
still found something.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from touchline.cli import language
from touchline.cli.output import columns, counted, emit, progress_line
from touchline.errors import BadInput, Unavailable
from touchline.jobs.access import reading, writing
from touchline.jobs.people.mirror import KeepingRegistry
from touchline.jobs.privacy import dsar, erase
from touchline.storage.disk import is_full, put
from touchline.storage.workspace import Workspace

__all__ = ["run"]

NOTES = {
    "en": {
        "begun": "Request {request}: from now on nothing of this person is taken in.",
        "done": "Erased. {hits} traces found by the scan. Give the receipt to the customer.",
        "found": "The scan still found {hits} traces: see `places` in the receipt. Mend that and "
        "run it again: --request {request}",
        "left": "Left on purpose are names of your own (events, sources, campaigns …) that hold a "
        "word of theirs: {left} rows, see `left`; {common} identifiers are such names: `common`.",
        "exported": "{path}: all that is stored of this person, in clear. Handle with care.",
        "again": "{name} is taken in again.",
    },
    "zh": {
        "begun": "请求编号 {request}:即刻起不再接收该客户的任何数据。",
        "done": "已删除,全库扫描残留 {hits} 处。请将删除凭证交给客户。",
        "found": "扫描仍发现 {hits} 处残留,详见凭证中的 places。"
        "处理后请重新执行:--request {request}",
        "left": "有意保留:您自己的名称(事件、来源、活动等)中含有该客户的词,共 {left} 行,见 left;"
        "本身就是这类名称的标识 {common} 个,见 common。",
        "exported": "{path}:该客户的全部个人信息(明文),请妥善保管。",
        "again": "已恢复接收 {name}。",
    },
}
HEADINGS = {
    "en": ("request", "asked", "step", "done"),
    "zh": ("请求编号", "提出时间", "进度", "完成时间"),
}
COUNTS = {
    "en": ("place", "deleted", "anonymised", "redacted"),
    "zh": ("位置", "删除", "匿名保留", "抹去"),
}


def run(args: argparse.Namespace) -> int:
    verbs: dict[str, Callable[[argparse.Namespace], int]] = {
        "export": _export,
        "erase": _erase,
        "erasures": _erasures,
        "readmit": _readmit,
    }
    return verbs[args.verb](args)


def _export(args: argparse.Namespace) -> int:
    with reading(args.dir) as workspace:
        found = dsar.export(workspace, KeepingRegistry(workspace), args.person)
    _put(args.out, found)
    _note("exported", path=args.out)
    return 0


def _erase(args: argparse.Namespace) -> int:
    if (args.person is None) == (args.request is None):
        why = "needs a PERSON or --request, and not both."
        raise BadInput("bad_argument", name="erase", value=args.person or "", why=why)
    request = args.request
    if request is None:
        with reading(args.dir) as workspace:
            registry = KeepingRegistry(workspace)
            if args.dry_run:
                return _show(erase.preview(workspace, registry, args.person), args.format)
            request = erase.ask(workspace, registry, args.person, args.reason)
        _note("begun", request=request)
    done = writing(args.dir, "erase", {"request": request}, progress_line("erase"))
    if args.out is not None:
        _put(args.out, json.dumps(done, indent=2).encode() + b"\n")
    _show(done if args.format == "json" else done["receipt"], args.format)
    scan = done["receipt"]["scan"]
    hits, left, common = scan["hits"], sum(scan["left"].values()), scan["common"]
    if left or common:
        _note("left", left=left, common=common)
    _note("found" if hits else "done", hits=hits, request=request)
    return 1 if hits else 0


def _erasures(args: argparse.Namespace) -> int:
    workspace = Workspace.open(args.dir)
    try:
        if args.request is not None:
            sys.stdout.write(erase.receipt_of(workspace, args.request).decode())
            return 0
        found = erase.erasures(workspace)
    finally:
        workspace.close()
    names = ("request", "asked_at", "step", "done_at")
    emit(found, columns(HEADINGS, names), args.format, found)
    return 0


def _readmit(args: argparse.Namespace) -> int:
    workspace = Workspace.open(args.dir)
    try:
        erase.readmit(workspace, args.identifier, args.reason)
    finally:
        workspace.close()
    _note("again", name=args.identifier)
    return 0


def _show(told: dict[str, Any], output: str) -> int:
    """What was, or would be, taken away."""
    names = ("place", "deleted", "anonymised", "redacted")
    places = told.get("tables", {})
    rows = [
        {"place": place, **{name: counts.get(name, 0) for name in names[1:]}}
        for place, counts in places.items()
    ]
    emit(rows, columns(COUNTS, names, counted), output, told)
    return 0


def _put(path: Path, content: bytes) -> None:
    try:
        put(path, content, 0o600)
    except OSError as error:
        if is_full(error):
            raise Unavailable("disk_full", path=path) from error
        raise BadInput("folder_unusable", path=path, why=error.strerror) from error


def _note(what: str, **params: Any) -> None:
    print(NOTES[language()][what].format(**params), file=sys.stderr)
