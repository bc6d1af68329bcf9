"""Stored events → the same as the rules in force read them: channel, source, bot, device, place.

A row that came over HTTP holds what it was read from (address, referrer, campaign, user agent), so
it is read again. Of a row of a file only its labels are left: they stay, and give its channel. What
named somebody in an address has long been a token, and so it is in labels made of it.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
import pyarrow as pa

from touchline.collect.consent import consent_of
from touchline.collect.context import cut_ip, own_agent, page_of
from touchline.collect.event import labels_of
from touchline.collect.finding import NAME, found_again
from touchline.collect.makers.claim import TRACES, is_claiming
from touchline.collect.site import Site
from touchline.model import LABELS, Flag

__all__ = ["READ", "WRITTEN", "derived"]

READ = ("type", "flags", *LABELS, "referrer_host", "click_ids", "page_url", "properties", "context")
WRITTEN = ("flags", *LABELS, "referrer_host", "click_ids", "context", "bot", "consent")
# Members of a context by which a visit is told.
TELLING = ("page", "referrer", "campaign", "userAgent")
TOUCHES = '"touchpoint"'  # what a click or a call says of itself stands in its properties
_BY_RULE, _BRINGS = int(Flag.CHANNEL_BY_RULE), int(Flag.BRINGS_CAMPAIGN)

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
Row = dict[str, Any]


def derived(rows: pa.Table, site: Site) -> pa.Table:
    """Rows with what rules made of them made again."""
    made = list(_derived(rows, site))
    for name in WRITTEN:
        place, field = rows.schema.get_field_index(name), rows.schema.field(name)
        rows = rows.set_column(place, field, pa.array([row[name] for row in made], field.type))
    return rows


def _derived(rows: pa.Table, site: Site) -> Iterator[Row]:
    names = tuple(dict.fromkeys((*READ, *WRITTEN)))
    for values in zip(*(rows.column(name).to_pylist() for name in names), strict=True):
        row: Row = dict(zip(names, values, strict=True))
        context: Row = _decode(row["context"]) if row["context"] else {}
        if row["flags"] & _BY_RULE:
            is_told = any(name in context for name in TELLING)
            row |= _read(row, context, site) if is_told else _ruled(row, site)
        row["flags"] |= _claims(row["properties"] or "")
        yield row | _found(row, context, site)


def _claims(properties: str) -> int:
    """Flag.CLAIMS of rows that were stored when nobody looked for claims."""
    is_likely = any(trace in properties for trace in TRACES)
    return int(Flag.CLAIMS) if is_likely and is_claiming(_decode(properties)) else 0


def _read(row: Row, context: Row, site: Site) -> Row:
    text = row["properties"] or ""
    properties: Row = _decode(text) if row["type"] == "page" or TOUCHES in text else {}
    page = page_of(row["type"], context, properties)._replace(url=row["page_url"])
    agent = own_agent(context)
    labels, flags = labels_of(row["type"], page, context, properties, agent=agent, site=site)
    if not flags & _BY_RULE:
        return _ruled(row, site)
    kept = row["flags"] & ~_BRINGS | flags & _BRINGS
    clicks = list(labels["click_ids"].items())
    return {**dict.fromkeys(LABELS), **labels, "flags": kept, "click_ids": clicks}


def _ruled(row: Row, site: Site) -> Row:
    ids = tuple(name for name, _ in row["click_ids"] or ())
    source, medium, campaign = row["source_name"], row["medium"], row["campaign"]
    host = row["referrer_host"]
    channel = site.channels.channel(source, medium, campaign, referrer_host=host, click_ids=ids)
    return {"channel": channel}


def _found(row: Row, context: Row, site: Site) -> Row:
    agent = own_agent(context)
    before = context.get(NAME)
    found = found_again(site, (agent, cut_ip(context.get("ip")), ()), before or {})
    if found != (before or {}):
        left = {name: value for name, value in context.items() if name != NAME}
        row["context"] = _encode({**left, NAME: found} if found else left).decode()
    bot = site.bots.is_left_out(agent) if agent else row["bot"]
    return {"context": row["context"], "bot": bot, "consent": consent_of(context) or row["consent"]}
