"""A form as somebody sent it → what was filled in, and what is to be said beside which field.

Read are the two ways of a browser (a query, or parts with a boundary) and JSON, told apart by their
first bytes. A form has the fields of its definition: whatever else is sent is not looked at, files
neither. Nothing here raises.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from touchline.collect import body
from touchline.collect.context import plain_text
from touchline.collect.makers.form import HONEYPOT, Choice, Field, Form
from touchline.collect.normalise import identifier
from touchline.collect.url import fields
from touchline.errors import BadInput

__all__ = ["OWN", "Submission", "faults", "submission"]

# Fields of the page itself, beside those of the definition.
OWN = ("_id", "_at", "_page", "_referrer")
MAX_TEXT = 10_000
MAX_PARTS = 500
_NAME = re.compile(rb'[ ;]name="([^"\r\n]{1,200})"', re.IGNORECASE)
_FILE = re.compile(rb"[ ;]filename\*?=", re.IGNORECASE)
_TICKED = frozenset(("1", "on", "true", "yes", "y", "是", "同意"))


class Submission(NamedTuple):
    """`values`: a text of each field that was filled in; `own`: what the page said of itself."""

    values: dict[str, str]
    own: dict[str, str]
    is_json: bool

    def is_ticked(self, field: Field) -> bool:
        return self.values.get(field.name, "").strip().lower() in _TICKED


def submission(form: Form, raw: bytes) -> Submission:
    """What was sent for this form. BadInput("unreadable_body") when that is no form at all."""
    raw = body.inflated(raw)
    if len(raw) > body.MAX_BODY:
        raise BadInput("body_too_large", limit=body.MAX_BODY)
    is_json = raw.lstrip()[:1] in (b"{", b"[")
    sent = _of_json(raw) if is_json else _of_parts(raw) if raw[:2] == b"--" else fields(raw)
    values = {
        field.name: text
        for field in form.fields
        if (text := (sent.get(field.name) or field.value).strip()[: MAX_TEXT + 1])
    }
    own = {name: text for name in (*OWN, HONEYPOT) if (text := sent.get(name, "").strip())}
    return Submission(values, own, is_json)


def _of_json(raw: bytes) -> dict[str, str]:
    found = body.load(raw)
    if not isinstance(found, Mapping):
        raise BadInput("unreadable_body", why="not an object")
    return {str(name): _text(value) for name, value in found.items()}


def _text(value: Any) -> str:
    if type(value) is bool:
        return "true" if value else ""
    return plain_text(value) or ""


def _of_parts(raw: bytes) -> dict[str, str]:
    """multipart/form-data; its boundary is its first line."""
    boundary = raw.partition(b"\r\n")[0]
    found: dict[str, str] = {}
    for part in raw.split(b"\r\n" + boundary)[:MAX_PARTS]:
        head, empty, content = part.removeprefix(boundary).partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if not empty or name is None or _FILE.search(head):
            continue
        text = body.cleaned(content.decode("utf-8", "replace"))
        found.setdefault(name.group(1).decode("utf-8", "replace"), text)
    return found


def faults(form: Form, sent: Submission, answers: Mapping[str, Any], region: str) -> dict[str, str]:
    """Field → what is wrong with it: a key of the words of `form_page`."""
    found: dict[str, str] = {}
    for field in form.fields:
        why = _fault(field, sent, answers, region)
        if why is not None:
            found[field.name] = why
    return found


def _fault(field: Field, sent: Submission, answers: Mapping[str, Any], region: str) -> str | None:
    text = sent.values.get(field.name)
    if field.type == "consent":
        return "agree" if field.is_required and not sent.is_ticked(field) else None
    if text is None:
        return "needed" if field.is_required else None
    if len(text) > MAX_TEXT:
        return "long"
    if field.type in ("phone", "email") and identifier(field.type, text, region) is None:
        return field.type
    known = _known(field, answers)
    return "choose" if known is not None and text not in known else None


def _known(field: Field, answers: Mapping[str, Any]) -> set[str] | None:
    if field.type == "choice":
        return {c.value if isinstance(c, Choice) else c for c in field.choices}
    return set(answers) if field.type == "source" else None
