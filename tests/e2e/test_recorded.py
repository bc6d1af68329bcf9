"""The requests that real clients sent, at a collector and its writer: in any order and twice over
they give the same events, each once, and the same people.
"""

import asyncio
import json
import random
from collections import Counter

import msgspec
import pytest

import build
import recordings
from e2e.libraries import NAMES
from sender import call
from touchline import clock
from touchline.collect.protocols import read, spoken_at
from touchline.identity.people import Registry
from touchline.jobs import queries
from touchline.jobs.intake.writer import Writer
from touchline.jobs.keys import Wanted, create
from touchline.storage.log import Log
from touchline.web.collector import Collector
from touchline.web.keys import Keys

SENT = recordings.sent()
# Their libraries do not try again, so a request that comes twice is two.
NAMELESS = {"plausible", "umami", "matomo", "mixpanel"}


class Landed:
    """What became of requests."""

    def __init__(self, dir_, requests, patch):
        workspace = build.workspace(dir_)
        create(workspace, Wanted(value="write-key", name="shop", aliases=NAMES))
        try:
            self.answers = asyncio.run(self._send(workspace, requests, patch))
            Writer(workspace).catch_up()
            self.events = ask(workspace, queries.events)
            self.rejects = ask(workspace, queries.rejects)
            self.people = {
                (person["person_id"], *sorted(one["value"] for one in person["identifiers"]))
                for person in ask(workspace, queries.people)
            }
        finally:
            workspace.close()

    async def _send(self, workspace, requests, patch):
        answers = []
        with Log.open(workspace.dir) as log:
            app = Collector(log, Keys(workspace))
            for sent in requests:
                patch.setattr(clock, "now_us", lambda at=sent.received_us: at)
                headers = {name: value.encode() for name, value in sent.headers.items()}
                about = {"method": sent.method, "path": sent.path, "headers": headers}
                answers.append(await call(app, sent.body, query=sent.query.encode(), **about))
        return answers

    @property
    def ids(self):
        return {event["message_id"] for event in self.events}

    def content(self, of):
        """Events of these ids without what their request gave them, as often as they are there."""
        given = ("message_id", "cursor")
        return Counter(
            json.dumps({name: event[name] for name in event if name not in given}, sort_keys=True)
            for event in self.events
            if event["message_id"] in of
        )


def ask(workspace, query):
    return [json.loads(line) for line in query(workspace, Registry(workspace), {})]


@pytest.fixture(scope="module")
def as_recorded(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield Landed(tmp_path_factory.mktemp("recorded") / "w", SENT, patch)


def test_at_least_eighteen_clients_are_recorded_and_all_they_sent_is_taken(as_recorded):
    packages = {sent.package.split(",")[0] for sent in SENT}
    assert len(packages) >= 18, sorted(packages)
    assert {answer.status for answer in as_recorded.answers} <= {200, 202, 204}
    assert as_recorded.rejects == []


@pytest.mark.parametrize("seed", range(3))
def test_in_any_order_and_twice_over_it_is_the_same(tmp_path, as_recorded, seed):
    requests = SENT * 2
    random.Random(seed).shuffle(requests)
    with pytest.MonkeyPatch.context() as patch:
        again = Landed(tmp_path / "w", requests, patch)
    assert again.rejects == []
    assert again.people == as_recorded.people
    own = as_recorded.ids & again.ids
    assert again.content(own) == as_recorded.content(own)
    assert set(as_recorded.content(own).values()) == {1}
    # What has no id of its own is as often there as it was sent.
    rest, rest_again = as_recorded.content(as_recorded.ids - own), again.content(again.ids - own)
    assert rest_again == rest + rest


def ids(sent, request_id):
    """The ids of the items of a request that collects, received under this id."""
    _, route = spoken_at(sent.path) or (None, None)
    if route is not None and route.tells is not None:
        return []
    request = msgspec.structs.replace(sent.request(), request_id=request_id * 16)
    return [item.message_id for item in read(request).items]


def test_only_the_protocols_that_number_nothing_leave_events_without_an_id():
    without = {sent.protocol for sent in SENT if ids(sent, b"a") != ids(sent, b"b")}
    assert without == NAMELESS
