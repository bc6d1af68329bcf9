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


class Sender:
    """Requests in the order of a log, which keeps them."""

    def __init__(self, **options):
        self.log = []
        self.recent = Recent(self.logged, **options)

    def logged(self, offset):
        return self.log[offset]

    def judged(self, request):
        batch = read(request)
        self.log.append(request)
        ids = [item.message_id for item in batch.items]
        return self.recent.judge(request, len(self.log) - 1, ids, batch)


def as_json(value):
    return json.dumps(value).encode()


def test_what_was_seen_long_ago_is_forgotten():
    sender = Sender(limit=20_000)

    def judge(number):
        request = RawRequest(0, "web", "/v1/track", as_json(event(f"m{number}")), b"i" * 16)
        return sender.judged(request)[0].status

    assert [judge(n) for n in (1, 1)] == ["stored", "duplicate"]
    assert {judge(n) for n in range(2, 500)} == {"stored"}
    assert judge(1) == "stored"
    assert judge(499) == "duplicate"
    assert len(sender.recent._young) + len(sender.recent._old) <= 67


def test_a_request_is_read_again_once_at_most_however_often_its_ids_return(monkeypatch):
    reads = []
    whole = recent_module.read
    monkeypatch.setattr(recent_module, "read", lambda request: reads.append(1) or whole(request))
    sender = Sender()

    def judge(ids):
        items = [event(message_id, type="track") for message_id in ids]
        body = as_json({"batch": items})
        request = RawRequest(0, "web", "/v1/batch", body, b"i" * 16)
        return [verdict.status for verdict in sender.judged(request)]

    for number in range(20):
        judge([f"{number}-{n}" for n in range(10)])
    nasty = [id_ for n in range(200) for id_ in (f"c{n}", f"c{n}", f"{n % 20}-{n % 10}")]
    told = judge(nasty)
    assert told[0::3] == ["stored"] * 200
    assert told[1::3] == ["duplicate"] * 200
    assert set(told[2::3]) == {"duplicate", "stored"}  # beyond some requests it is not looked up
    assert len(reads) == recent_module.MAX_LOOKS
    for _ in range(3):
        told = judge(nasty)
    assert told == ["duplicate"] * 600
    assert len(reads) <= 20 + 1


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
        sender = Sender()
        for group in grouped:
            items = [event(f"m{m}", type="track", event=f"E{c}") for m, c in group]
            body = as_json({"batch": items})
            request = RawRequest(0, "web", "/v1/batch", body, b"i" * 16)
            for verdict in sender.judged(request):
                yield verdict.status

    flat = [[item] for group in batches for item in group]
    assert list(statuses(batches)) == list(statuses(flat))


def test_an_id_whose_first_copy_is_no_longer_in_the_log_is_left_to_the_commit():
    sender = Sender()
    request = RawRequest(0, "web", "/v1/track", as_json(event()), b"i" * 16)
    sender.judged(request)
    sender.log[0] = None
    assert [verdict.status for verdict in sender.judged(request)] == ["stored"]
