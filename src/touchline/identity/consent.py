"""People and the consent ledger → may this person be met for this purpose by this channel, and why.

The one question that every later stage asks, at the moment it acts and not before. The answer is
`model.permission` over all that the person's identifiers ever said; here are the rows, the rules of
the site, and the age of who is asked about.
"""

import datetime as dt
import re
import unicodedata
import zoneinfo
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from touchline import clock
from touchline.collect.consent_rules import ConsentRules
from touchline.collect.nodes import clear_traits
from touchline.identity.person_map import PersonMap
from touchline.model import Consent, Permission, permission
from touchline.storage import definition
from touchline.storage.consent import ledger
from touchline.storage.principal import ADMIN
from touchline.storage.workspace import Workspace

__all__ = [
    "has_child",
    "in_words",
    "is_child",
    "may",
    "may_each",
    "permissions",
    "permissions_told",
]

Key = TypeVar("Key", bound=Hashable)
_BIRTHDAYS = frozenset(
    ("birthday", "birthdate", "dateofbirth", "dob", "生日", "出生日期", "出生年月日")
)
_AGES = frozenset(("age", "年龄"))
_AGE = re.compile(r"(\d{1,3})(?:\.\d*)?\s*(?:周?岁|[Yy]ears?(?: old)?|yrs?|y/?o)?", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})(?!\d)", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})(?!\d)", re.ASCII)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)", re.ASCII)
_SECONDS = re.compile(r"(\d{10})(?:\d{3}|\.\d+)?", re.ASCII)  # since 1970, or thousandths
_FOLD = re.compile(r"[\s_-]+")
WORDS: dict[str, tuple[str, str]] = {
    "withdrawn": ("refused or taken back on {day}", "已于 {day} 拒绝或撤回"),
    "granted": ("agreed on {day}", "已于 {day} 同意"),
    "unasked": ("never asked, and this needs a yes", "尚未征得同意"),
    "not_separate": (
        "agreed on {day}, but this needs a consent of its own",
        "已于 {day} 同意,但此用途需要单独同意",
    ),
    "no_guardian": (
        "a child: this needs the consent of a guardian",
        "未成年儿童:需要监护人同意",
    ),
    "not_needed": ("allowed until refused", "未拒绝前可以使用"),
}


def may(
    workspace: Workspace, people: PersonMap, person: int, purpose: str, channel: str = ""
) -> Permission:
    """Whether a person (person_ix) may be met for a purpose by a channel, right now."""
    return may_each(workspace, {0: people.node_ids(person)}, purpose, channel)[0]


def may_each(
    workspace: Workspace,
    people: Mapping[Key, Collection[bytes]],
    purpose: str,
    channel: str = "",
) -> dict[Key, Permission]:
    """The same of many, each as the node ids that are one person's."""
    rules = ConsentRules.of(definition.current(workspace.state))
    asked, now = rules.purpose(purpose), clock.now_us()
    said = _by_node(ledger(workspace.state, {node for nodes in people.values() for node in nodes}))
    children = _children(workspace, {n for nodes in people.values() for n in nodes}, rules, now)
    return {
        key: permission(
            [row for node in nodes for row in said.get(node, ())],
            asked,
            channel,
            at_us=now,
            is_child=not children.isdisjoint(nodes),
        )
        for key, nodes in people.items()
    }


def permissions(workspace: Workspace, nodes: Collection[bytes]) -> list[dict[str, Any]]:
    """Every purpose and channel of the site, with what is allowed of one person."""
    rules = ConsentRules.of(definition.current(workspace.state))
    said, now = ledger(workspace.state, nodes), clock.now_us()
    child = bool(_children(workspace, nodes, rules, now))
    return [
        {
            "purpose": name,
            "channel": channel or None,
            "permission": permission(said, asked.purpose, channel, at_us=now, is_child=child),
        }
        for name, asked in rules.asked.items()
        for channel in (asked.channels or ("",))
    ]


def permissions_told(
    workspace: Workspace, nodes: Collection[bytes], language: str
) -> list[dict[str, Any]]:
    """The same as an answer has it."""
    return [
        {
            "purpose": row["purpose"],
            "channel": row["channel"],
            "is_allowed": row["permission"].is_allowed,
            "why": row["permission"].why,
            "text": in_words(row["permission"], language, workspace.time_zone),
        }
        for row in permissions(workspace, nodes)
    ]


def in_words(found: Permission, language: str, time_zone: str) -> str:
    """Why, as people read it."""
    zone = zoneinfo.ZoneInfo(time_zone)
    day = "" if found.by is None else clock.from_us(found.by.at_us).astimezone(zone).date()
    text = WORDS[found.why][language == "zh"]
    return text.format(day=day if found.by and found.by.at_us else "?")


def has_child(workspace: Workspace, nodes: Collection[bytes], rules: ConsentRules) -> bool:
    """Whether a person of these identifiers needs a guardian's consent."""
    return bool(_children(workspace, nodes, rules, clock.now_us()))


def is_child(traits: Iterable[tuple[str, Any]], under_age: int, today: dt.date) -> bool:
    """Whether any of these traits says that somebody is younger."""
    return any(_says_child(name, value, under_age, today) for name, value in traits)


def _says_child(name: str, value: Any, under_age: int, today: dt.date) -> bool:
    folded = _FOLD.sub("", name).lower()
    if folded not in _AGES | _BIRTHDAYS:
        return False
    text = unicodedata.normalize("NFKC", str(value)[:60]).strip()
    if folded in _AGES:
        found = _AGE.fullmatch(text)
        return found is not None and int(found[1]) < under_age
    return any(0 <= _age(born, today) < under_age for born in _births(text))


def _births(text: str) -> Iterator[dt.date]:
    """The days that a birthday may mean; where it is not clear which, the last day of its year."""
    if found := _SECONDS.fullmatch(text):
        yield clock.from_us(int(found[1]) * clock.US).date()
        return
    readings: list[tuple[str, ...]] = []
    if found := _YEAR_FIRST.match(text):
        readings = [found.groups()]
    elif found := _YEAR_LAST.match(text):
        readings = [(found[3], found[1], found[2]), (found[3], found[2], found[1])]
    days = [day for reading in readings if (day := _day(reading)) is not None]
    yield from days or (dt.date(int(year), 12, 31) for year in _YEAR.findall(text))


def _day(reading: Sequence[str]) -> dt.date | None:
    year, month, day = map(int, reading)
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _age(born: dt.date, today: dt.date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _children(
    workspace: Workspace, nodes: Collection[bytes], rules: ConsentRules, now_us: int
) -> frozenset[bytes]:
    """Identifiers that bear a trait of a child; one is enough, whatever others say, and it counts
    also for who asks and may not see it.
    """
    if not rules.under_age:
        return frozenset()
    today = clock.from_us(now_us).date()
    return frozenset(
        node
        for node, traits in clear_traits(workspace.seen_by(ADMIN), nodes).items()
        if is_child(((t.name, t.value) for t in traits), rules.under_age, today)
    )


def _by_node(said: Iterable[Consent]) -> dict[bytes, list[Consent]]:
    found: dict[bytes, list[Consent]] = {}
    for row in said:
        found.setdefault(row.node, []).append(row)
    return found
