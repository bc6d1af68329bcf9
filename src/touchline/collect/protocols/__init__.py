"""Every wire protocol the collector speaks beside Segment's, which is its own (see `segment`).

A new one is a file here and a line in the table.
"""

import re

from touchline.collect.item import Batch
from touchline.collect.protocol import Protocol, Route
from touchline.collect.protocols.form import FORM
from touchline.collect.protocols.ga4 import GA4
from touchline.collect.protocols.jitsu import JITSU
from touchline.collect.protocols.links import LINKS
from touchline.collect.protocols.mail import CLICKS, OPENS
from touchline.collect.protocols.matomo import MATOMO
from touchline.collect.protocols.mixpanel import MIXPANEL
from touchline.collect.protocols.pixel import PIXEL
from touchline.collect.protocols.plausible import PLAUSIBLE
from touchline.collect.protocols.posthog import POSTHOG
from touchline.collect.protocols.segment import SEGMENT
from touchline.collect.protocols.snowplow import SNOWPLOW
from touchline.collect.protocols.track import TRACK
from touchline.collect.protocols.umami import UMAMI
from touchline.collect.protocols.webhook import WEBHOOK
from touchline.collect.segment import read as read_calls
from touchline.collect.site import Site
from touchline.model import RawRequest

__all__ = ["PROTOCOLS", "is_defined", "read", "spoken_at"]

PROTOCOLS: tuple[Protocol, ...] = (
    MATOMO,
    SEGMENT,
    PIXEL,
    POSTHOG,
    SNOWPLOW,
    JITSU,
    MIXPANEL,
    TRACK,
    GA4,
    UMAMI,
    PLAUSIBLE,
    WEBHOOK,
    FORM,
    LINKS,
    OPENS,
    CLICKS,
)

_EXACT = {
    route.path: (protocol, route)
    for protocol in PROTOCOLS
    for route in protocol.routes
    if "{}" not in route.path
}
_NAMING = [
    (re.compile("[^/]+".join(map(re.escape, route.path.split("{}")))), (protocol, route))
    for protocol in PROTOCOLS
    for route in protocol.routes
    if "{}" in route.path
]


def spoken_at(path: str) -> tuple[Protocol, Route] | None:
    """The protocol that is spoken at a path, and its route there."""
    known = _EXACT.get(path)
    if known is None:
        for pattern, named in _NAMING:
            if pattern.fullmatch(path):
                return named
    return known


def is_defined(path: str) -> bool:
    """Whether what is spoken there is made up by a site's own definitions."""
    known = spoken_at(path)
    return known is not None and known[0].defined is not None


def read(request: RawRequest, site: Site | None = None) -> Batch:
    """A logged request taken apart by the protocol of its path. Raises BadInput when unreadable.

    Only what is written to a site's own definitions needs to know the site.
    """
    known = spoken_at(request.path)
    if known is not None and known[0].defined is not None and site is not None:
        return known[0].defined.read(request, site)
    return (read_calls if known is None else known[0].read)(request)
