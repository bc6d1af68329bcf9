"""The PostHog capture API: a single event, a list of them or a batch → items in Segment's form.

PostHog has one `distinct_id`, for browsers and for people alike; which of the two it names is said
by other properties, and only sometimes (see `_who`). The surprise: a browser's `utm_*` and
`$referrer` are those the visit began with, sent again with every event; only the page's own address
says what brought the visitor to it.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec

from touchline.clock import from_us
from touchline.collect.body import is_shallow, load_call, load_text
from touchline.collect.context import plain_text, take_campaign, take_places
from touchline.collect.identifiers import identifier_type
from touchline.collect.item import Batch, Item, check_share, made_id
from touchline.collect.protocol import Answer, Protocol, Route, Verdict, refusal
from touchline.collect.url import fields
from touchline.collect.verdict import message_id_of, reason_against
from touchline.collect.visitor import visitor_of
from touchline.errors import BadInput, TooMany, TouchlineError
from touchline.model import RawRequest

__all__ = ["POSTHOG", "batch_of", "is_posthog", "value_of"]

_json = msgspec.json.Encoder().encode

MAX_OFFSET = 1e11  # ms, three years: beyond that it is no offset
COOKIELESS = "$posthog_cookieless"
# What PostHog's own libraries make up for a browser nobody has signed in to.
_MADE_UP = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

# Property → its place in the context.
PLACES = {
    "$current_url": ("page", "url"),
    "$pathname": ("page", "path"),
    "title": ("page", "title"),
    "$lib": ("library", "name"),
    "$lib_version": ("library", "version"),
    "$os": ("os", "name"),
    "$os_version": ("os", "version"),
    "$device_id": ("device", "id"),
    "$device_type": ("device", "type"),
    "$device_name": ("device", "name"),
    "$device_manufacturer": ("device", "manufacturer"),
    "$device_model": ("device", "model"),
    "$app_name": ("app", "name"),
    "$app_version": ("app", "version"),
    "$app_build": ("app", "build"),
    "$app_namespace": ("app", "namespace"),
    "$screen_width": ("screen", "width"),
    "$screen_height": ("screen", "height"),
}
PLAIN_PLACES = {
    "$raw_user_agent": "userAgent",
    "$user_agent": "userAgent",
    "$browser_language": "locale",
    "$timezone": "timezone",
    "$ip": "ip",
}
KINDS = {
    "$pageview": "page",
    "$screen": "screen",
    "$identify": "identify",
    "$set": "identify",
    "$set_once": "identify",
    "$groupidentify": "group",
    "$create_alias": "alias",
    "$merge_dangerously": "alias",
}
# Kinds of group that are a company, the likeliest first.
ACCOUNTS = ("company", "organization", "account", "customer", "team", "project", "instance")
_OWN_WORDS = """
api_key token event distinct_id uuid timestamp sent_at offset properties $set $set_once
"""
_OWN = frozenset(_OWN_WORDS.split())
_OF_BATCH = frozenset(("api_key", "token", "batch", "sent_at", "timestamp"))


class _Sender(NamedTuple):
    """What the items of one request have in common."""

    request: RawRequest
    site: str
    shared: dict[str, Any]


def read(request: RawRequest) -> Batch:
    """Take a request apart. Raises BadInput when it is not JSON or too large."""
    return batch_of(value_of(request), request)


def value_of(request: RawRequest) -> Any:
    """What a request says. Where its query says so, the body may be base64 and nothing else."""
    is_bare = request.body[:1].isalnum() and request.body[:5] != b"data="
    if is_bare and _asked(request).get("compression") == "base64":
        return load_text(request.body.decode("latin-1"))
    return load_call(request.body, request.query)


def is_posthog(value: Any) -> bool:
    """Whether a body at a path that others use too is of PostHog: Mixpanel has no such fields."""
    first = value[0] if type(value) is list and value else value
    if type(first) is not dict:
        return False
    properties = first.get("properties")
    token = properties.get("token") if type(properties) is dict else None
    if any(name in first for name in ("api_key", "token", "batch", "distinct_id")):
        return True
    return type(token) is str and token.startswith("phc_")


def batch_of(value: Any, request: RawRequest) -> Batch:
    around: dict[str, Any] = {}
    if type(value) is dict and type(value.get("batch")) is list:
        around, raws = value, value["batch"]
    else:
        raws = value if type(value) is list else [value]
        if raws and not any(type(raw) is dict for raw in raws):
            raise BadInput("unreadable_body", why="neither an event nor a list of events")
    shared = {name: around[name] for name in around.keys() - _OF_BATCH}
    check_share(shared, len(raws))
    asked = _asked(request)
    key = _key_of(around) or next(filter(None, map(_key_of, raws)), None)
    key = key or _key_of(asked)
    sender = _Sender(request, key or "", shared)
    items = [_item(raw, index, sender) for index, raw in enumerate(raws)]
    sent_at = around.get("sent_at") or asked.get("_") or None
    return Batch(key and f"posthog:{key}", items, sent_at)


def _asked(request: RawRequest) -> dict[str, str]:
    return fields(request.query.encode("latin-1", "replace")) if request.query else {}


def _key_of(value: Any) -> str | None:
    if type(value) is not dict:
        return None
    properties = value.get("properties")
    within = properties.get("token") if type(properties) is dict else None
    for key in (value.get("api_key"), value.get("token"), within):
        if type(key) is str and key:
            return key
    return None


def _item(raw: Any, index: int, sender: _Sender) -> Item:
    made = made_id(sender.request, index)
    if type(raw) is not dict:
        is_shallow(raw)  # cuts what no writer could follow
        return Item(made, "", "not_an_object", {"item": raw})
    data = _in_our_form(raw, sender)
    rest = {**sender.shared, **{name: raw[name] for name in raw.keys() - _OWN}}
    if data["type"] != "track":
        rest["event"] = raw["event"]
    if rest:
        data["posthog"] = rest
    message_id = message_id_of(data)
    reason = reason_against(data, message_id)
    if reason is None and (_key_of(raw) or sender.site) != sender.site:
        reason = "other_site"
    return Item(message_id or made, data["type"], reason, data)


def _in_our_form(raw: dict[str, Any], sender: _Sender) -> dict[str, Any]:
    name = raw.get("event")
    kind = KINDS.get(name, "track") if type(name) is str else "track"
    data: dict[str, Any] = {"type": kind}
    properties = raw.get("properties")
    is_usable = type(properties) is dict
    own: dict[str, Any] = dict(properties) if is_usable else {}
    own.pop("token", None)
    uuid = raw.get("uuid")
    data["messageId"] = own.get("$insert_id") if uuid in (None, "") else uuid
    data.update(_when(raw, own, sender.request.received_us))
    data.update(_who(raw, own, kind, sender))
    context: dict[str, Any] = {}
    _traits(data, context, raw, own)
    _placed(own, context)
    if kind == "group":
        data["groupId"] = own.pop("$group_key", None)
    elif (account := _account(own.get("$groups"))) is not None:
        context["groupId"] = account
    if kind == "screen":
        data["name"] = own.pop("$screen_name", None)
    elif kind == "track":
        data["event"] = name
    data["properties"] = own if is_usable or properties is None else properties
    if context:
        data["context"] = context
    return {field: value for field, value in data.items() if value is not None}


def _when(raw: Mapping[str, Any], own: Mapping[str, Any], received_us: int) -> dict[str, Any]:
    """The client's time. An `offset` (ms ago) counts from our clock, so that is when it was sent.

    It grows with each retry and must not make one look like another event: it only travels along.
    """
    when, offset = raw.get("timestamp"), raw.get("offset")
    if when in (None, ""):
        when = own.get("$time")
    times: dict[str, Any] = {"timestamp": when, "sentAt": raw.get("sent_at")}
    if offset is not None:
        times["_metadata"] = {"offset": offset}
        if when is None and isinstance(offset, int | float) and 0 <= offset < MAX_OFFSET:
            times["timestamp"] = from_us(received_us - int(offset * 1000)).isoformat()
            times["sentAt"] = from_us(received_us).isoformat()
    return times


def _who(raw: Mapping[str, Any], own: dict[str, Any], kind: str, sender: _Sender) -> dict[str, Any]:
    """Ids of an event, taken out of its properties; those that are not its ids are left there.

    Where nothing says whether a `distinct_id` is a person's, it is, unless it has the form of what
    the libraries make up for browsers.
    """
    ids = _ids(raw, own, kind, sender)
    for name in ("distinct_id", "$distinct_id", "$user_id", "$anon_distinct_id", "alias"):
        if own.get(name) in ids.values():
            own.pop(name, None)
    return ids


def _ids(
    raw: Mapping[str, Any], own: Mapping[str, Any], kind: str, sender: _Sender
) -> dict[str, Any]:
    said = (raw.get("distinct_id"), own.get("distinct_id"), own.get("$distinct_id"))
    distinct = next((value for value in said if value is not None), None)
    if distinct == COOKIELESS:
        return {"anonymousId": visitor_of(sender.request, f"posthog:{sender.site}")}
    if kind == "alias":
        return _alias(distinct, own.get("alias"), own)
    if kind == "group" and distinct == f"${own.get('$group_type')}_{own.get('$group_key')}":
        return {"anonymousId": distinct}
    before = own.get("$anon_distinct_id")
    if kind == "identify" and before is not None:
        return {"userId": distinct, "anonymousId": before}
    is_made_up = _is_made_up(distinct)
    if not _is_person(own, is_made_up or distinct == own.get("$device_id")):
        return {"anonymousId": distinct}
    return {"userId": distinct, "anonymousId": distinct if is_made_up else None}


def _is_person(own: Mapping[str, Any], looks_made_up: bool) -> bool:
    if type(own.get("$is_identified")) is bool:
        return own["$is_identified"] is True
    if own.get("$process_person_profile") is False:
        return False
    return own.get("$user_id") is not None or not looks_made_up


def _alias(distinct: Any, alias: Any, own: Mapping[str, Any]) -> dict[str, Any]:
    """The Python library has the two the other way round: its `alias` is the person."""
    known, before = distinct, alias
    if own.get("$lib") == "posthog-python":
        known, before = alias, distinct
    if _is_made_up(known) and not _is_made_up(before):
        known, before = before, known
    return {"userId": known, "previousId": before}


def _is_made_up(value: Any) -> bool:
    return type(value) is str and _MADE_UP.fullmatch(value) is not None


def _traits(
    data: dict[str, Any], context: dict[str, Any], raw: Mapping[str, Any], own: dict[str, Any]
) -> None:
    """Give `$set` its place: traits.

    `$set_once` stays with the properties, except what names the person: our traits are the latest
    that was said, and it is the first that counts there.
    """
    kind = data["type"]
    if kind == "group":
        data["traits"] = own.pop("$group_set", None)
        return
    for name in ("$set", "$set_once"):
        if type(raw.get(name)) is dict:
            beneath = own.get(name)
            own[name] = {**(beneath if type(beneath) is dict else {}), **raw[name]}
    once = own.get("$set_once")
    traits: dict[str, Any] = {}
    if type(once) is dict:
        traits = {name: value for name, value in once.items() if identifier_type(name)}
    if type(own.get("$set")) is dict:
        traits |= own.pop("$set")
    if traits:
        (data if kind == "identify" else context)["traits"] = traits


def _placed(own: dict[str, Any], context: dict[str, Any]) -> None:
    """Move what has a place in the context there."""
    address, began = own.get("$current_url"), own.get("$session_entry_url")
    came_from = plain_text(own.get("$referrer"))
    if came_from == "$direct":
        del own["$referrer"]
    elif came_from is not None and began in (None, address):
        context["page"] = {"referrer": own.pop("$referrer")}
    if plain_text(address) is None:
        take_campaign(own, context)
    take_places(own, context, PLACES, PLAIN_PLACES)


def _account(groups: Any) -> Any:
    if type(groups) is not dict or not groups:
        return None
    known = next((name for name in ACCOUNTS if name in groups), None)
    if known is None and len(groups) > 1:
        return None
    return plain_text(groups[known] if known else next(iter(groups.values())))


def _told(config: Mapping[str, Any], request: RawRequest) -> Answer:
    del request
    return Answer(200, _json(config))


_CONFIG: dict[str, Any] = {
    "supportedCompression": ["gzip", "gzip-js", "base64"],
    "hasFeatureFlags": False,
    "captureDeadClicks": False,
    "capturePerformance": False,
    "autocapture_opt_out": False,
    "autocaptureExceptions": False,
    "analytics": {"endpoint": "/e/"},
    "elementsChainAsString": True,
    "sessionRecording": False,
    "heatmaps": False,
    "surveys": False,
    "conversations": False,
    "productTours": False,
    "siteApps": [],
    "defaultIdentifiedOnly": True,
    "isAuthenticated": False,
    "toolbarParams": {},
}
_FLAGS: dict[str, Any] = {
    "flags": {},
    "featureFlags": {},
    "featureFlagPayloads": {},
    "errorsWhileComputingFlags": False,
    "quotaLimited": [],
}


def _config_js(request: RawRequest) -> Answer:
    """What the browser library loads as a script, so that it need not ask again."""
    token = _json(request.path.split("/")[2]).replace(b"<", b"\\u003c")
    script = (
        b"(function(){var c=window._POSTHOG_REMOTE_CONFIG=window._POSTHOG_REMOTE_CONFIG||{};"
        b"c[%s]={config:%s,siteApps:[]}})();" % (token, _json(_CONFIG))
    )
    return Answer(200, script, b"text/javascript; charset=utf-8")


def _answer(request: RawRequest, verdicts: Sequence[Verdict]) -> Answer:
    del request, verdicts
    return Answer(200, b'{"status":"Ok"}')


def refuse(error: TouchlineError) -> Answer | None:
    """The browser library lets go of what a 429 answers, and sends again after a 503."""
    if not isinstance(error, TooMany):
        return None
    told = refusal(error, _json({"code": error.code, "message": error.text("en")}))
    return msgspec.structs.replace(told, status=503)


_BOTH = ("GET", "POST")
_flags = partial(_told, {**_CONFIG, **_FLAGS})
_ASKS: dict[str, Any] = {
    "/flags": _flags,
    "/decide": _flags,
    "/flags/definitions": partial(_told, {"flags": [], "group_type_mapping": {}, "cohorts": {}}),
    "/array/{}/config": partial(_told, _CONFIG),
    "/array/{}/config.js": _config_js,
    "/api/feature_flag/local_evaluation": partial(
        _told, {"flags": [], "group_type_mapping": {}, "cohorts": {}}
    ),
    "/api/surveys": partial(_told, {"surveys": []}),
    "/api/early_access_features": partial(_told, {"earlyAccessFeatures": []}),
    "/api/web_experiments": partial(_told, {"experiments": []}),
}
_TAKES = {
    "/batch": ("POST",),
    "/e": _BOTH,
    "/capture": _BOTH,
    "/i/v0/e": _BOTH,
    "/i/v0/ai/batch": ("POST",),
}

POSTHOG = Protocol(
    name="posthog",
    routes=tuple(
        Route(path + end, methods, tells)
        for path, methods, tells in (
            *((path, methods, None) for path, methods in _TAKES.items()),
            *((path, _BOTH, tells) for path, tells in _ASKS.items()),
        )
        for end in ("", "/")
    ),
    read=read,
    answer=_answer,
    refuse=refuse,
    names_visitors="day",
)
