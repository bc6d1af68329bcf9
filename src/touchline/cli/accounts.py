"""`touchline people accounts|households`: who belongs together without being one person."""

import argparse
from typing import Any

from touchline.cli import language
from touchline.cli.output import cell, columns, emit
from touchline.cli.question import ask, ask_lines
from touchline.jobs.people import companies

__all__ = ["run"]

ALL = {
    "en": ("account", "domains", "people", "by domain alone"),
    "zh": ("企业", "邮箱域名", "人数", "仅凭域名"),
}
ALL_KEYS = ("account_id", "domains", "people", "by_domain_alone")
ONE = {
    "en": ("person", "in rows", "by domain", "identifiers"),
    "zh": ("客户", "数据中注明", "凭域名", "客户标识"),
}
ONE_KEYS = ("person_id", "by_row", "by_domain", "identifiers")
HOMES = {"en": ("household", "people"), "zh": ("家庭", "客户")}
HOME_KEYS = ("household_id", "people")
YES = {"en": ("no", "yes"), "zh": ("否", "是")}
FEW = 3  # identifiers of a person that fit a terminal


def run(args: argparse.Namespace) -> int:
    """All accounts or one of them; households."""
    asked: dict[str, Any] = {"limit": args.limit}
    if args.verb == "households":
        found = ask_lines(args.dir, companies.shared_homes, asked)
        return _shown(found, found, HOMES, HOME_KEYS, args.format)
    if args.account is None:
        found = ask_lines(args.dir, companies.accounts, asked)
        return _shown(found, found, ALL, ALL_KEYS, args.format)
    told = ask(args.dir, companies.account, {**asked, "account": args.account})
    rows = [{key: one[key] for key in ONE_KEYS} for one in told["people"]]
    for row in rows:
        held = [f"{one['type']}:{one['value']}" for one in row["identifiers"]]
        row["identifiers"] = held[:FEW] if args.format == "table" else held
    return _shown(rows, told, ONE, ONE_KEYS, args.format)


def _shown(
    rows: list[dict[str, Any]],
    whole: Any,
    headings: dict[str, tuple[str, ...]],
    keys: tuple[str, ...],
    output: str,
) -> int:
    flat = [{key: _flat(row[key]) for key in keys} for row in rows]
    emit(flat, columns(headings, keys, _cell), output, whole)
    return 0


def _flat(value: Any) -> Any:
    return cell(value) if isinstance(value, list) else value


def _cell(value: Any) -> str:
    return YES[language()][value] if isinstance(value, bool) else cell(value)
