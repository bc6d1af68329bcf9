"""`touchline audit`: who did and who saw what, the oldest first."""

import argparse
import json
from typing import Any

from touchline.cli import language
from touchline.cli.output import Column, emit
from touchline.jobs.access import reading
from touchline.jobs.audit_query import audit_rows
from touchline.jobs.people.mirror import KeepingRegistry

__all__ = ["run"]

HEADINGS = {
    "en": ("number", "at", "by", "what", "about", "reason"),
    "zh": ("编号", "时间", "操作人", "操作", "对象", "原因"),
}
NAMES = ("number", "at", "actor", "action", "about", "reason")


def run(args: argparse.Namespace) -> None:
    asked = {name: getattr(args, name) for name in ("action", "actor", "person", "limit")}
    asked |= {"from": args.start, "to": args.end}
    with reading(args.dir) as workspace:
        lines = audit_rows(workspace, KeepingRegistry(workspace), asked)
        found = [json.loads(line) for line in lines]
    columns: list[Column] = [
        (heading, name, _cell) for heading, name in zip(HEADINGS[language()], NAMES, strict=True)
    ]
    shown = [{**one, "about": _flat(one["about"])} for one in found]
    emit(shown, columns, args.format, found)


def _flat(about: dict[str, Any]) -> str:
    told = {
        k: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for k, v in about.items()
    }
    return " ".join(f"{name}={value}" for name, value in told.items())


def _cell(value: Any) -> str:
    return "" if value is None else str(value)
