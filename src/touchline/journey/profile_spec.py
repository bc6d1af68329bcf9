"""What is to be known of every customer from what happened, as a site writes it down.

    [[computed_trait]]
    name = "lipsticks_90d"
    calculate = "count"                # count sum average least most first last distinct
    event = "Order Completed"          # or type = "page", goal = "deals", conversions = ["lead"],
    within = "90d"                     #    touches = true
    where = { "properties.category" = ["lipstick", "口红"], channel = "Ads" }

    [[member_stage]]                   # the last one of which one of `any` holds
    name = "loyalty"
    title = { en = "Loyalty", zh = "忠诚" }
    any = [{ orders = 2 }, { orders = 1, lipsticks_90d = 3 }]

    [[ticket]]
    name = "complaint"
    opened = ["Complaint Filed", "客诉创建"]
    closed = ["Complaint Settled", "客诉关闭"]
    id = ["complaint_no"]

What surprises: money is had from goals alone. There it is one currency, each order counts once, and
what went back is taken off: as reports have it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct, field

from touchline import clock
from touchline.errors import BadInput
from touchline.model import LABEL_FIELDS

__all__ = [
    "CALCULATIONS",
    "FACTS",
    "FIELDS",
    "PROPERTY",
    "STAGES",
    "TICKETS",
    "ComputedTrait",
    "MemberStage",
    "ProfileSpec",
    "Ticket",
    "profile_spec",
]

PROPERTY = "properties."
MOST, LONGEST, MOST_DAYS = 200, 100, 3660
WITHIN = re.compile(r"([1-9]\d{0,5})([hd])", re.ASCII)
UNITS = {"h": 3_600 * clock.US, "d": clock.DAY_US}
TIMES = ("at", "day")
# What of its rows each source has.
FIELDS: dict[str, tuple[str, ...]] = {
    "event": (
        *(*TIMES, *LABEL_FIELDS),
        *("store_code", "staff_id", "account_id", "content_id", "order_id", "page_url"),
    ),
    "touches": (*TIMES, *LABEL_FIELDS),
    "goal": (*TIMES, "revenue"),
    "conversions": (*TIMES, "kind", "stage", "store_code", "staff_id"),
}
# Calculation → (what it gives, whether it needs a number).
CALCULATIONS: dict[str, tuple[str, str]] = {
    "count": ("how many there are", "有多少次"),
    "sum": ("their numbers added up; 0 of none", "数值之和;没有时为 0"),
    "average": ("the average of their numbers", "数值平均"),
    "least": ("the least of their numbers", "数值最小"),
    "most": ("the greatest of their numbers", "数值最大"),
    "first": (
        "what the first one says; without `of`, when it was",
        "第一次的取值;不填 of 则为时间",
    ),
    "last": (
        "what the last one says; without `of`, when it was",
        "最近一次的取值;不填 of 则为时间",
    ),
    "distinct": ("how many different values there are", "有多少个不同的取值"),
}
NUMERIC = ("sum", "average", "least", "most")
Words = str | dict[Literal["en", "zh"], str]
Scalar = str | bool | int | float
Kind = Literal["lead", "opportunity", "order", "renewal"]
Spec = TypeVar("Spec", bound=Struct)


class ComputedTrait(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`conversions`: imported ones of these kinds, in any stage."""

    name: str
    calculate: Literal["count", "sum", "average", "least", "most", "first", "last", "distinct"]
    event: str | None = None
    also: tuple[str, ...] = ()
    type: Literal["track", "page", "screen"] = "track"
    goal: str | None = None
    conversions: tuple[Kind, ...] = ()
    touches: bool = False
    of: str | None = None
    within: str | None = None
    where: dict[str, Scalar | list[Scalar]] = field(default_factory=dict[str, Any])
    title: Words = ""

    @property
    def source(self) -> str:
        """What it is computed of: a key of FIELDS."""
        if self.goal is not None:
            return "goal"
        return "touches" if self.touches else "conversions" if self.conversions else "event"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its events; none is any."""
        return () if self.event is None else (self.event, *self.also)

    @property
    def field(self) -> str | None:
        """Of what it is computed, also where nothing is said."""
        if self.of is None and self.calculate in ("first", "last"):
            return "at"
        is_money = self.of is None and self.goal is not None and self.calculate in NUMERIC
        return "revenue" if is_money else self.of

    @property
    def since_us(self) -> int | None:
        """How long before now it looks back."""
        found = WITHIN.fullmatch(self.within or "")
        return None if found is None else int(found[1]) * UNITS[found[2]]

    @property
    def gives(self) -> str:
        """integer, number, money (minor units), time, date, text, or value: as it was sent."""
        if self.calculate in ("count", "distinct"):
            return "integer"
        named = {"at": "time", "day": "date", "revenue": "money"}.get(self.field or "")
        if named is not None:
            return named
        if self.calculate in NUMERIC:
            return "number"
        return "value" if (self.field or "").startswith(PROPERTY) else "text"


class MemberStage(Struct, frozen=True, forbid_unknown_fields=True):
    """`any`: tables of traits and the least number of each; none is everybody."""

    name: str
    title: Words = ""
    any: tuple[dict[str, int | float], ...] = ()


class Ticket(Struct, frozen=True, forbid_unknown_fields=True):
    """Events that open and close it; `id`: properties that tell one from another."""

    name: str
    opened: tuple[str, ...]
    closed: tuple[str, ...]
    id: tuple[str, ...] = ("ticket_id",)


# What stages are told from where a site says nothing; a trait of the same name takes its place.
_ENQUIRIES = (
    *("Lead Submitted", "Lead Created", "generate_lead", "Demo Requested", "Signed Up"),
    *("Member Joined", "Trial Started", "留资", "提交线索", "预约演示", "注册", "入会"),
)
FACTS = (
    ComputedTrait(name="touches", calculate="count", touches=True),
    ComputedTrait(name="enquiries", calculate="count", event="Form Submitted", also=_ENQUIRIES),
    ComputedTrait(name="leads", calculate="count", conversions=("lead", "opportunity")),
    ComputedTrait(
        name="orders", calculate="count", goal="default", conversions=("order", "renewal")
    ),
)
STAGES = (
    MemberStage("awareness", {"en": "Awareness", "zh": "认知"}),
    MemberStage(
        "interest",
        {"en": "Interest", "zh": "兴趣"},
        ({"touches": 2}, {"enquiries": 1}, {"leads": 1}),
    ),
    MemberStage("purchase", {"en": "Purchase", "zh": "购买"}, ({"orders": 1},)),
    MemberStage("loyalty", {"en": "Loyalty", "zh": "忠诚"}, ({"orders": 2},)),
)
TICKETS = (
    Ticket(
        "ticket",
        (
            *("Ticket Created", "Ticket Opened", "Ticket Reopened", "Case Created"),
            *("Complaint Filed", "工单创建", "客诉创建", "投诉"),
        ),
        (
            *("Ticket Closed", "Ticket Solved", "Ticket Resolved", "Case Closed"),
            *("Complaint Resolved", "工单关闭", "工单完结", "客诉关闭", "客诉解决"),
        ),
        ("ticket_id", "case_id", "工单号"),
    ),
)


class ProfileSpec(Struct, frozen=True):
    """`facts`: the site's own first, then those of FACTS whose name is free."""

    own: tuple[ComputedTrait, ...]
    stages: tuple[MemberStage, ...]
    tickets: tuple[Ticket, ...]

    @property
    def facts(self) -> tuple[ComputedTrait, ...]:
        names = {trait.name for trait in self.own}
        return (*self.own, *(fact for fact in FACTS if fact.name not in names))


