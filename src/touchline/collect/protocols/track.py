"""The path `/track`, where both Mixpanel and early PostHog libraries speak: the body tells whose.

PostHog's answer is of no interest to those libraries, so both get Mixpanel's.
"""

from touchline.collect.item import Batch
from touchline.collect.protocol import Protocol, Route
from touchline.collect.protocols import mixpanel, posthog
from touchline.model import RawRequest

__all__ = ["TRACK"]


def read(request: RawRequest) -> Batch:
    """Take a request apart. Raises BadInput when it is not JSON or too large."""
    value = posthog.value_of(request)
    spoken = posthog if posthog.is_posthog(value) else mixpanel
    return spoken.batch_of(value, request)


TRACK = Protocol(
    name="track",
    routes=tuple(Route(path, ("GET", "POST")) for path in ("/track", "/track/")),
    read=read,
    answer=mixpanel.answer,
    refuse=mixpanel.refuse,
    names_visitors="day",
)
