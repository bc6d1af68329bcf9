"""A tracking plan as it is written: the `[plan]` and `[[event]]` tables of a site's definitions.

    [plan]      strict, ignore
    [[event]]   name, also, type, kind, owner, stage, description, key, conversion, strict, closed,
                properties (see `property_check`), trait

Events of a kind (survey, preference, nps) have the properties of data/plan.toml, and their own.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct, field

from touchline.collect.identifiers import identifier_type
from touchline.collect.property_check import PropertySpec
from touchline.errors import BadInput

__all__ = [
    "EventSpec",
    "PlanSpec",
    "Said",
    "TraitSpec",
    "bad_plan",
    "events_of",
    "is_automatic",
    "matching",
    "plan_of",
    "specs",
]

MAX_EVENTS, MAX_PROPERTIES, MAX_NAME, MAX_TRAIT = 2_000, 300, 512, 200
REMEMBERED = 1 << 12

Said = str | dict[str, str]
Kind = Literal["survey", "preference", "nps"]
Spec = TypeVar("Spec")


class PlanSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for the whole plan. `ignore`: names, * for anything, that may come beside it."""

    strict: bool = False
    ignore: tuple[str, ...] = ()


class TraitSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A property's value becomes the sender's trait `name`, when other properties are so."""

    name: str
    property: str
    when: dict[str, str | int | bool] = field(default_factory=dict[str, str | int | bool])


class EventSpec(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    also: tuple[str, ...] = ()
    type: Literal["track", "page", "screen"] = "track"
    kind: Kind | None = None
    owner: str = ""
    stage: str = ""
    description: Said = ""
    key: bool = False
    conversion: bool | str = False
    strict: bool | None = None
    closed: bool = False
    properties: dict[str, PropertySpec] = field(default_factory=dict[str, PropertySpec])
    trait: tuple[TraitSpec, ...] = ()


def plan_of(documents: Mapping[str, Any]) -> PlanSpec:
    """What holds for the whole plan of a site."""
    return _converted(documents.get("plan", {}), PlanSpec, "[plan]")


def events_of(documents: Mapping[str, Any]) -> tuple[EventSpec, ...]:
    """The plan's events as written, those of a kind with the properties that come with it."""
    found = tuple(map(_with_kind, specs(documents, "event", EventSpec, MAX_EVENTS)))
    for event in found:
        _check(event)
    return found


def specs(documents: Mapping[str, Any], kind: str, type_: type[Spec], most: int) -> list[Spec]:
    """The `[[kind]]` tables of a site's definitions."""
    found = documents.get(kind, [])
    if not isinstance(found, list):
        raise bad_plan(kind, f"write it as [[{kind}]]")
    if len(found) > most:
        raise bad_plan(kind, f"there are more than {most}")
    return [_converted(one, type_, _where(kind, one, at)) for at, one in enumerate(found, 1)]


def _with_kind(event: EventSpec) -> EventSpec:
    shipped = _kinds()[event.kind] if event.kind else {}
    return msgspec.structs.replace(event, properties={**shipped, **event.properties})


def _check(event: EventSpec) -> None:
    for name in (event.name, *event.also):
        if not name.strip() or name != name.strip() or len(name) > MAX_NAME:
            raise bad_plan(event.name, f"{name!r} is not the name of an event")
    if len(event.properties) > MAX_PROPERTIES:
        raise bad_plan(event.name, f"it has more than {MAX_PROPERTIES} properties")
    for trait in event.trait:
        if identifier_type(trait.name) is not None:
            # Identifiers are never read from properties: a friend's number is not the sender's.
            raise bad_plan(
                event.name, f"the trait {trait.name} is an identifier: choose another name"
            )
        if not 0 < len(trait.name) <= MAX_TRAIT:
            raise bad_plan(event.name, "a trait needs a name")
        if trait.property not in event.properties:
            raise bad_plan(event.name, f"its trait {trait.name} is made of no property that it has")


def _where(kind: str, raw: Any, number: int) -> str:
    name = raw.get("name") if isinstance(raw, Mapping) else None
    return name if isinstance(name, str) else f"{kind} {number}"


def _converted(raw: Any, type_: type[Spec], where: str) -> Spec:
    try:
        return msgspec.convert(raw, type_)
    except msgspec.ValidationError as error:
        raise bad_plan(where, str(error)) from error


def bad_plan(name: str, why: str) -> BadInput:
    return BadInput("bad_plan", name=name, why=why)


def _data(name: str) -> dict[str, Any]:
    text = resources.files("touchline.collect").joinpath(f"data/{name}").read_text("utf-8")
    return tomllib.loads(text)


def is_automatic(name: str) -> bool:
    """Whether trackers send events of that name by themselves."""
    return _automatic()(name) is not None


def matching(patterns: Iterable[str]) -> Callable[[str], Any]:
    """`*` stands for anything."""
    listed = [one.split("*") for one in patterns]
    return lru_cache(REMEMBERED)(lambda name: any(_fits(name, parts) for parts in listed) or None)


def _fits(name: str, parts: list[str]) -> bool:
    """Whether the parts are in the name, one behind the other, and are its beginning and end."""
    first, *rest = parts
    if not rest:
        return name == first
    last = rest.pop()
    if not name.startswith(first) or not name.endswith(last):
        return False
    at, end = len(first), len(name) - len(last)
    for part in rest:  # the earliest place leaves the most to what follows
        at = name.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return at <= end


@lru_cache(maxsize=1)
def _automatic() -> Callable[[str], Any]:
    return matching(_data("plan.toml")["automatic"])


@lru_cache(maxsize=1)
def _kinds() -> dict[str, dict[str, PropertySpec]]:
    """Events of what people say of themselves, with the properties that come with each kind."""
    found = _data("plan.toml")["kind"]
    return msgspec.convert(found, dict[str, dict[str, PropertySpec]])