def profile_spec(documents: Mapping[str, Any], goals: Sequence[str]) -> ProfileSpec:
    """Of a site's definitions, whose goals are named so. Errors name the table and the remedy."""
    own = _read(documents, "computed_trait", ComputedTrait)
    for trait in own:
        why = _flaw(trait, goals)
        if why is not None:
            raise _bad("computed_trait", trait.name, why)
    stages = _read(documents, "member_stage", MemberStage) or STAGES
    tickets = _read(documents, "ticket", Ticket) or TICKETS
    found = ProfileSpec(own, stages, tickets)
    numbers = [t.name for t in found.facts if t.gives in ("integer", "number", "money")]
    for stage in stages:
        for name in (name for test in stage.any for name in test):
            if name not in numbers:
                known = ", ".join(numbers)
                raise _bad("member_stage", stage.name, f"{name} is no number: known are {known}")
        if not all(stage.any):
            raise _bad("member_stage", stage.name, "a table of any is empty")
    for ticket in tickets:
        if not (ticket.opened and ticket.closed and ticket.id):
            raise _bad("ticket", ticket.name, "opened, closed and id each need a name")
        both = sorted({*ticket.opened} & {*ticket.closed})
        if both:
            raise _bad("ticket", ticket.name, f"{both[0]} both opens and closes it")
    return found


