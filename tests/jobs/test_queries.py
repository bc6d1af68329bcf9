"""What the command line and the API ask: order, filters, pages, people."""

import msgspec
import pytest

import build
from build import DAY, HOUR, T0, Tracker, track
from touchline.errors import Ambiguous, BadInput, NotFound
from touchline.identity.people import Registry
from touchline.jobs import queries
from touchline.jobs.definitions import apply
from touchline.jobs.intake.writer import Writer

FIELDS = {
    *("message_id", "type", "name", "user_id", "anonymous_id", "timestamp", "received_at"),
    *("channel", "properties"),
}


class Asked:
    """A workspace and its answers."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.registry = Registry(workspace)
        self.tracker = Tracker(workspace)

    def commit(self):
        Writer(self.workspace).catch_up()

    def lines(self, query, **args):
        return [msgspec.json.decode(x) for x in query(self.workspace, self.registry, args)]

    def ids(self, query=queries.events, **args):
        return [row["message_id"] for row in self.lines(query, **args)]

    def whole(self, query, **args):
        return msgspec.json.decode(msgspec.json.encode(query(self.workspace, self.registry, args)))


@pytest.fixture
def site(tmp_path):
    made = build.workspace(tmp_path / "w")
    yield Asked(made)
    made.close()


def test_events_come_in_the_order_of_arrival(site):
    site.tracker.send(track("c", "A", at=T0), track("b", "A", at=T0 - DAY), at=T0 + 2)
    site.tracker.send(track("a", "A", at=T0 + HOUR), at=T0 + 1)
    site.commit()
    assert site.ids() == ["a", "c", "b"]
    (first, *_) = site.lines(queries.events)
    assert set(first) >= FIELDS


def test_filters_narrow_what_is_answered_and_combine(site):
    for n in range(4):
        site.tracker.send(track(f"x{n}", "A", at=T0 + n * DAY), track(f"y{n}", "A", at=T0))
    site.commit()
    assert site.ids(message_id_prefix="x") == ["x0", "x1", "x2", "x3"]
    assert site.ids(**{"from": "2026-03-02", "to": "2026-03-04"}) == ["x1", "x2"]
    assert site.ids(**{"from": "2026-03-03T00:00:00Z"}) == ["x2", "x3"]
    assert site.ids(message_id_prefix="y", to="2026-03-01") == []
    assert site.ids(message_id_prefix="x", limit="2") == ["x0", "x1"]
    assert site.ids(message_id_prefix="%") == []


def test_a_day_is_the_workspaces_day(tmp_path):
    site = Asked(build.workspace(tmp_path / "w", time_zone="Asia/Shanghai"))
    site.tracker.send(track("a", "A", at=T0 - 9 * HOUR), track("b", "A", at=T0 - 8 * HOUR))
    site.commit()
    assert site.ids(**{"from": "2026-03-01"}) == ["b"]
    site.workspace.close()


@pytest.mark.parametrize("query", [queries.events, queries.rejects])
@pytest.mark.parametrize("size", ["1", "3"])
def test_pages_hold_every_row_once(site, query, size):
    for n in range(3):
        calls = [track(f"e{n}{k}", "A") for k in range(2)]
        bad = [{"type": "track", "userId": "u", "messageId": f"r{n}{k}"} for k in range(2)]
        site.tracker.send(*calls, *bad)  # all arrive at the same moment
        Writer(site.workspace).commit_once()
    site.commit()
    found, cursor = [], None
    while rows := site.lines(query, limit=size, **({"cursor": cursor} if cursor else {})):
        assert len(rows) <= int(size)
        found += [row["message_id"] for row in rows]
        cursor = rows[-1]["cursor"]
    assert len(found) == len(set(found)) == 6
    assert found == site.ids(query)


def test_rejects_come_with_reason_and_payload(site):
    site.tracker.send({"type": "track", "userId": "u", "messageId": "r", "x": "密"}, at=T0 + 5)
    site.tracker.raw(b"\xff\xfe", at=T0 + 9)
    site.commit()
    named, raw = site.lines(queries.rejects)
    assert (named["message_id"], named["reason"]) == ("r", "missing_event")
    assert named["payload"]["x"] == "密"
    assert raw["message_id"] is None
    assert isinstance(raw["payload"], str)
    assert site.ids(queries.rejects, message_id_prefix="r") == ["r"]
    assert site.ids(queries.rejects, message_id_prefix="_") == []
    assert len(site.lines(queries.rejects, to="2026-03-02")) == 2
    assert site.lines(queries.rejects, **{"from": "2026-03-02"}) == []


# People


@pytest.fixture
def ann(site):
    traits = {"email": "Ann@Shop.cn", "phone": "13800138000"}
    site.tracker.send(
        track("d", "Visit", userId=None, anonymousId="dev-1", at=T0 + 9),
        {"type": "identify", "messageId": "i", "userId": "ann", "anonymousId": "dev-1"}
        | {"traits": traits, "timestamp": "2026-03-01T01:00:00Z"},
        track("b", "Visit", userId="ben"),
        track("amb", "Visit", userId="dev-1"),
    )
    site.commit()
    return site


@pytest.mark.parametrize(
    "name",
    [
        "ann",
        "user_id:ann",
        "anonymous_id:dev-1",
        "email:ann@shop.cn",
        " ANN@shop.cn",
        "13800138000",
    ],
)
def test_a_person_is_found_by_any_of_their_names(ann, name):
    assert ann.ids(person=name) == ["d", "i"]


def test_a_person_is_found_by_their_id_as_well(ann):
    told = ann.whole(queries.timeline, person="ann")
    assert ann.ids(person=told["person_id"]) == ["d", "i"]


def test_a_name_of_two_persons_is_handed_back_and_one_of_nobody_refused(ann):
    with pytest.raises(Ambiguous, match="user_id:dev-1"):
        ann.ids(person="dev-1")
    for query in (queries.events, queries.timeline):
        with pytest.raises(NotFound, match="carl") as caught:
            list(query(ann.workspace, ann.registry, {"person": "carl"}))
        assert caught.value.code == "person_unknown"


def test_a_timeline_is_a_persons_events_oldest_first(ann):
    told = ann.whole(queries.timeline, person="ann")
    assert list(told) == ["person_id", "identifiers", "events"]
    assert [event["message_id"] for event in told["events"]] == ["d", "i"]
    assert {"type": "email", "value": "ann@shop.cn"} in told["identifiers"]
    assert {"type": "phone", "value": "+8613800138000"} in told["identifiers"]


def test_everybody_is_exported_with_identifiers_and_traits(ann):
    found = ann.lines(queries.people)
    assert len(found) == 3
    (one,) = [row for row in found if {"type": "user_id", "value": "ann"} in row["identifiers"]]
    parts = {"person_id", "identifiers", "traits", "computed", "stage", "tags", "owner"}
    assert set(one) == parts
    assert (one["tags"], one["owner"]) == ([], None)


def test_a_person_found_before_a_merge_is_found_after_it(ann):
    before = ann.whole(queries.timeline, person="ben")["person_id"]
    ann.tracker.send({"type": "alias", "messageId": "l", "userId": "ann", "previousId": "dev-1"})
    ann.commit()
    assert ann.whole(queries.timeline, person=before)["events"][0]["message_id"] == "b"


# Reports


def test_a_report_is_asked_in_text_and_asks_todays_goal_of_what_was_known(site):
    apply(site.workspace, {"goal": [{"name": "visits", "event": "Visit"}]})
    site.tracker.send(track("a", "Ad", properties={"channel": "Ads", "campaign": "x"}, at=T0))
    site.tracker.send(track("v", "Visit", at=T0 + HOUR))
    site.commit()
    found = site.whole(queries.QUERIES["attribution"], models="linear", by="campaign", window="1d")
    assert (found["goal"], found["window_days"], found["conversions"]) == ("visits", 1, 1)
    ((row,), *_) = [found["rows"]]
    assert (row["channel"], row["campaign"], row["conversions"]) == ("Ads", "x", 1.0)
    assert site.whole(queries.QUERIES["attribution"], window="0.01d")["rows"] == []
    before = site.whole(queries.QUERIES["attribution"], as_of="2026-01-01")
    assert (before["goal"], before["conversions"]) == ("visits", 0)
    (credit, *_) = site.lines(queries.credit_rows, models="linear")
    assert (credit["message_id"], credit["credit"]) == ("a", 1.0)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"goal": "nope"}, "unknown_goal"),
        ({"models": "best"}, "unknown_model"),
        ({"by": "shoe"}, "bad_argument"),
        ({"window": "x"}, "bad_argument"),
        ({"from": "x"}, "bad_argument"),
        ({"as_of": "x"}, "bad_argument"),
    ],
)
def test_a_question_that_cannot_be_meant_is_refused(site, args, code):
    with pytest.raises(BadInput) as caught:
        site.whole(queries.QUERIES["attribution"], **args)
    assert (caught.value.code, caught.value.exit_code) == (code, 2)


def test_conversions_count_on_local_days_and_windows_in_hours(tmp_path):
    """17:00 UTC is already the next day in Shanghai."""
    site = Asked(build.workspace(tmp_path / "w", time_zone="Asia/Shanghai"))
    site.tracker.send(track("a", "Ad", properties={"channel": "Ads"}, at=T0 + 17 * HOUR - 1 - DAY))
    site.tracker.send(track("b", "Ad", properties={"channel": "Mail"}, at=T0 + 17 * HOUR - DAY))
    paid = {"revenue": 1, "order_id": "o"}
    site.tracker.send(track("o", "Order Completed", properties=paid, at=T0 + 17 * HOUR))
    site.commit()
    ask = {"models": "linear", "window": "1d"}
    query = queries.QUERIES["attribution"]
    assert site.whole(query, **ask, to="2026-03-01")["conversions"] == 0
    found = site.whole(query, **ask, **{"from": "2026-03-02", "to": "2026-03-02"})
    assert [(row["channel"], row["revenue"]) for row in found["rows"]] == [("Mail", 100)]
    site.workspace.close()


# Rejects by person and by their own time


def test_rejects_are_found_by_person_and_by_the_time_they_say(site):
    site.tracker.send({**track("r1", None, at=T0), "userId": "ann"}, {**track("ok", "Ad", at=T0)})
    site.commit()
    day = {"from": "2026-03-01", "to": "2026-03-02"}
    assert site.ids(queries.rejects, person="ann", **day) == ["r1"]
    assert site.ids(queries.rejects, person="user_id:ann", **day) == ["r1"]
    assert site.ids(queries.rejects, person="nobody") == []
    assert site.ids(queries.rejects, person="ann", **{"from": "2026-03-02"}) == []
