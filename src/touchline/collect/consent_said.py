"""What an event says of consent → yes or no to single purposes; and what is left of an event whose
sender refuses to be counted.

    context.consent.purposes   {"marketing.email": true, "sharing": {"granted": true, …}}: an act
    categoryPreferences        of a consent platform: an act in its own event, else only a stamp

What surprises: a stamp never enters the ledger. Trackers put one on every event, and one that says
"full" was mostly never asked about. But a stamp that says no is heeded for its own event.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from touchline.collect.consent import consent_word
from touchline.collect.consent_rules import ANALYTICS, LINKING, ConsentRules
from touchline.collect.redact import REMOVED, Veil
from touchline.model import Event, Said

__all__ = ["DECLARING", "EXEMPT", "acts_of", "proof", "refuses_analytics", "stripped"]

# Events whose categories are an answer just given.
DECLARING = frozenset(("consent updated", "segment consent preference updated"))
# Events that tell of consent itself keep their sender: they are the proof of it (`proof`).
EXEMPT = DECLARING | {"preferences told"}
MAX_SAID = 100
# Anybody can send an event: no law, contract or guardian speaks by it.
SAYABLE = frozenset(("consent", "separate_consent"))
_QUERY = re.compile(r"[?#;]")
_URLS = frozenset(("url", "referrer"))
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?", re.ASCII)
# What consent platforms call our purposes.
_CATEGORIES = {
    "analytics": (ANALYTICS, ""),
    "analytics_storage": (ANALYTICS, ""),
    "statistics": (ANALYTICS, ""),
    "performance": (ANALYTICS, ""),
    "measurement": (ANALYTICS, ""),
    "personalization": (LINKING, ""),
    "personalisation": (LINKING, ""),
    "personalization_storage": (LINKING, ""),
    "linking": (LINKING, ""),
    "marketing": ("marketing", ""),
    "advertising": ("marketing", "ads"),
    "targeting": ("marketing", "ads"),
}


def acts_of(event: Event, rules: ConsentRules) -> tuple[Said, ...]:
    """The answers that an event gives, to purposes and channels there are; nearly always none."""
    raw = event.context.get("consent")
    is_declared = event.name.lower() in DECLARING
    if raw is None or (type(raw) is bytes and not is_declared and _is_stamp(raw)):
        return ()
    consent = _consent(event) or {}
    found = _purposes(consent.get("purposes"), consent)
    if not found and is_declared:
        found = _categories(consent) or _levels(consent)
    return tuple(one for one in found if _is_known(one, rules))


def refuses_analytics(event: Event) -> bool:
    """Whether the event itself says that its sender is not to be counted."""
    if event.consent not in ("denied", "off", "partial"):
        return False
    consent = _consent(event)
    if consent is None:
        return False
    said = [one for one in _categories(consent) or _levels(consent) if one.purpose == ANALYTICS]
    return any(not one.is_granted for one in said)


def stripped(event: Event, region: str) -> Event:
    """The event as nobody's: it is counted, and names and finds no one."""
    veil = Veil(lambda _kind, _value: REMOVED, region)

    def bare(url: str) -> str:
        """Click ids stand in the query."""
        return veil.url(_QUERY.split(url, maxsplit=1)[0])

    context = _plain(event.context)
    page = context.get("page")
    urls = {n: u for n, u in page.items() if n in _URLS} if type(page) is dict else {}
    kept: dict[str, Any] = {"page": {n: bare(u) for n, u in urls.items() if type(u) is str}}
    kept["consent"] = {"mode": "denied"}
    return msgspec.structs.replace(
        event,
        identifiers=(),
        account_id=None,
        click_ids={},
        traits={},
        page_url=bare(event.page_url) if event.page_url else None,
        properties=veil.mapping(_plain(event.properties)),
        context=veil.mapping(kept),
        consent="denied",
    )


def proof(event: Event) -> Event:
    """What is left of one that tells of consent: who said it, when, and what. No page, no campaign,
    and of traits those that they were asked for.
    """
    purposes, consent = _plain(event.properties).get("purposes"), _consent(event)
    answers = purposes.items() if type(purposes) is dict else ()
    said = {name: answer for name, answer in answers if type(answer) is bool}
    return Event(
        source=event.source,
        message_id=event.message_id,
        type=event.type,
        name=event.name,
        ts_us=event.ts_us,
        received_us=event.received_us,
        sent_us=event.sent_us,
        original_us=event.original_us,
        identifiers=event.identifiers,
        content_hash=event.content_hash,
        properties={"purposes": said} if said else {},
        context={} if consent is None else {"consent": consent},
        traits={name: value for name, value in event.traits.items() if name in event.told},
        told=event.told,
        bot=event.bot,
        consent=event.consent,
    )


def _is_stamp(raw: bytes) -> bool:
    """Whether nothing in it can be a `purposes`: of nearly all events, so it is not read."""
    return b"purposes" not in raw and b"\\" not in raw


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """An object as it is, whose members may be JSON still."""
    if type(values) is dict:
        return values
    return {name: msgspec.json.decode(raw) for name, raw in values.items()}


def _consent(event: Event) -> Mapping[str, Any] | None:
    said = event.context.get("consent")
    if type(said) is bytes:
        said = _decoded(said) if len(said) <= 512 else msgspec.json.decode(said)
    if type(said) is dict:
        return said
    return None if said is None else {"mode": said}


@lru_cache(4096)
def _decoded(raw: bytes) -> Any:
    return msgspec.json.decode(raw)


def _purposes(purposes: Any, about: Mapping[str, Any]) -> list[Said]:
    if type(purposes) is not dict:
        return []
    found: list[Said] = []
    for name, answer in list(purposes.items())[:MAX_SAID]:
        given = answer if type(answer) is dict else {}
        word = consent_word(given.get("granted") if given else answer)
        if word is None:
            continue
        purpose, _, channel = name.partition(".")
        said = {key: given.get(key, about.get(key)) for key in ("basis", "text", "locale")}
        basis, text, locale = said["basis"], said["text"], said["locale"]
        found.append(
            Said(
                purpose=purpose,
                channel=channel,
                is_granted=word,
                basis=basis if type(basis) is str and basis in SAYABLE else "consent",
                text=text if type(text) is str and _HASH.fullmatch(text) else None,
                locale=locale if type(locale) is str and _LOCALE.fullmatch(locale) else None,
            )
        )
    return found


def _categories(consent: Mapping[str, Any]) -> list[Said]:
    named = consent.get("categoryPreferences")
    found: list[Said] = []
    for name, answer in (named if type(named) is dict else consent).items():
        known, word = _CATEGORIES.get(str(name).lower()), consent_word(answer)
        if known is not None and word is not None:
            found.append(Said(purpose=known[0], channel=known[1], is_granted=word))
    return found


def _levels(consent: Mapping[str, Any]) -> list[Said]:
    """One word for all is about being counted and known; nobody is written to by it."""
    words = (consent_word(consent.get(level)) for level in ("mode", "status", "level"))
    word = next((word for word in words if word is not None), None)
    names = () if word is None else (ANALYTICS, LINKING)
    return [Said(purpose=name, is_granted=bool(word)) for name in names]


def _is_known(said: Said, rules: ConsentRules) -> bool:
    asked = rules.asked.get(said.purpose)
    return asked is not None and said.channel in ("", *asked.channels)
