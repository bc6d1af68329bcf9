"""Short links made, listed and looked up: what the command line, the API and the collector share.

A link never changes: a code that is printed on a thousand leaflets leads where it led. Making the
same link again is no error and makes none. Whom a link was made for stands in it as a node, whose
clear value State keeps sealed; the code tells nothing of it.
"""

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from touchline import clock
from touchline.collect.campaign import Labels, label_text
from touchline.collect.link import CODE, FIELDS, Link, address, checked_url, labels_from
from touchline.collect.naming import Naming, checked
from touchline.collect.nodes import NodeBook, clear_values
from touchline.collect.normalise import identifier
from touchline.errors import BadInput, NotFound
from touchline.jobs import arguments
from touchline.jobs.definitions import naming_of
from touchline.model import IDENTIFIER_TYPES, Identifier
from touchline.storage import schema
from touchline.storage.workspace import Workspace

__all__ = [
    "PERSON_TYPES",
    "Wanted",
    "create",
    "found",
    "line_of",
    "link",
    "links",
    "person_of",
    "public",
    "wanted_url",
]

# No letter that is read for another one, in print or aloud.
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
LENGTH, LENGTH_OF_PERSON = 8, 12  # a link of one person's is not to be guessed
PERSON_TYPES = tuple(t for t in IDENTIFIER_TYPES if t not in ("anonymous_id", "device"))
MAX_TEXT = 200
LIMIT = 1000

_table = schema.link.c
_NAMES = [column.name for column in schema.link.columns]
Row = dict[str, Any]


class Wanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A link to be made. `person` is `type:value`; `expires` a day, to its end, or a moment."""

    target: str
    code: str | None = None
    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    ad_group: str | None = None
    term: str | None = None
    content: str | None = None
    channel: str | None = None
    label: str | None = None
    owner: str | None = None
    expires: str | None = None
    person: str | None = None

    @property
    def labels(self) -> dict[str, str | None]:
        return {name: getattr(self, name) for name in FIELDS}


def create(
    workspace: Workspace,
    wanted: Sequence[Wanted],
    *,
    host: str | None = None,
    is_trial: bool = False,
) -> list[dict[str, Any]]:
    """Makes all of them or none. `is_trial`: only shows what they would be.

    Raises BadInput for what cannot be a link, is named against [naming], or has a code in use.
    """
    book, rules = NodeBook(workspace), naming_of(workspace)
    rows = [_row(workspace, book, one, rules) for one in wanted]
    first: dict[str, Row] = {}
    for row in rows:
        first.setdefault(row["code"], row)
    made = {**first, **_kept(workspace, first)}
    _check_same(rows, made)
    if not is_trial:
        book.save()
        new = [row for code, row in first.items() if made[code] is row]
        workspace.state.write((workspace.state.upsert(schema.link), new))
        made = _kept(workspace, first)  # somebody else may have been quicker
        _check_same(rows, made)
    return [_shown(workspace, made[row["code"]], host) for row in rows]


def links(workspace: Workspace, _registry: object, args: dict[str, Any]) -> Iterator[bytes]:
    """JSON lines, the newest first. By `campaign`, `source`, `owner`; `limit`, `cursor`: a page."""
    query = sa.select(schema.link).order_by(_table.created_us.desc(), _table.code)
    for name in ("campaign", "source", "owner"):
        if args.get(name):
            query = query.where(_table[name] == args[name])
    if args.get("cursor"):
        made, _, code = str(args["cursor"]).partition(":")
        if not (made.isdecimal() and len(made) <= 18):
            why = "is not a cursor that an earlier answer gave."
            raise BadInput("bad_argument", name="cursor", value=args["cursor"], why=why)
        same = sa.and_(_table.created_us == int(made), _table.code > code)
        query = query.where(sa.or_(_table.created_us < int(made), same))
    query = query.limit(arguments.limit(args["limit"]) if args.get("limit") else LIMIT)
    for row in workspace.state.stream(query):
        shown = _shown(workspace, _fields(row), args.get("host"))
        shown["cursor"] = f"{row.created_us}:{row.code}"
        yield msgspec.json.encode(shown) + b"\n"


def link(workspace: Workspace, code: str, *, host: str | None = None) -> dict[str, Any]:
    """One link as it is shown. Raises NotFound."""
    row = _kept(workspace, [code.lower()]).get(code.lower())
    if row is None:
        raise NotFound("no_such_link", name=code[:80])
    return _shown(workspace, row, host)


def found(workspace: Workspace, codes: Collection[str]) -> dict[str, Link]:
    """Those of the codes that are links, as visitors meet them; an erased person is nobody."""
    rows = _kept(workspace, codes)
    people = clear_values(
        workspace, (row["person_node"] for row in rows.values() if row["person_node"])
    )
    return {
        code: Link(
            code=code,
            target=row["target"],
            labels=_labels(row),
            channel=row["channel"],
            label=row["label"],
            expires_us=row["expires_us"],
            person=people.get(row["person_node"]),
        )
        for code, row in rows.items()
    }


def wanted_url(workspace: Workspace, wanted: Wanted) -> str:
    """The page's address with what is said of the campaign, for a place that takes it as it is."""
    return address(*_checked(wanted, naming_of(workspace)))


