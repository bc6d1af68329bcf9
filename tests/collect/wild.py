"""Hostile values for any protocol, and what must hold whatever is sent."""

import contextlib

import msgspec
from calls import SITE
from hypothesis import strategies as st

from touchline.collect.item import content_hash, payload
from touchline.collect.protocol import Answer, Verdict
from touchline.collect.reasons import REASONS
from touchline.collect.segment import to_event
from touchline.errors import BadInput
from touchline.model import Event

text = st.text(max_size=8) | st.sampled_from(
    ["", "x\x00y", "\ud83d", "9" * 500, "1e999", "CNY", "https://a.cn/?utm_source=x", "//", "/p"]
)
scalar = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**15, 10**60)
    | st.floats(allow_nan=True, allow_infinity=True)
    | text
)
values = st.recursive(
    scalar, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def check(protocol, request):
    """A verdict for each item, an answer and storable events; or one clear error."""
    with contextlib.suppress(BadInput):
        judge(protocol, request)


def judge(protocol, request):
    batch = protocol.read(request)
    assert repr(batch) == repr(protocol.read(request))
    verdicts = []
    for item in batch.items:
        assert item.message_id
        assert item.reason is None or item.reason in REASONS
        payload(item)
        if item.reason is None:
            content_hash(item.data)
            event = to_event(item, request, batch.sent_at, SITE)
            assert isinstance(event, Event)
            encoded = msgspec.json.encode(event)
            assert b"\\u0000" not in encoded
        verdicts.append(
            Verdict(item.message_id, "rejected" if item.reason else "stored", item.reason)
        )
    assert isinstance(protocol.answer(request, verdicts), Answer)
