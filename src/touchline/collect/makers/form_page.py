"""A form → the page people fill in, without a script; and the page behind it.

The same page comes back when something is wrong, with all that was typed and a word beside each
field. What brought the visitor stands in the page's own address, which it carries along.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import NamedTuple
from urllib.parse import urlsplit

from touchline.collect.makers.form import HONEYPOT, Choice, Field, Form, in_language
from touchline.errors import TouchlineError
from touchline.text import Html, document, joined, tag

__all__ = ["Shown", "headers", "page", "refusal", "thanks"]

# Key → (English, Chinese).
WORDS = {
    "needed": ("Please fill this in.", "请填写此项。"),
    "phone": (
        "We cannot read this number. Please check it; for one abroad begin with + and the country.",
        "号码好像不对,请再核对一下;境外号码请以 + 和国家代码开头。",
    ),
    "email": (
        "This does not look like an e-mail address. Please check it, for example name@company.com.",
        "邮箱地址好像不对,请再核对一下,例如 name@company.com。",
    ),
    "choose": ("Please choose one of these.", "请从选项中选择一项。"),
    "agree": ("We need your consent to go on.", "需要您同意后才能继续。"),
    "long": ("This is too long. Please shorten it.", "内容太长了,请精简一些。"),
    "again": ("Almost there: please look at the marked fields.", "还差一点:请检查下面标出的项目。"),
    "submit": ("Send", "提交"),
    "thanks": ("Thank you. We have received it.", "已收到,谢谢您!"),
    "pick": ("Please choose", "请选择"),
    "source": ("How did you hear of us?", "您是从哪里知道我们的?"),
    "optional": ("optional", "选填"),
    "later": ("One moment, please", "请稍候"),
    "empty": ("Leave this empty", "请勿填写"),
}
STYLE = Html(resources.files("touchline.collect").joinpath("data/form.css").read_text("utf-8"))
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_HOST = re.compile(r"[a-z0-9.-]+", re.ASCII)
_AUTOFILL = {"phone": ("tel", "tel"), "email": ("email", "email")}


class Shown(NamedTuple):
    """A page of a form: in which language, with what typed, what wrong, and what it carries on.

    `answers`: to the question where somebody heard of us, by what is stored of them.
    """

    language: str
    values: Mapping[str, str]
    faults: Mapping[str, str]
    own: Mapping[str, str]
    answers: Mapping[str, str]


def headers(form: Form, own_hosts: Iterable[str]) -> tuple[tuple[bytes, bytes], ...]:
    """Nothing is loaded and nothing runs; pages of the site's own may frame the form."""
    hosts = sorted(host for host in own_hosts if _HOST.fullmatch(host))
    frames = " ".join(["'self'", *(f"https://{host} https://*.{host}" for host in hosts)])
    leads_to = urlsplit(form.redirect)
    # A browser holds also the page behind a form against what the form may be sent to.
    sent_to = f"'self' {leads_to.scheme}://{leads_to.netloc}" if form.redirect else "'self'"
    policy = (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action {sent_to}; base-uri 'none';"
        f" frame-ancestors {frames}"
    )
    return (
        (b"cache-control", b"no-store"),
        (b"content-security-policy", policy.encode("ascii", "ignore")),
        (b"x-content-type-options", b"nosniff"),
        (b"vary", b"Accept-Language"),
    )


def page(form: Form, shown: Shown) -> bytes:
    """The form to be filled in."""
    title = in_language(form.title, shown.language)
    intro = in_language(form.intro, shown.language)
    inside = [_carried(form, shown), *(_field(field, shown) for field in form.fields)]
    submit = in_language(form.submit, shown.language) or _word("submit", shown)
    return document(
        _tag_of(shown.language),
        title,
        STYLE,
        tag(
            "main",
            None,
            tag("h1", None, title),
            *((tag("p", None, intro),) if intro else ()),
            *(
                (tag("p", {"class": "wrong", "role": "alert"}, _word("again", shown)),)
                if shown.faults
                else ()
            ),
            tag(
                "form",
                {"method": "post", "action": f"/f/{form.name}", "novalidate": True},
                *inside,
                tag("button", {"type": "submit"}, submit),
            ),
        ),
    )


