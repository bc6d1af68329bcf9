"""A map (TOML) → which column is which field, fixed values, and how to read the file.

[columns]             field = "column in the file" (or its number where there is no header)
occurred_at = "下单时间"
phone = ["手机号", "备用手机"]     all columns of an identifier count, of other fields the first
[constants]           field = "value" for every row
currency = "USD"
[format]              delimiter, encoding, sheet, header, date_order, fill_down
delimiter = "whitespace"

A map that opens with [map], as those do that come with Touchline (`shipped`), describes an export
that differs from customer to customer: columns it names may be missing.
"""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from touchline.collect.importers.fields import KINDS, Kind
from touchline.collect.importers.rows import Layout
from touchline.collect.importers.shipped import GENERIC, shipped
from touchline.errors import BadInput

__all__ = ["MapFile", "map_of", "read_map"]

_SECTIONS = ("columns", "constants", "format", "map")
_ABOUT = ("kind", "title", "title_zh", "signs", "ignore")
_KEYS = ("delimiter", "encoding", "sheet", "header", "date_order", "fill_down")
_DELIMITERS = {
    "tab": "\t",
    "comma": ",",
    "semicolon": ";",
    "pipe": "|",
    "space": "whitespace",
    "whitespace": "whitespace",
}
_ORDERS = ("ymd", "dmy", "mdy")
MAX_MAP = 1 << 20


class MapFile(Struct, frozen=True, kw_only=True):
    """`columns`: field → names of its columns. All are empty without a map.

    `name`: of one that came with Touchline. `is_loose`: columns may be missing, those `ignored` say
    nothing, and a column goes before a constant.
    """

    path: Path | None = None
    name: str | None = None
    is_loose: bool = False
    ignored: tuple[str, ...] = ()
    columns: dict[str, tuple[str, ...]] = {}
    constants: dict[str, Any] = {}
    layout: Layout = Layout()


def read_map(path: Path | None, kind: str) -> MapFile:
    """The map of an import; BadInput names the key that is wrong and what could stand there."""
    if path is None:
        return MapFile()
    name = str(path)
    if name == GENERIC:
        return MapFile(path=path, name=name)
    if name in shipped():
        found = map_of(path, tomllib.loads(shipped()[name].text), kind)
        return msgspec.structs.replace(found, name=name)
    return map_of(path, _sections(path), kind)


def map_of(path: Path, sections: Mapping[str, Mapping[str, Any]], kind: str) -> MapFile:
    """Sections (columns, constants, format) that were read somewhere as a map; messages call it by
    `path`.
    """
    about = sections.get("map", {})
    _check_about(path, about, kind)
    spec = KINDS[kind]
    columns = {
        _field(path, "columns", field, spec): _columns(path, field, value)
        for field, value in sections.get("columns", {}).items()
    }
    constants = {
        _field(path, "constants", field, spec): _constant(path, field, value)
        for field, value in sections.get("constants", {}).items()
    }
    for field in () if about else columns.keys() & constants.keys():
        raise _wrong(path, f"[constants] {field}", "is a column already; keep one of the two")
    layout = _layout(path, sections.get("format", {}), spec)
    return MapFile(
        path=path,
        is_loose=bool(about),
        ignored=tuple(about.get("ignore", ())),
        columns=columns,
        constants=constants,
        layout=layout,
    )


def _check_about(path: Path, about: Mapping[str, Any], kind: str) -> None:
    for key in about:
        if key not in _ABOUT:
            raise _wrong(path, f"[map] {key}", f"is unknown; use {_listed(_ABOUT)}")
    if about.get("kind", kind) != kind:
        raise _wrong(path, "[map] kind", f"is {about['kind']}; this is an import of {kind}")
    ignored = about.get("ignore", [])
    if not isinstance(ignored, list) or not all(type(name) is str for name in ignored):
        raise _wrong(path, "[map] ignore", "must be a list of columns")


