"""A table's columns + a map + guesses → a plan: what each column becomes in every row.

The map decides, then the field's very name, then what people call it. Every other column becomes a
property (a trait of people); costs and rates have none and leave it out. Identifiers may come from
several columns, so that a second phone names the same person and is not kept as clear text.
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct

from touchline.collect.importers import units
from touchline.collect.importers.fields import COSTS_OF_KINDS, KINDS, MONEY, Kind, guessed, plain
from touchline.collect.importers.header import Names
from touchline.collect.importers.mapfile import MapFile
from touchline.collect.importers.rows import Broken, Row, Table, listed
from touchline.collect.importers.shipped import is_known
from touchline.errors import BadInput
from touchline.model import IDENTIFIER_TYPES

__all__ = ["Assignment", "Mapped", "Plan", "check_needs", "column_guesses", "make_plan", "map_rows"]

_encoder = msgspec.json.Encoder(order="sorted")
# Identifiers of one type come from several columns as phone, phone#2, phone#3.
MORE = "#"
REPEATED = frozenset(("quantity", "line_amount"))
# Names of an order's number, and of columns that say where it was placed.
ORDER_IDS = frozenset(
    (
        *("orderid", "orderno", "ordernumber", "transactionid", "receiptnumber"),
        *("订单号", "订单编号", "订单id", "小票号"),
    )
)
SALES_CHANNELS = frozenset(
    ("channel", "source", "渠道", "渠道名称", "来源", "推广渠道", "流量来源")
)
UNSCALED = frozenset(("rate", "quantity"))


class Assignment(Struct, frozen=True):
    """What becomes of a column, for people to check. `how`: map, known (a map that came with
    Touchline), name, guess, rest or unused.

    A column that is left over keeps its name, which may be the name of a field, too.
    """

    column: str
    field: str
    how: str
    sample: str = ""
    power: int = 0  # of ten, that its figures are multiplied with

    @property
    def is_field(self) -> bool:
        return self.how not in {"rest", "unused"}


class Mapped(Struct, frozen=True, gc=False):
    """A row in our words. `content` is its canonical JSON, `content_hash` 16 bytes of it.

    `filled` names the fields that a blank took from the row above; `first` is the row's first cell.
    """

    line: int
    fields: dict[str, Any]
    rest: dict[str, Any]
    content: bytes
    content_hash: bytes
    filled: tuple[str, ...] = ()
    first: Any = None


def column_guesses(kind: str, mapfile: MapFile) -> Names:
    """What a header of this kind of file may hold, for finding it."""
    mapped = [name for names in mapfile.columns.values() for name in names]

    def suffices(labels: Sequence[str]) -> bool:
        known = {field for label in labels for field in guessed(kind, label)} | set(
            mapfile.constants
        )
        return not any(known.isdisjoint(group) for group in KINDS[kind].needs)

    mapped = [] if mapfile.is_loose else mapped
    return Names(
        mapped, lambda label: bool(guessed(kind, label)) or is_known(kind, label), suffices
    )


class Plan:
    """Turns the rows of one table into fields of one kind."""

    def __init__(
        self,
        kind: Kind,
        assignments: Sequence[Assignment],
        constants: dict[str, Any],
        *,
        fill_down: Sequence[str] = (),
        is_complete: bool = True,
        power: int = 0,
    ) -> None:
        self.kind = kind
        self.fill_down = fill_down
        self.constants = {k: v for k, v in constants.items() if k in kind.fields}
        self._rest_constants = {k: v for k, v in constants.items() if k not in kind.fields}
        self._field_of: dict[str, str] = {}
        self._rest_of: dict[str, str] = {}
        self.identifiers: list[tuple[str, str]] = []
        for assignment in assignments:
            self._place(assignment)
        if not is_complete:
            self._expect_more()
        self.identifiers += [(f, f) for f in self.constants if f in IDENTIFIER_TYPES]
        self.measures = frozenset(
            column for column, field in self._field_of.items() if field in kind.measures
        )
        # Columns in ten thousands and the like; `power` is what stands above the table.
        powers = {
            column: units.power_of(column) or (power if self._field_of[column] in MONEY else 0)
            for column in self.measures
            if self._field_of[column] not in UNSCALED
            and not (self._field_of[column] in MONEY and units.is_counted(column))
        }
        self._powers = {column: found for column, found in powers.items() if found}
        self.assignments = [
            msgspec.structs.replace(one, power=self._powers.get(one.column, 0))
            for one in assignments
        ]

    def _place(self, assignment: Assignment) -> None:
        column, field = assignment.column, assignment.field
        if not assignment.is_field or field not in self.kind.fields:
            self._rest_of[column] = field or column
            return
        key, number = field, 2
        while key in self._field_of.values():
            key, number = f"{field}{MORE}{number}", number + 1
        self._field_of[column] = key
        if field in IDENTIFIER_TYPES:
            self.identifiers.append((key, field))

    def _expect_more(self) -> None:
        """JSON keys that were not among the first rows are known by their very names."""
        known = {*self._field_of.values(), *self._rest_of, *self.constants}
        for field in self.kind.fields:
            if field not in known and field not in REPEATED:
                self._place(Assignment(field, field, "name"))

    def fields(self) -> list[str]:
        """Fields with a column, left to right."""
        return [a.field for a in self.assignments if a.is_field and a.field in self.kind.fields]

    def apply(self, row: Row, above: dict[str, Any]) -> Mapped:
        """The row in our words; `above` remembers what blanks below it repeat."""
        fields, rest = self.constants.copy(), self._rest_constants.copy()
        field_of = self._field_of
        for column, value in row.cells.items():
            field = field_of.get(column)
            if field is not None:
                power = self._powers.get(column) if self._powers else None
                fields[field] = units.scaled(value, power) if power else value
            elif column == self.kind.rest and type(value) is dict:
                rest.update(value)
            else:
                rest[self._rest_of.get(column, column)] = value
        filled: list[str] = []
        for field in self.fill_down:
            if field in fields:
                above[field] = fields[field]
            elif field in above:
                fields[field] = above[field]
                filled.append(field)
        return mapped(row.line, fields, rest, filled, next(iter(row.cells.values()), None))


def mapped(
    line: int,
    fields: dict[str, Any],
    rest: dict[str, Any],
    filled: Sequence[str] = (),
    first: Any = None,
) -> Mapped:
    """The row with its content; an empty rest leaves no trace in it."""
    content = _encoder.encode({**fields, "properties": rest} if rest else fields)
    content_hash = blake2b(content, digest_size=16).digest()
    return Mapped(line, fields, rest, content, content_hash, tuple(filled), first)


def map_rows(table: Table, plan: Plan) -> Iterator[Mapped | Broken]:
    """Every row of the table in our words; what is beyond reading comes through as it is."""
    above: dict[str, Any] = {}
    for row in table.rows(plan.measures):
        yield row if isinstance(row, Broken) else plan.apply(row, above)


def make_plan(kind: str, table: Table, mapfile: MapFile) -> Plan:
    """BadInput when the map names a column that is not there, or a needed field has none."""
    spec = KINDS[kind]
    chosen = _from_map(table, mapfile)
    _add_guesses(spec, table, mapfile, chosen)
    _put_right(spec, chosen)
    samples = {column: _sample(table, column) for column in table.columns}
    rest = "unused" if spec.rest is None else "rest"
    other = "" if spec.rest is None else None
    assignments = [
        Assignment(
            column,
            *chosen.get(column, (column if other is None else other, rest)),
            samples[column],
        )
        for column in table.columns
    ]
    plan = Plan(
        spec,
        assignments,
        _constants(spec, mapfile, chosen),
        fill_down=mapfile.layout.fill_down,
        is_complete=table.is_complete,
        power=units.power_under(table.preface),
    )
    check_needs(plan, table)
    return plan


def _constants(kind: Kind, mapfile: MapFile, chosen: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """Those of the map, and the currency that the headers of amounts agree on."""
    fields = {field for field, _ in chosen.values()}
    found = {
        field: value
        for field, value in mapfile.constants.items()
        if not mapfile.is_loose or field not in fields
    }
    if "currency" in kind.fields and "currency" not in fields | found.keys():
        named = {units.currency_of(c) for c, (field, _) in chosen.items() if field in MONEY}
        if len(named - {None}) == 1:
            found["currency"] = (named - {None}).pop()
    return found


def _from_map(table: Table, mapfile: MapFile) -> dict[str, tuple[str, str]]:
    """Column → (field, how). Of an identifier all columns count, of other fields the first."""
    if mapfile.is_loose:
        return _from_loose_map(table, mapfile)
    by_name = {column.casefold(): column for column in reversed(table.columns)}
    chosen: dict[str, tuple[str, str]] = {}
    for field, names in mapfile.columns.items():
        present = [name for name in names if name.casefold() in by_name]
        for name in names if field in IDENTIFIER_TYPES else (present or names)[:1]:
            column = by_name.get(name.casefold())
            if column is None and not table.is_complete:
                column = name
            if column is None:
                raise BadInput(
                    "map_no_column",
                    path=mapfile.path,
                    field=field,
                    column=name,
                    columns=listed(table.columns),
                )
            chosen[column] = (field, "map")
    return chosen


def _from_loose_map(table: Table, mapfile: MapFile) -> dict[str, tuple[str, str]]:
    by_name = {plain(column): column for column in reversed(table.columns)}
    chosen: dict[str, tuple[str, str]] = {}
    how = "known" if mapfile.name else "map"
    for field, names in mapfile.columns.items():
        present = [by_name[plain(name)] for name in names if plain(name) in by_name]
        free = [column for column in dict.fromkeys(present) if column not in chosen]
        for column in free if field in IDENTIFIER_TYPES else free[:1]:
            chosen[column] = (field, how)
    return chosen


def _put_right(kind: Kind, chosen: dict[str, tuple[str, str]]) -> None:
    """Takes back guesses that other columns of the file speak against."""
    if kind.name == "conversions":
        _take_back_sales_channels(chosen)
    fields = {field for field, _ in chosen.values()}
    for column, (field, how) in list(chosen.items()):
        # 返点 beside 消耗 may be a share: a sheet has a column a kind, or one for the cost.
        if field in COSTS_OF_KINDS and "cost" in fields and how == "guess":
            del chosen[column]


def _take_back_sales_channels(chosen: dict[str, tuple[str, str]]) -> None:
    """In a list of orders 渠道 is where something was sold, not what brought the buyer: such a
    column stays a property, unless a map says otherwise.
    """
    fields = {field: plain(column) for column, (field, _) in chosen.items()}
    if "product" in fields or fields.get("conversion_id", "") in ORDER_IDS:
        for column, (field, how) in list(chosen.items()):
            is_guess = field in {"channel", "source"} and how in {"name", "guess"}
            if is_guess and plain(column) in SALES_CHANNELS:
                del chosen[column]


def _add_guesses(
    kind: Kind, table: Table, mapfile: MapFile, chosen: dict[str, tuple[str, str]]
) -> None:
    """The very name first, then field by field the best of the columns still free."""
    settled = {field for field, _ in chosen.values()}
    settled |= set() if mapfile.is_loose else mapfile.constants.keys()
    ignored = {plain(name) for name in mapfile.ignored}
    options = {
        column: guessed(kind.name, column)
        for column in table.columns
        if column not in chosen and plain(column) not in ignored
    }
    for exact in (True, False):
        for field in kind.fields:
            if field in settled:
                continue
            places = sorted(
                (places[field], index, column)
                for index, (column, places) in enumerate(options.items())
                if field in places and column not in chosen and (places[field] == 0) == exact
            )
            if field in REPEATED and not any(f == "product" for f, _ in chosen.values()):
                continue
            for _, _, column in places if field in IDENTIFIER_TYPES else places[:1]:
                chosen[column] = (field, "name" if exact else "guess")
            if places and field not in IDENTIFIER_TYPES:
                settled.add(field)


def check_needs(plan: Plan, table: Table) -> None:
    have = set(plan.fields()) | plan.constants.keys()
    for group in plan.kind.needs:
        if have.isdisjoint(group):
            raise BadInput(
                "column_missing",
                path=table.path,
                kind=plan.kind.name,
                field=" / ".join(group),
                columns=listed(table.columns),
            )


def _sample(table: Table, column: str) -> str:
    for row in table.samples:
        if column in row.cells:
            text = str(row.cells[column])
            return text if len(text) <= 40 else text[:39] + "…"
    return ""
