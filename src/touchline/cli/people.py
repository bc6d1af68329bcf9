"""`touchline people show|why|merge|unmerge`: who is one person, why, and deciding it by hand."""

import argparse
import json
from typing import Any

from touchline.cli import language
from touchline.cli.identity import put_down
from touchline.cli.output import columns, emit, harmless
from touchline.cli.profile_text import profile_lines, stage_of
from touchline.cli.question import ask
from touchline.identity.around.telling import path_text
from touchline.jobs.people import known, profile_notes

__all__ = ["run"]

HOPS = ("from", "to", "class", "rule", "at", "event")
SHOWN = {
    "en": {
        "person_id": "person", "first_seen_at": "first seen", "last_seen_at": "last seen",
        "accounts": "accounts", "companies": "company mail", "household": "same home",
        "other_ids": "also found as", "held_back": "joins nobody",
        "stage": "stage", "owner": "owner", "tags": "tags", "decisions": "decisions",
        "more": "… {count:,} identifiers in all",
    },
    "zh": {
        "person_id": "客户", "first_seen_at": "首次出现", "last_seen_at": "最近出现",
        "accounts": "所属企业", "companies": "企业邮箱", "household": "同住家庭",
        "other_ids": "其他编号", "held_back": "存疑,不参与合并",
        "stage": "会员阶段", "owner": "负责人", "tags": "标签", "decisions": "人工决定",
        "more": "…… 共 {count:,} 个标识",
    },
}  # fmt: skip
NOTES = {"en": ("what", "value", "by", "at"), "zh": ("项目", "内容", "操作人", "时间")}
WORDS = {"en": {"tag": "tag", "owner": "owner"}, "zh": {"tag": "标签", "owner": "负责人"}}
NOTE_KEYS = ("what", "value", "author", "at")
IDENTIFIERS = {"en": ("type", "value", "first seen"), "zh": ("类型", "标识", "首次出现")}
IDENTIFIER_KEYS = ("type", "value", "first_seen_at")
LINES = (
    *("person_id", "held_back", "first_seen_at", "last_seen_at"),
    *("stage", "owner", "tags", "accounts", "companies", "household", "other_ids"),
)
FEW = 5  # ids and decisions of a person that fit a terminal


def run(args: argparse.Namespace) -> int:
    """`merge` and `unmerge` name two values or persons."""
    if args.verb in ("merge", "unmerge"):
        return put_down(args, args.verb, names=(args.a, args.b))
    return {"show": _show, "why": _why, "tag": _note, "assign": _note}[args.verb](args)


def _note(args: argparse.Namespace) -> int:
    """Tags put on and taken off, or the owner; prints what holds then."""
    asked: dict[str, Any] = {"person": args.person, "author": args.author}
    if args.verb == "tag":
        asked |= {"tags": args.tags, "untag": args.remove or []}
    else:
        asked["owner"] = args.owner or ""
    found = ask(args.dir, profile_notes.note, asked)
    rows = [{"what": "tag", "value": one["tag"], **one} for one in found["tags"]]
    if found["owner"]:
        rows.append({"what": "owner", "value": found["owner"]["owner"], **found["owner"]})
    rows = [{key: row[key] for key in NOTE_KEYS} for row in rows]
    emit(rows, columns(NOTES, NOTE_KEYS, what=_word), args.format, found)
    return 0


def _why(args: argparse.Namespace) -> int:
    found = ask(args.dir, known.why, {"a": args.a, "b": args.b, "language": language()})
    if args.format == "table":
        for line in path_text(found, args.a, args.b, language()):
            print(harmless(line))
        return 0
    blocked = found["blocked_by"]
    hops = found["path"] if blocked is None else blocked["evidence"]
    rows = [hop | {"event": json.dumps(hop["event"], ensure_ascii=False)} for hop in hops]
    emit(rows, [(name, name, str) for name in HOPS], args.format, found)
    return 0


def _show(args: argparse.Namespace) -> int:
    found = ask(args.dir, known.person, {"person": args.person, "language": language()})
    said = SHOWN[language()]
    if args.format == "table":
        for name in LINES:
            if shown := _line(name, found):
                print(harmless(f"{said[name]}: {_few(shown)}"))
    shape = columns(IDENTIFIERS, IDENTIFIER_KEYS)
    emit(found["identifiers"], shape, args.format, found)
    if args.format == "table":
        _print_rest(found, said)
    return 0


def _print_rest(found: dict[str, Any], said: dict[str, Any]) -> None:
    if found["identifiers_total"] > len(found["identifiers"]):
        print(said["more"].format(count=found["identifiers_total"]))
    for line in profile_lines(found, language()):
        print(harmless(line))
    for one in found["decisions"]:
        about = " – ".join(one["about"]) or f"#{one['undoes']}"
        told = f"#{one['decision']} {one['at']} {one['author']} {one['kind']} {about}"
        print(harmless(f"{said['decisions']} · {told}: {one['reason']}"))


def _line(name: str, found: dict[str, Any]) -> str | list[str] | None:
    value = found[name]
    match name:
        case "companies":
            return [f"{one['domain']} ({one['account_id']})" for one in value]
        case "tags":
            return [one["tag"] for one in value]
        case "stage":
            return stage_of(found, language())
        case "household":
            return value and value["people"]
        case "owner":
            return value and str(value["owner"])
        case _:
            return value


def _few(value: str | list[str]) -> str:
    if isinstance(value, str):
        return value
    rest = len(value) - FEW
    return ", ".join(value[:FEW]) + (f" … +{rest:,}" if rest > 0 else "")


def _word(value: str) -> str:
    return WORDS[language()][value]
