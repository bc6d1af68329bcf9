"""GET /f/{name}: a site's form as a page. POST /f/{name}: what somebody filled in → events.

What is wrong is told before anything is logged, beside the field, with all that was typed still
there. What is logged is not the body but what it says: fields of the form, and of what names a
person nothing that they did not consent to.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from touchline import clock
from touchline.collect import body
from touchline.collect.item import Batch
from touchline.collect.makers import form_page, submission
from touchline.collect.makers.filled import filled, may_know
from touchline.collect.makers.form import HONEYPOT, Form, in_language
from touchline.collect.makers.form_page import Shown
from touchline.collect.makers.submission import Submission
from touchline.collect.protocol import Answer, Defined, Protocol, Route, Verdict, in_json, refusal
from touchline.collect.site import Site
from touchline.collect.url import fields
from touchline.collect.visit import Visit, visit
from touchline.errors import NotFound, TooMany, TouchlineError, Unavailable
from touchline.model import RawRequest

__all__ = ["FORM"]

PREFIX = "/f/"
HTML = b"text/html; charset=utf-8"
FASTEST_MS = 1_500  # nobody fills in a form in less
LONGEST_MS = 86_400_000  # a page left open for longer was opened again for what brought nobody
MAX_QUERY = 4096
_OWN_ID = re.compile(r"[\w-]{8,64}", re.ASCII)
_HOST = re.compile(r"[\w.:\[\]-]{1,255}", re.ASCII)


def _form(path: str, site: Site) -> Form:
    name = path.removeprefix(PREFIX)
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
    form = _form(request.path, site)
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
    form = _form(request.path, site)
    sent = submission.submission(form, request.body)
    wrong = submission.faults(form, sent, _answers(site, "en"), site.region)
    if wrong and HONEYPOT not in sent.own:
        if _wants_json(request, sent):
            language = _language(form, request)
            told = {name: form_page.WORDS[why][language == "zh"] for name, why in wrong.items()}
            return in_json({"success": False, "code": "form_incomplete", "fields": told}, 422)
        return _page(form, request, site, sent, wrong, 422)
    come = visit(request, "", keeps_visitors=site.keeps_visitors)
    logged = msgspec.json.encode(_logged(form, request, sent, come))
    return msgspec.structs.replace(
        request, source=form.stored_as, body=logged, headers={}, query=""
    )


def _wants_json(request: RawRequest, sent: Submission) -> bool:
    accepted = request.headers.get("accept", "")
    return "text/html" not in accepted and (sent.is_json or "json" in accepted)


def _logged(form: Form, request: RawRequest, sent: Submission, come: Visit) -> dict[str, Any]:
    """What a submission says, in the form `read` knows."""
    ticked = {field.name: sent.is_ticked(field) for field in form.consents}
    is_known = may_know(form, ticked)
    values = {
        field.name: sent.values[field.name]
        for field in form.fields
        if field.name in sent.values
        and field.type != "consent"
        and (is_known or not field.names_somebody)
    }
    own_id = sent.own.get("_id", "")
    said = {
        "values": values,
        "consent": ticked,
        "language": _language(form, request),
        "page": sent.own.get("_page") or request.headers.get("referer") or _address(request),
        "referrer": sent.own.get("_referrer"),
        "id": own_id if _OWN_ID.fullmatch(own_id) else None,
        "seen_ms": _seen_ms(sent, request),
        "visitor": come.anonymous_id if come.is_known else None,
        "trap": _trap(sent) or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _seen_ms(sent: Submission, request: RawRequest) -> int | None:
    """When the page was opened, as far as that can be true."""
    text = sent.own.get("_at", "")
    at = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
    now = request.received_us // 1000
    return at if now - LONGEST_MS <= at <= now else None


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


def _read(request: RawRequest, site: Site) -> Batch:
    return Batch(None, filled(_form(request.path, site), body.load(request.body), request))


def _answer(request: RawRequest, verdicts: Sequence[Verdict], site: Site) -> Answer:
    form = _form(request.path, site)
    if _wants_json(request, submission.submission(form, request.body)):
        return in_json({"success": True, "results": list(verdicts)})
    headers = form_page.headers(form, site.own_hosts)
    if form.redirect:
        location = form.redirect.encode("ascii", "ignore")
        return Answer(303, b"", HTML, (*headers, (b"location", location)))
    # A program is thanked as well: it is not told what gave it away.
    return Answer(200, form_page.thanks(form, _language(form, request)), HTML, headers)


def _refuse(error: TouchlineError) -> Answer:
    """A page, since it is mostly people who come here. Where our disk is is not for them."""
    is_ours = isinstance(error, Unavailable) and not isinstance(error, TooMany)
    shown = Unavailable("not_stored") if is_ours else error
    told = refusal(error, form_page.refusal(shown))
    return msgspec.structs.replace(told, content_type=HTML)


FORM = Protocol(
    name="form",
    refuse=_refuse,
    routes=(Route(PREFIX + "{}", methods=("POST", "GET", "HEAD")),),
    defined=Defined(
        source=lambda path, site: _form(path, site).stored_as,
        admit=_admit,
        read=_read,
        answer=_answer,
        show=_show,
    ),
)
