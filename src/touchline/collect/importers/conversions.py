"""Order and deal rows → Conversion, with what a row states of where its buyer came from.

A row is a version of its order or deal: rows that share an id and differ in stage, time or amount
are versions, in the order of the file. An order written on several rows, one a product, is one
conversion: its rows stand together and differ in the product alone.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from touchline.collect import money
from touchline.collect.campaign import label_text
from touchline.collect.importers.cells import (
    BadRow,
    Import,
    amount,
    an_id,
    each,
    identifiers,
    label,
    text,
)
from touchline.collect.importers.mapping import Mapped, Plan, mapped
from touchline.collect.importers.occurrence import Occurrences, made_id
from touchline.collect.importers.rows import Table
from touchline.collect.site import Site
from touchline.errors import BadInput
from touchline.model import LABEL_FIELDS, LABELS, Conversion, Reject

__all__ = ["read_conversions"]

KINDS = {
    "lead": "lead",
    "线索": "lead",
    "opportunity": "opportunity",
    "deal": "opportunity",
    "商机": "opportunity",
    "order": "order",
    "订单": "order",
    "成交": "order",
    "renewal": "renewal",
    "续约": "renewal",
    "复购": "renewal",
    "续约复购": "renewal",
}
CLOSED = frozenset(
    (
        *("won", "closed_won", "closed won", "lost", "closed_lost", "closed lost"),
        *("成交", "赢单", "签约", "签单", "成单", "输单", "丢单", "失单", "战败", "流失", "关闭"),
    )
)
_LINE = ("product", "quantity", "line_amount")


class Draft(Struct, frozen=True, gc=False):
    """A conversion that may still get more lines from the rows behind it."""

    row: Mapped
    conversion: Conversion
    has_line: bool


def read_conversions(table: Table, plan: Plan, about: Import) -> Iterator[Conversion | Reject]:
    """Conversions in the file's order, each with the hash of its mapped row."""
    fields = set(plan.fields())
    # With products but no amounts of lines, the amount column speaks of the line.
    is_split = "product" in fields and "line_amount" not in fields
    seen = Occurrences()

    def build(row: Mapped) -> Draft:
        return _draft(row, plan, about, is_split=is_split)

    held: Draft | None = None
    for draft in each(table, plan, about, build, "conversion_id"):
        if isinstance(draft, Draft) and held is not None and _is_same(held, draft):
            held = _joined(held, draft, is_split=is_split)
            continue
        if held is not None:
            yield _named(held, about, seen)
            held = None
        if isinstance(draft, Draft):
            held = draft
        else:
            yield draft
    if held is not None:
        yield _named(held, about, seen)


def _named(draft: Draft, about: Import, seen: Occurrences) -> Conversion:
    found = draft.conversion
    if found.conversion_id:
        return found
    before = seen.before(found.content_hash)
    name = made_id(about.source, about.kind, found.content_hash, before)
    return msgspec.structs.replace(found, conversion_id=name)


def _draft(row: Mapped, plan: Plan, about: Import, *, is_split: bool) -> Draft:
    fields = row.fields
    stage = label(fields.get("stage"))
    value, currency = amount(fields, "amount", about.site.currency)
    lines = _lines(fields, value, currency, is_split=is_split)
    has_line = text(fields.get("product")) is not None
    if value is None and has_line:
        value = _total(lines)
    conversion = Conversion(
        conversion_id=an_id(fields.get("conversion_id"), "bad_conversion_id") or "",
        occurred_us=_occurred(fields, stage, about),
        kind=_kind(fields.get("kind")),
        stage=stage,
        amount=value,
        currency=currency,
        identifiers=identifiers(fields, plan.identifiers, about.site.region),
        account_id=label(fields.get("account_id")),
        store_code=label(fields.get("store_code")),
        staff_id=label(fields.get("staff_id")),
        lines=lines,
        properties={**row.rest, **{n: fields[n] for n in LABEL_FIELDS if n in fields}},
        created_us=about.moment(fields.get("created_at")),
        content_hash=row.content_hash,
        stated=_stated(fields, about.site),
    )
    return Draft(row, conversion, has_line)


