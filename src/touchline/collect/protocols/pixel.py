"""Pixels of Segment and RudderStack: an image's address → one call. The image always comes.

Segment's carries the call as JSON or base64 in `data`, with the write key inside. RudderStack's
is flat: each field is a parameter, and dots lead into objects (`context.page.url`). Either way is
read at either path.
"""

from collections.abc import Sequence
from typing import Any

from touchline.collect import body, segment
from touchline.collect.item import Batch
from touchline.collect.protocol import Answer, Protocol, Route, Verdict, gif
from touchline.collect.url import fields
from touchline.errors import TouchlineError
from touchline.model import RawRequest

__all__ = ["PIXEL"]

MAX_STEPS = 16


def _read(request: RawRequest) -> Batch:
    given = fields(request.query.encode("latin-1"))
    if "data" in given:
        call = body.load_text(given.pop("data"))
        key = given.get("writeKey")
    else:
        call, key = _nested(given), None
    batch = segment.of_one(call, request.path.rstrip("/").rpartition("/")[2].lower(), request)
    return Batch(batch.write_key or key, batch.items)


def _nested(given: dict[str, str]) -> dict[str, Any]:
    """Parameters by their dots; those that bar each other's way stay as they were sent."""
    call: dict[str, Any] = {"channel": "web"}
    if "anonymousId" in given:
        given = {**given, "anonymousId": _bare(given["anonymousId"])}
    barred = {
        name: value
        for name, value in given.items()
        if not _is_placed(call, name.split(".", MAX_STEPS), value)
    }
    return {**call, "parameters": barred} if barred else call


def _is_placed(box: dict[str, Any], steps: list[str], value: str) -> bool:
    for step in steps[:-1]:
        box = box.setdefault(step, {})
        if type(box) is not dict:
            return False
    return box.setdefault(steps[-1], value) is value


def _bare(value: str) -> str:
    """RudderStack's snippets write the id as it stands in their cookie: in quotes."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def _answer(_request: RawRequest, _verdicts: Sequence[Verdict]) -> Answer:
    return gif()


def _refuse(_: TouchlineError) -> Answer:
    return gif()


PIXEL = Protocol(
    name="pixel",
    routes=(
        Route("/v1/pixel/{}", ("GET",)),
        Route("/pixel/v1/track", ("GET",)),
        Route("/pixel/v1/page", ("GET",)),
    ),
    read=_read,
    answer=_answer,
    refuse=_refuse,
    has_our_keys=True,
)
