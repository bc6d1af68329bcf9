"""What a logged submission says → its items: the form as it was sent, the page as it was opened.

What surprises is the second one, `Form Viewed`. It is the touch: of the campaign in the page's
address, or of the channel that the form names. The submission itself is mostly what a site counts,
and an event that is counted is no touch of itself.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from touchline import clock
from touchline.collect.context import plain_text
from touchline.collect.item import Item, content, made_id
from touchline.collect.makers.form import PERSONAL, Form, in_language
from touchline.collect.url import host_and_path
from touchline.collect.verdict import reason_against
from touchline.errors import BadInput
from touchline.model import LABEL_FIELDS, RawRequest
from touchline.storage.consent import text_hash

__all__ = ["filled", "may_know"]

VIEWED = "Form Viewed"
_PAGE = (("page", "url"), ("referrer", "referrer"))


def filled(form: Form, said: Any, request: RawRequest) -> list[Item]:
    """`said`: the body as it was logged. BadInput("unreadable_body") when it is none."""
    values = said.get("values") if isinstance(said, dict) else None
    if not isinstance(values, dict):
        raise BadInput("unreadable_body", why="no values")
    message_id = made_id(request, 0)
    if said.get("id"):
        told = content({"values": values, "consent": said.get("consent"), "id": said["id"]})
        message_id = blake2b(form.name.encode() + b"\0" + told, digest_size=16).hexdigest()
    visitor = plain_text(said.get("visitor")) or f"form-{said.get('id') or message_id}"
    submitted = _submitted(form, said, values, visitor)
    reason = "form_trap" if said.get("trap") else reason_against(submitted, message_id)
    items = [Item(message_id, "track", reason, submitted, said)]
    if reason is None and _is_first_seen(form, said):
        viewed = _viewed(form, said, visitor, request.received_us)
        seen_id = f"{message_id}-viewed"
        # Before what was filled in: of one moment, the order of arrival says what came first.
        items.insert(0, Item(seen_id, "track", reason_against(viewed, seen_id), viewed, said))
    return items


def may_know(form: Form, ticked: Any) -> bool:
    """The first consent of a form is about who its writer is; others are only written down."""
    first = form.consents[0].name if form.consents else ""
    return isinstance(ticked, dict) and ticked.get(first) is True


def _is_first_seen(form: Form, said: Mapping[str, Any]) -> bool:
    """Whether nobody else tells of the visit: on pages of the site's own the tracker does."""
    is_hosted = host_and_path(plain_text(said.get("page")))[1] == f"/f/{form.name}"
    return is_hosted or said.get("visitor") is None or "channel" in form.labels


def _viewed(form: Form, said: Mapping[str, Any], visitor: str, received_us: int) -> dict[str, Any]:
    """The item of the page's opening, with what it is a touch of.

    It has a time only where the page told one: ours would be another for each time it is sent.
    """
    seen_ms = said.get("seen_ms")
    seen: dict[str, Any] = {}
    if type(seen_ms) is int and 0 < seen_ms * 1000 <= received_us:
        seen["timestamp"] = clock.iso(seen_ms * 1000)
    labels = _labels(form)
    properties: dict[str, Any] = {"form": form.name}
    context = _context(form, said)
    if "channel" in labels:
        properties |= labels
    elif labels:
        context["campaign"] = labels
    return {
        "type": "track",
        "event": VIEWED,
        "anonymousId": visitor,
        "channel": "web",
        **seen,
        "properties": properties,
        "context": context,
    }


def _labels(form: Form) -> dict[str, str]:
    return {name: form.labels[name] for name in LABEL_FIELDS if name in form.labels}


def _context(form: Form, said: Mapping[str, Any]) -> dict[str, Any]:
    ticked = said.get("consent")
    consent = {"mode": "full" if may_know(form, ticked) else "cookieless", "form": form.name}
    consent |= _agreed(form, ticked, "zh" if said.get("language") == "zh" else "en")
    return {
        "page": {name: said[key] for key, name in _PAGE if plain_text(said.get(key))},
        "consent": consent | ({"fields": ticked} if isinstance(ticked, dict) and ticked else {}),
    }


def _agreed(form: Form, ticked: Any, language: str) -> dict[str, Any]:
    """What was ticked that names a purpose, with the words beside it. No tick says nothing."""
    purposes: dict[str, Any] = {}
    for field in form.consents:
        if not (field.purpose and isinstance(ticked, dict) and ticked.get(field.name) is True):
            continue
        about = {
            "granted": True,
            # One that the form insists on is no answer to a question of its own.
            "basis": "consent" if field.is_required else "separate_consent",
            "text": text_hash(in_language(field.label, language), language),
            "locale": language,
        }
        names = (f"{field.purpose}.{channel}" for channel in field.channels)
        purposes |= dict.fromkeys(names if field.channels else [field.purpose], about)
    return {"purposes": purposes} if purposes else {}


def _submitted(
    form: Form, said: Mapping[str, Any], values: Mapping[str, Any], visitor: str
) -> dict[str, Any]:
    is_known = may_know(form, said.get("consent"))
    properties: dict[str, Any] = {"form": form.name}
    traits: dict[str, Any] = {}
    for field in form.fields:
        text = plain_text(values.get(field.name))
        if text is None or field.type == "consent" or (field.names_somebody and not is_known):
            continue
        if field.names_somebody:
            traits[field.type if field.type in PERSONAL else field.name] = text
        else:
            properties["reported_source" if field.type == "source" else field.name] = text
    labels = {name: text for name, text in _labels(form).items() if name != "channel"}
    context = _context(form, said)
    context |= {"traits": traits} if traits else {}
    context |= {"campaign": labels} if labels else {}
    return {
        "type": "track",
        "event": form.event,
        "anonymousId": visitor,
        "channel": "web",
        "properties": properties,
        "context": context,
    }