def public(workspace: Workspace, host: str | None, *, is_needed: bool = False) -> str | None:
    """Where visitors reach this server, without a slash at its end."""
    known = host or workspace.settings.public_url
    if not known:
        if is_needed:
            raise BadInput("no_public_url")
        return None
    return checked_url(known if "://" in known else f"https://{known}").rstrip("/")


def _checked(wanted: Wanted, rules: Naming) -> tuple[str, Labels]:
    target = checked_url(wanted.target)
    labels = labels_from(wanted.labels, target)
    checked(rules, labels)
    return target, labels


def _row(workspace: Workspace, book: NodeBook, wanted: Wanted, rules: Naming) -> Row:
    target, labels = _checked(wanted, rules)
    person = person_of(wanted.person, workspace.region) if wanted.person else None
    code = (wanted.code or _made_up(is_personal=person is not None)).lower()
    if not CODE.fullmatch(code):
        raise BadInput("bad_code", name=ascii(code[:80]))
    until = arguments.as_of(wanted.expires, workspace.time_zone, "expires")
    return {
        "code": code,
        "target": target,
        **msgspec.structs.asdict(labels),
        "channel": label_text(wanted.channel),
        "label": line_of("label", wanted.label),
        "owner": line_of("owner", wanted.owner),
        "person_node": book.named(person) if person else None,
        "created_us": clock.now_us(),
        "expires_us": until,
    }


def person_of(text: str, region: str) -> Identifier:
    """Who is meant by `type:value`."""
    kind, _, value = text.partition(":")
    known = identifier(kind, value, region) if kind in PERSON_TYPES else None
    if known is None:
        raise BadInput("bad_person", value=text[:80], known=", ".join(PERSON_TYPES))
    return known


def line_of(name: str, text: str | None) -> str | None:
    """A text that is one line, or nothing."""
    if not text:
        return None
    if len(text) > MAX_TEXT or not text.isprintable():
        why = f"must be one line of at most {MAX_TEXT} characters."
        raise BadInput("bad_argument", name=name, value=text[:80], why=why)
    return text


def _made_up(*, is_personal: bool) -> str:
    length = LENGTH_OF_PERSON if is_personal else LENGTH
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _kept(workspace: Workspace, codes: Collection[str]) -> dict[str, Row]:
    rows = workspace.state.lookup(_table.code, codes, *schema.link.columns)
    return {row.code: _fields(row) for row in rows}


def _fields(row: sa.Row[Any]) -> Row:
    return dict(zip(_NAMES, row, strict=True))


def _check_same(rows: Sequence[Row], made: Mapping[str, Row]) -> None:
    """Each code leads where it is wanted to lead."""
    for row in rows:
        other = made[row["code"]]
        if _said(row) != _said(other):
            raise BadInput("code_taken", name=row["code"], target=other["target"])


def _said(row: Row) -> Row:
    """What makes two links the same."""
    return {name: value for name, value in row.items() if name != "created_us"}


def _labels(row: Row) -> Labels:
    return Labels(**{name: row[name] for name in FIELDS})


def _shown(workspace: Workspace, row: Row, host: str | None) -> dict[str, Any]:
    at = public(workspace, host)
    path = f"/l/{row['code']}"
    until = row["expires_us"]
    return {
        "code": row["code"],
        "path": path,
        "url": f"{at}{path}" if at else None,
        "target": row["target"],
        "leads_to": address(row["target"], _labels(row)),
        **{name: row[name] for name in (*FIELDS, "channel", "label", "owner")},
        "has_person": row["person_node"] is not None,
        "created_at": clock.iso(row["created_us"]),
        "expires_at": None if until is None else clock.iso(until),
    }