def _stated(fields: dict[str, Any], site: Site) -> dict[str, str]:
    """Labels of the touch that the row tells of, word for word: what a CRM calls 百度推广 is what
    the sheet of costs calls so, and no rule knows better. Empty when it tells of none.
    """
    said = {name: label_text(fields[name]) for name in LABEL_FIELDS if name in fields}
    channel, source = said.get("channel"), said.get("source")
    if channel is None and source is None:
        return {}
    named = site.channels.named(source or channel or "").name
    found = {**said, "channel": channel or source, "source": named}
    columns = dict(zip(LABEL_FIELDS, LABELS, strict=True))
    return {columns[name]: text for name, text in found.items() if text}


def _occurred(fields: dict[str, Any], stage: str | None, about: Import) -> int:
    """An open deal's closing date is a hope, so the day it was made counts until it is closed."""
    value = fields.get("occurred_at")
    is_closed = stage is None or stage.casefold().removeprefix("已") in CLOSED  # 已成交
    if value is None and is_closed:
        value = fields.get("closed_at")
    if value is None:
        value = fields.get("created_at")
    found = about.moment(value)
    if found is None:
        raise BadRow("bad_time")
    return found


def _kind(value: Any) -> str:
    if value is None:
        return "order"
    found = KINDS.get((text(value) or "").strip().casefold())
    if found is None:
        raise BadRow("bad_kind")
    return found


def _lines(
    fields: dict[str, Any], value: int | None, currency: str, *, is_split: bool
) -> tuple[dict[str, Any], ...]:
    """The lines column (JSON), or this row's own product, quantity and amount."""
    raw = fields.get("lines")
    if raw is not None:
        return tuple(_line(item, currency) for item in _listed(raw))
    if fields.get("product") is None:
        return ()
    own = {name.removeprefix("line_"): fields[name] for name in _LINE if name in fields}
    line = _line(own, currency)
    if is_split and value is not None:
        line["amount"] = value
    return (line,)


def _listed(raw: Any) -> list[dict[str, Any]]:
    try:
        found = msgspec.json.decode(raw) if type(raw) is str else raw
    except (msgspec.DecodeError, RecursionError):
        found = None
    found = [found] if type(found) is dict else found
    if type(found) is not list or not all(type(item) is dict for item in found):
        raise BadRow("bad_lines")
    return found


def _line(item: dict[str, Any], currency: str) -> dict[str, Any]:
    """A line with its amount in minor units."""
    if item.get("amount") is None:
        return dict(item)
    try:
        return {**item, "amount": money.minor(item["amount"], currency)}
    except BadInput as error:
        raise BadRow(error.code) from None


def _total(lines: tuple[dict[str, Any], ...]) -> int | None:
    amounts = [line["amount"] for line in lines if "amount" in line]
    return sum(amounts) if amounts else None


def _is_same(first: Draft, second: Draft) -> bool:
    a, b = first.conversion, second.conversion
    return (
        first.has_line
        and second.has_line
        and bool(a.conversion_id)
        and (a.conversion_id, a.stage, a.occurred_us, a.currency)
        == (b.conversion_id, b.stage, b.occurred_us, b.currency)
    )


def _joined(first: Draft, second: Draft, *, is_split: bool) -> Draft:
    """One conversion of two rows; its content is theirs in their order."""
    a, b = first.conversion, second.conversion
    lines = a.lines + b.lines
    is_summed = is_split or "amount" not in first.row.fields
    row = mapped(first.row.line, first.row.fields, {"rows": [a.content_hash, b.content_hash]})
    joined = msgspec.structs.replace(
        a,
        lines=lines,
        amount=_total(lines) if is_summed else a.amount,
        identifiers=tuple(dict.fromkeys(a.identifiers + b.identifiers)),
        content_hash=row.content_hash,
    )
    return Draft(first.row, joined, has_line=True)
