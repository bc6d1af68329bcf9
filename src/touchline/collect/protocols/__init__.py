"""Every wire protocol the collector speaks beside Segment's, which is its own (see `segment`).

A new one is a file here and a line in the table.
"""

import re

from touchline.collect.item import Batch
from touchline.collect.protocol import Protocol, Route
from touchline.collect.protocols.ga4 import GA4
from touchline.collect.protocols.jitsu import JITSU
from touchline.collect.protocols.matomo import MATOMO
from touchline.collect.protocols.mixpanel import MIXPANEL
from touchline.collect.protocols.pixel import PIXEL
from touchline.collect.protocols.plausible import PLAUSIBLE
from touchline.collect.protocols.posthog import POSTHOG
from touchline.collect.protocols.segment import SEGMENT
from touchline.collect.protocols.snowplow import SNOWPLOW
from touchline.collect.protocols.track import TRACK
from touchline.collect.protocols.umami import UMAMI
from touchline.collect.segment import read as read_calls
from touchline.model import RawRequest

__all__ = ["PROTOCOLS", "read", "spoken_at"]

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


def read(request: RawRequest) -> Batch:
    """A logged request taken apart by the protocol of its path. Raises BadInput when unreadable."""
    known = spoken_at(request.path)
    return (read_calls if known is None else known[0].read)(request)
