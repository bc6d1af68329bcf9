"""Page URL, referrer, stated campaign and user agent → what brought the visitor (an Origin).

UTM beats click ids, click ids beat the referrer, the referrer beats the app's built-in browser.
The surprise: an app's user agent names a source but brings nothing, for it stays the same on every
page of the visit; it only keeps such a visit from looking like Direct.
"""

import math
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from msgspec import Struct

from touchline.collect import sources, url
from touchline.collect.channel import Rule
from touchline.collect.mode import DEFAULT, Mode, mode
from touchline.collect.site import Site
from touchline.collect.sources import ClickId, Known

__all__ = ["Labels", "Origin", "linked", "origin_of", "over", "stated"]

MAX_LABEL = 255
MAX_REMEMBERED = 1024  # a longer URL comes once, and would only fill the cache

# Parameter → label. utm_ first: where two name the same label the earlier row wins.
_PARAMETERS: tuple[tuple[str, str], ...] = (
    ("utm_source", "source"),
    ("utm_medium", "medium"),
    ("utm_campaign", "campaign"),
    ("utm_term", "term"),
    ("utm_content", "content"),
    ("utm_adgroup", "ad_group"),
    ("utm_ad_group", "ad_group"),
    ("hmsr", "source"),
    ("hmpl", "campaign"),
    ("hmcu", "ad_group"),
    ("hmkw", "term"),
    ("hmci", "content"),
    ("utm_id", "campaign"),
)
_WANTED = frozenset(name for name, _ in _PARAMETERS)
_BAIDU = frozenset(name for name in _WANTED if name.startswith("hm"))
_STATED = {
    "source": "source",
    "medium": "medium",
    "name": "campaign",
    "campaign": "campaign",
    "term": "term",
    "content": "content",
    "ad_group": "ad_group",
    "adGroup": "ad_group",
    "id": "campaign",
}
_NOTHING = frozenset(
    ("", "null", "undefined", "none", "nan", "(none)", "(not set)", "(direct)", "not set")
)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]+")


ToldBy = Literal["tag", "click_id", "referrer", "app"]


class Labels(Struct, frozen=True):
    """What a link or a caller says of a campaign, as written (None: not said)."""

    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    ad_group: str | None = None
    term: str | None = None
    content: str | None = None


class Link(Struct, frozen=True, gc=False):
    host: str | None
    labels: Labels | None
    click_ids: dict[str, str]
    evidence: ClickId | None  # the strongest of the click ids


class Origin(Struct, frozen=True, gc=False):
    """What brought a visitor. `brings`: the event itself says so, by tag, click id or referrer."""

    source: str | None
    medium: str | None
    campaign: str | None
    ad_group: str | None
    term: str | None
    content: str | None
    click_ids: dict[str, str]
    referrer_host: str | None
    channel: str
    brings: bool
    rule: Rule
    told_by: ToldBy | None  # what names the source


NOWHERE = Labels()
_NO_LINK = Link(None, None, {}, None)


def origin_of(
    site: Site,
    *,
    page_url: str | None = None,
    referrer: str | None = None,
    labels: Labels | None = None,
    user_agent: str | None = None,
) -> Origin:
    """What brought the visitor; `labels` (the caller's own) win over the link's, one by one."""
    is_short = len(page_url or "") + len(referrer or "") <= MAX_REMEMBERED
    return (_known_origin if is_short else _origin)(site, page_url, referrer, labels, user_agent)


def _origin(
    site: Site,
    page_url: str | None,
    referrer: str | None,
    labels: Labels | None,
    user_agent: str | None,
) -> Origin:
    reading = site.channels.mode
    link = _link_of(page_url, reading) if page_url else _NO_LINK
    said = over(labels, link.labels)
    host, place = _place_of(referrer, link.host, site) if referrer else (None, None)
    medium = said.medium.lower() if said.medium else None
    evidence = link.evidence
    known, told_by = None, None
    if said.source and not (reading.click_ids_first and evidence):
        known, told_by = site.channels.named(said.source), "tag"
        medium = medium or _medium_of_tag(known, evidence, reading)
    elif evidence is not None:
        known = site.channels.named(evidence.source) if evidence.source else None
        own = None if reading.click_ids_first else medium
        medium, told_by = own or evidence.medium, "click_id"
    elif host is not None:
        known, told_by = place or Known(host, None), "referrer"
        medium = medium or reading.referrer.get(known.kind or "", "referral")
    brings = said is not NOWHERE or host is not None or evidence is not None
    if not brings and reading.apps and user_agent and (app := sources.in_app(user_agent)):
        known, told_by = site.channels.named(app), "app"
        medium = reading.referrer.get(known.kind or "", "referral")
    rule = site.channels.rule(known, medium, said.campaign, host, tuple(link.click_ids))
    return Origin(
        known.name if known else None,
        medium,
        said.campaign,
        said.ad_group,
        said.term,
        said.content,
        link.click_ids,
        host,
        rule.channel,
        brings,
        rule,
        told_by,
    )


