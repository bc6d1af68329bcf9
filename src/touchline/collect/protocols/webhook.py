"""POST /hooks/{name}: another system's own JSON, read by what a site wrote about it.

No write key: the sender shows the secret of the webhook's definition, which is checked here and
never logged. Answers are those of our own API, so whoever sets a webhook up sees what became of
each item.
"""

from collections.abc import Sequence
from urllib.parse import quote

import msgspec

from touchline.collect.item import Batch
from touchline.collect.makers.record import read
from touchline.collect.makers.webhook import Webhook
from touchline.collect.protocol import Answer, Defined, Protocol, Route, Verdict, in_json
from touchline.collect.site import Site
from touchline.collect.url import fields
from touchline.errors import Denied, NotFound
from touchline.model import RawRequest

__all__ = ["WEBHOOK"]

PREFIX = "/hooks/"


def _hook(path: str, site: Site) -> Webhook:
    name = path.removeprefix(PREFIX)
    found = site.makers.webhooks.get(name)
    if found is None:
        raise NotFound("no_such_webhook", name=name[:80])
    return found


def _admit(request: RawRequest, site: Site) -> RawRequest:
    hook = _hook(request.path, site)
    asked = fields(request.query.encode("latin-1", "replace"))
    if not hook.proof.holds(request.body, request.headers, asked):
        raise Denied("wrong_webhook_secret", name=hook.name)
    asked.pop(hook.proof.query or "", None)
    query = "&".join(
        f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in asked.items()
    )
    return msgspec.structs.replace(
        request, source=hook.source, headers={}, query=query, user_agent=None, ip=None
    )


def _read(request: RawRequest, site: Site) -> Batch:
    return read(_hook(request.path, site), request, site.time_zone, site.region)


def _answer(_: RawRequest, verdicts: Sequence[Verdict], __: Site) -> Answer:
    return in_json({"success": True, "results": list(verdicts)})


WEBHOOK = Protocol(
    name="webhook",
    routes=(Route(PREFIX + "{}"),),
    defined=Defined(
        source=lambda path, site: _hook(path, site).source,
        admit=_admit,
        read=_read,
        answer=_answer,
    ),
)
