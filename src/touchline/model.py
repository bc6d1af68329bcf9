"""The vocabulary. Read this first: every stage speaks in these nouns.

Structs are frozen msgspec records: as plain as dataclasses, but a collector makes millions of them.
Times end in `_us` (epoch microseconds, UTC), money is integer minor units beside an ISO 4217 code.
"""

from collections.abc import Iterable
from enum import IntFlag
from typing import Any, Literal

from msgspec import Struct

__all__ = [
    "BASES",
    "CONSENTS",
    "GRAINS",
    "IDENTIFIER_TYPES",
    "LABELS",
    "LABEL_FIELDS",
    "LIFTED",
    "REFUND",
    "STATED",
    "TOUCH",
    "TYPE_RANK",
    "Aggregate",
    "Consent",
    "Conversion",
    "Cost",
    "Event",
    "Flag",
    "Identifier",
    "Members",
    "Permission",
    "Person",
    "Purpose",
    "Rate",
    "RawRequest",
    "Reject",
    "Said",
    "permission",
]

# Strongest first: the order decides which node of an event speaks and which node anchors a person.
IDENTIFIER_TYPES = (
    "user_id",
    "unionid",
    "member_code",
    "crm_id",
    "email",
    "phone",
    "external_userid",
    "openid",
    "anonymous_id",
    "device",
)
TYPE_RANK = {name: rank for rank, name in enumerate(IDENTIFIER_TYPES)}

# What a touch, a cost and a credit are known by: columns of the lake, coarse before fine.
LABELS = ("channel", "source_name", "medium", "campaign", "ad_group", "term", "content")
# The same as files, properties and answers call them.
LABEL_FIELDS = tuple(name.removesuffix("_name") for name in LABELS)
# Those that a report may be broken down by.
GRAINS = (
    *("channel", "campaign", "ad_group", "term", "content"),
    *("landing_page", "content_id"),  # where a visit began, and the article or video it saw first
    "stage",  # how far the buyer had come at the touch: see `measure.stages`
)


# What a person had agreed to when an event was collected, most first: to everything; to some
# purposes; to being counted with nothing kept on the device; to nothing; and what a tracker sends
# that is switched off, which is nothing but an error of its site. Null: nobody said.
CONSENTS = ("full", "partial", "cookieless", "denied", "off")

# On what ground a purpose is pursued; "separate_consent" is 单独同意, "guardian_consent" that of
# who looks after a child.
BASES = (
    "consent",
    "separate_consent",
    "guardian_consent",
    "contract",
    "legal_duty",
    "legitimate_interest",
)
# Of a yes that agrees to nothing: it takes back a no of a device, which others may use as well.
LIFTED = "lifted"
_SEPARATE = frozenset(("separate_consent", "guardian_consent", "legal_duty"))
_FOR_CHILDREN = frozenset(("guardian_consent", "legal_duty"))

# The event that says an order was given back, however it is written.
REFUND = "order refunded"
# The name of the touch that a deal states. It is no row of the deal.
STATED = "Lead Source"


class Flag(IntFlag):
    """What is known of an event, stored in its `flags` column."""

    EXPLICIT_CHANNEL = 1  # carries its own channel: a touchpoint by itself
    OPENS_SESSION = 2  # first event of a session: a touchpoint
    BRINGS_CAMPAIGN = (
        4  # its own UTM, click id or foreign referrer; else the session's were copied in
    )
    IN_SESSION = 8  # has a page, screen or campaign, so it takes part in sessions
    CLOCK_SUSPECT = 16  # corrected time in the future, or a client clock more than a day off
    OVERSIZE = 32  # more than 32 KB
    CHANNEL_BY_RULE = 64  # channel was derived, and is derived again when the rules change
    VERSION = 128  # imported under its order_id alone: of its order the newest such row is in force
    REVISION = 256  # a VERSION that came after another row of its order
    OFF_PLAN = 512  # not in the tracking plan, or not as the plan has it
    CLAIMS = 1024  # holds a promotion code or an answer that may say what brought its person


TOUCH = Flag.EXPLICIT_CHANNEL | Flag.OPENS_SESSION


class Identifier(Struct, frozen=True, gc=False):
    """One normalised value that names a person or a device. `app` scopes an openid."""

    type: str
    value: str
    app: str | None = None


