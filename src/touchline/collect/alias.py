"""`[[alias]]` definitions: one name for what was written in several ways.

    [[alias]]
    name = "小红书"
    also = ["xhs", "RED", "小红书推广"]
    of = ["channel", "source"]       # what is left out; any label may stand here

Events, costs and aggregates keep what was written; the one name is given whenever labels are read,
so that an alias counts for all of history at once and taking it back does, too. Case never matters.
The surprise: a source is known by its spellings in the table of sources as well, so 小红书 also
names what links brought in as xiaohongshu.
"""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any

import msgspec
import pyarrow as pa
from msgspec import Struct

from touchline.collect.sources import Sources, folded
from touchline.errors import BadInput
from touchline.model import LABEL_FIELDS, LABELS
from touchline.storage.engine import Expression, View

__all__ = ["Alias", "Aliases", "aliases", "renamed", "renamed_in", "source_spellings"]

COLUMN = dict(zip(LABEL_FIELDS, LABELS, strict=True))
MAX_SPELLINGS = 5_000


class Alias(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    also: tuple[str, ...]
    of: tuple[str, ...] = ("channel", "source")


class Aliases(Struct, frozen=True):
    """Column of a label → folded spelling → the one name."""

    by_column: dict[str, dict[str, str]] = {}

    def named(self, column: str, value: str | None) -> str | None:
        """The one name of a label's value."""
        names = self.by_column.get(column)
        return value if value is None or names is None else names.get(folded(value), value)

    def renamed(self, rows: Expression) -> Expression:
        """Rows of the lake with each label by its one name."""
        columns = {
            column: rows[column].lower().cases(*names.items(), else_=rows[column])
            for column, names in self.by_column.items()
            if column in rows.columns
        }
        return rows.mutate(**columns) if columns else rows

    def renamed_rows(self, rows: pa.Table) -> pa.Table:
        """The same, of rows in memory."""
        for column in self.by_column.keys() & set(rows.column_names):
            at = rows.schema.get_field_index(column)
            named = [self.named(column, value) for value in rows[column].to_pylist()]
            rows = rows.set_column(at, rows.schema.field(at), pa.array(named, pa.string()))
        return rows


NONE = Aliases()


def renamed(view: View, rows: Expression) -> Expression:
    """Rows of a view under the aliases in force."""
    return renamed_in(view.documents).renamed(rows)


def renamed_in(documents: Mapping[str, Any]) -> Aliases:
    """The aliases of a site's documents."""
    if not documents.get("alias"):
        return NONE
    told = {kind: documents[kind] for kind in ("alias", "source_alias") if kind in documents}
    return _compiled(msgspec.json.encode(told))


@lru_cache(maxsize=64)
def _compiled(told: bytes) -> Aliases:
    documents = msgspec.json.decode(told)
    found = aliases(documents["alias"])
    extra: Mapping[str, list[str]] = documents.get("source_alias", {})
    sources = Sources.extended([*extra.items(), *source_spellings(found).items()], [])
    by_column: dict[str, dict[str, str]] = {}
    for alias in found:
        for field in alias.of:
            spellings = {alias.name, *alias.also}
            if field == "source":
                spellings |= {sources.named(text).name for text in spellings}
            names = by_column.setdefault(COLUMN[field], {})
            names.update(dict.fromkeys(map(folded, spellings), alias.name))
    return Aliases(by_column)


def aliases(value: Any) -> tuple[Alias, ...]:
    """The `[[alias]]` tables, checked: no spelling may stand for two names."""
    try:
        found = msgspec.convert(value, tuple[Alias, ...])
    except msgspec.ValidationError as error:
        raise BadInput("bad_label_alias", name="alias", why=str(error)) from error
    said: dict[tuple[str, str], str] = {}
    for alias in found:
        why = _flaw(alias)
        if why:
            raise BadInput("bad_label_alias", name=alias.name, why=why)
        for field in alias.of:
            for text in (alias.name, *alias.also):
                other = said.setdefault((field, folded(text)), alias.name)
                if other != alias.name:
                    why = f"{text!r} ({field}) stands for {other!r} already"
                    raise BadInput("bad_label_alias", name=alias.name, why=why)
    if len(said) > MAX_SPELLINGS:
        raise BadInput(
            "bad_label_alias", name="alias", why=f"at most {MAX_SPELLINGS} spellings in all"
        )
    return found


def _flaw(alias: Alias) -> str | None:
    if not alias.also or not all(text.strip() for text in (alias.name, *alias.also)):
        return 'write name = "…" and also = ["…"]'
    unknown = [field for field in alias.of if field not in COLUMN]
    if unknown or not alias.of:
        return f"of lists some of {', '.join(COLUMN)}"
    return None


def source_spellings(found: Iterable[Alias]) -> dict[str, list[str]]:
    """What the table of sources should learn, so that channel rules hold for every spelling: a
    place that it knows by any of them keeps its name and kind there.
    """
    told: dict[str, list[str]] = {}
    for alias in found:
        if "source" in alias.of:
            spellings = [alias.name, *alias.also]
            places = (_standard().named(text) for text in spellings)
            known = next((place.name for place in places if place.kind), alias.name)
            told.setdefault(known, []).extend(spellings)
    return told


@cache
def _standard() -> Sources:
    return Sources()
