"""A request of GA4's Measurement Protocol → what Google's debug address would say of it.

The rules are Google's and stricter than ours: what is named here is mostly stored all the same.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from touchline.collect import time

__all__ = ["complaints"]

MAX_EVENTS = MAX_PARAMS = MAX_USER_PROPERTIES = 25
_NAME = re.compile(r"[A-Za-z]\w{0,39}", re.ASCII)
_RESERVED_WORDS = """
ad_activeview ad_click ad_exposure ad_query ad_reward adunit_exposure app_clear_data app_exception
app_remove app_store_refund app_store_subscription_cancel app_store_subscription_convert
app_store_subscription_renew app_update app_upgrade dynamic_link_app_open dynamic_link_app_update
dynamic_link_first_open error firebase_campaign first_open first_visit in_app_purchase
notification_dismiss notification_foreground notification_open notification_receive
notification_send os_update session_start user_engagement
"""
_RESERVED = frozenset(_RESERVED_WORDS.split())
_PREFIXES = ("_", "firebase_", "ga_", "google_", "gtag.")
_PAID = frozenset(("purchase", "refund"))

Complaint = dict[str, str]


def complaints(query: Mapping[str, str], whole: Any) -> list[Complaint]:
    return list(_of_request(query, whole))


def _said(path: str, code: str, description: str) -> Complaint:
    return {"fieldPath": path, "description": description, "validationCode": code}


def _of_request(query: Mapping[str, str], whole: Any) -> Iterator[Complaint]:
    if not query.get("measurement_id") and not query.get("firebase_app_id"):
        yield _said("measurement_id", "VALUE_REQUIRED", "Give measurement_id or firebase_app_id.")
    if type(whole) is not dict:
        yield _said("", "VALUE_INVALID", "The body is not a JSON object.")
        return
    if not whole.get("client_id") and not whole.get("app_instance_id"):
        yield _said("client_id", "VALUE_REQUIRED", "Give client_id or app_instance_id.")
    yield from _of_time("timestamp_micros", whole.get("timestamp_micros"))
    yield from _of_count("user_properties", whole.get("user_properties"), MAX_USER_PROPERTIES)
    events = whole.get("events")
    if type(events) is not list or not events:
        yield _said("events", "VALUE_REQUIRED", "Give a list of at least one event.")
        return
    yield from _of_count("events", events, MAX_EVENTS)
    for index, event in enumerate(events[:MAX_EVENTS]):
        yield from _of_event(f"events[{index}]", event)


def _of_event(path: str, event: Any) -> Iterator[Complaint]:
    if type(event) is not dict:
        yield _said(path, "VALUE_INVALID", "The event is not an object.")
        return
    name = event.get("name")
    if type(name) is not str or not name:
        yield _said(f"{path}.name", "VALUE_REQUIRED", "The event has no name.")
    elif name in _RESERVED or name.startswith(_PREFIXES):
        yield _said(f"{path}.name", "NAME_RESERVED", "The name is reserved.")
    elif not _NAME.fullmatch(name):
        described = "A name begins with a letter and has at most 40 letters, digits and _."
        yield _said(f"{path}.name", "NAME_INVALID", described)
    yield from _of_time(f"{path}.timestamp_micros", event.get("timestamp_micros"))
    params = event.get("params")
    if params is not None and type(params) is not dict:
        yield _said(f"{path}.params", "VALUE_INVALID", "The parameters are not an object.")
        return
    yield from _of_count(f"{path}.params", params, MAX_PARAMS)
    if type(name) is str and name in _PAID:
        for needed in ("transaction_id", "currency"):
            if not (params or {}).get(needed):
                described = f"A {name} needs {needed}."
                yield _said(f"{path}.params.{needed}", "VALUE_REQUIRED", described)


def _of_time(path: str, value: Any) -> Iterator[Complaint]:
    if value is not None and time.parse(value) is None:
        yield _said(path, "VALUE_INVALID", "The time is not in microseconds since 1970.")


def _of_count(path: str, value: Any, limit: int) -> Iterator[Complaint]:
    if type(value) in (dict, list) and len(value) > limit:
        yield _said(path, "EXCEEDED_MAX_ENTITIES", f"There are more than {limit}.")
