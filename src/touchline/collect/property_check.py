"""What a plan says of a property (a part of JSON Schema) → a check: value → what is wrong with it.

    type enum pattern format minimum maximum minLength maxLength minItems maxItems items properties

mean what JSON Schema says, `required = true` stands with the property itself. The surprise: null is
the same as absent, unless `type` lists "null": trackers send it for what they do not know.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from msgspec import Struct, field

from touchline.collect.example import example_of
from touchline.collect.pattern import search

__all__ = ["Check", "Fault", "PropertySpec", "compiled", "same"]

MAX_ITEMS = 100  # members of a list that are looked at
MAX_DEPTH = 8

Type: TypeAlias = Literal["string", "number", "integer", "boolean", "object", "array", "null"]
Format: TypeAlias = Literal["date", "date-time", "email", "uri", "uuid"]
Test = Callable[[Any], bool]


class PropertySpec(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A property as a definition has it. `personal`: no value of it is ever shown as an example."""

    type: Type | tuple[Type, ...] | None = None
    required: bool = False
    description: str | dict[str, str] = ""
    personal: bool = False
    enum: tuple[Any, ...] | None = None
    pattern: str | None = None
    format: Format | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    items: "PropertySpec | None" = None
    properties: dict[str, "PropertySpec"] = field(default_factory=dict[str, "PropertySpec"])


class Fault(NamedTuple):
    """One thing that goes against the plan. `property`: its path, such as `products[].price`."""

    property: str
    reason: str
    example: str | None = None


class Check(NamedTuple):
    """A property's compiled check. `faults` of a value that is there; `is_required` if none is."""

    name: str
    is_required: bool
    takes_null: bool
    faults: Callable[[Any], tuple[Fault, ...]]


def compiled(name: str, spec: PropertySpec, depth: int = 0) -> Check:
    """Raises ValueError that says what cannot be read."""
    if depth > MAX_DEPTH:
        raise ValueError(f"{name} is nested more than {MAX_DEPTH} levels deep")
    types = _types(spec)
    tests = [*_tests(name, spec, types)]
    inner = _inner(name, spec, depth)

    def faults(value: Any) -> tuple[Fault, ...]:
        for reason, is_right in tests:
            if not is_right(value):
                return (Fault(name, reason, example_of(name, value, spec.enum, spec.personal)),)
        return () if inner is None else inner(value)

    return Check(name, spec.required, "null" in types, faults)


def _types(spec: PropertySpec) -> tuple[str, ...]:
    return (spec.type,) if isinstance(spec.type, str) else spec.type or ()


def _tests(name: str, spec: PropertySpec, types: Sequence[str]) -> Iterator[tuple[str, Test]]:
    """In order: what is of the wrong type is not told apart any further."""
    if types:
        known = [_OF_TYPE[kind] for kind in types]
        alone = known[0]
        yield "wrong_type", alone if len(known) == 1 else lambda v: any(is_a(v) for is_a in known)
    if spec.enum is not None:
        if not spec.enum:
            raise ValueError(f"{name}: enum is empty")
        yield "not_in_list", lambda value: any(same(value, one) for one in spec.enum or ())
    if spec.pattern is not None:
        yield "wrong_format", _matches(name, spec.pattern)
    if spec.format is not None:
        is_one = _FORMATS[spec.format]
        yield "wrong_format", lambda value: not isinstance(value, str) or is_one(value)
    for low, high, measure in (
        (spec.minimum, spec.maximum, _number),
        (spec.min_length, spec.max_length, _text_length),
        (spec.min_items, spec.max_items, _list_length),
    ):
        if low is not None and high is not None and low > high:
            raise ValueError(f"{name}: its least is more than its most")
        if low is not None or high is not None:
            yield "out_of_range", _between(low, high, measure)


def _inner(name: str, spec: PropertySpec, depth: int) -> Callable[[Any], tuple[Fault, ...]] | None:
    """The check of what is in a list or an object; each path's first fault is enough."""
    if spec.items is not None:
        item = compiled(f"{name}[]", spec.items, depth + 1)

        def of_list(value: Any) -> tuple[Fault, ...]:
            members: list[Any] = value[:MAX_ITEMS] if isinstance(value, list) else []
            found = (fault for one in members for fault in _of(item, one))
            return tuple({(fault.property, fault.reason): fault for fault in found}.values())

        return of_list
    if spec.properties:
        checks = [
            (own, compiled(f"{name}.{own}", of, depth + 1)) for own, of in spec.properties.items()
        ]

        def of_object(value: Any) -> tuple[Fault, ...]:
            if not isinstance(value, dict):
                return ()
            return tuple(fault for own, check in checks for fault in _of(check, value.get(own)))

        return of_object
    return None


def _of(check: Check, value: Any) -> tuple[Fault, ...]:
    if value is not None or check.takes_null:
        return check.faults(value)
    return (Fault(check.name, "missing_property"),) if check.is_required else ()


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float


_OF_TYPE: dict[str, Test] = {
    "string": lambda value: type(value) is str,
    "number": _is_number,
    "integer": lambda value: type(value) is int or (type(value) is float and value.is_integer()),
    "boolean": lambda value: type(value) is bool,
    "object": lambda value: type(value) is dict,
    "array": lambda value: type(value) is list,
    "null": lambda value: value is None,
}


def same(value: Any, one: Any) -> bool:
    """Equal as JSON: true is not 1."""
    return value == one and (type(value) is bool) == (type(one) is bool)


def _number(value: Any) -> int | float | None:
    return value if _is_number(value) else None


def _text_length(value: Any) -> int | None:
    return len(value) if isinstance(value, str) else None


def _list_length(value: Any) -> int | None:
    return len(value) if isinstance(value, list) else None


def _between(low: float | None, high: float | None, measure: Callable[[Any], float | None]) -> Test:
    def test(value: Any) -> bool:
        size = measure(value)
        if size is None:
            return True
        return (low is None or size >= low) and (high is None or size <= high)

    return test


def _matches(name: str, pattern: str) -> Test:
    try:
        is_found = search(pattern)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    return lambda value: not isinstance(value, str) or is_found(value)


def _is_date(text: str) -> bool:
    try:
        return len(text) == 10 and bool(dt.date.fromisoformat(text))
    except ValueError:
        return False


def _is_moment(text: str) -> bool:
    try:
        return len(text) > 10 and bool(dt.datetime.fromisoformat(text[:40]))
    except ValueError:
        return False


def _is_uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path))


_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_FORMATS: dict[str, Callable[[str], bool]] = {
    "date": _is_date,
    "date-time": _is_moment,
    "email": lambda text: len(text) < 320 and _EMAIL.fullmatch(text) is not None,
    "uri": _is_uri,
    "uuid": lambda text: _UUID.fullmatch(text) is not None,
}
