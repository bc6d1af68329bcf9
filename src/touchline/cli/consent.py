"""`touchline consent show|record|register` and `touchline people preferences-link`."""

import argparse
import json
import sys
from typing import Any

import msgspec

from touchline.cli import language
from touchline.cli.output import as_json, cell, columns, emit
from touchline.cli.question import ask
from touchline.jobs.access import reading, writing
from touchline.jobs.people.mirror import KeepingRegistry
from touchline.jobs.privacy import consent, preferences, register
from touchline.storage.audit import actor_of
from touchline.storage.workspace import Workspace

__all__ = ["run"]

HEADINGS = {
    "en": ("purpose", "channel", "allowed", "why"),
    "zh": ("用途", "渠道", "可否使用", "依据"),
}
NAMES = ("purpose", "channel", "is_allowed", "text")
REGISTER = {
    "en": ("recipient", "role", "country", "fields", "purpose", "basis", "needs", "gets data"),
    "zh": ("接收方", "角色", "国家/地区", "字段", "用途", "依据", "须客户同意", "可否提供"),
}
LISTED = ("name", "role", "country", "fields", "purpose", "basis", "needs", "is_open")
WORDS = {
    "en": {True: "yes", False: "no", "made": "Recorded for {rows} identifiers of the person."},
    "zh": {True: "可以", False: "不可以", "made": "已记录,涉及该客户的 {rows} 个标识。"},
}
NOTES = {
    "en": "Unsubscribe at once: {unsubscribe_url}\nGood until {expires_at}.",
    "zh": "一键退订:{unsubscribe_url}\n有效期至 {expires_at}。",
}
NO_HOST = {
    "en": "People open it at your server's address: set public_url, or give --host.",
    "zh": "客户通过您的服务器网址打开:请设置 public_url,或用 --host 指定。",
}


def run(args: argparse.Namespace) -> int:
    verbs = {"show": _show, "record": _record, "register": _register, "preferences-link": _link}
    return verbs[args.verb](args) or 0


def _show(args: argparse.Namespace) -> None:
    found = ask(args.dir, consent.shown, {"person": args.person, "language": language()})
    whole = json.loads(msgspec.json.encode(found))
    emit(found["permissions"], columns(HEADINGS, NAMES, _cell), args.format, whole)


def _record(args: argparse.Namespace) -> None:
    names = ("purpose", "channel", "basis", "text", "locale", "at", "reason")
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    wanted = consent.Wanted(granted=args.granted, **given)
    with reading(args.dir) as workspace:
        author = actor_of(workspace.principal)
        registry = KeepingRegistry(workspace)
        made = consent.wanted(workspace, registry, args.person, wanted, author)
    found = writing(args.dir, "consent", made, lambda _: None)
    print(WORDS[language()]["made"].format(**found), file=sys.stderr)


def _register(args: argparse.Namespace) -> int:
    workspace = Workspace.open(args.dir)
    try:
        found = register.register(workspace, {"language": language()})
    finally:
        workspace.close()
    shown = [{name: _listed(one[name]) for name in LISTED} for one in found["recipients"]]
    emit(shown, columns(REGISTER, LISTED, _cell), args.format, found)
    for one in found["findings"]:
        print(f"{one['where']}: {one['what']}", file=sys.stderr)
    return 1 if found["findings"] else 0


def _listed(value: Any) -> Any:
    return ", ".join(value) if isinstance(value, list | tuple) else value


def _link(args: argparse.Namespace) -> None:
    asked = {name: getattr(args, name) for name in ("person", "channel", "days", "host")}
    found = ask(args.dir, preferences.link, asked)
    if args.format == "json":
        as_json(found)
    else:
        print(found["url"])
    print(NOTES[language()].format(**found), file=sys.stderr)
    if found["url"].startswith("/"):
        print(NO_HOST[language()], file=sys.stderr)


def _cell(value: Any) -> str:
    return WORDS[language()][value] if isinstance(value, bool) else cell(value)
