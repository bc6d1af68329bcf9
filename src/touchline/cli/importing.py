"""`touchline import`: a file into a workspace; with --dry-run what would become of it."""

import argparse
import sys
from pathlib import Path
from typing import Any

import msgspec

from touchline.cli import language
from touchline.cli.output import Column, emit, progress_line, table

__all__ = ["run"]

COUNTS = ("read", "stored", "duplicate", "updated", "rejected")
WORDS = {
    "en": {
        "read": "Read",
        "stored": "Stored",
        "duplicate": "Duplicate",
        "updated": "Updated",
        "rejected": "Rejected",
        "column": "Column",
        "field": "Becomes",
        "how": "Why",
        "sample": "Example",
        "line": "Line",
        "reason": "Reason",
        "text": "What to do",
        "map": "map",
        "known": "known export",
        "name": "its name",
        "guess": "guess",
        "rest": "kept as a property",
        "unused": "left out",
        "constant": "the same for every row",
        "progress": "Reading {file}",
        "kept": "{count} rows were rejected. See them with: touchline rejects list {dir}",
        "dry": "Dry run: {read} rows, {rejected} would be rejected. Nothing was stored.",
        "counts": "Reasons: {reasons}",
        "by_map": "Recognised: {title} (--map {name}; --map generic reads without it).",
        "on_sheet": "Sheet: {name}",
        "alike": "Not read, though they look alike: {names}. Import each with --sheet NAME.",
        "repeated": "Lines {lines} say all that an earlier line says, and count as well. If"
        " they are copies, take them out and import again.",
        "unproven": "Lines {lines} may be totals, and count as data: they are not the sum of the"
        " others. If they are totals, set their figures to 0 and import again.",
    },
    "zh": {
        "read": "读取",
        "stored": "入库",
        "duplicate": "重复",
        "updated": "更新",
        "rejected": "异常",
        "column": "文件列",
        "field": "对应字段",
        "how": "依据",
        "sample": "示例",
        "line": "行号",
        "reason": "原因",
        "text": "处理建议",
        "map": "映射文件",
        "known": "已知导出格式",
        "name": "列名一致",
        "guess": "自动识别",
        "rest": "保留为属性",
        "unused": "不导入",
        "constant": "固定值",
        "progress": "正在读取 {file}",
        "kept": "{count} 行异常数据,可用 touchline rejects list {dir} 查看",
        "dry": "试运行:共 {read} 行,其中 {rejected} 行异常。未写入任何数据。",
        "counts": "异常原因:{reasons}",
        "by_map": "已识别为{title}(--map {name};如不适用,请加 --map generic)。",
        "on_sheet": "工作表:{name}",
        "alike": "结构相同但未读取的工作表:{names}。请用 --sheet 名称 逐个导入。",
        "repeated": "第 {lines} 行与前面某一行完全相同,也照常计入;如果是误复制,请删除后重新导入。",
        "unproven": "第 {lines} 行可能是合计,但不等于其他行之和,按普通数据计入。"
        "如确为合计,请将其数值改为 0 后重新导入,以免重复计算。",
    },
}


def run(args: argparse.Namespace) -> int:
    words = WORDS[language()]
    progress = progress_line(words["progress"].format(file=args.file.name))
    if args.dry_run:
        return _preview(args, progress)
    from touchline.jobs.access import writing

    asked = {
        "kind": args.kind,
        # The server that may run this stands in another folder.
        "path": str(args.file.absolute()),
        "map": _map(args.map),
        "source": args.source,
        "sheet": args.sheet,
    }
    found = writing(args.dir, "import", asked, progress)
    _tell(found.pop("notes", {}), words)
    emit([found], [(words[name], name, _count) for name in COUNTS], args.format, found)
    if found["rejected"]:
        count = _count(found["rejected"])
        print(words["kept"].format(count=count, dir=args.dir), file=sys.stderr)
    return 0


def _preview(args: argparse.Namespace, progress: Any) -> int:
    from touchline.jobs.definitions import site_of
    from touchline.jobs.imports.importing import preview
    from touchline.storage.workspace import Workspace

    workspace = Workspace.open(args.dir)
    try:
        found = preview(
            site_of(workspace),
            args.kind,
            args.file,
            map_path=args.map,
            source=args.source,
            sheet=args.sheet,
            progress=progress,
        )
    finally:
        workspace.close()
    whole = msgspec.to_builtins(found)
    whole |= {"stored": 0, "duplicate": 0, "updated": 0}
    words = WORDS[language()]
    _tell(whole, words)
    columns: list[Column] = [
        (words["column"], "column", str),
        (words["field"], "becomes", str),
        (words["how"], "how", lambda how: words[how]),
        (words["sample"], "sample", str),
    ]
    rows = [
        *whole["columns"],
        *(
            {"column": "–", "field": field, "how": "constant", "sample": str(value), "power": 0}
            for field, value in found.constants.items()
        ),
    ]
    shown = [{**row, "becomes": _becomes(row)} for row in rows] if args.format == "table" else rows
    emit(shown, columns, args.format, whole)
    if args.format == "table":
        _show_rejects(whole, words)
    return 0


def _becomes(row: dict[str, Any]) -> str:
    times = f" × {10 ** row['power']:,}" if row["power"] else ""
    return (row["field"] or "–") + times


def _map(given: Path | None) -> str | None:
    """A map's name as it is, a file's whole path."""
    from touchline.collect.importers.shipped import GENERIC, shipped

    if given is None or str(given) == GENERIC or str(given) in shipped():
        return None if given is None else str(given)
    return str(given.absolute())


def _tell(notes: dict[str, Any], words: dict[str, str]) -> None:
    """How the file was understood, before what became of it."""
    from touchline.collect.importers.rows import listed
    from touchline.collect.importers.shipped import shipped

    if notes.get("map") in shipped():
        title = shipped()[notes["map"]].title[language()]
        print(words["by_map"].format(title=title, name=notes["map"]), file=sys.stderr)
    if notes.get("sheet"):
        print(words["on_sheet"].format(name=listed([notes["sheet"]])), file=sys.stderr)
    if notes.get("alike"):
        print(words["alike"].format(names=listed(notes["alike"])), file=sys.stderr)
    for name in ("unproven", "repeated"):
        if notes.get(name):
            lines = ", ".join(map(str, notes[name]))
            print(words[name].format(lines=lines), file=sys.stderr)


def _show_rejects(whole: dict[str, Any], words: dict[str, str]) -> None:
    counts = {name: _count(whole[name]) for name in ("read", "rejected")}
    print(words["dry"].format(**counts))
    if not whole["rejects"]:
        return
    print(
        words["counts"].format(reasons=", ".join(f"{k} {v:,}" for k, v in whole["reasons"].items()))
    )
    rows = [{**reject, "text": _remedy(reject["reason"])} for reject in whole["rejects"]]
    table(rows, [(words[name], name, str) for name in ("line", "reason", "text")])


def _remedy(reason: str) -> str:
    from touchline.collect import reasons as of_events
    from touchline.collect.importers import reasons as of_files

    known = {**of_events.REASONS, **of_files.REASONS}
    return known[reason][language() == "zh"] if reason in known else ""


def _count(number: int) -> str:
    return f"{number:,}"
