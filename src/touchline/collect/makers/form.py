"""A form as a site writes it down → one ready for use.

    [[form]]
    name = "demo"                          # GET and POST /f/demo
    title = { en = "Book a demo", zh = "预约演示" }
    [[form.field]]
    name = "mobile"
    type = "phone"
    label = { en = "Mobile", zh = "手机" }
    required = true
    [[form.field]]
    name = "agree"
    type = "consent"
    label = { en = "You may call me about this request.", zh = "同意就此次咨询与我联系" }

What surprises: a form that asks who somebody is must have a `consent` field, and what names a
person is stored only when it is ticked. The page such a form leads to is on a host of the site's.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from touchline.collect.url import host_and_path
from touchline.errors import BadInput
from touchline.model import LABEL_FIELDS

__all__ = ["HONEYPOT", "PERSONAL", "Choice", "Field", "Form", "Words", "forms", "in_language"]

MAX_FORMS = 200
MAX_FIELDS = 100
MAX_CHOICES = 500
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
HONEYPOT = "website_url"  # a field hidden from people: only programs fill it in
# Properties that mean something wherever they stand: what a visitor types must not become them.
RESERVED = frozenset(
    (
        *(HONEYPOT, "form", "touchpoint", "reported_source", *LABEL_FIELDS),
        *("revenue", "total", "value", "currency", "order_id"),
    )
)
# Types whose value names a person.
PERSONAL = ("phone", "email", "member_code")

Words = str | dict[Literal["en", "zh"], str]
Type = Literal[
    "text", "long_text", "phone", "email", "member_code", "choice", "source", "consent", "hidden"
]


class Choice(Struct, frozen=True, forbid_unknown_fields=True):
    value: str
    label: Words = ""


class Field(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`is_personal` (`personal` in the file): a text that names its writer, kept as a trait and
    only with consent. `value`: what a hidden field holds when the address says nothing of it.
    `purpose`, `channels`: what a tick of this consent field allows (see `consent_rules`).
    """

    name: str
    type: Type = "text"
    label: Words = ""
    help: Words = ""
    is_required: bool = msgspec.field(default=False, name="required")
    is_personal: bool = msgspec.field(default=False, name="personal")
    choices: list[Choice | str] = []
    value: str = ""
    purpose: str = ""
    channels: tuple[str, ...] = ()

    @property
    def names_somebody(self) -> bool:
        return self.is_personal or self.type in PERSONAL


class Form(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`source` names what it stores, like a write key's name. `labels`: of the campaign it belongs
    to, for a form that is met outside the web, on a screen of a fair or behind a QR code.
    """

    name: str
    title: Words
    intro: Words = ""
    submit: Words = ""
    thanks: Words = ""
    redirect: str = ""
    language: Literal["", "en", "zh"] = ""
    event: str = "Form Submitted"
    source: str = ""
    labels: dict[str, str] = {}
    fields: list[Field] = msgspec.field(name="field")

    @property
    def stored_as(self) -> str:
        return self.source or self.name

    @property
    def consents(self) -> list[Field]:
        return [field for field in self.fields if field.type == "consent"]


def in_language(words: Words, language: str) -> str:
    """A text in one of the two languages; in the other when there is no such one."""
    if isinstance(words, str):
        return words
    return words.get("zh" if language == "zh" else "en") or next(iter(words.values()), "")


def forms(documents: Any, own_hosts: Iterable[str]) -> dict[str, Form]:
    """The `form` documents by name. BadInput("bad_form") names the one at fault, and why."""
    if not isinstance(documents, list) or len(documents) > MAX_FORMS:
        raise BadInput("bad_form", name="form", why="write each as [[form]], 200 at most")
    found: dict[str, Form] = {}
    hosts = frozenset(own_hosts)
    for number, document in enumerate(documents, 1):
        named = document.get("name") if isinstance(document, Mapping) else None
        name = named[:80] if isinstance(named, str) else f"number {number}"
        try:
            form = msgspec.convert(document, Form)
        except msgspec.ValidationError as error:
            raise BadInput("bad_form", name=name, why=str(error)) from None
        why = _fault(form, hosts) or ("there are two of this name" if form.name in found else None)
        if why is not None:
            raise BadInput("bad_form", name=name, why=why)
        found[form.name] = form
    return found


def _fault(form: Form, own_hosts: frozenset[str]) -> str | None:
    """What is wrong with a form, or None."""
    names = [field.name for field in form.fields]
    unknown = next((name for name in form.labels if name not in LABEL_FIELDS), None)
    asks_who = any(field.names_somebody for field in form.fields)
    faults = {
        "a name is made of a-z, 0-9, - and _, at most 64 of them": not NAME.fullmatch(form.name),
        f"it needs [[form.field]], {MAX_FIELDS} at most": not 0 < len(names) <= MAX_FIELDS,
        "two fields have the same name": len(set(names)) < len(names),
        "event: it needs a name": not form.event.strip(),
        f"labels: {unknown} is none of {', '.join(LABEL_FIELDS)}": unknown is not None,
        "it asks who somebody is, so it needs a field of type consent": asks_who
        and not form.consents,
        "redirect: write an https address on one of own_hosts in [site]": form.redirect != ""
        and not _is_own(form.redirect, own_hosts),
    }
    whys = (why for why, is_so in faults.items() if is_so)
    return next(whys, None) or next(filter(None, map(_fault_of, form.fields)), None)


def _fault_of(field: Field) -> str | None:
    is_choice, is_text = field.type == "choice", field.type in ("text", "long_text", *PERSONAL)
    faults = {
        "a name is a-z, 0-9 and _, a letter first": not FIELD_NAME.fullmatch(field.name),
        "this name has a meaning of its own, take another": field.name in RESERVED,
        f"it needs choices, {MAX_CHOICES} at most": is_choice
        and not 0 < len(field.choices) <= MAX_CHOICES,
        "only a choice has choices": not is_choice and bool(field.choices),
        "nobody can fill in what is hidden": field.type == "hidden" and field.is_required,
        "only a text is personal": field.is_personal and not is_text,
        "only a consent has a purpose": field.purpose != "" and field.type != "consent",
        "channels are those of a purpose": bool(field.channels) and not field.purpose,
    }
    why = next((why for why, is_so in faults.items() if is_so), None)
    return why and f"field {field.name[:40]}: {why}"


def _is_own(address: str, own_hosts: frozenset[str]) -> bool:
    host, _ = host_and_path(address)
    if host is None or not address.startswith(("https://", "http://")) or "\\" in address:
        return False
    bare = {own.removeprefix("www.") for own in own_hosts}
    return any(host == own or host.endswith("." + own) for own in bare)
