"""Requests as tests make them."""

import gzip
import json

import msgspec

from touchline.collect.redact import Veil
from touchline.collect.segment import read, to_event
from touchline.collect.site import Site
from touchline.model import LABELS, RawRequest

RECEIVED = 1_795_249_805_000_000  # 2026-11-21T08:30:05Z
SITE = Site(workspace="w", own_hosts=frozenset({"ours.cn"}))


def request(body, path="/v1/batch", **fields):
    if not isinstance(body, bytes):
        body = json.dumps(body, ensure_ascii=False).encode()
    given = {"received_us": RECEIVED, "source": "web", "request_id": b"r" * 16, **fields}
    return RawRequest(path=path, body=body, **given)


def zipped(body):
    return gzip.compress(json.dumps(body).encode(), mtime=0)


def reasons(*items):
    return [item.reason for item in read(request({"batch": list(items)})).items]


def event(data, path="/v1/track", site=SITE, **fields):
    """The one event a call makes; it must be accepted."""
    call = request(data, path, **fields)
    batch = read(call)
    (item,) = batch.items
    assert item.reason is None, item.reason
    return to_event(item, call, batch.sent_at, site)


def track(name="Product Viewed", **fields):
    return {"type": "track", "event": name, "anonymousId": "a1", "messageId": "m1", **fields}


def without_identifiers(event, token, region="CN"):
    """The event as the lake gets it."""
    veil = Veil(token, region)
    clean = {
        name: veil.text(value)
        for name in LABELS
        if (value := getattr(event, name)) is not None and "@" in value
    }
    return msgspec.structs.replace(
        event,
        page_url=veil.url(event.page_url) if event.page_url else None,
        properties=json.loads(veil.text_of(event.properties)),
        context=json.loads(veil.text_of(event.context)),
        **clean,
    )