class RawRequest(Struct, frozen=True, gc=False, array_like=True):
    """A collection call as it arrived: the payload of one log frame.

    `body` is kept as sent (gzip stays gzip). `request_id` (16 random bytes) names items that came
    without a message id. `ip` is already cut to /24 or /48. `headers`: the few that say something
    of the visitor or the page, by lower-case name.
    """

    received_us: int
    source: str
    path: str
    body: bytes
    request_id: bytes
    user_agent: str | None = None
    ip: str | None = None
    query: str = ""
    headers: dict[str, str] = {}


class Members(dict[str, bytes]):
    """An object whose values are the JSON they were sent as: equal bytes need one look."""


class Event(Struct, frozen=True, kw_only=True):
    """One immutable fact, normalised, before ids are hashed and personal values taken out.

    `source` is the write key's name (or the import's); `source_name` is the marketing source (UTM).
    `original_us` is the client's own time; `ts_us` the corrected one. `properties` and `context`
    may be `Members`. `told`: traits that are answers to a question of ours. `bot`: left out of
    journeys. `consent`: one of CONSENTS.
    """

    source: str
    message_id: str
    type: str
    name: str
    ts_us: int
    received_us: int
    sent_us: int | None = None
    original_us: int | None = None
    identifiers: tuple[Identifier, ...] = ()
    account_id: str | None = None
    channel: str | None = None
    source_name: str | None = None
    medium: str | None = None
    campaign: str | None = None
    ad_group: str | None = None
    term: str | None = None
    content: str | None = None
    click_ids: dict[str, str] = {}
    content_hash: bytes = b""
    referrer_host: str | None = None
    page_url: str | None = None
    page_title: str | None = None
    store_code: str | None = None
    staff_id: str | None = None
    content_id: str | None = None
    revenue: int | None = None
    currency: str | None = None
    order_id: str | None = None
    stage: str | None = None
    properties: dict[str, Any] = {}
    context: dict[str, Any] = {}
    traits: dict[str, Any] = {}
    told: tuple[str, ...] = ()
    bot: bool = False
    consent: str | None = None
    flags: int = 0


class Reject(Struct, frozen=True, kw_only=True):
    """An item that could not be stored: why, and what it was. `line` counts from 1 in a file; of an
    item that came over HTTP, `request` and `sent_at` are what it needs to be read again.
    """

    source: str
    reason: str
    payload: bytes
    received_us: int
    message_id: str | None = None
    kind: str = "events"
    line: int | None = None
    request: RawRequest | None = None
    sent_at: Any = None


class Conversion(Struct, frozen=True, kw_only=True):
    """A version of an order or deal, as a file or connector gave it."""

    conversion_id: str
    occurred_us: int
    kind: str = "order"  # lead, opportunity, order, renewal
    stage: str | None = None
    amount: int | None = None
    currency: str | None = None
    identifiers: tuple[Identifier, ...] = ()
    account_id: str | None = None
    store_code: str | None = None
    staff_id: str | None = None
    lines: tuple[dict[str, Any], ...] = ()
    properties: dict[str, Any] = {}
    created_us: int | None = None
    content_hash: bytes = b""
    stated: dict[str, str] = {}  # labels of where the buyer is said to have come from


class Person(Struct, frozen=True, kw_only=True):
    """A people row: identifiers that belong together, and traits."""

    identifiers: tuple[Identifier, ...]
    account_id: str | None = None
    traits: dict[str, Any] = {}
    occurred_us: int | None = None
    content_hash: bytes = b""
    said: tuple["Said", ...] = ()


class Cost(Struct, frozen=True, kw_only=True):
    """What one day of one placement cost. `day` counts days since 1970-01-01 (local)."""

    day: int
    channel: str
    cost: int
    currency: str
    source_name: str | None = None
    medium: str | None = None
    campaign: str | None = None
    ad_group: str | None = None
    term: str | None = None
    content: str | None = None
    impressions: int | None = None
    clicks: int | None = None
    kind: str = "media"  # media, fee, rebate, commission, production
    is_provisional: bool | None = None  # what the file says; mostly it says nothing


class Aggregate(Cost, frozen=True, kw_only=True):
    """One day's share of touches that name nobody: a poster, a podcast, statistics of a shop.

    Its period and place are those of the row; `properties` (JSON) what else the row said.
    """

    first_day: int
    last_day: int
    place: str | None = None
    engagements: int | None = None
    visits: int | None = None
    properties: str | None = None


class Rate(Struct, frozen=True, kw_only=True):
    """One unit of `base` is worth `rate` of `quote` from `day` on (decimal as text: exact)."""

    day: int
    base: str
    quote: str
    rate: str


class Purpose(Struct, frozen=True, kw_only=True):
    """What data about people is used for. `needs_grant`: only of who said yes; else of everybody
    who did not say no. `is_separate`: a yes to other things is none to this one.
    """

    name: str
    needs_grant: bool = True
    is_separate: bool = False
    channels: tuple[str, ...] = ()


