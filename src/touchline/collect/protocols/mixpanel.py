"""The Mixpanel ingestion API: events, profile updates and group updates → items in Segment's form.

Forms with `data=` JSON or base64, queries alone, or JSON. The surprise: what was done to a profile
is kept, but only `$set` changes traits; sums and lists of Mixpanel's (`$add`, `$union` …) are not
done over again here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from touchline.collect.body import MAX_BODY, is_shallow, load_call, load_lines
from touchline.collect.context import plain_text, take_campaign, take_places
from touchline.collect.identifiers import identifier_type
from touchline.collect.item import Batch, Item, check_share, content_hash, made_id, of_one_site
from touchline.collect.protocol import (
    Answer,
    Protocol,
    Route,
    Verdict,
    gif,
    refusal,
    status_of,
)
from touchline.collect.url import fields
from touchline.collect.verdict import message_id_of, reason_against
from touchline.errors import BadInput, TouchlineError
from touchline.model import RawRequest

__all__ = ["MIXPANEL", "answer", "batch_of", "refuse"]

_json = msgspec.json.Encoder().encode

DEVICE = "$device:"
# Property → its place in the context.
PLACES = {
    "$current_url": ("page", "url"),
    "current_url_path": ("page", "path"),
    "current_page_title": ("page", "title"),
    "$referrer": ("page", "referrer"),
    "mp_lib": ("library", "name"),
    "$lib_version": ("library", "version"),
    "$os": ("os", "name"),
    "$os_version": ("os", "version"),
    "$device": ("device", "type"),
    "$manufacturer": ("device", "manufacturer"),
    "$model": ("device", "model"),
    "$advertising_id": ("device", "advertisingId"),
    "$app_version_string": ("app", "version"),
    "$app_build_number": ("app", "build"),
    "$app_namespace": ("app", "namespace"),
    "$screen_width": ("screen", "width"),
    "$screen_height": ("screen", "height"),
}
PLAIN_PLACES = {"ip": "ip", "$ip": "ip", "$user_agent": "userAgent", "$locale": "locale"}
KINDS = {
    "$mp_web_page_view": "page",
    "mp_page_view": "page",
    "$identify": "identify",
    "$create_alias": "alias",
    "$merge": "alias",
}
_IDS_WORDS = """
distinct_id $device_id $user_id alias $distinct_ids $identified_id $anon_id $anon_distinct_id
"""
_IDS = tuple(_IDS_WORDS.split())
CHARGE = "$transactions"
_OF_EVENT = frozenset(("event", "properties"))
_OF_PROFILE_WORDS = "$token $distinct_id $time $ip $device_id $user_id $set $group_id"
_OF_PROFILE = frozenset(_OF_PROFILE_WORDS.split())


class _Form(NamedTuple):
    """The fields that say how a client wants its answer."""

    is_form: bool
    asked: Mapping[str, str]


def read(request: RawRequest) -> Batch:
    """Take a request apart. Raises BadInput when it is not JSON or too large."""
    try:
        value = load_call(request.body, request.query)
    except BadInput as error:
        if error.code != "unreadable_body" or _call(request) != "import":
            raise
        value = load_lines(request.body)
    return batch_of(value, request)


def batch_of(value: Any, request: RawRequest) -> Batch:
    raws = value if type(value) is list else [value]
    if raws and not any(type(raw) is dict for raw in raws):
        raise BadInput("unreadable_body", why="neither an event nor a list of events")
    check_share({}, len(raws))
    asked = _form(request).asked
    said = (asked.get(name) for name in ("token", "project_id", "api_key"))
    tokens = [_token_of(raw) for raw in raws]
    key = next(filter(None, (*tokens, *said)), None)
    items = [_item(raw, index, request) for index, raw in enumerate(raws)]
    # Browsers say when they send, to get past caches: it tells how far their clock is off.
    return Batch(key and f"mixpanel:{key}", of_one_site(items, tokens, key), asked.get("_") or None)


def _call(request: RawRequest) -> str:
    return request.path.rstrip("/").rpartition("/")[2]


def _form(request: RawRequest) -> _Form:
    asked = fields(request.query.encode("latin-1", "replace")) if request.query else {}
    is_form = request.body[:5] == b"data=" and len(request.body) <= MAX_BODY
    return _Form(
        is_form or not request.body, {**(fields(request.body) if is_form else {}), **asked}
    )


def _token_of(raw: Any) -> str | None:
    if type(raw) is not dict:
        return None
    properties = raw.get("properties")
    within = properties.get("token") if type(properties) is dict else None
    for token in (raw.get("$token"), within):
        if type(token) is str and token:
            return token
    return None


def _item(raw: Any, index: int, request: RawRequest) -> Item:
    made = made_id(request, index)
    if type(raw) is not dict:
        is_shallow(raw)  # cuts what no writer could follow
        return Item(made, "", "not_an_object", {"item": raw})
    call = _call(request)
    if "event" in raw or call not in ("engage", "groups"):
        data, rest = _event(raw), raw.keys() - _OF_EVENT
    else:
        data, rest = _update(raw), set[str]()
    if rest:
        data["mixpanel"] = {name: raw[name] for name in rest}
    data = {field: value for field, value in data.items() if value is not None}
    message_id = message_id_of(data)
    reason = reason_against(data, message_id)
    if message_id is None and reason is None and call in ("engage", "groups") and "$time" in raw:
        # Updates have no ids. The moment and the words together tell a retry from another one.
        made = content_hash(data).hex()
    return Item(message_id or made, data["type"], reason, data)


def _event(raw: Mapping[str, Any]) -> dict[str, Any]:
    name, properties = raw.get("event"), raw.get("properties")
    is_usable = type(properties) is dict
    own: dict[str, Any] = dict(properties) if is_usable else {}
    own.pop("token", None)
    kind = KINDS.get(name, "track") if type(name) is str else "track"
    context: dict[str, Any] = {}
    data: dict[str, Any] = {
        "type": kind,
        "event": name if kind == "track" else None,
        "messageId": own.pop("$insert_id", None),
        "timestamp": own.pop("time", None),
        **_who(own, kind, name),
    }
    _placed(own, context)
    data["properties"] = own if is_usable or properties is None else properties
    data["context"] = context or None
    return data


def _who(own: dict[str, Any], kind: str, name: Any) -> dict[str, Any]:
    """Ids of an event, taken out of its properties; those that are not its ids are left there."""
    ids = _ids(own, kind, name)
    said = [*ids.values(), own.get("$distinct_ids") if name == "$merge" else None]
    for field in _IDS:
        if _bare(own.get(field)) in said:
            own.pop(field, None)
    return ids


def _ids(own: Mapping[str, Any], kind: str, name: Any) -> dict[str, Any]:
    distinct, device, user = map(own.get, ("distinct_id", "$device_id", "$user_id"))
    if name == "$merge":
        pair = own.get("$distinct_ids")
        before, known = pair if type(pair) is list and len(pair) == 2 else (None, None)
        if _is_device(known) and not _is_device(before):
            before, known = known, before
        return {"userId": known, "previousId": _bare(before)}
    if kind == "alias":
        return {"userId": own.get("alias"), "previousId": _bare(distinct)}
    if kind == "identify":
        before = own.get("$anon_id") or own.get("$anon_distinct_id") or device
        return {
            "userId": own.get("$identified_id") or user or distinct,
            "anonymousId": _bare(before),
        }
    if user is None and distinct is not None and distinct != device and not _is_device(distinct):
        user = distinct
    if user is None:
        return {"anonymousId": _bare(device if device is not None else distinct)}
    return {"userId": user, "anonymousId": _bare(device)}


def _is_device(value: Any) -> bool:
    return type(value) is str and value.startswith(DEVICE)


def _bare(value: Any) -> Any:
    return value.removeprefix(DEVICE) if type(value) is str else value


def _placed(own: dict[str, Any], context: dict[str, Any]) -> None:
    """Move what has a place in the context there.

    A browser goes on sending the `utm_*` of its last campaign: only its address says what brought
    the visitor to this page.
    """
    if plain_text(own.get("$current_url")) is None:
        take_campaign(own, context)
    take_places(own, context, PLACES, PLAIN_PLACES)


def _update(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A change of a profile, or of a group's: identify or group; a charge is a track call."""
    is_group = "$group_key" in raw or "$group_id" in raw
    own = {name: value for name, value in raw.items() if name not in _OF_PROFILE}
    ip = raw.get("$ip")
    data: dict[str, Any] = {
        "type": "group" if is_group else "identify",
        "timestamp": raw.get("$time"),
        "properties": own,
        # 0 says that the connection is not the person's.
        "context": {"ip": ip} if plain_text(ip) not in (None, "0", "1") else None,
    }
    if is_group:
        group = raw.get("$group_id")
        data |= {"groupId": group, "traits": raw.get("$set")}
        # A group call needs somebody, and here nobody is told of: the group stands for itself.
        stand_in = f"${plain_text(raw.get('$group_key'))}_{plain_text(group)}"
        return data | {"anonymousId": stand_in}
    known = {name: raw[name] for name in ("distinct_id", "$distinct_id") if name in raw}
    ids = {"distinct_id": next(iter(known.values()), None)}
    ids |= {name: raw.get(name) for name in ("$device_id", "$user_id")}
    data |= _who(ids, "track", None)
    once, settled = raw.get("$set_once"), raw.get("$set")
    if type(once) is dict:
        named = {name: value for name, value in once.items() if identifier_type(name.lstrip("$"))}
        settled = {**named, **settled} if type(settled) is dict else settled or named
    data["traits"] = _traits(settled)
    return _charge(data, own) or data