def thanks(form: Form, language: str) -> bytes:
    """What is shown when it was received."""
    shown = Shown(language, {}, {}, {}, {})
    said = in_language(form.thanks, language) or _word("thanks", shown)
    title = in_language(form.title, language)
    inside = tag("main", None, tag("h1", None, title), tag("p", {"role": "status"}, said))
    return document(_tag_of(language), title, STYLE, inside)


def refusal(error: TouchlineError) -> bytes:
    """What is shown when nothing could be taken: nobody knows in which language, so in both."""
    texts = [
        tag("p", {"lang": tag_}, error.text(of)) for of, tag_ in (("zh", "zh-CN"), ("en", "en"))
    ]
    return document("zh-CN", WORDS["later"][1], STYLE, tag("main", None, *texts))


def _tag_of(language: str) -> str:
    return "zh-CN" if language == "zh" else "en"


def _word(key: str, shown: Shown) -> str:
    return WORDS[key][shown.language == "zh"]


def _carried(form: Form, shown: Shown) -> Html:
    """Hidden fields, and the one that only programs fill in."""
    hidden = {**shown.own}
    for field in form.fields:
        if field.type == "hidden":
            hidden[field.name] = shown.values.get(field.name, field.value)
    trap = tag(
        "div",
        {"class": "away", "aria-hidden": "true"},
        tag("label", {"for": HONEYPOT}, _word("empty", shown)),
        tag("input", {"id": HONEYPOT, "name": HONEYPOT, "tabindex": "-1", "autocomplete": "off"}),
    )
    pairs = ({"type": "hidden", "name": name, "value": value} for name, value in hidden.items())
    return joined(*(tag("input", pair) for pair in pairs), trap)


def _field(field: Field, shown: Shown) -> Html:
    if field.type == "hidden":
        return Html()
    label = in_language(field.label, shown.language)
    if not label:
        label = _word("source", shown) if field.type == "source" else field.name
    why = shown.faults.get(field.name)
    about = {"id": field.name, "name": field.name, "required": field.is_required}
    about |= {"aria-invalid": "true", "aria-describedby": f"{field.name}-why"} if why else {}
    hint = in_language(field.help, shown.language)
    notes = [tag("small", None, hint)] if hint else []
    if why:
        notes.append(tag("p", {"class": "wrong", "id": f"{field.name}-why"}, _word(why, shown)))
    if field.type == "consent":
        box = tag(
            "input",
            {**about, "type": "checkbox", "value": "yes", "checked": field.name in shown.values},
        )
        return joined(tag("label", {"class": "tick"}, box, label), *notes)
    asked = (
        [label] if field.is_required else [label, " ", tag("small", None, _word("optional", shown))]
    )
    return joined(tag("label", {"for": field.name}, *asked), _input(field, about, shown), *notes)


def _input(field: Field, about: Mapping[str, str | bool | None], shown: Shown) -> Html:
    typed = shown.values.get(field.name, "")
    if field.type == "long_text":
        # The first line break behind the tag is none of the text.
        return tag("textarea", {**about, "rows": "4"}, "\n" + typed)
    if field.type in ("choice", "source"):
        return tag("select", about, *_options(_choices(field, shown), typed, shown))
    kind, filled = _AUTOFILL.get(field.type, ("text", None))
    return tag("input", {**about, "type": kind, "autocomplete": filled, "value": typed})


def _choices(field: Field, shown: Shown) -> Sequence[tuple[str, str]]:
    if field.type == "source":
        return list(shown.answers.items())
    listed = (c if isinstance(c, Choice) else Choice(c) for c in field.choices)
    return [(c.value, in_language(c.label, shown.language) or c.value) for c in listed]


def _options(choices: Sequence[tuple[str, str]], typed: str, shown: Shown) -> list[Html]:
    none = tag("option", {"value": ""}, _word("pick", shown))
    return [
        none,
        *(tag("option", {"value": v, "selected": v == typed}, text) for v, text in choices),
    ]
