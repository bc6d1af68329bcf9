"""`touchline retention`: what has been kept long enough goes, or is only counted."""

import argparse

from touchline.cli import language
from touchline.cli.output import columns, counted, emit, progress_line
from touchline.jobs.access import reading, writing
from touchline.jobs.people.mirror import KeepingRegistry
from touchline.jobs.privacy import retention

__all__ = ["run"]

HEADINGS = {"en": ("what", "number"), "zh": ("内容", "数量")}
WORDS = {
    "events_deleted": ("events deleted", "删除的事件"),
    "events_anonymised": ("events anonymised", "匿名保留的事件"),
    "persons_forgotten": ("persons forgotten", "清除资料的客户"),
    "identifiers_forgotten": ("identifiers forgotten", "清除的客户标识"),
    "rejects_deleted": ("rejects deleted", "删除的异常数据"),
    "changes_deleted": ("changes of persons deleted", "删除的客户变更记录"),
}


def run(args: argparse.Namespace) -> None:
    if args.dry_run:
        with reading(args.dir) as workspace:
            found = retention.preview(workspace, KeepingRegistry(workspace))
    else:
        found = writing(args.dir, "retain", {}, progress_line("retention"))
    at = language() == "zh"
    rows = [{"what": words[at], "number": found[name]} for name, words in WORDS.items()]
    emit(rows, columns(HEADINGS, ("what", "number"), counted), args.format, found)
