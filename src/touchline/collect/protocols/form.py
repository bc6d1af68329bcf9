"""GET /f/{name}: a site's form as a page. POST /f/{name}: what somebody filled in → one event.

What is wrong is told before anything is logged, beside the field, with all that was typed still
there. What is logged is not the body but what it says: fields of the form, and of what names a
person nothing that they did not consent to.

The event takes part in sessions by the address of the page it was filled in on, so a campaign that
led there is what is credited with it, unless the form names a channel of its own.
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from touchline import clock
from touchline.collect import body
from touchline.collect.context import plain_text
from touchline.collect.item import Batch, Item, content, made_id
from touchline.collect.makers import form_page, submission
from touchline.collect.makers.form import PERSONAL, Form, in_language
from touchline.collect.makers.form_page import Shown
from touchline.collect.makers.submission import HONEYPOT, Submission
from touchline.collect.protocol import Answer, Defined, Protocol, Route, Verdict, in_json
from touchline.collect.site import Site
from touchline.collect.url import fields
from touchline.collect.verdict import reason_against
from touchline.errors import BadInput, NotFound
from touchline.model import LABEL_FIELDS, RawRequest

__all__ = ["FORM"]

PREFIX = "/f/"
HTML = b"text/html; charset=utf-8"
FASTEST_MS = 1_500  # nobody fills in a form in less
MAX_QUERY = 4096
_COOKIE = re.compile(r"(?:^|;\s*)tl_id=([\w.:-]{8,128})(?:;|$)", re.ASCII)
_OWN_ID = re.compile(r"[\w-]{8,64}", re.ASCII)
_HOST = re.compile(r"[\w.:\[\]-]{1,255}", re.ASCII)


def _form(request: RawRequest, site: Site) -> Form:
    name = request.path.removeprefix(PREFIX)
    found = site.makers.forms.get(name)
    if found is None:
        raise NotFound("no_such_form", name=name[:80])
    return found


def _language(form: Form, request: RawRequest) -> str:
    accepted = request.headers.get("accept-language", "").lower()
    return form.language or ("zh" if accepted.startswith("zh") else "en")


def _answers(site: Site, language: str) -> dict[str, str]:
    return {of.answer: in_language(of.label, language) or of.answer for of in site.makers.answers}


# GET


def _show(request: RawRequest, site: Site) -> Answer:
    form = _form(request, site)
    asked = fields(request.query.encode("latin-1", "replace"))
    values = {
        field.name: asked[field.name]
        for field in form.fields
        if field.type == "hidden" and asked.get(field.name)
    }
    own = {
        "_id": request.request_id.hex(),
        "_at": str(clock.now_us() // 1000),
        "_page": _address(request),
        "_referrer": request.headers.get("referer", ""),
    }
    return _page(form, request, site, Submission(values, own, is_json=False), {}, 200)


def _page(
    form: Form,
    request: RawRequest,
    site: Site,
    sent: Submission,
    faults: Mapping[str, str],
    status: int,
) -> Answer:
    language = _language(form, request)
    own = {name: value for name, value in sent.own.items() if name != HONEYPOT and value}
    shown = Shown(language, sent.values, faults, own, _answers(site, language))
    headers = form_page.headers(form, site.own_hosts)
    return Answer(status, form_page.page(form, shown), HTML, headers)


def _address(request: RawRequest) -> str:
    """The page's own address, as its visitor sees it."""
    headers = request.headers
    host = headers.get("x-forwarded-host") or headers.get("host", "")
    scheme = "https" if headers.get("x-forwarded-proto", "").startswith("https") else "http"
    query = f"?{request.query}" if request.query else ""
    place = f"{request.path}{query}"[: 2 * MAX_QUERY]
    return f"{scheme}://{host}{place}" if _HOST.fullmatch(host) else place


# POST


def _admit(request: RawRequest, site: Site) -> RawRequest | Answer:
    form = _form(request, site)
    sent = submission.submission(form, request.body)
    wrong = submission.faults(form, sent, _answers(site, "en"), site.region)
    if wrong and HONEYPOT not in sent.own:
        if _wants_json(request, sent):
            language = _language(form, request)
            told = {name: form_page.WORDS[why][language == "zh"] for name, why in wrong.items()}
            return in_json({"success": False, "code": "form_incomplete", "fields": told}, 422)
        return _page(form, request, site, sent, wrong, 422)
    logged = msgspec.json.encode(_logged(form, request, sent))
    return msgspec.structs.replace(
        request, source=form.stored_as, body=logged, headers={}, query=""
    )


def _wants_json(request: RawRequest, sent: Submission) -> bool:
    accepted = request.headers.get("accept", "")
    return "text/html" not in accepted and (sent.is_json or "json" in accepted)


