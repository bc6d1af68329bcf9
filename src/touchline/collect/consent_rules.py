"""`[consent]` → what people are asked for: purposes, channels, the words, questions of the site.

    [consent]
    policy = { en = "https://shop.cn/privacy", zh = "https://shop.cn/yinsi" }
    [[consent.purpose]]
    name = "marketing"                    # one of ours changed, or one more
    text = { en = "News twice a month.", zh = "每月两次新品资讯。" }
    channels = ["email", "wechat"]
    [[consent.question]]
    name = "skin_type"                    # kept as a trait of whoever answers
    label = { en = "Your skin", zh = "您的肤质" }
    choices = ["dry", "oily"]

What surprises: without a document all of it is there already. `analytics` and `linking` are allowed
until somebody refuses, since a tracker asks before it sends anything; all else needs a yes.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from touchline.collect.link import checked_url
from touchline.collect.makers.form import Choice, Words, in_language
from touchline.errors import BadInput
from touchline.model import Purpose

__all__ = ["ANALYTICS", "CHANNELS", "LINKING", "Asked", "ConsentRules", "Question", "channel_label"]

ANALYTICS, LINKING = "analytics", "linking"
MAX_PURPOSES = 40
MAX_QUESTIONS = 20
MAX_CHOICES = 100
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)

CHANNELS: dict[str, Words] = {
    "email": {"en": "E-mail", "zh": "邮件"},
    "sms": {"en": "Text message", "zh": "短信"},
    "wechat": {"en": "WeChat", "zh": "微信(含企业微信)"},
    "phone": {"en": "Phone call", "zh": "电话"},
    "ads": {"en": "Ads on other sites and apps", "zh": "其他平台上的广告"},
}


class Asked(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A purpose as people are asked for it. `is_hidden`: the preference page leaves it out."""

    name: str
    label: Words = ""
    text: Words = ""
    needs_grant: bool = True
    is_separate: bool = msgspec.field(default=False, name="separate")
    is_hidden: bool = msgspec.field(default=False, name="hidden")
    channels: tuple[str, ...] = ()

    @property
    def purpose(self) -> Purpose:
        return Purpose(
            name=self.name,
            needs_grant=self.needs_grant,
            is_separate=self.is_separate,
            channels=self.channels,
        )

    def words(self, language: str) -> str:
        """What is read before a yes, in one language: the text that is kept with it."""
        label, text = in_language(self.label, language), in_language(self.text, language)
        return f"{label or self.name}\n{text}".strip()


