"""What an item says of its sender's consent → one word, as it was when it was collected.

Trackers ask in many ways: ours by its mode, Segment by categories, RudderStack by lists of ids,
Google by purposes. What is only partly agreed to is `partial`; what purposes those were stays in
the context. Where nobody says anything there is no word: silence is no consent, and no refusal.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from touchline.model import CONSENTS

__all__ = ["consent_of", "consent_word", "signals_of"]

_SAID = {
    **{word: word for word in CONSENTS},
    "granted": "full",
    "accepted": "full",
    "opted_in": "full",
    "opt_in": "full",
    "true": "full",
    "yes": "full",
    "rejected": "denied",
    "refused": "denied",
    "opted_out": "denied",
    "opt_out": "denied",
    "false": "denied",
    "no": "denied",
}
_LEVELS = ("mode", "status", "level")
# Headers by which a browser asks not to be followed; kept, and never taken for an answer to a site.
_SIGNALS = {"dnt": "dnt", "sec-gpc": "gpc"}


def consent_of(context: Mapping[str, Any]) -> str | None:
    """One of CONSENTS, or None when the context says nothing of it."""
    said = context.get("consent")
    if said is not None:
        return _of(said)
    managed = context.get("consentManagement")
    return _of_lists(managed) if type(managed) is dict else None


def signals_of(headers: Mapping[str, str]) -> dict[str, bool]:
    """Which of Do-Not-Track and Global Privacy Control a browser's request carries."""
    return {name: True for header, name in _SIGNALS.items() if headers.get(header) == "1"}


def consent_word(said: Any) -> bool | None:
    """A single yes or no; None for what is neither."""
    if type(said) is bool:
        return said
    word = _word(said) if type(said) is str else None
    if word == "full":
        return True
    return False if word in ("denied", "off") else None


def _of(said: Any) -> str | None:
    if type(said) is bool:
        return "full" if said else "denied"
    if type(said) is str:
        return _word(said)
    if type(said) is not dict:
        return None
    for level in _LEVELS:
        if type(word := said.get(level)) is str and (known := _word(word)):
            return known
    purposes = said.get("categoryPreferences")
    return _agreed(purposes.values() if type(purposes) is dict else said.values())


def _of_lists(managed: Mapping[str, Any]) -> str | None:
    agreed, refused = managed.get("allowedConsentIds"), managed.get("deniedConsentIds")
    if not agreed and not refused:
        return None
    return "full" if not refused else "partial" if agreed else "denied"


def _word(text: str) -> str | None:
    return _SAID.get(text.strip().lower().replace("-", "_")) if len(text) <= 32 else None


def _agreed(answers: Iterable[Any]) -> str | None:
    """What answers to single purposes come to; whatever is none of them is left out."""
    known = {_SAID.get(str(a).lower()) for a in answers if type(a) in (bool, str)} - {None}
    if not known:
        return None
    if known == {"full"}:
        return "full"
    return "denied" if known == {"denied"} else "partial"