def _sections(path: Path) -> dict[str, dict[str, Any]]:
    try:
        if path.stat().st_size > MAX_MAP:
            raise BadInput("map_unreadable", path=path, why="larger than 1 MB")
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise BadInput("file_missing", path=path) from None
    except OSError as error:
        raise BadInput("map_unreadable", path=path, why=error.strerror) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput("map_unreadable", path=path, why=str(error)) from None
    for name, section in document.items():
        if name not in _SECTIONS:
            raise _wrong(path, f"[{name}]", f"is unknown; use {_listed(_SECTIONS)}")
        if not isinstance(section, dict):
            raise _wrong(path, name, f"must be a section: write [{name}]")
    return document


def _field(path: Path, section: str, field: str, kind: Kind) -> str:
    """The field's name; one that is nearly a field's name is a slip, not a property."""
    if field in kind.fields:
        return field
    near = difflib.get_close_matches(field, kind.fields, n=1, cutoff=0.8)
    if near:
        raise _wrong(path, f"[{section}] {field}", f"is no field; did you mean {near[0]}?")
    if kind.rest is None:
        raise _wrong(
            path, f"[{section}] {field}", f"is no field of {kind.name}; use {_listed(kind.fields)}"
        )
    return field


def _columns(path: Path, field: str, value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not values or not all(type(v) is str or type(v) is int for v in values):
        raise _wrong(path, f"[columns] {field}", 'must be a column\'s name, like "下单时间"')
    return tuple(" ".join(str(v).split()) for v in values)


def _constant(path: Path, field: str, value: Any) -> Any:
    if isinstance(value, dict | list):
        raise _wrong(path, f"[constants] {field}", "must be one text or number")
    return value if isinstance(value, str | int | float) else value.isoformat()


def _layout(path: Path, section: Mapping[str, Any], kind: Kind) -> Layout:
    known = {("header" if key == "header_row" else key): value for key, value in section.items()}
    for key in known:
        if key not in _KEYS:
            raise _wrong(path, f"[format] {key}", f"is unknown; use {_listed(_KEYS)}")
    return Layout(
        delimiter=_delimiter(path, known.get("delimiter")),
        encoding=_text(path, "encoding", known.get("encoding")),
        sheet=_sheet(path, known.get("sheet")),
        header=_header(path, known.get("header")),
        date_order=_date_order(path, known.get("date_order")),
        fill_down=_fill_down(path, known.get("fill_down", []), kind),
    )


def _delimiter(path: Path, value: Any) -> str | None:
    named = _text(path, "delimiter", value)
    if named is None:
        return None
    delimiter = _DELIMITERS.get(named, named)
    if delimiter != "whitespace" and (len(delimiter) != 1 or delimiter in '"\r\n\0'):
        raise _wrong(path, "[format] delimiter", 'must be one character, "tab" or "whitespace"')
    return delimiter


def _text(path: Path, key: str, value: Any) -> str | None:
    if value is not None and (type(value) is not str or not value):
        raise _wrong(path, f"[format] {key}", "must be a text")
    return value


def _sheet(path: Path, value: Any) -> str | int | None:
    if value is not None and type(value) is not str and type(value) is not int:
        raise _wrong(path, "[format] sheet", "must be a sheet's name or number")
    return value


def _header(path: Path, value: Any) -> int | None:
    if value is False:
        return 0
    if value is None or value is True:
        return None
    if type(value) is not int or not 0 <= value <= 1000:
        raise _wrong(path, "[format] header", "must be the row of the column names, 0 for none")
    return value


def _date_order(path: Path, value: Any) -> str | None:
    if value is not None and value not in _ORDERS:
        raise _wrong(path, "[format] date_order", f"must be one of {_listed(_ORDERS)}")
    return value


def _fill_down(path: Path, value: Any, kind: Kind) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(name in kind.fields for name in value):
        why = f'must be a list of fields of {kind.name}, like ["{kind.fields[0]}"]'
        raise _wrong(path, "[format] fill_down", why)
    if not kind.measures.isdisjoint(value):
        raise _wrong(path, "[format] fill_down", "would repeat a figure, and count it twice")
    return tuple(value)


def _wrong(path: Path, key: str, why: str) -> BadInput:
    return BadInput("map_wrong", path=path, key=key, why=why)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names)
