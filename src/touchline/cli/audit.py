"""`touchline audit`: who did and who saw what, the oldest first."""

import argparse
import json
from typing import Any

from touchline.cli.output import columns, emit
from touchline.cli.question import ask_lines
from touchline.jobs.audit_query import audit_rows

__all__ = ["run"]

HEADINGS = {
    "en": ("number", "at", "by", "what", "about", "reason"),
    "zh": ("编号", "时间", "操作人", "操作", "对象", "原因"),
}
NAMES = ("number", "at", "actor", "action", "about", "reason")


def run(args: argparse.Namespace) -> None:
    asked = {name: getattr(args, name) for name in ("action", "actor", "person", "limit")}
    asked |= {"from": args.start, "to": args.end}
    found = ask_lines(args.dir, audit_rows, asked)
    shown = [{**one, "about": _flat(one["about"])} for one in found]
    emit(shown, columns(HEADINGS, NAMES), args.format, found)


def _flat(about: dict[str, Any]) -> str:
    told = {
        k: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for k, v in about.items()
    }
    return " ".join(f"{name}={value}" for name, value in told.items())
