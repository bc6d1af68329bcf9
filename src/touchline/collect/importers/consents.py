"""Columns of a customer list that say who may be met how → answers, taken out of the traits.

    consent_email, sms_opt_in, 是否同意短信营销   marketing by that channel
    consent, 是否同意营销                         marketing by all channels
    consent_sharing, consent_analytics …          another purpose
    consent_at, 同意时间                          when it was said

What surprises is a yes without a time: nobody knows whether it is older than a no, so it counts as
the oldest word there is, and any no that is known stands.
"""

from typing import Any

from touchline.collect.consent import consent_word
from touchline.collect.importers.cells import BadRow, Import
from touchline.collect.importers.fields import plain
from touchline.model import Said

__all__ = ["consents_in"]

_CHANNELS = {
    "email": "email",
    "邮件": "email",
    "邮箱": "email",
    "sms": "sms",
    "短信": "sms",
    "wechat": "wechat",
    "微信": "wechat",
    "phone": "phone",
    "call": "phone",
    "电话": "phone",
    "ads": "ads",
    "广告": "ads",
}
_PURPOSES = ("analytics", "linking", "marketing", "sharing", "transfer_abroad")
_YES = ("1", "y", "是", "同意", "已同意", "允许", "订阅", "已订阅", "subscribed")
_NO = ("0", "n", "否", "不同意", "未同意", "拒绝", "不允许", "退订", "已退订", "unsubscribed")
_WORDS: dict[str, bool] = {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}
_AT = frozenset(("consentat", "consentdate", "consentedat", "optinat", "同意时间", "授权时间"))


def _targets() -> dict[str, tuple[str, str]]:
    """Plain column name → (purpose, channel)."""
    all_ways = ("consent", "optin", "同意营销", "是否同意营销")
    found: dict[str, tuple[str, str]] = dict.fromkeys(all_ways, ("marketing", ""))
    found |= {plain(f"consent_{name}"): (name, "") for name in _PURPOSES}
    for word, channel in _CHANNELS.items():
        spelt = (
            *(f"consent{word}", f"{word}consent", f"{word}optin", f"{word}marketing"),
            *(f"是否同意{word}营销", f"同意{word}营销", f"{word}订阅", f"是否订阅{word}"),
        )
        found |= dict.fromkeys(spelt, ("marketing", channel))
    return found


_TARGETS = _targets()


def consents_in(rest: dict[str, Any], about: Import) -> tuple[dict[str, Any], tuple[Said, ...]]:
    """The columns that are left, and what the others say. BadRow("bad_consent") for a cell that is
    neither yes nor no; an empty one says nothing.
    """
    named = {name: plain(name) for name in rest}
    answers = {name: _TARGETS[short] for name, short in named.items() if short in _TARGETS}
    if not answers:
        return rest, ()
    times = [name for name, short in named.items() if short in _AT]
    at_us = next((about.moment(rest[name]) for name in times if rest[name] is not None), None)
    left = {name: value for name, value in rest.items() if name not in {*answers, *times}}
    words = {name: _word(rest[name]) for name in answers}
    return left, tuple(
        Said(
            purpose=answers[name][0],
            channel=answers[name][1],
            is_granted=word,
            at_us=_when(word, at_us, about),
        )
        for name, word in words.items()
        if word is not None
    )


def _when(word: bool, at_us: int | None, about: Import) -> int:
    if at_us is not None:
        return at_us
    return 0 if word else about.received_us


def _word(value: Any) -> bool | None:
    if value is None or value == "":
        return None
    word = consent_word(value)
    if word is None:
        word = _WORDS.get(str(value).strip().lower())
    if word is None:
        raise BadRow("bad_consent")
    return word
