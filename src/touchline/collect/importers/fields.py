"""The fields each kind of file understands, and which of them a column may stand for.

The spellings are in `columns.toml`; names of identifiers are those an event's traits may have, too.
"""

import re
import tomllib
import unicodedata
from functools import cache
from importlib import resources

from msgspec import Struct

from touchline.collect.identifiers import identifier_type
from touchline.collect.importers.units import bare, is_counted, is_price, is_rate
from touchline.model import IDENTIFIER_TYPES, LABEL_FIELDS

__all__ = ["COSTS_OF_KINDS", "KINDS", "MONEY", "Kind", "guessed", "plain"]


class Kind(Struct, frozen=True):
    """`needs`: of each group at least one field must be there. `rest`: where other columns go."""

    name: str
    fields: tuple[str, ...]
    needs: tuple[tuple[str, ...], ...]
    rest: str | None = None
    measures: frozenset[str] = frozenset()


# Of sheets with a column for each kind of cost.
COSTS_OF_KINDS = ("cost_media", "cost_fee", "cost_rebate", "cost_commission", "cost_production")
MONEY = frozenset(("cost", "amount", "revenue", "line_amount", *COSTS_OF_KINDS))
_LATER = 1_000  # places: names without their units come after all that are spelt

KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "events",
            (
                *("message_id", "occurred_at", "name", "type", *IDENTIFIER_TYPES, *LABEL_FIELDS),
                *("url", "referrer", "page_title", "store_code", "staff_id", "account_id"),
                *("content_id", "order_id", "revenue", "currency", "stage"),
            ),
            (("occurred_at",), ("name", "channel", "type"), IDENTIFIER_TYPES),
            rest="properties",
            measures=frozenset(("revenue",)),
        ),
        Kind(
            "conversions",
            (
                *("conversion_id", "occurred_at", "closed_at", "created_at", "kind", "stage"),
                *("amount", "currency", *IDENTIFIER_TYPES, "account_id", "store_code", "staff_id"),
                *("lines", "product", "quantity", "line_amount", *LABEL_FIELDS),
            ),
            (("occurred_at", "closed_at", "created_at"),),
            rest="properties",
            measures=frozenset(("amount", "quantity", "line_amount")),
        ),
        Kind(
            "costs",
            (
                *("date", "date_to", *LABEL_FIELDS, "cost", "currency", "impressions", "clicks"),
                *("kind", "is_provisional", *COSTS_OF_KINDS),
            ),
            (("date",), ("cost", *COSTS_OF_KINDS)),
            measures=frozenset(("cost", "impressions", "clicks", *COSTS_OF_KINDS)),
        ),
        Kind(
            "aggregates",
            (
                *("date", "date_to", *LABEL_FIELDS, "place", "cost", "currency", "impressions"),
                *("clicks", "engagements", "visits", "kind", "is_provisional"),
            ),
            (
                ("date",),
                ("channel", "source", "campaign"),
                ("cost", "impressions", "clicks", "engagements", "visits"),
            ),
            rest="properties",
            measures=frozenset(("cost", "impressions", "clicks", "engagements", "visits")),
        ),
        Kind(
            "people",
            (*IDENTIFIER_TYPES, "account_id", "occurred_at"),
            (IDENTIFIER_TYPES,),
            rest="traits",
        ),
        Kind(
            "rates",
            ("date", "from", "to", "rate"),
            (("date",), ("from",), ("to",), ("rate",)),
            measures=frozenset(("rate",)),
        ),
    )
}

_BRACKETS = re.compile(r"[(\[【].*?[)\]】]")
_JOINTS = re.compile(r"[\s_\-.:/*#]+")


@cache
def plain(name: str) -> str:
    """A column's name as it is compared: 消耗(元) → 消耗, User ID → userid."""
    text = unicodedata.normalize("NFKC", name[:200]).lower()
    return _JOINTS.sub("", _BRACKETS.sub("", text)) or _JOINTS.sub("", text)


@cache
def _spellings(kind: str) -> dict[str, dict[str, int]]:
    """Plain name → the fields it may stand for, with its place among that field's spellings."""
    text = (
        resources.files("touchline.collect.importers")
        .joinpath("columns.toml")
        .read_text(encoding="utf-8")
    )
    sections = tomllib.loads(text)
    words = {**sections["any"], **sections[kind]}
    found: dict[str, dict[str, int]] = {}
    for field in KINDS[kind].fields:
        for place, word in enumerate([field, *words.get(field, "").split()]):
            found.setdefault(plain(word), {}).setdefault(field, place)
    return found


def guessed(kind: str, column: str) -> dict[str, int]:
    """Fields a column may stand for → how far down the list its name is (0: the very name)."""
    spellings = _spellings(kind)
    found = spellings.get(plain(column))
    if found is None and (bared := spellings.get(plain(bare(column)))) is not None:
        found = {field: place + _LATER for field, place in bared.items()}
    if found is not None:
        wrong = MONEY if is_price(column) or is_counted(column) else frozenset[str]()
        wrong = KINDS[kind].measures if is_rate(column) else wrong
        return {field: place for field, place in found.items() if field not in wrong}
    type_ = identifier_type(plain(column))
    return {type_: 1} if type_ in KINDS[kind].fields else {}
