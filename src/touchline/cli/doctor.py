"""`touchline doctor`: is everything received accounted for? Exit 1 when something is not."""

import argparse

from touchline.cli import language
from touchline.cli.output import Column, emit
from touchline.jobs.access import reading
from touchline.jobs.doctor import examine

__all__ = ["run"]

WORDS = {
    "en": {
        "source": "Source",
        "received": "Received",
        "stored": "Stored",
        "duplicate": "Duplicate",
        "rejected": "Rejected",
        "fine": "Nothing to report: received = stored + duplicate + rejected everywhere.",
    },
    "zh": {
        "source": "数据源",
        "received": "收到",
        "stored": "入库",
        "duplicate": "重复",
        "rejected": "异常",
        "fine": "一切正常:每个来源都满足 收到 = 入库 + 重复 + 异常。",
    },
}


def run(args: argparse.Namespace) -> int:
    with reading(args.dir) as workspace:
        found = examine(workspace, language())
    words = WORDS[language()]
    counts = ("received", "stored", "duplicate", "rejected")
    columns: list[Column] = [(words["source"], "source", str)]
    columns += [(words[name], name, lambda n: f"{n:,}") for name in counts]
    if args.format == "csv":
        names = ("check", "where", "what")
        emit(found["findings"], [(name, name, str) for name in names], "csv", found)
    else:
        emit(found["sources"], columns, args.format, found)
    if args.format == "table":
        for finding in found["findings"]:
            print(f"{finding['check']}: {finding['where']}: {finding['what']}")
        if not found["findings"]:
            print(words["fine"])
    return 1 if found["findings"] else 0