def stated(campaign: Mapping[str, Any]) -> Labels | None:
    """The labels of a `context.campaign` or of columns named like it; None when there is none."""
    found: dict[str, str] = {}
    for key, label in _STATED.items():
        raw = campaign.get(key)
        if raw is not None and label not in found and (text := label_text(raw)):
            found[label] = text
    return Labels(**found) if found else None


def label_text(raw: Any) -> str | None:
    """A label as it is kept: one line, at most 255 characters; None for what says nothing."""
    if type(raw) is int or (type(raw) is float and math.isfinite(raw)):
        raw = str(raw)
    if type(raw) is not str:
        return None
    text = raw[: 4 * MAX_LABEL]
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    if not text.isprintable():
        text = _CONTROL.sub(" ", text)
    text = text.strip()[:MAX_LABEL]
    return None if text.lower() in _NOTHING else text


def over(own: Labels | None, other: Labels | None) -> Labels:
    """What is said by the first of the two that says it, label by label."""
    if own is None or other is None:
        return own or other or NOWHERE
    return Labels(
        own.source or other.source,
        own.medium or other.medium,
        own.campaign or other.campaign,
        own.ad_group or other.ad_group,
        own.term or other.term,
        own.content or other.content,
    )


def linked(page_url: str) -> Labels | None:
    """The labels that an address itself carries; None when it carries none."""
    return _link_of(page_url, mode(DEFAULT)).labels


def _medium_of_tag(source: Known, evidence: ClickId | None, reading: Mode) -> str | None:
    """The medium of a tag that says only a source."""
    if evidence is not None and (evidence.is_paid or evidence.source == source.name):
        return evidence.medium
    return reading.tag.get(source.kind or "")


def _link_of(page_url: str, reading: Mode) -> Link:
    return (_known_link if len(page_url) <= MAX_REMEMBERED else _link)(page_url, reading)


def _link(page_url: str, reading: Mode) -> Link:
    host, _ = url.host_and_path(page_url)
    raw: dict[str, str] = {}
    click_ids: dict[str, str] = {}
    evidence: ClickId | None = None
    if "=" in page_url:
        for name, value in url.parameters(page_url):
            if name in _WANTED:
                raw.setdefault(name, value)
            elif (known := sources.click_id(name)) is not None and known.name not in click_ids:
                text = label_text(url.unquoted(value))
                if text is None:
                    continue
                click_ids[known.name] = text
                if _is_stronger(known, evidence, reading):
                    evidence = known
    labels = _tagged({n: raw[n] for n in raw if reading.baidu_tags or n not in _BAIDU})
    return Link(host, labels, click_ids, evidence)


def _is_stronger(known: ClickId, than: ClickId | None, reading: Mode) -> bool:
    """Whether a click id tells a source, and better than another does."""
    if not known.source or (reading.click_ids is not None and known.name not in reading.click_ids):
        return False
    return than is None or known.is_paid > than.is_paid


def _tagged(raw: Mapping[str, str]) -> Labels | None:
    found: dict[str, str] = {}
    for name, label in _PARAMETERS:
        if name in raw and label not in found and (text := label_text(url.unquoted(raw[name]))):
            found[label] = text
    # Baidu Tongji tags advertisements only, and has no parameter for the medium.
    if "hmsr" in raw and "utm_source" not in raw and "medium" not in found:
        found["medium"] = "paid"
    return Labels(**found) if found else None


def _place_of(referrer: str, page_host: str | None, site: Site) -> tuple[str | None, Known | None]:
    ask = _known_foreign if len(referrer) <= MAX_REMEMBERED else _foreign
    return ask(referrer, page_host, site)


def _foreign(referrer: str, page_host: str | None, site: Site) -> tuple[str | None, Known | None]:
    """(host, known place) of a referrer that is neither our own nor a payment host."""
    host, path = url.host_and_path(referrer)
    if host is None or _is_within(host, site.own_hosts) or _is_within(host, site.payment_hosts):
        return None, None
    if page_host and url.registrable(host) == url.registrable(page_host):
        return None, None
    place = site.channels.sources.at(host, path)
    return (None, None) if place is not None and place.kind == "payment" else (host, place)


def _is_within(host: str, domains: frozenset[str]) -> bool:
    return any(
        host == (bare := domain.removeprefix("www.")) or host.endswith("." + bare)
        for domain in domains
    )


_known_origin = lru_cache(maxsize=1 << 14)(_origin)
_known_link = lru_cache(maxsize=1 << 14)(_link)
_known_foreign = lru_cache(maxsize=1 << 14)(_foreign)
