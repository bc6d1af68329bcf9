"""The events a site plans to have (埋点方案), what they hold → what of an event goes against it.

An event is looked up by its name or one it is also known by; then each property that the plan has
is checked, once for every value that comes again and again. The surprise: only track events can be
unplanned. Pages and screens have names of their own making; those in the plan are checked.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from touchline.collect.money import exponent, minor
from touchline.collect.plan_spec import (
    EventSpec,
    PlanSpec,
    TraitSpec,
    bad_plan,
    events_of,
    is_automatic,
    matching,
    plan_of,
)
from touchline.collect.property_check import Check, Fault, compiled, same
from touchline.errors import BadInput
from touchline.model import LABEL_FIELDS, LABELS, Event, Flag, Members

__all__ = ["NO_VALUE", "UNPLANNED", "Judgement", "Plan", "Worth"]

UNPLANNED = "unplanned_event"
NO_VALUE = "conversion_without_value"  # counted, and never a reason to refuse an event
REMEMBERED, MAX_REMEMBERED, MAX_NAME = 1 << 12, 256, 512

_NAMED = ("order_id", "store_code", "staff_id", "content_id", "stage", "account_id", "currency")
_COLUMNS = dict(zip((*_NAMED, *LABEL_FIELDS), (*_NAMED, *LABELS), strict=True))
_decode = msgspec.json.Decoder().decode


class Judgement(NamedTuple):
    """What is to be said of an event. `name`: the plan's; `refusal`: why it must not be stored;
    `is_answer`: its sender speaks of themselves, in a survey, say.
    """

    name: str
    faults: tuple[Fault, ...]
    refusal: str | None
    traits: dict[str, Any]
    is_answer: bool = False


# What a conversion is worth: None, its revenue; a text, that property; a number is known already.
Worth = str | int | float | None


class Expected(NamedTuple):
    """An event of the plan, compiled."""

    name: str
    is_strict: bool
    known: frozenset[str] | None  # the only properties it may have
    checks: tuple[tuple[str, Check, Callable[[bytes], tuple[Fault, ...]]], ...]
    has_worth: Callable[[Event], Fault | None] | None
    traits: tuple[TraitSpec, ...]
    is_answer: bool


class Plan:
    """The compiled plan of a workspace. Build with `compile`."""

    def __init__(
        self, spec: PlanSpec, events: tuple[EventSpec, ...], worth: Mapping[str, Worth]
    ) -> None:
        self.spec, self.events = spec, events
        self._expected: dict[tuple[str, str], Expected] = {}
        for event in events:
            made = _expected(event, spec, worth)
            for name in (event.name, *event.also):
                if self._expected.setdefault((event.type, name), made) is not made:
                    raise bad_plan(event.name, f"the name {name} is used twice")
        self._is_ignored = matching(spec.ignore)

    @classmethod
    def compile(
        cls, documents: Mapping[str, Any], worth: Mapping[str, Worth] | None = None
    ) -> "Plan | None":
        """The plan of a site's definitions, or None when it has none. BadInput("bad_plan") says
        what cannot be read. `worth`: what conversion events are worth, by name.
        """
        spec, events = plan_of(documents), events_of(documents)
        return cls(spec, events, worth or {}) if events else None

    def name_of(self, kind: str, name: str) -> str | None:
        """What the plan calls an event of that name; None when it has none."""
        found = self._expected.get((kind, name))
        return None if found is None else found.name

    def is_ignored(self, name: str) -> bool:
        """Whether a track event may come beside the plan."""
        return is_automatic(name) or self._is_ignored(name) is not None

    def judge(self, event: Event) -> Judgement | None:
        """None when the event is as planned and nothing follows from it."""
        expected = self._expected.get((event.type, event.name))
        if expected is None:
            if event.type != "track" or self.is_ignored(event.name):
                return None
            refusal = UNPLANNED if self.spec.strict else None
            return Judgement(event.name, (Fault("", UNPLANNED),), refusal, {})
        faults = _faults(expected, event)
        refusal = faults[0].reason if faults and expected.is_strict else None
        if expected.has_worth is not None and (none := expected.has_worth(event)) is not None:
            faults = (*faults, none)
        traits = _traits(expected, event, faults) if expected.traits else {}
        if not (faults or traits):
            return None
        return Judgement(expected.name, faults, refusal, traits, expected.is_answer)


def _expected(event: EventSpec, plan: PlanSpec, worth: Mapping[str, Worth]) -> Expected:
    checks: list[tuple[str, Check, Callable[[bytes], tuple[Fault, ...]]]] = []
    for name, spec in event.properties.items():
        try:
            check = compiled(name, spec)
        except ValueError as error:
            raise bad_plan(event.name, str(error)) from None
        checks.append((name, check, _read_by(check)))
    is_track = event.type == "track"
    return Expected(
        event.name,
        plan.strict if event.strict is None else event.strict,
        frozenset(event.properties) if event.closed else None,
        tuple(checks),
        _worth_test(worth[event.name]) if event.name in worth and is_track else None,
        event.trait,
        event.kind is not None,
    )


def _read_by(check: Check) -> Callable[[bytes], tuple[Fault, ...]]:
    """The check for a value that came as bytes; the same bytes are looked at once."""

    def read(raw: bytes) -> tuple[Fault, ...]:
        return _faults_of(check, _decode(raw))

    known = lru_cache(REMEMBERED)(read)
    return lambda raw: known(raw) if len(raw) <= MAX_REMEMBERED else read(raw)


def _faults_of(check: Check, value: Any) -> tuple[Fault, ...]:
    if value is not None or check.takes_null:
        return check.faults(value)
    return (Fault(check.name, "missing_property"),) if check.is_required else ()


def _faults(expected: Expected, event: Event) -> tuple[Fault, ...]:
    found: list[Fault] = []
    properties = event.properties
    is_raw = type(properties) is Members
    for name, check, read in expected.checks:
        if name in properties:
            value = properties[name]
            found += read(value) if is_raw else _faults_of(check, value)
        elif (told := _told(event, name)) is not None or check.is_required:
            found += _faults_of(check, told)
    if expected.known is not None:
        unknown = [name for name in properties if name not in expected.known]
        found += (Fault(name[:MAX_NAME], "unplanned_property") for name in unknown)
    return tuple(found)


def _value(event: Event, name: str) -> Any:
    value = event.properties.get(name)
    if value is None:
        return _told(event, name)
    return _decode(value) if type(event.properties) is Members else value


def _told(event: Event, name: str) -> Any:
    """What an event says of a property outside its properties: a file's columns are not in them."""
    if name == "revenue":
        worth, currency = event.revenue, event.currency
        return worth if worth is None or currency is None else worth / 10 ** exponent(currency)
    column = _COLUMNS.get(name)
    if column is None or (column in LABELS and not event.flags & Flag.EXPLICIT_CHANNEL):
        return None
    return getattr(event, column)


def _worth_test(worth: Worth) -> Callable[[Event], Fault | None] | None:
    if isinstance(worth, int | float):
        return None
    if worth in (None, "revenue", "amount"):
        none = Fault("revenue", NO_VALUE)
        return lambda event: None if event.revenue is not None else none

    def of_property(event: Event) -> Fault | None:
        try:
            minor(_value(event, worth), "CNY")
        except BadInput:
            return Fault(worth, NO_VALUE)
        return None

    return of_property


def _traits(expected: Expected, event: Event, faults: Sequence[Fault]) -> dict[str, Any]:
    """Answers that the plan makes traits of; one that goes against the plan is none."""
    wrong = {fault.property.partition(".")[0].partition("[")[0] for fault in faults}
    found: dict[str, Any] = {}
    for trait in expected.traits:
        if trait.property in wrong:
            continue
        value = _value(event, trait.property)
        if value is not None and all(same(_value(event, k), v) for k, v in trait.when.items()):
            found[trait.name] = value
    return found
