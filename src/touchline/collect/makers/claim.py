"""What somebody says brought them: a promotion code they used, or their answer to the question.

    [[promo_code]]                         [[reported_source]]
    code = "ANNA10"                        answer = "xiaohongshu"
    channel = "KOL"                        label = { en = "RED", zh = "小红书" }
    campaign = "spring"                    channel = "Organic Social"

An event carries a claim in its properties: `promo_code` and `reported_source` of any track call,
`coupon` of one about an order, `answer` of a `Source Reported`. It is stored as it was sent; what
it means is asked when a report is made, so a definition holds for all of history at once.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from touchline.collect.makers.form import Words
from touchline.errors import BadInput
from touchline.model import LABELS, REFUND

__all__ = [
    "ANSWER",
    "TRACES",
    "Answer",
    "Claim",
    "Claims",
    "answers_of",
    "claims",
    "claims_in",
    "is_claiming",
]

MAX_CODES = 20_000
MAX_TEXT = 200
MAX_CLAIMS = 20  # of one event
CODE, ANSWER = "code", "answer"
REPORTED = "source reported"
# Names of properties, and of columns in files, that hold a code or an answer.
_CODES = (
    "promo_code",
    "promoCode",
    "promocode",
    "Promo Code",
    "口令",
    "优惠码",
    "推广码",
    "折扣码",
)
_COUPONS = ("coupon", "coupon_code", "couponCode", "Coupon", "Coupon Code", "优惠券码", "券码")
_ANSWERS = ("reported_source", "reportedSource", "了解渠道", "得知渠道")
_COUPONED = frozenset(("coupon entered", "coupon applied"))
_MAYBE = frozenset((*_CODES, *_COUPONS, *_ANSWERS, "answer"))
# Some part of each of these names: what has none of them holds no claim.
TRACES = ("romo", "oupon", "码", "口令", "eported", "渠道", '"answer"')
_SEPARATORS = re.compile(r"[,;|，；、]")

Row = dict[str, str | None]


class Claim(NamedTuple):
    """`text` is folded: without regard to case, width and blanks around it."""

    kind: str
    text: str


class _Labelled(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a claim means."""

    channel: str
    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    ad_group: str | None = None
    term: str | None = None
    content: str | None = None


class Code(_Labelled, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A code, or all that fit a pattern in which * stands for anything; on these local days."""

    code: str = ""
    pattern: str = ""
    first: dt.date | None = msgspec.field(default=None, name="from")
    last: dt.date | None = msgspec.field(default=None, name="to")

    def holds_on(self, day: dt.date) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


class Answer(_Labelled, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`also`: other ways it is said."""

    answer: str
    label: Words = ""
    also: list[str] = []


class Claims:
    """What claims mean at one site. `named` gives a source its one name."""

    def __init__(
        self, codes: list[Code], answers: list[Answer], named: Callable[[str], str] = str
    ) -> None:
        self._named = named
        self._codes: dict[str, list[tuple[int, Code]]] = {}
        self._patterns: list[tuple[int, re.Pattern[str], Code]] = []
        for place, code in enumerate(codes):
            if code.code:
                self._codes.setdefault(folded(code.code), []).append((place, code))
            else:
                self._patterns.append((place, _pattern(code.pattern), code))
        self._answers: dict[str, Answer] = {}
        for answer in answers:
            labels = answer.label.values() if isinstance(answer.label, dict) else [answer.label]
            for text in (answer.answer, *answer.also, *labels):
                self._answers.setdefault(folded(text), answer)
        self._answers.pop("", None)

    def __bool__(self) -> bool:
        return bool(self._codes or self._patterns or self._answers)

    def meaning(self, claim: Claim, day: dt.date) -> Row | None:
        """The labels (columns of the lake) of a claim made on a local day; None when unknown. Of
        several codes that fit, the first in the file.
        """
        if claim.kind == ANSWER:
            found: _Labelled | None = self._answers.get(claim.text)
        else:
            held = [(place, code) for place, code in self._fitting(claim) if code.holds_on(day)]
            found = min(held, key=lambda one: one[0])[1] if held else None
        return None if found is None else self._row(found)

    def knows(self, claim: Claim) -> bool:
        """Whether it has a meaning on any day."""
        if claim.kind == ANSWER:
            return claim.text in self._answers
        return any(True for _ in self._fitting(claim))

    def _fitting(self, claim: Claim) -> Iterator[tuple[int, Code]]:
        """The codes that a text stands for, each with its place in the file."""
        yield from self._codes.get(claim.text, ())
        yield from ((at, code) for at, fits, code in self._patterns if fits.fullmatch(claim.text))

    def _row(self, said: _Labelled) -> Row:
        names = {name: getattr(said, name.removesuffix("_name")) for name in LABELS}
        if said.source:
            names["source_name"] = self._named(said.source)
        if said.medium:
            names["medium"] = said.medium.lower()
        return names


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text[:MAX_TEXT]).strip().casefold()


