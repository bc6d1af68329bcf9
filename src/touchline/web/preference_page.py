"""What somebody's link shows → their page of preferences, and the short one to unsubscribe.

No script, nothing loaded, one form. It carries along what it showed, so that only what was changed
is taken for an answer: who saves the page unread has agreed to nothing.
"""

import base64
import hashlib
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from touchline.collect.makers.form_page import STYLE, refusal
from touchline.text import Html, document, joined, tag

__all__ = ["HEADERS", "leaving", "left", "preferences", "refusal"]

_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    # The address is the permit: it is told to no page that a link leads to.
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
    "vary": "Accept-Language",
}
# Key → (English, Chinese).
WORDS = {
    "title": ("Your preferences", "隐私与订阅设置"),
    "about": ("For {who}", "适用于:{who}"),
    "intro": (
        "Choose what we may do. You can change it here at any time. What you refuse ends at once.",
        "请选择我们可以做什么。您可以随时在此更改;撤回同意后立即生效。",
    ),
    "policy": ("Privacy policy", "隐私政策"),
    "allow": ("Allow", "同意"),
    "tell": ("About you", "关于您"),
    "voluntary": (
        "Voluntary. It helps us to show you what fits.",
        "自愿填写,便于为您推荐合适的内容。",
    ),
    "pick": ("No answer", "不填写"),
    "child": (
        "This profile is a child's. I am a parent or guardian, and I agree for the child.",
        "该档案属于未成年儿童。我是其父母或其他监护人,代其表示同意。",
    ),
    "save": ("Save", "保存"),
    "refuse": ("Refuse everything", "全部拒绝"),
    "saved": ("Saved.", "已保存。"),
    "leave": ("Unsubscribe", "退订"),
    "leaving": (
        "Do you want no more news and offers from us?",
        "确定不再接收我们的资讯和优惠吗?",
    ),
    "leaving_by": (
        "Do you want no more news and offers by this way: {channel}?",
        "确定不再通过以下方式接收我们的资讯和优惠吗:{channel}?",
    ),
    "left": ("You are unsubscribed. It holds from now on.", "已退订,立即生效。"),
    "other": ("中文", "English"),
}


def preferences(shown: Mapping[str, Any], token: str, language: str, *, is_saved: bool) -> bytes:
    """The page of everything that somebody may choose."""

    def word(key: str) -> str:
        return _word(key, language)

    rows: list[dict[str, Any]] = shown["purposes"]
    keys = ",".join(row["key"] for row in rows)
    on = ",".join(row["key"] for row in rows if row["is_on"])
    inside = [
        tag("input", {"type": "hidden", "name": "_keys", "value": keys}),
        tag("input", {"type": "hidden", "name": "_on", "value": on}),
        *(_purpose(list(own), language) for _, own in groupby(rows, lambda row: row["purpose"])),
        *(_questions(shown["questions"], language) if shown["questions"] else ()),
        *((_tick("_guardian", word("child"), is_on=False),) if shown["is_child"] else ()),
        tag("button", {"type": "submit"}, word("save")),
        tag(
            "button",
            {"type": "submit", "name": "_refuse", "value": "all", "class": "plain"},
            word("refuse"),
        ),
    ]
    path = f"/preferences/{token}?lang={language}"
    policy = shown["policy"]
    return _document(
        word("title"),
        language,
        *_about(shown, language),
        *((tag("p", {"class": "done", "role": "status"}, word("saved")),) if is_saved else ()),
        tag("p", None, word("intro")),
        *((tag("p", None, tag("a", {"href": policy}, word("policy"))),) if policy else ()),
        tag("form", {"method": "post", "action": path}, *inside),
    )


def leaving(shown: Mapping[str, Any], token: str, language: str) -> bytes:
    """Asks once: a program that only looks at a link unsubscribes nobody."""
    by = shown["channel"]
    question = _word("leaving_by" if by else "leaving", language).format(channel=by)
    title, place = _word("leave", language), f"/unsubscribe/{token}?lang={language}"
    form = {"method": "post", "action": place}
    button = tag("button", {"type": "submit"}, title)
    asked = joined(tag("p", None, question), tag("form", form, button))
    return _document(title, language, *_about(shown, language), asked)


def left(language: str) -> bytes:
    """It is done."""
    said = tag("p", {"class": "done", "role": "status"}, _word("left", language))
    return _document(_word("leave", language), language, said)


def _document(title: str, language: str, *inside: Html) -> bytes:
    code, other = ("zh-CN", "en") if language == "zh" else ("en", "zh")
    name = {"hreflang": other, "lang": other, "href": f"?lang={other}"}
    switch = tag("p", None, tag("a", name, _word("other", language)))
    return document(code, title, STYLE, tag("main", None, tag("h1", None, title), *inside, switch))


def _word(key: str, language: str) -> str:
    return WORDS[key][language == "zh"]


def _about(shown: Mapping[str, Any], language: str) -> list[Html]:
    who = shown["who"]
    return [tag("p", None, _word("about", language).format(who=who))] if who else []


def _purpose(rows: list[dict[str, Any]], language: str) -> Html:
    first = rows[0]
    ticks = (
        _tick(row["key"], row["channel"] or _word("allow", language), is_on=row["is_on"])
        for row in rows
    )
    about = tag("p", None, first["text"]) if first["text"] else Html()
    return tag("fieldset", None, tag("legend", None, first["label"]), about, *ticks)


def _tick(name: str, label: str, *, is_on: bool) -> Html:
    box = {"type": "checkbox", "name": name, "value": "yes", "checked": is_on}
    return tag("label", {"class": "tick"}, tag("input", box), label)


def _questions(questions: list[dict[str, Any]], language: str) -> list[Html]:
    asked = [
        joined(tag("label", {"for": q["name"]}, q["label"]), _input(q, language)) for q in questions
    ]
    note = tag("p", None, _word("voluntary", language))
    return [tag("fieldset", None, tag("legend", None, _word("tell", language)), note, *asked)]


def _input(question: Mapping[str, Any], language: str) -> Html:
    name, value = question["name"], question["value"]
    about = {"id": name, "name": f"q.{name}"}
    if not question["options"]:
        return tag("input", {**about, "type": "text", "maxlength": "500", "value": value})
    options = [("", _word("pick", language)), *question["options"]]
    listed = (tag("option", {"value": v, "selected": v == value}, text) for v, text in options)
    return tag("select", about, *listed)