def _traits(settled: Any) -> Any:
    """Mixpanel's own traits are `$email`, `$phone`, `$name`: ours have no sign before them."""
    if type(settled) is not dict:
        return settled
    return {
        name if name[:1] != "$" or name[1:] in settled else name[1:]: value
        for name, value in settled.items()
    }


def _charge(data: dict[str, Any], own: dict[str, Any]) -> dict[str, Any] | None:
    appended = own.get("$append")
    charge = appended.get(CHARGE) if type(appended) is dict else None
    if type(appended) is not dict or type(charge) is not dict:
        return None
    left = {name: value for name, value in appended.items() if name != CHARGE}
    rest = {name: value for name, value in own.items() if name != "$append"}
    properties = {**rest, **({"$append": left} if left else {}), **charge}
    if "revenue" not in properties and "$amount" in properties:
        properties["revenue"] = properties.pop("$amount")
    when = properties.pop("$time", None)
    changed = {"type": "track", "event": CHARGE, "properties": properties}
    return {**data, **changed, "timestamp": when or data["timestamp"]}


def answer(request: RawRequest, verdicts: Sequence[Verdict]) -> Answer:
    """As verbose as asked. An import in JSON hears of its records."""
    form = _form(request)
    if form.asked.get("img") == "1":
        return gif()
    call = _call(request)
    if call == "import" and not form.is_form:
        return _imported(verdicts, is_strict=form.asked.get("strict", "1") != "0")
    if form.asked.get("verbose") == "1":
        return Answer(200, b'{"status":1,"error":null}')
    return Answer(200, b"1")


def _imported(verdicts: Sequence[Verdict], *, is_strict: bool) -> Answer:
    failed = [
        {"index": index, "insert_id": v.message_id, "field": "", "message": v.reason}
        for index, v in enumerate(verdicts)
        if v.status == "rejected"
    ]
    good = len(verdicts) - len(failed)
    if not failed or not is_strict:
        return Answer(200, _json({"code": 200, "num_records_imported": good, "status": "OK"}))
    said = {
        "code": 400,
        "error": "some data points in the request failed validation",
        "failed_records": failed,
        "num_records_imported": good,
        "status": "Bad Request",
    }
    return Answer(400, _json(said))


def refuse(error: TouchlineError) -> Answer:
    """Python's client fails on an answer without `status`, whatever the HTTP one is."""
    said = {"status": 0, "error": error.code, "code": status_of(error)}
    return refusal(error, _json(said))


_PATHS = ("/engage", "/groups", "/import")

MIXPANEL = Protocol(
    name="mixpanel",
    routes=tuple(Route(path + end, ("GET", "POST")) for path in _PATHS for end in ("", "/")),
    read=read,
    answer=answer,
    refuse=refuse,
)
