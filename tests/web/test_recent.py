"""What senders are told of ids that return: exact within the window, and cheap however hostile."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.collect.segment import read
from touchline.model import RawRequest
from touchline.web import recent as recent_module
from touchline.web.recent import Recent


def event(message_id="m1", **more):
    return {"messageId": message_id, "event": "Sign up", "userId": "u1", **more}


def judged(recent, request):
    batch = read(request)
    return recent.judge(request, [item.message_id for item in batch.items], batch)


def as_json(value):
    return json.dumps(value).encode()


def test_what_was_seen_long_ago_is_forgotten():
    recent = Recent(limit=20_000)

    def judge(number):
        request = RawRequest(0, "web", "/v1/track", as_json(event(f"m{number}")), b"i" * 16)
        return judged(recent, request)[0].status

    assert [judge(n) for n in (1, 1)] == ["stored", "duplicate"]
    assert {judge(n) for n in range(2, 500)} == {"stored"}
    assert judge(1) == "stored"
    assert judge(499) == "duplicate"
    assert len(recent._young) + len(recent._old) < 60


def test_a_request_is_read_again_once_at_most_however_often_its_ids_return(monkeypatch):
    reads = []
    whole = recent_module.read
    monkeypatch.setattr(recent_module, "read", lambda request: reads.append(1) or whole(request))
    recent = Recent()

    def judge(ids):
        items = [event(message_id, type="track") for message_id in ids]
        body = as_json({"batch": items})
        request = RawRequest(0, "web", "/v1/batch", body, b"i" * 16)
        return [verdict.status for verdict in judged(recent, request)]

    for number in range(20):
        judge([f"{number}-{n}" for n in range(10)])
    nasty = [id_ for n in range(200) for id_ in (f"c{n}", f"c{n}", f"{n % 20}-{n % 10}")]
    assert judge(nasty) == ["stored", "duplicate", "duplicate"] * 200
    assert len(reads) == 20


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), min_size=1, max_size=5),
        min_size=1,
        max_size=12,
    )
)
def test_verdicts_do_not_depend_on_how_items_are_batched(batches):
    def statuses(grouped):
        recent = Recent()
        for group in grouped:
            items = [event(f"m{m}", type="track", event=f"E{c}") for m, c in group]
            body = as_json({"batch": items})
            request = RawRequest(0, "web", "/v1/batch", body, b"i" * 16)
            for verdict in judged(recent, request):
                yield verdict.status

    flat = [[item] for group in batches for item in group]
    assert list(statuses(batches)) == list(statuses(flat))