def _read(documents: Mapping[str, Any], kind: str, spec: type[Spec]) -> tuple[Spec, ...]:
    raw = documents.get(kind, [])
    if not isinstance(raw, list):
        raise _bad(kind, kind, f"write it as [[{kind}]]")
    if len(raw) > MOST:
        raise _bad(kind, kind, f"there are more than {MOST}")
    found: dict[str, Spec] = {}
    for at, one in enumerate(raw, 1):
        given = one.get("name") if isinstance(one, Mapping) else None
        name = given if isinstance(given, str) else str(at)
        try:
            found_one = msgspec.convert(one, spec)
        except msgspec.ValidationError as error:
            raise _bad(kind, name, str(error)) from None
        if not name.strip() or len(name) > LONGEST or not name.isprintable():
            raise _bad(kind, name[:LONGEST], f"a name is one line of 1 to {LONGEST} characters")
        if name in found:
            raise _bad(kind, name, "the name is used twice")
        found[name] = found_one
    return tuple(found.values())


def _flaw(trait: ComputedTrait, goals: Sequence[str]) -> str | None:
    """What is wrong with one, and what would be right."""
    is_event = trait.event is not None or trait.type != "track"
    if (
        is_event
        + trait.touches
        + (trait.goal is not None)
        + bool(trait.conversions and trait.goal is None)
        != 1
    ):
        return "it is computed of one thing: event, goal, conversions or touches = true"
    if trait.also and trait.event is None:
        return "also has further names of its event"
    if not all(name.strip() for name in trait.names):
        return "the name of an event is empty"
    if trait.goal is not None and trait.goal not in goals:
        return f"there is no goal {trait.goal}; known are {', '.join(goals)}"
    if trait.within is not None and not 0 < (trait.since_us or 0) <= MOST_DAYS * clock.DAY_US:
        return 'within is hours or days, as "24h" or "90d"'
    return _flaw_of_fields(trait)


def _flaw_of_fields(trait: ComputedTrait) -> str | None:
    known = FIELDS[trait.source]
    for name in (*trait.where, *([trait.field] if trait.field else [])):
        is_property = name.startswith(PROPERTY) and len(name) > len(PROPERTY)
        if name == "revenue" and trait.source != "goal":
            return "revenue is had from a goal: write goal = in the place of event ="
        if name not in known and not (is_property and trait.source == "event"):
            more = ", properties.NAME" if trait.source == "event" else ""
            return f"{name} is not known of {trait.source}: known are {', '.join(known)}{more}"
    name = trait.field or ""
    is_number = name == "revenue" or name.startswith(PROPERTY)
    flaws = {
        "where takes texts to compare with; for times there is within": any(
            one in (*TIMES, "revenue") for one in trait.where
        ),
        "where has a list without a value": any(one == [] for one in trait.where.values()),
        "count takes no of; distinct counts different values": trait.calculate == "count"
        and trait.of is not None,
        f"{trait.calculate} needs of": not name and trait.calculate != "count",
        f"{trait.calculate} needs a number: a property, or the revenue of a goal": (
            trait.calculate in NUMERIC and not is_number
        ),
    }
    return next((why for why, is_so in flaws.items() if is_so), None)


def _bad(kind: str, name: str, why: str) -> BadInput:
    return BadInput("bad_profile_table", kind=kind, name=name, why=why)
