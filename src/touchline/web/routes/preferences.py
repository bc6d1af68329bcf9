"""The pages behind signed links, where people agree and refuse; and the API beside them.

    /preferences/{token}    what one may choose, and its form
    /unsubscribe/{token}    asks once, then ends it; one POST of a mail program does (RFC 8058)

Looking at a link changes nothing: programs that scan mails look at every one.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from touchline import clock
from touchline.collect.preference_link import PREFERENCES, UNSUBSCRIBE
from touchline.collect.protocol import status_of
from touchline.collect.url import fields
from touchline.errors import BadInput, NotFound, TouchlineError, Unavailable
from touchline.web import preference_page
from touchline.web.problem import language_of
from touchline.web.served import ANSWER_S, Admin, Served, served, told

router = APIRouter()
MAX_FORM = 64 << 10
MAX_KEYS = 500
HTML = "text/html; charset=utf-8"
Page = dict[str, Any]


@router.get("/preferences/{token}", include_in_schema=False)
async def preferences(request: Request, token: str) -> Response:
    language = _language(request)
    try:
        shown = await _shown(request, PREFERENCES, token, language)
    except TouchlineError as error:
        return _refused(error)
    is_saved = request.query_params.get("saved") == "1"
    return _page(preference_page.preferences(shown, token, language, is_saved=is_saved))


@router.post("/preferences/{token}", include_in_schema=False)
async def prefer(request: Request, token: str) -> Response:
    language = _language(request)
    try:
        _check(served(request), PREFERENCES, token)
        sent = await _form(request)
        given = {**_answers(sent), "token": token, "language": language}
        await _asked(request, "prefer", given)
    except TouchlineError as error:
        return _refused(error)
    place = f"/preferences/{token}?lang={language}&saved=1"
    return Response(None, 303, {**preference_page.HEADERS, "location": place})


@router.get("/unsubscribe/{token}", include_in_schema=False)
async def leaving(request: Request, token: str) -> Response:
    language = _language(request)
    try:
        shown = await _shown(request, UNSUBSCRIBE, token, language)
    except TouchlineError as error:
        return _refused(error)
    return _page(preference_page.leaving(shown, token, language))


@router.post("/unsubscribe/{token}", include_in_schema=False)
async def leave(request: Request, token: str) -> Response:
    """Whatever the body says: the token says it all."""
    try:
        _check(served(request), UNSUBSCRIBE, token)
        await _asked(request, "unsubscribe", {"token": token})
    except TouchlineError as error:
        return _refused(error)
    return _page(preference_page.left(_language(request)))


class Recorded(BaseModel):
    model_config = ConfigDict(extra="forbid")

    purpose: str
    granted: bool
    channel: str = Field("", description="default: all of the purpose's")
    basis: str = Field("consent", description="consent, separate_consent, guardian_consent …")
    text: str | None = Field(None, max_length=20_000, description="the words that were read")
    locale: Literal["en", "zh"] | None = None
    at: str | None = Field(None, description="when it was said: a moment; default now")
    reason: str | None = Field(None, max_length=100)


class Linked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    channel: str | None = Field(None, description="what unsubscribing is from; default marketing")
    days: int | None = Field(None, description="how long the links are good; default 400")
    host: str | None = Field(None, description="where people reach this server")


@router.get("/api/v1/consent/register", summary="Who gets which field, on what ground")
async def register(
    request: Request, here: Admin, language: Annotated[Literal["en", "zh"] | None, Query()] = None
) -> Response:
    return await told(here, "register", {"language": language or language_of(request)})


@router.get("/api/v1/people/{person:path}/consent", summary="What a person agreed to and refused")
async def consent(
    request: Request,
    here: Admin,
    person: str,
    language: Annotated[Literal["en", "zh"] | None, Query()] = None,
) -> Response:
    args = {"person": person, "language": language or language_of(request)}
    return await told(here, "consent", args)


@router.post("/api/v1/people/{person:path}/consent", summary="Record an answer a person gave")
async def record(here: Admin, person: str, wanted: Recorded) -> Response:
    given = wanted.model_dump(exclude_none=True)
    return await told(here, "record_consent", {"person": person, "wanted": given, "author": "api"})


@router.post("/api/v1/people/{person:path}/preferences-link", summary="Make links to preferences")
async def link(here: Admin, person: str, wanted: Linked) -> Response:
    args = {**wanted.model_dump(exclude_none=True), "person": person}
    return await told(here, "preferences_link", args)


def _language(request: Request) -> str:
    chosen = request.query_params.get("lang")
    return chosen if chosen in ("en", "zh") else language_of(request)


def _check(here: Served, use: str, token: str) -> None:
    """A made-up link costs no more than a hash."""
    if here.signer is not None and here.signer.read(use, token, clock.now_us() // clock.US) is None:
        raise NotFound("link_over")


async def _shown(request: Request, use: str, token: str, language: str) -> Page:
    _check(served(request), use, token)
    return await _asked(request, "preferences", {"use": use, "token": token, "language": language})


async def _asked(request: Request, name: str, args: dict[str, Any]) -> Page:
    found = await served(request).worker.whole(name, args, timeout_s=ANSWER_S)
    return msgspec.json.decode(found)


async def _form(request: Request) -> dict[str, str]:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_FORM:
            raise BadInput("body_too_large", limit=MAX_FORM)
        parts.append(part)
    return fields(b"".join(parts))


def _answers(sent: dict[str, str]) -> dict[str, Any]:
    """What differs from what was shown; a purpose of which nothing is left, whole."""
    keys = sent.get("_keys", "").split(",")[:MAX_KEYS]
    on = frozenset(sent.get("_on", "").split(","))
    wants_none = "_refuse" in sent
    chosen = {key: not wants_none and key in sent for key in keys if key}
    ended = _purposes(on) - _purposes(key for key, yes in chosen.items() if yes)
    return {
        "changes": {
            key: yes
            for key, yes in chosen.items()
            if wants_none or yes != (key in on) or _purposes([key]) <= ended
        },
        "guardian": "_guardian" in sent,
        "told": {k[2:]: text.strip() for k, text in sent.items() if k.startswith("q.")},
    }


def _purposes(keys: Iterable[str]) -> set[str]:
    return {key.partition(".")[0] for key in keys}


def _page(html: bytes, status: int = 200) -> Response:
    return Response(html, status, preference_page.HEADERS, HTML)


def _refused(error: TouchlineError) -> Response:
    """A page in both languages. Where our disk is is not for people who come here."""
    shown = Unavailable("not_stored") if isinstance(error, Unavailable) else error
    made = _page(preference_page.refusal(shown), status_of(shown))
    if isinstance(error, Unavailable):
        made.headers["retry-after"] = "2"
    return made