class Question(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What people may tell of themselves: one of the choices, or a line of text without any."""

    name: str
    label: Words = ""
    choices: tuple[Choice | str, ...] = ()

    def options(self, language: str) -> list[tuple[str, str]]:
        listed = (c if isinstance(c, Choice) else Choice(c) for c in self.choices)
        return [(c.value, in_language(c.label, language) or c.value) for c in listed]


_DEFAULT = (
    Asked(
        name=ANALYTICS,
        needs_grant=False,
        label={"en": "Statistics", "zh": "统计分析"},
        text={
            "en": "We count visits and purchases to learn which of our offers are of use.",
            "zh": "我们统计访问和购买情况,以了解哪些内容和活动对您有用。",
        },
    ),
    Asked(
        name=LINKING,
        needs_grant=False,
        label={"en": "One profile", "zh": "合并为一份档案"},
        text={
            "en": "We put your visits, purchases and messages from different devices together.",
            "zh": "我们把您在不同设备和渠道上的访问、购买和咨询合并到同一份档案。",
        },
    ),
    Asked(
        name="marketing",
        channels=tuple(CHANNELS),
        label={"en": "News and offers", "zh": "资讯与优惠"},
        text={
            "en": "We may send you news and offers by the ways you choose.",
            "zh": "我们可以通过您选择的方式向您发送资讯和优惠。",
        },
    ),
    Asked(
        name="sharing",
        is_separate=True,
        label={"en": "Sharing with partners", "zh": "向合作方提供(单独同意)"},
        text={
            "en": "We may pass your data on to the partners named in our privacy policy.",
            "zh": "我们可以向隐私政策列明的合作方提供您的个人信息。",
        },
    ),
    Asked(
        name="transfer_abroad",
        is_separate=True,
        label={"en": "Transfer abroad", "zh": "向境外提供(单独同意)"},
        text={
            "en": "We may store or process your data in the countries named in our privacy policy.",
            "zh": "我们可以将您的个人信息提供到隐私政策列明的境外国家或地区。",
        },
    ),
)


class ConsentRules(Struct, frozen=True, eq=False):
    """Ready for use. `under_age`: who is younger needs the consent of a guardian."""

    asked: dict[str, Asked]
    questions: dict[str, Question] = {}
    policy: Words = ""
    under_age: int = 14

    @classmethod
    def of(cls, documents: Mapping[str, Any]) -> "ConsentRules":
        """From a site's documents. BadInput("bad_consent") names what is wrong."""
        document = documents.get("consent", {})
        try:
            given = msgspec.convert(document, _Document)
        except msgspec.ValidationError as error:
            raise BadInput("bad_consent", why=str(error)) from None
        asked = {one.name: one for one in _DEFAULT}
        for changed in given.purpose:
            asked[changed["name"]] = _changed(asked.get(changed["name"]), changed)
        rules = cls(asked, {q.name: q for q in given.question}, given.policy, given.under_age)
        why = _fault(rules, given)
        if why is not None:
            raise BadInput("bad_consent", why=why)
        return rules

    def purpose(self, name: str) -> Purpose:
        """Raises BadInput for one nobody defined."""
        found = self.asked.get(name)
        if found is None:
            known = ", ".join(self.asked)
            why = f"is no purpose; known are {known}."
            raise BadInput("bad_argument", name="purpose", value=name[:80], why=why)
        return found.purpose


class _Named(Struct):
    name: str


class _Document(Struct, forbid_unknown_fields=True):
    policy: Words = ""
    under_age: int = 14
    purpose: list[dict[str, Any]] = []
    question: list[Question] = []

    def __post_init__(self) -> None:
        for one in self.purpose:
            msgspec.convert(one, _Named)


def _changed(ours: Asked | None, given: dict[str, Any]) -> Asked:
    """One of ours keeps what the document says nothing of."""
    held: dict[str, Any] = {} if ours is None else msgspec.to_builtins(ours)
    try:
        return msgspec.convert({**held, **given}, Asked)
    except msgspec.ValidationError as error:
        raise BadInput("bad_consent", why=f"purpose {given['name'][:40]!r}: {error}") from None


def _fault(rules: ConsentRules, given: _Document) -> str | None:
    names = [one["name"] for one in given.purpose]
    channels = {c for one in rules.asked.values() for c in one.channels}
    bad = [n for n in (*rules.asked, *rules.questions, *channels) if not _NAME.fullmatch(n)]
    faults = {
        "two have the same name": len(set(names)) < len(names)
        or len(rules.questions) < len(given.question),
        f"name {bad[0][:40]!r}: a-z, 0-9 and _, a letter first" if bad else "": bool(bad),
        "analytics and linking are asked for by the tracker, before it sends: no needs_grant": any(
            rules.asked[name].needs_grant for name in (ANALYTICS, LINKING)
        ),
        "analytics and linking have no channels: each is done or left": any(
            rules.asked[name].channels for name in (ANALYTICS, LINKING)
        ),
        f"{MAX_PURPOSES} purposes and {MAX_QUESTIONS} questions at most": (
            len(rules.asked) > MAX_PURPOSES or len(rules.questions) > MAX_QUESTIONS
        ),
        f"a question has {MAX_CHOICES} choices at most": any(
            len(q.choices) > MAX_CHOICES for q in given.question
        ),
        "under_age is a number of years, 0 to 21": not 0 <= rules.under_age <= 21,
    }
    found = next((why for why, is_so in faults.items() if is_so), None)
    return found or _bad_policy(rules.policy)


def _bad_policy(policy: Words) -> str | None:
    for address in [policy] if isinstance(policy, str) else policy.values():
        try:
            checked_url(address) if address else None
        except BadInput:
            return "policy is the web address of the privacy policy"
    return None


def channel_label(name: str, language: str) -> str:
    return in_language(CHANNELS.get(name, ""), language) or name
