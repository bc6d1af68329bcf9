"""Mapped cells → values of the model: texts, numbers, money, identifiers.

What is wrong with a row is raised as `BadRow` with the reason's code and caught once, where the row
becomes a Reject.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from touchline.collect import money
from touchline.collect.importers.asides import is_note, is_note_line, says_total
from touchline.collect.importers.mapping import Mapped, Plan, map_rows
from touchline.collect.importers.moments import moment
from touchline.collect.importers.rows import Broken, Layout, Table
from touchline.collect.normalise import identifier
from touchline.collect.site import Site
from touchline.collect.verdict import MAX_ID
from touchline.errors import BadInput
from touchline.model import Identifier, Reject

__all__ = [
    "BadRow",
    "Import",
    "amount",
    "an_id",
    "count",
    "each",
    "identifiers",
    "label",
    "refused",
    "text",
]


Built = TypeVar("Built")


class BadRow(Exception):
    """Why a row cannot be taken; a code of `reasons.REASONS`."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Import(Struct, frozen=True):
    """What the readers of all kinds need to know beside the row."""

    site: Site
    source: str
    kind: str
    received_us: int
    layout: Layout = Layout()
    # The first lines taken that may sum up others, and that say all that an earlier one says.
    unproven: list[int] = []
    repeated: list[int] = []

    def moment(self, value: Any) -> int | None:
        """Epoch microseconds of a cell, or None when it is empty."""
        if value is None:
            return None
        found = moment(value, self.site.time_zone, self.layout.date_order)
        if found is None:
            raise BadRow("bad_time")
        return found


def each(
    table: Table,
    plan: Plan,
    about: Import,
    build: Callable[[Mapped], Built],
    message_id: str | None = None,
) -> Iterator[Built | Reject]:
    """Every row built, or as a Reject; `message_id` names the field that holds the row's id."""
    for row in map_rows(table, plan):
        if isinstance(row, Broken):
            is_short = row.reason == "too_few_cells"
            reason = "note_row" if is_short and is_note_line(row.text) else row.reason
            yield refused(row, reason, about)
            continue
        try:
            built = build(row)
        except BadRow as error:
            reason = _aside(row, plan) or error.reason if error.reason in _UNNAMED else error.reason
            built = refused(row, reason, about, row.fields.get(message_id or ""))
        yield built


# What is missing of a row that is none.
_UNNAMED = frozenset(
    ("bad_time", "bad_date", "missing_id", "missing_event", "missing_cost", "missing_channel")
)


def _aside(row: Mapped, plan: Plan) -> str | None:
    """What else a row without time or name may be: a total, or a note under the table."""
    own = [
        value
        for field, value in (*row.fields.items(), *row.rest.items())
        if field not in row.filled and field not in plan.constants
    ]
    if is_note(own):
        return "note_row"
    return "total_row" if any(map(says_total, (row.first, *own[:1]))) else None


def refused(row: Mapped | Broken, reason: str, about: Import, message_id: Any = None) -> Reject:
    """The row as a Reject: what was mapped, or the text that could not be read."""
    payload = (
        msgspec.json.encode({"text": row.text.encode("utf-8", "replace").decode()})
        if isinstance(row, Broken)
        else row.content
    )
    return Reject(
        source=about.source,
        reason=reason,
        payload=payload,
        received_us=about.received_us,
        message_id=None if message_id is None else str(message_id)[:MAX_ID],
        kind=about.kind,
        line=row.line,
    )


def text(value: Any) -> str | None:
    """A cell as text; numbers as people write them."""
    if value is None or type(value) is str:
        return value or None
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int or type(value) is float:
        return str(value)
    return msgspec.json.encode(value).decode()


def label(value: Any) -> str | None:
    """A label given on purpose: as written, on one line, at most 255 characters."""
    found = text(value)
    return None if found is None else " ".join(found.split())[:MAX_ID]


def an_id(value: Any, reason: str) -> str | None:
    """An id of a message, order or deal: a short text."""
    found = text(value)
    if found is not None and (len(found) > MAX_ID or isinstance(value, dict | list)):
        raise BadRow(reason)
    return found


def amount(fields: dict[str, Any], name: str, default: str) -> tuple[int | None, str]:
    """(minor units, currency) of a money field; the currency column's, or the default."""
    raw = fields.get("currency")
    try:
        currency = default if raw is None else money.currency_code(raw)
        value = fields.get(name)
        return (None if value is None else money.minor(value, currency)), currency
    except BadInput as error:
        raise BadRow(error.code) from None


def count(value: Any, reason: str) -> int | None:
    """A whole number such as impressions: 12,300 or 1.2万."""
    if value is None:
        return None
    try:
        number = money.amount(value)
    except BadInput:
        raise BadRow(reason) from None
    if number < 0 or number >= 2**63:
        raise BadRow(reason)
    return int(number)


def identifiers(
    fields: dict[str, Any], columns: Sequence[tuple[str, str]], region: str
) -> tuple[Identifier, ...]:
    """What names the person, normalised, each once; a cell of JSON may list several."""
    found: dict[Identifier, None] = {}
    for column, type_ in columns:
        raw = fields.get(column)
        if raw is None:
            continue
        for value in raw if type(raw) is list else (raw,):
            known = identifier(type_, value, region)
            if known is not None:
                found[known] = None
    return tuple(found)
