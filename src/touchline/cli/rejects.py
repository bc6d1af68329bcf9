"""`touchline rejects list|replay`: what could not be stored, and storing it after all."""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from touchline.cli import language
from touchline.cli.output import as_json, columns, emit, progress_line
from touchline.cli.question import ask_lines
from touchline.collect import reasons
from touchline.collect.importers import reasons as of_files
from touchline.errors import BadInput
from touchline.jobs import queries
from touchline.jobs.access import writing
from touchline.jobs.intake import replay
from touchline.storage.workspace import Workspace

__all__ = ["run"]

SHOWN = 60  # characters of a payload in a table
FILTERS = ("reason", "source", "kind", "status", "limit")
HEADINGS = {
    "en": ("id", "received", "source", "kind", "line", "reason", "payload"),
    "zh": ("编号", "收到时间", "数据源", "类型", "行号", "原因", "内容"),
}
FATES = {
    "en": {
        "stored": "stored",
        "duplicate": "known already",
        "rejected": "still rejected",
        "replayed_before": "replayed before",
        "to_import_again": "rows of files: correct the file and import it again",
    },
    "zh": {
        "stored": "已入库",
        "duplicate": "已存在",
        "rejected": "仍有问题",
        "replayed_before": "此前已重放",
        "to_import_again": "文件中的行:请改正文件后重新导入",
    },
}


def run(args: argparse.Namespace) -> int:
    return (_list if args.verb == "list" else _replay)(args)


def _list(args: argparse.Namespace) -> int:
    asked = {name: getattr(args, name) for name in FILTERS if getattr(args, name)}
    asked |= {name: of for name, of in (("from", args.start), ("to", args.end)) if of}
    found = ask_lines(args.dir, queries.rejects, asked)
    names = ("reject_id", "received_at", "source", "kind", "line", "reason", "payload")
    rows = found if args.format == "table" else [_flat(one) for one in found]
    emit(rows, columns(HEADINGS, names, _cell), args.format, found)
    if args.format == "table":
        _explain(Counter(one["reason"] for one in found))
    return 0


def _replay(args: argparse.Namespace) -> int:
    asked: dict[str, Any] = {"ids": args.id, "reason": args.reason, "source": args.source}
    asked["all"] = args.all
    if args.payload is not None:
        if len(args.id) != 1:
            raise BadInput(
                "bad_argument", name="--payload", value=str(args.payload), why="needs one --id"
            )
        asked |= {"ids": [], "edits": {args.id[0]: _read(args.payload)}}
    workspace = Workspace.open(args.dir)
    try:
        job = replay.asked(workspace, asked)
    finally:
        workspace.close()
    done = writing(args.dir, "replay", job, progress_line("replay"))
    if args.format == "json":
        as_json(done)
    else:
        words = FATES[language()]
        said = [f"{done[name]:,} {words[name]}" for name in words if done[name]]
        print(" · ".join(said) or f"0 {words['stored']}")
        _explain(Counter(done["reasons"]))
    return 1 if done["rejected"] else 0


def _read(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise BadInput("file_unreadable", path=path, format="JSON", reason=error.strerror) from None


def _explain(counts: Counter[str]) -> None:
    """Each reason in words, the most frequent first, on stderr."""
    known = {**reasons.REASONS, **of_files.REASONS}
    for reason, count in counts.most_common():
        texts = known.get(reason, (reason, reason))
        print(f"{count:,} × {reason}: {texts[language() == 'zh']}", file=sys.stderr)


def _cell(value: Any) -> str:
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    text = "" if value is None else str(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _flat(one: dict[str, Any]) -> dict[str, Any]:
    """A line of CSV: the payload as one cell."""
    payload = one["payload"]
    text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
    return {**one, "payload": text}
