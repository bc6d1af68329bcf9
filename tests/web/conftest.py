"""The admin API in front of a worker that says what each test wants."""

import asyncio
import contextlib
import socket
import threading

import httpx
import pytest

from touchline.errors import TouchlineError
from touchline.jobs import rpc
from touchline.jobs.failure import packed
from touchline.web.app import api
from touchline.web.dispatch import Dispatch
from touchline.web.keys import Keys
from touchline.web.script import Script
from touchline.web.served import Served


class Store:
    def write_keys(self):
        return {}

    def write_aliases(self):
        return {}

    def admin_scopes(self, key):
        held = {"secret": "read write keys", "reader": "read", "locksmith": "keys read"}
        held["clerk"] = "privacy"
        return frozenset(held.get(key, "").split())


class FakeWorker:
    """Answers by name: a list of chunks, or an error to raise after them."""

    def __init__(self, dir_):
        self.answers = {}
        self.asked = []
        self.hung_up = threading.Event()
        self._server = rpc.listen(dir_)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with connection:
            request = rpc.receive(connection)
            if request is None:
                return
            self.asked.append((request.name, request.args))
            try:
                for chunk in self.answers.get(request.name, []):
                    if isinstance(chunk, TouchlineError):
                        rpc.reply(connection, rpc.ERROR, packed(chunk))
                        return
                    if chunk is None:
                        return
                    rpc.reply(connection, rpc.CHUNK, chunk)
                rpc.reply(connection, rpc.END)
            except OSError:
                self.hung_up.set()

    def close(self):
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


@pytest.fixture
def worker(tmp_path):
    with contextlib.closing(FakeWorker(tmp_path)) as found:
        yield found


@pytest.fixture
def get(tmp_path):
    def get(path, *, key="secret", method="GET", problems=None, json=None, **headers):
        async def ask():
            app = api(Served(rpc.WorkerClient(tmp_path), Keys(Store()), True, problems or {}))
            transport = httpx.ASGITransport(
                Dispatch(None, app, Script()), raise_app_exceptions=False
            )
            if key is not None:
                headers["authorization"] = f"Bearer {key}"
            async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
                return await client.request(method, path, headers=headers, json=json)

        return asyncio.run(ask())

    return get
