"""`touchline identity rules|dry-run|quarantine|decisions`: what makes people, and who said so."""

import argparse
import sys
from typing import Any

from touchline.cli import language
from touchline.cli.output import cell, columns, emit
from touchline.cli.question import ask, ask_lines
from touchline.errors import BadInput
from touchline.jobs.definitions import read_file
from touchline.jobs.people import identity, identity_rules

__all__ = ["put_down", "run"]

CHANGES = {
    "en": ("what", "person", "is now", "values"),
    "zh": ("变化", "客户", "现为", "标识数"),
}
CHANGE_KEYS = ("kind", "person_id", "other_id", "values")
HELD = {
    "en": ("value", "type", "why", "touches", "of type", "above", "pattern"),
    "zh": ("标识", "类型", "原因", "关联数", "关联类型", "上限", "匹配规则"),
}
HELD_KEYS = ("value", "type", "reason", "touches", "touched_type", "above", "pattern")
MADE = {
    "en": ("number", "at", "by", "what", "about", "reason", "in force"),
    "zh": ("编号", "时间", "操作人", "决定", "对象", "原因", "是否有效"),
}
MADE_KEYS = ("decision", "at", "author", "kind", "about", "reason", "is_in_force")
RULES = {"en": ("rule", "value", "from"), "zh": ("规则", "取值", "来源")}
WORDS = {
    "en": {
        "person_merged": "merged", "person_split": "split", "person_renamed": "renamed",
        "shared": "touches too many", "by_hand": "blocked by hand", "staff": "of staff",
        "pattern": "matches a pattern", "merge": "merge", "unmerge": "unmerge", "block": "block",
        "unblock": "unblock", "undo": "undo", "default": "default", "document": "[identity]",
        "True": "yes", "False": "no",
    },
    "zh": {
        "person_merged": "合并", "person_split": "拆分", "person_renamed": "更名",
        "shared": "关联过多", "by_hand": "人工屏蔽", "staff": "员工号码", "pattern": "匹配屏蔽规则",
        "merge": "合并", "unmerge": "拆分", "block": "屏蔽", "unblock": "解除屏蔽", "undo": "撤销",
        "default": "默认", "document": "[identity]", "True": "是", "False": "否",
    },
}  # fmt: skip
SAID = {
    "en": {
        "done": "Decision {decision}. Persons: {persons_before:,} before, {persons_after:,} now.",
        "trial": "Tried only. Persons: {persons_before:,} now, {persons_after:,} then.",
        "counts": "Merged {merged:,} · split {split:,} · renamed {renamed:,} · values held back "
        "{held_back:,} · released {released:,}",
        "undo": "To take it back: touchline identity decisions DIR --undo {decision} --reason …",
    },
    "zh": {
        "done": "决定编号 {decision}。客户数:之前 {persons_before:,},现在 {persons_after:,}。",
        "trial": "仅试算,未生效。客户数:现在 {persons_before:,},生效后 {persons_after:,}。",
        "counts": "合并 {merged:,} · 拆分 {split:,} · 更名 {renamed:,} · "
        "新增存疑标识 {held_back:,} · 解除 {released:,}",
        "undo": "如需撤销:touchline identity decisions DIR --undo {decision} --reason …",
    },
}


def run(args: argparse.Namespace) -> int:
    verbs = {
        "rules": _rules,
        "dry-run": _dry_run,
        "quarantine": _quarantine,
        "decisions": _decisions,
    }
    return verbs[args.verb](args)


def put_down(args: argparse.Namespace, kind: str, **asked: Any) -> int:
    """Makes a decision, or tries it, and shows what it changes."""
    if not args.reason:
        why = "is missing: say why, for whoever reads it later."
        raise BadInput("bad_argument", name="--reason", value="", why=why)
    asked |= {"kind": kind, "reason": args.reason, "author": args.author, "is_trial": args.dry_run}
    told = ask(args.dir, identity.decide, asked)
    _show_changes(told, args.format, "trial" if args.dry_run else "done")
    if not args.dry_run:
        _say("undo", told)
    return 0


def _dry_run(args: argparse.Namespace) -> int:
    told = ask(args.dir, identity_rules.dry_run, read_file(args.file))
    _show_changes(told, args.format, "trial")
    values = [*told["held"], *told["freed"]]
    if values and args.format == "table":
        rows = [{"above": None, **one} for one in values]
        emit(rows, columns(HELD, HELD_KEYS, reason=_word), "table", None)
    return 0


def _quarantine(args: argparse.Namespace) -> int:
    if args.block is not None and args.unblock is not None:
        why = "is one, and --unblock another: give one of them."
        raise BadInput("bad_argument", name="--block", value=args.block, why=why)
    if args.block is not None:
        return put_down(args, "block", names=(args.block,))
    if args.unblock is not None:
        return put_down(args, "unblock", names=(args.unblock,))
    asked = {"reason": args.why, "limit": args.limit}
    found = ask_lines(args.dir, identity_rules.quarantine, asked)
    emit(found, columns(HELD, HELD_KEYS, reason=_word), args.format, found)
    return 0


def _decisions(args: argparse.Namespace) -> int:
    if args.undo is not None:
        return put_down(args, "undo", undoes=args.undo)
    found = ask_lines(args.dir, identity.decisions, {})
    shown = [{**one, "about": _about(one)} for one in found]
    if args.format == "csv":
        shown = [{key: one[key] for key in MADE_KEYS} for one in shown]
    shape = columns(MADE, MADE_KEYS, kind=_word, is_in_force=_word)
    emit(shown, shape, args.format, found)
    return 0


def _rules(args: argparse.Namespace) -> int:
    told = ask(args.dir, identity_rules.rules, {})
    rows = [
        {"rule": f"limits.{name}", "value": _limit(one), "from": one["from"]}
        for name, one in told["limits"].items()
    ]
    rows += [
        {"rule": name, "value": cell(told[name]["value"]), "from": told[name]["from"]}
        for name in ("quarantine_above", "strong", "priority", "staff_sources")
    ]
    rows += [
        {"rule": f"blocked.{one['type']}", "value": one["pattern"], "from": "document"}
        for one in told["blocked"]
    ]
    shape = columns(RULES, ("rule", "value", "from"), **{"from": _word})
    emit(rows, shape, args.format, told)
    return 0


def _limit(one: dict[str, Any]) -> str:
    if one["most"] is None:
        return "none"
    within = f" per {one['window_days']}d" if one["window_days"] else ""
    return f"{one['most']}{within}"


def _about(one: dict[str, Any]) -> str:
    if one["undoes"] is not None:
        return str(one["undoes"])
    return " · ".join(f"{of['type']}:{of['value']}" if of["type"] else "?" for of in one["about"])


def _show_changes(told: dict[str, Any], output: str, said: str) -> None:
    if told["changes"] or output != "table":
        emit(told["changes"], columns(CHANGES, CHANGE_KEYS, kind=_word), output, told)
    _say(said, told)
    _say("counts", told)


def _word(value: Any) -> str:
    """Of columns that hold words of ours, not what people wrote."""
    return WORDS[language()].get(str(value), cell(value))


def _say(what: str, told: dict[str, Any]) -> None:
    print(SAID[language()][what].format(**told), file=sys.stderr)