def _logged(form: Form, request: RawRequest, sent: Submission) -> dict[str, Any]:
    """What a submission says, in the form `read` knows."""
    ticked = {field.name: sent.is_ticked(field) for field in form.consents}
    may_know = _may_know(form, ticked)
    values = {
        field.name: sent.values[field.name]
        for field in form.fields
        if field.name in sent.values
        and field.type != "consent"
        and (may_know or not field.names_somebody)
    }
    own_id = sent.own.get("_id", "")
    cookies = request.headers.get("cookie", "")
    known = None if "tl_consent=off" in cookies else _COOKIE.search(cookies)
    said = {
        "values": values,
        "consent": ticked,
        "page": sent.own.get("_page") or request.headers.get("referer") or _address(request),
        "referrer": sent.own.get("_referrer"),
        "id": own_id if _OWN_ID.fullmatch(own_id) else None,
        "visitor": known.group(1) if known else None,
        "trap": _trap(sent) or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _may_know(form: Form, ticked: Any) -> bool:
    """The first consent of a form is about who its writer is; others are only written down."""
    first = form.consents[0].name if form.consents else ""
    return isinstance(ticked, dict) and ticked.get(first) is True


def _trap(sent: Submission) -> str:
    """What tells that no person filled this in; empty when nothing does."""
    if HONEYPOT in sent.own:
        return HONEYPOT
    shown_at = sent.own.get("_at")
    if shown_at is None:
        return ""
    is_time = shown_at.isascii() and shown_at.isdigit() and len(shown_at) < 16
    took_ms = clock.now_us() // 1000 - int(shown_at) if is_time else 0
    return "" if took_ms >= FASTEST_MS else "too_fast"


# Log → event


def _read(request: RawRequest, site: Site) -> Batch:
    form = _form(request, site)
    said = body.load(request.body)
    values = said.get("values") if isinstance(said, dict) else None
    if not isinstance(values, dict):
        raise BadInput("unreadable_body", why="no values")
    named = content({"values": values, "consent": said.get("consent"), "id": said.get("id")})
    message_id = made_id(request, 0)
    if said.get("id"):
        message_id = blake2b(form.name.encode() + b"\0" + named, digest_size=16).hexdigest()
    data = _data(form, said, values, message_id)
    reason = "form_trap" if said.get("trap") else reason_against(data, message_id)
    return Batch(None, [Item(message_id, "track", reason, data, said)])


def _data(
    form: Form, said: Mapping[str, Any], values: Mapping[str, Any], message_id: str
) -> dict[str, Any]:
    consent = said.get("consent")
    may_know = _may_know(form, consent)
    properties: dict[str, Any] = {"form": form.name}
    traits: dict[str, Any] = {}
    for field in form.fields:
        text = plain_text(values.get(field.name))
        if text is None or field.type == "consent" or (field.names_somebody and not may_know):
            continue
        if field.names_somebody:
            traits[field.type if field.type in PERSONAL else field.name] = text
        else:
            properties["reported_source" if field.type == "source" else field.name] = text
    labels = {name: form.labels[name] for name in LABEL_FIELDS if name in form.labels}
    context: dict[str, Any] = {
        "page": {name: said[key] for key, name in _PAGE if plain_text(said.get(key))},
        "consent": {
            "mode": "full" if may_know else "cookieless",
            "form": form.name,
            **_of(consent),
        },
    }
    context |= {"traits": traits} if traits else {}
    if "channel" in labels:
        properties |= labels
    elif labels:
        context["campaign"] = labels
    return {
        "type": "track",
        "event": form.event,
        "anonymousId": plain_text(said.get("visitor")) or f"form-{said.get('id') or message_id}",
        "channel": "web",
        "properties": properties,
        "context": context,
    }


_PAGE = (("page", "url"), ("referrer", "referrer"))


def _of(consent: Any) -> dict[str, Any]:
    return {"fields": consent} if isinstance(consent, dict) and consent else {}


def _answer(request: RawRequest, verdicts: Sequence[Verdict], site: Site) -> Answer:
    form = _form(request, site)
    if _wants_json(request, submission.submission(form, request.body)):
        return in_json({"success": True, "results": list(verdicts)})
    headers = form_page.headers(form, site.own_hosts)
    if form.redirect:
        location = form.redirect.encode("ascii", "ignore")
        return Answer(303, b"", HTML, (*headers, (b"location", location)))
    # A program is thanked as well: it is not told what gave it away.
    return Answer(200, form_page.thanks(form, _language(form, request)), HTML, headers)


FORM = Protocol(
    name="form",
    routes=(Route(PREFIX + "{}", methods=("POST", "GET", "HEAD")),),
    defined=Defined(admit=_admit, read=_read, answer=_answer, show=_show),
)
