"""`touchline identity match|review`: who may be one person though no identifier says so."""

import argparse
import sys
from typing import Any

from touchline.cli import language
from touchline.cli.output import as_json, columns, emit, progress_line
from touchline.cli.question import ask, ask_lines
from touchline.errors import BadInput
from touchline.jobs.access import writing
from touchline.jobs.people import matching

__all__ = ["run"]

TOLD = {
    "en": (
        "{records:,} records compared: {sure:,} pairs joined, {open:,} wait for an answer.",
        "Nothing was kept.",
        "See them: touchline identity review DIR",
    ),
    "zh": (
        "已比对 {records:,} 条档案:{sure:,} 对自动合并,{open:,} 对待审核。",
        "仅试算,未保存。",
        "查看待审核列表:touchline identity review DIR",
    ),
}
ANSWERED = {
    "en": (
        "Suggestion {suggestion}: {status}.",
        "To take it back: touchline identity decisions DIR --undo {decision} --reason …",
    ),
    "zh": (
        "匹配建议 {suggestion}:{status}。",
        "如需撤销:touchline identity decisions DIR --undo {decision} --reason …",
    ),
}
HEADINGS = {
    "en": ("number", "likely", "status", "one", "other", "speaks for it", "against it"),
    "zh": ("编号", "可能性", "状态", "档案一", "档案二", "相符", "不符"),
}
KEYS = ("suggestion", "probability", "status", "one", "other", "for", "against")
WORDS = {
    "zh": {
        "open": "待审核", "sure": "自动合并", "accepted": "已接受", "rejected": "已拒绝",
        "surname": "姓", "given": "名", "birthday": "生日", "national_id": "证件号",
        "phone": "手机", "email": "邮箱", "household": "同户不同人", "gender": "性别",
        "postcode": "邮编", "area": "地区", "street": "地址", "place": "小区",
    },
    "en": {"national_id": "identity number", "household": "another of the household"},
}  # fmt: skip


def run(args: argparse.Namespace) -> int:
    if args.verb == "match":
        return _match(args)
    return _list(args) if args.accept is None and args.reject is None else _answer(args)


def _match(args: argparse.Namespace) -> int:
    asked = matching.asked({"threshold": args.threshold, "is_trial": args.dry_run})
    told = writing(args.dir, "match", asked, progress_line("match"))
    if args.format == "json":
        as_json(told)
        return 0
    counts, kept_nothing, see = TOLD[language()]
    print(counts.format(**told))
    if told["is_trial"]:
        print(kept_nothing, file=sys.stderr)
    elif told["suggested"]:
        print(see, file=sys.stderr)
    return 0


def _list(args: argparse.Namespace) -> int:
    found = ask_lines(args.dir, matching.review, {"status": args.status, "limit": args.limit})
    emit([_row(one) for one in found], columns(HEADINGS, KEYS), args.format, found)
    return 0


def _answer(args: argparse.Namespace) -> int:
    if args.accept is not None and args.reject is not None:
        why = "is one, and --reject another: give one of them."
        raise BadInput("bad_argument", name="--accept", value=args.accept, why=why)
    if not args.reason:
        why = "is missing: say why, for whoever reads it later."
        raise BadInput("bad_argument", name="--reason", value="", why=why)
    verdict, number = ("accept", args.accept) if args.reject is None else ("reject", args.reject)
    asked = {"number": number, "verdict": verdict, "reason": args.reason, "author": args.author}
    told = ask(args.dir, matching.answer, asked)
    if args.format == "json":
        as_json(told)
        return 0
    said, undo = ANSWERED[language()]
    print(said.format(**{**told, "status": _word(told["status"])}))
    print(undo.format(**told), file=sys.stderr)
    return 0


def _row(one: dict[str, Any]) -> dict[str, Any]:
    first, second = (_side(side) for side in one["sides"])
    bits = one["bits"].items()
    return {
        "suggestion": one["suggestion"],
        "probability": f"{one['probability']:.4g}",
        "status": _word(one["status"]),
        "one": first,
        "other": second,
        "for": ", ".join(_word(name) for name, said in bits if said > 0),
        "against": ", ".join(_word(name) for name, said in bits if said < 0),
    }


def _side(side: dict[str, Any]) -> str:
    named = f"{side['type']}:{side['value']}" if side["type"] else "?"
    said = (f"{name}={value}" for name, value in side["traits"].items())
    return " ".join((named, *said))


def _word(name: str) -> str:
    return WORDS[language()].get(name, name)
