"""Records as they are → the columns that are compared, each in one form or None.

A birthday also comes out of a Chinese identity number, an area out of an address. What surprises:
of several columns of one kind the first that says anything speaks.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from touchline.collect.normalise import identifier
from touchline.identity.match.columns import recognised
from touchline.identity.match.fold import NOTHING, folded, is_han
from touchline.identity.match.names import Name, parted, person_name, pinyin
from touchline.identity.match.places import Place, area_name, door, place

__all__ = ["COLUMNS", "cleaned", "compared"]

# What Splink sees, and all it sees.
COLUMNS = (
    "surname", "given", "surname_sound", "given_sound", "birthday", "national_id", "phone",
    "email", "gender", "postcode", "region", "city", "district", "street", "door", "place",
)  # fmt: skip
SAMPLE = 1_000  # rows whose values are looked at where a column's name says nothing
Row = dict[str, str | None]

_GENDERS = {
    **dict.fromkeys(("m", "male", "man", "男", "男性", "先生", "1"), "m"),
    **dict.fromkeys(("f", "female", "woman", "女", "女性", "女士", "2"), "f"),
}
_DAY = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?:[t ].*)?")
_DAY_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_CHINESE_ID = re.compile(r"\d{6}((?:19|20)\d{6})\d{3}[\dx]")
# What systems fill in when nobody asked.
_NO_DAYS = frozenset(("1900-01-01", "1970-01-01", "1901-01-01", "1899-12-30", "2000-01-01"))
_SIGNS = re.compile(r"[\W_]+")


def compared(rows: Sequence[Mapping[str, Any]], region: str) -> list[Row]:
    """Rows of traits, as the columns of COLUMNS; which is which is found out."""
    columns: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.items():
            held = columns.setdefault(name, [])
            if len(held) < SAMPLE:
                held.append(value)
    kinds = recognised(columns)
    return [cleaned(row, kinds, region) for row in rows]


def cleaned(row: Mapping[str, Any], kinds: Mapping[str, str], region: str) -> Row:
    said: dict[str, list[str]] = {}
    for name, value in row.items():
        if name in kinds:
            said.setdefault(kinds[name], []).extend(_texts(value))
    found: Row = dict.fromkeys(COLUMNS)
    found.update(_name(said)._asdict())
    found.update(_place(said)._asdict())
    found["national_id"] = _first(said, "national_id", _id)
    of_id = _CHINESE_ID.fullmatch(found["national_id"] or "")
    found["birthday"] = _first(said, "birthday", _birthday) or (of_id and _birthday(of_id[1]))
    for kind in ("phone", "email"):
        found[kind] = _first(said, kind, _identifier(kind, region))
    found["gender"] = _first(said, "gender", _GENDERS.get)
    found["place"] = _first(said, "place", _words)
    return found


def _texts(value: Any) -> list[str]:
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    values = value if isinstance(value, list | tuple) else [value]
    said = [str(one).strip() for one in values if isinstance(one, str | int | float)]
    return [text for text in said if folded(text) not in NOTHING]


def _first(
    said: Mapping[str, Iterable[str]], kind: str, read: Callable[[str], str | None]
) -> str | None:
    return next((found for text in said.get(kind, ()) if (found := read(folded(text)))), None)


def _name(said: Mapping[str, list[str]]) -> Name:
    surname, given = (next(iter(said.get(kind, [])), None) for kind in ("surname", "given"))
    if surname and given:
        return parted(surname, given)
    for text in said.get("name", ()):
        found = person_name(text)
        if found.surname_sound or found.given_sound:
            return found
    return parted(surname, given)


def _place(said: Mapping[str, list[str]]) -> Place:
    """The whole address, and beside it the columns that say a part of it."""
    read = (place(text) for kind in ("address", "street") for text in said.get(kind, ()))
    found = next((one for one in read if any(one)), Place())
    areas = {kind: _first(said, kind, area_name) for kind in ("region", "city", "district")}
    areas["door"] = _first(said, "door", door)
    areas["postcode"] = _first(said, "postcode", _postcode)
    if found.door and areas["door"] and found.door != areas["door"]:
        areas["door"] = f"{areas['door']}-{found.door}"
    return found._replace(**{kind: text for kind, text in areas.items() if text})


def _identifier(kind: str, region: str) -> Callable[[str], str | None]:
    def read(text: str) -> str | None:
        found = identifier(kind, text, region)
        return found.value if found else None

    return read


def _birthday(text: str) -> str | None:
    """An ISO day. A day and a month of which either may come first are read as the day first."""
    if found := _DAY.fullmatch(text):
        year, month, day = (int(part) for part in found.groups())
    elif found := _DAY_LAST.fullmatch(text):
        day, month, year = (int(part) for part in found.groups())
    else:
        return None
    if month > 12 >= day:
        day, month = month, day
    try:
        iso = dt.date(year, month, day).isoformat()
    except ValueError:
        return None
    return None if iso in _NO_DAYS or year < 1880 else iso


def _id(text: str) -> str | None:
    plain = _SIGNS.sub("", text)
    return plain if len(plain) >= 5 and len(set(plain)) > 2 else None


def _postcode(text: str) -> str | None:
    plain = _SIGNS.sub("", text)
    return plain if 3 <= len(plain) <= 10 and set(plain) - {"0"} else None


def _words(text: str) -> str | None:
    plain = text if not is_han(text) else pinyin(text)
    return plain if plain not in NOTHING else None
