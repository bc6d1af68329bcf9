"""Questions over the worker's socket: errors cross it unchanged, long paths do not matter."""

import stat
import threading
from pathlib import Path

import pytest

from touchline.errors import BadInput, NotFound, TouchlineError, Unavailable
from touchline.jobs import rpc
from touchline.jobs.failure import packed, unpacked


def answering(dir_, answer):
    """A worker of one question."""
    server = rpc.listen(dir_)

    def run():
        connection, _ = server.accept()
        with connection, server:
            answer(connection, rpc.receive(connection))

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_chunks_come_out_as_they_went_in(tmp_path):
    def answer(connection, request):
        assert request == rpc.Request("events", {"person": "张", "limit": 3})
        for chunk in (b"a", b"", b"x" * 200_000):
            rpc.reply(connection, rpc.CHUNK, chunk)
        rpc.reply(connection, rpc.END)

    thread = answering(tmp_path, answer)
    chunks = list(rpc.ask(tmp_path, "events", {"person": "张", "limit": 3}))
    thread.join()
    assert chunks == [b"a", b"", b"x" * 200_000]


def test_a_question_may_be_as_large_as_a_request_to_the_api_or_is_refused(tmp_path, monkeypatch):
    asked = []

    def answer(connection, request):
        asked.append(request)
        rpc.reply(connection, rpc.END)

    large = {"promo_code": ["x" * (5 << 20)]}
    thread = answering(tmp_path, answer)
    assert list(rpc.ask(tmp_path, "apply", large)) == []
    thread.join()
    assert asked == [rpc.Request("apply", large)]
    monkeypatch.setattr(rpc, "MAX_REQUEST", 100)
    with rpc.listen(tmp_path), pytest.raises(BadInput) as caught:
        list(rpc.ask(tmp_path, "apply", large))
    assert caught.value.code == "body_too_large"


def test_an_error_keeps_its_class_code_and_params(tmp_path):
    error = NotFound("file_missing", path=Path("/x/y"))
    thread = answering(
        tmp_path, lambda connection, _: rpc.reply(connection, rpc.ERROR, packed(error))
    )
    with pytest.raises(NotFound) as caught:
        list(rpc.ask(tmp_path, "events"))
    thread.join()
    assert (caught.value.code, caught.value.params) == ("file_missing", {"path": "/x/y"})


def test_an_answer_that_breaks_off_raises(tmp_path):
    thread = answering(tmp_path, lambda connection, _: rpc.reply(connection, rpc.CHUNK, b"half"))
    with pytest.raises(Unavailable) as caught:
        list(rpc.ask(tmp_path, "events"))
    thread.join()
    assert caught.value.code == "worker_away"


def test_a_path_longer_than_a_socket_address_works(tmp_path):
    deep = tmp_path / ("d" * 120) / ("e" * 120)
    deep.mkdir(parents=True)
    thread = answering(deep, lambda connection, _: rpc.reply(connection, rpc.END))
    assert list(rpc.ask(deep, "ping")) == []
    thread.join()


def test_only_the_owner_may_ask(tmp_path):
    with rpc.listen(tmp_path):
        assert stat.S_IMODE((tmp_path / rpc.NAME).stat().st_mode) == 0o600


def test_a_socket_left_by_a_killed_worker_is_nobody(tmp_path):
    assert not rpc.is_served(tmp_path)
    assert not rpc.is_served(tmp_path / "missing")
    with rpc.listen(tmp_path):
        assert rpc.is_served(tmp_path)
    assert not rpc.is_served(tmp_path)
    with rpc.listen(tmp_path):
        assert rpc.is_served(tmp_path)


def test_nonsense_on_the_socket_is_no_request(tmp_path):
    for sent in (b"", b"\xff\xff\xff\xff", b"\x03\x00\x00\x00abc"):
        found = []
        thread = answering(tmp_path, lambda _, request, found=found: found.append(request))
        with rpc._connect(tmp_path, 5.0) as connection:
            connection.sendall(sent)
        thread.join()
        assert found == [None]


@pytest.mark.parametrize("code", ["worker_away", "a_later_one"])
def test_an_error_of_a_later_version_is_still_an_error(code):
    raised = unpacked(f'{{"kind":"Odd","code":"{code}","params":{{}}}}')
    assert type(raised) is TouchlineError
    assert raised.text("en")
