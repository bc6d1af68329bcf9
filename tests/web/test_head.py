"""A request's head: an ordinary one passes however it is cut, an endless or slow one has an end."""

import asyncio
import contextlib
import socket
import threading
import time

import pytest
import uvicorn

from touchline.web import head
from touchline.web.head import Head, end_slow

GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
LAST = b"Connection: close\r\n\r\n"
MANY = b"X-A: b\r\n" * 10_000


async def _count(_scope, receive, send):
    """Answers with the number of bytes of the body."""
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    body = b"%d" % size
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class _Server(uvicorn.Server):
    async def on_tick(self, counter):
        end_slow(self.server_state.connections, asyncio.get_running_loop().time())
        return await super().on_tick(counter)


@pytest.fixture(scope="module")
def port():
    with pytest.MonkeyPatch.context() as patch, socket.create_server(("127.0.0.1", 0)) as listening:
        patch.setattr(head, "HEAD_S", 0.5)
        config = uvicorn.Config(
            _count, http=Head, loop="uvloop", lifespan="off", ws="none", log_level="critical"
        )
        server = _Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join(10)


def said(port, *parts, pause=0.0):
    """All that is answered to these parts of a connection."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        with contextlib.suppress(ConnectionError):
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(65_536):
                answer += piece
    return answer


@pytest.mark.parametrize(
    "parts",
    [
        [GET + LAST],
        [GET[:7], GET[7:], LAST],
        [b"GET /?" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: x\r\n" + LAST],
        [GET + b"\r\n", GET + LAST],
        [(GET + b"\r\n") * 50 + GET + LAST],
    ],
)
def test_an_ordinary_head_passes_however_it_is_cut(port, parts):
    answer = said(port, *parts, pause=0.05)
    assert answer.count(b"200 OK") == b"".join(parts).count(b"HTTP/1.1")
    assert b"400" not in answer


def test_a_body_may_be_large_and_slow(port):
    large = POST + b"Content-Length: 2097152\r\n" + LAST
    assert said(port, large, *[b"a" * (1 << 20)] * 2).endswith(b"2097152")
    slow = POST + b"Content-Length: 3\r\n" + LAST
    assert said(port, slow, *[b"a"] * 3, pause=0.4).endswith(b"3")


@pytest.mark.parametrize(
    "parts",
    [
        [GET, *[MANY] * 50],
        [GET + b"X: ", *[b"a" * 100_000] * 50],
        [b"GET /", *[b"a" * 100_000] * 50],
        [CHUNKED + b"1;a=", *[b"a" * 100_000] * 50],
        [CHUNKED + b"1\r\n{\r\n0\r\n", *[MANY] * 50],
    ],
)
def test_an_endless_head_has_an_end(port, parts):
    assert b"200 OK" not in said(port, *parts)


@pytest.mark.parametrize("parts", [[], [GET], [GET, *[b"X-A: b\r\n"] * 12], [GET + b"\r\n", GET]])
def test_a_slow_head_has_an_end(port, parts):
    began = time.monotonic()
    assert b"400" in said(port, *parts, pause=0.1)
    assert time.monotonic() - began < 8
