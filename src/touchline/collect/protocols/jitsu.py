"""The Jitsu event API (`/api/s/track`, the same of servers under `/api/s/s2s`): Segment's items.

What differs is the way a site is named: a header `X-Write-Key: id:secret`; the body has the same
with the secret starred out. The secret is no secret of ours, so the id alone counts.
"""

from collections.abc import Sequence

import msgspec

from touchline.collect import segment
from touchline.collect.item import Batch
from touchline.collect.protocol import Answer, Protocol, Route, Verdict
from touchline.model import RawRequest

__all__ = ["JITSU"]


def read(request: RawRequest) -> Batch:
    """Take a request apart. Raises BadInput when it is not JSON or too large."""
    call = request.path.rstrip("/").rpartition("/")[2]
    batch = segment.read(msgspec.structs.replace(request, path=f"/v1/{call}"))
    key = request.headers.get("x-write-key") or batch.write_key or ""
    name = key.strip().partition(":")[0]
    return Batch(f"jitsu:{name}" if name else None, batch.items, batch.sent_at)


def _answer(request: RawRequest, verdicts: Sequence[Verdict]) -> Answer:
    """A browser's client would load whatever destinations it is told of; we have none for it."""
    del request, verdicts
    return Answer(200, b'{"ok":true}')


JITSU = Protocol(
    name="jitsu",
    routes=tuple(Route(path + end) for path in ("/api/s/{}", "/api/s/s2s/{}") for end in ("", "/")),
    read=read,
    answer=_answer,
)
