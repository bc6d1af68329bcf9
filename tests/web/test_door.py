"""Bodies at the admin API: who may send one, how large, and what is read of it."""

import asyncio
import json

import pytest

from touchline.jobs.rpc import WorkerClient
from touchline.web import door
from touchline.web.app import api
from touchline.web.keys import Keys
from touchline.web.served import Served

KEY = (b"authorization", b"Bearer secret")
LINKS = "/api/v1/links"


class Store:
    def write_keys(self):
        return {}

    def write_aliases(self):
        return {}

    def admin_scopes(self, key):
        return frozenset({"read", "write"} if key == "secret" else ())


@pytest.fixture
def send(tmp_path):
    """(status, code, parts taken) of a request whose body comes in parts; None is a wait."""

    def send(parts, headers=(KEY,), path=LINKS):
        taken = []
        sent = []

        async def receive():
            part = parts[len(taken)]
            taken.append(part)
            if part is None:
                await asyncio.Event().wait()
            is_last = len(taken) == len(parts)
            return {"type": "http.request", "body": part, "more_body": not is_last}

        async def answer(message):
            sent.append(message)

        async def run():
            app = api(Served(WorkerClient(tmp_path), Keys(Store())))
            about = [(b"content-type", b"application/json"), *headers]
            scope = {"type": "http", "method": "POST", "path": path, "query_string": b""}
            await app({**scope, "headers": about}, receive, answer)

        asyncio.run(run())
        return sent[0]["status"], json.loads(sent[1]["body"])["code"], len(taken)

    return send


@pytest.mark.parametrize(
    "headers",
    [(), ((b"authorization", b"Bearer wrong"),), ((b"authorization", b"Basic c2VjcmV0"),)],
)
def test_of_a_sender_without_a_key_nothing_is_read(send, headers):
    assert send([b"x"], headers) == (401, "wrong_admin_key", 0)


def test_a_body_beyond_the_limit_is_read_to_its_end_and_refused(send):
    assert send([b" " * door.MAX_BODY, b" ", b" "]) == (413, "body_too_large", 3)


def test_a_body_without_end_is_not_read_on_for_ever(send):
    parts = [b" " * (16 << 20)] * 100
    assert send(parts) == (413, "body_too_large", 5)


def test_a_body_that_does_not_come_is_not_waited_for(send, monkeypatch):
    monkeypatch.setattr(door, "BODY_S", 0.01)
    assert send([b"{", None]) == (408, "too_slow", 2)


@pytest.mark.parametrize(
    "value",
    [
        rb'"\ud800"',
        b"NaN",
        b"1e400",
        b"9" * 5000,
        b"[" * 100 + b"]" * 100,
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"\xff",
        b'"',
    ],
)
def test_what_no_reader_takes_is_refused(send, value):
    body = b'{"target": "https://a.cn", "label": ' + value + b"}"
    assert send([body]) == (400, "unreadable_body", 1)


def test_what_can_be_read_goes_on_to_its_route(send):
    assert send([b'{"target": ', b"1}"])[:2] == (400, "bad_argument")
    assert send([b""])[:2] == (400, "bad_argument")
    assert send([b'{"target": "https://a.cn"}'])[:2] == (503, "worker_away")


def test_addresses_outside_the_api_ask_for_no_key(send):
    assert send([b"x"], (), "/health")[:2] == (405, "other_method")