class Said(Struct, frozen=True, kw_only=True):
    """A yes or no as somebody sends it: to a purpose, by a channel or ("") by all of them.

    `text`: the hash of the words that were read. `at_us`: when, if its sender tells.
    """

    purpose: str
    is_granted: bool
    channel: str = ""
    basis: str = "consent"
    text: str | None = None
    locale: str | None = None
    at_us: int | None = None

    def row(
        self, node: bytes, *, act: bytes, source: str, at_us: int, known_at_us: int
    ) -> "Consent":
        """What the ledger holds of it for one identifier. `at_us`: what is taken for the time."""
        return Consent(
            act=act,
            node=node,
            purpose=self.purpose,
            channel=self.channel,
            is_granted=self.is_granted,
            basis=self.basis,
            text=self.text,
            locale=self.locale,
            source=source,
            at_us=at_us,
            known_at_us=known_at_us,
        )


class Consent(Struct, frozen=True, kw_only=True):
    """A row of the ledger: one identifier's yes or no to a purpose, by a channel or ("") by all.

    One `act` of somebody may be rows of several identifiers. `text`: a hash of the words they
    read, in the language `locale`. `source`: where they said it (`page`, `form:demo`, …).
    """

    act: bytes
    node: bytes
    purpose: str
    is_granted: bool
    at_us: int
    known_at_us: int
    channel: str = ""
    basis: str = "consent"
    text: str | None = None
    locale: str | None = None
    source: str = ""


Why = Literal["withdrawn", "granted", "unasked", "not_separate", "no_guardian", "not_needed"]


class Permission(Struct, frozen=True):
    """May a person's data serve a purpose; why, and the row that decides (None: there is none)."""

    is_allowed: bool
    why: Why
    by: Consent | None = None


def permission(
    said: Iterable[Consent],
    purpose: Purpose,
    channel: str = "",
    *,
    at_us: int,
    is_child: bool = False,
) -> Permission:
    """Whether somebody whose identifiers said all this may be met for a purpose, by a channel.

    Each identifier stands for what it said last; of several the strictest holds, so to join people
    allows nothing that one of them refused. A no to one channel is taken back by a yes to that
    channel only, never by a yes to all of them; and by all of them ("") nobody is met who refused
    one.
    """
    own: dict[bytes, list[Consent]] = {}
    for row in said:
        is_about = row.purpose == purpose.name and (not channel or row.channel in ("", channel))
        if is_about and _moment(row) <= at_us:
            own.setdefault(row.node, []).append(row)
    stands = sorted((word for rows in own.values() for word in _words(rows, channel)), key=_order)
    refused = [row for row in stands if not row.is_granted]
    if refused:
        return Permission(False, "withdrawn", refused[-1])
    stands = [row for row in stands if row.channel in ("", channel) and row.basis != LIFTED]
    valid = [row for row in stands if _is_enough(row, purpose, is_child=is_child)]
    if valid:
        return Permission(True, "granted", valid[-1])
    if not (purpose.needs_grant or is_child):
        return Permission(True, "not_needed")
    if is_child:
        return Permission(False, "no_guardian")
    return Permission(False, "not_separate", stands[-1]) if stands else Permission(False, "unasked")


def _words(rows: list[Consent], channel: str) -> list[Consent]:
    """What one identifier's rows come to by a channel; by all of them, for each that is named."""
    named = {channel} if channel else {row.channel for row in rows}
    return [_stands([row for row in rows if row.channel in ("", name)]) for name in named]


def _stands(rows: list[Consent]) -> Consent:
    """What they come to by one of them."""
    last = max(rows, key=_order)
    if last.is_granted and not last.channel:
        special = [row for row in rows if row.channel]
        newest = max(special, key=_order, default=last)
        return last if newest.is_granted else newest
    return last


def _moment(row: Consent) -> int:
    """A clock that runs ahead postpones no refusal, nor does it make a yes outlive one."""
    return min(row.at_us, row.known_at_us)


def _order(row: Consent) -> tuple[Any, ...]:
    """By time; of one moment a no comes last, and the rest makes the order the same everywhere."""
    return (_moment(row), not row.is_granted, row.channel, row.node, row.basis, row.act)


def _is_enough(row: Consent, purpose: Purpose, *, is_child: bool) -> bool:
    if is_child and row.basis not in _FOR_CHILDREN:
        return False
    return not purpose.is_separate or row.basis in _SEPARATE