def _pattern(text: str) -> re.Pattern[str]:
    parts = (re.escape(part) for part in folded(text).split("*"))
    return re.compile(".*".join(parts), re.DOTALL)


def is_claiming(properties: Mapping[str, Any]) -> bool:
    """Whether properties may hold a claim: a glance, that costs next to nothing."""
    return not _MAYBE.isdisjoint(properties)


def claims_in(event: str, properties: Mapping[str, Any], *, is_order: bool = False) -> list[Claim]:
    """What an event of this name, or a row of an order, says brought its person; each once."""
    named = event.strip().casefold()
    return (
        []
        if named == REFUND
        else list(dict.fromkeys(_found(named, properties, is_order)))[:MAX_CLAIMS]
    )


def _found(event: str, properties: Mapping[str, Any], is_order: bool) -> Iterator[Claim]:
    # Shops write their coupons on products and carts as well: only an order, or the coupon's own
    # event, says that somebody came with one.
    for name in (*_CODES, *_COUPONS) if is_order or event in _COUPONED else _CODES:
        for text in _texts(properties.get(name)):
            for part in _SEPARATORS.split(text):
                if code := folded(part):
                    yield Claim(CODE, code)
    for name in (*_ANSWERS, "answer") if event == REPORTED else _ANSWERS:
        for text in _texts(properties.get(name)):
            if answer := folded(text):
                yield Claim(ANSWER, answer)


def _texts(value: Any) -> Iterator[str]:
    for one in value[:MAX_CLAIMS] if isinstance(value, list) else (value,):
        if isinstance(one, str) or (isinstance(one, int) and not isinstance(one, bool)):
            yield str(one)[: MAX_TEXT * 4]


def claims(documents: Mapping[str, Any], named: Callable[[str], str] = str) -> Claims:
    """From the `promo_code` and `reported_source` documents. Raises BadInput."""
    codes = listed(documents, "promo_code", Code)
    for number, code in enumerate(codes, 1):
        if bool(code.code.strip()) == bool(code.pattern.strip()):
            _refuse("promo_code", number, "give one of code and pattern")
        if code.pattern and code.pattern.count("*") not in (1, 2):
            _refuse("promo_code", number, "a pattern has one or two *")
        if code.first and code.last and code.first > code.last:
            _refuse("promo_code", number, "it ends before it begins")
    return Claims(codes, answers_of(documents), named)


def answers_of(documents: Mapping[str, Any]) -> list[Answer]:
    """The `reported_source` documents."""
    answers = listed(documents, "reported_source", Answer)
    seen: set[str] = set()
    for number, answer in enumerate(answers, 1):
        if not answer.answer.strip() or folded(answer.answer) in seen:
            _refuse("reported_source", number, "each needs an answer of its own")
        seen.add(folded(answer.answer))
    return answers


def listed(documents: Mapping[str, Any], kind: str, type_: type[Any]) -> list[Any]:
    """Documents of a kind, each read as a struct with a channel."""
    found = documents.get(kind, [])
    if not isinstance(found, list) or len(found) > MAX_CODES:
        _refuse(kind, 0, f"write each as [[{kind}]], {MAX_CODES} at most")
    made: list[Any] = []
    for number, document in enumerate(found, 1):
        try:
            made.append(msgspec.convert(document, type_))
        except msgspec.ValidationError as error:
            _refuse(kind, number, str(error))
        if not made[-1].channel.strip():
            _refuse(kind, number, "it needs a channel")
    return made


def _refuse(kind: str, number: int, why: str) -> None:
    raise BadInput("bad_claim", kind=kind, number=number, why=why)
