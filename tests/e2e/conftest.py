"""A real server on a loopback port, with its supervisor, server and worker processes."""

import base64
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from touchline.storage.workspace import Workspace

WRITE_KEY, ADMIN_KEY = "write-key", "admin-key"


class Served:
    """`touchline serve` as a process group of its own."""

    def __init__(self, dir_):
        self.dir = dir_
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self, *, wait=True):
        command = [sys.executable, "-m", "touchline.cli", "serve", str(self.dir)]
        # Tests that are run in the background are told to ignore Ctrl-C, and so would this be.
        command = ["env", "--default-signal=INT", *command]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port)],
            start_new_session=True,
            stderr=subprocess.PIPE,
            text=True,
        )
        if wait:
            self.wait_for(200)
        return self

    def wait_for(self, status, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(self.process.stderr.read())
            with contextlib.suppress(OSError):
                if self.get("/health")[0] == status:
                    return
            time.sleep(0.1)
        raise AssertionError(f"health was not {status} in {seconds} s: {self.get('/health')}")

    def wait_committed(self, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status, body = self.get("/health")
            if status == 200 and json.loads(body)["behind_bytes"] == 0:
                return
            time.sleep(0.1)
        raise AssertionError("the log was not committed")

    def children(self):
        """Process id of each child, by its module."""
        parent = self.process.pid
        found = {}
        for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            found[command[2].decode().removeprefix("touchline.")] = int(pid)
        return found

    def get(self, path, key=None, **headers):
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        return self.send("GET", path, None, headers)

    def post(self, path, body, key=WRITE_KEY, **headers):
        if key is not None:
            headers["authorization"] = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", path, data, headers)

    def send(self, method, path, data, headers):
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                self.headers = error.headers
                return error.code, error.read()

    def events(self, prefix=""):
        status, body = self.get(f"/api/v1/events?message_id_prefix={prefix}", ADMIN_KEY)
        assert status == 200
        return [json.loads(line) for line in body.splitlines()]

    def stop(self, number=signal.SIGTERM, seconds=20):
        """The exit code and what was written to stderr."""
        if self.process is None:
            return 0, ""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        _, written = self.process.communicate(timeout=seconds)
        code, self.process = self.process.returncode, None
        return code, written

    def kill_group(self):
        """Ends all of it, and waits for each process: what one held is free a moment after its
        stderr is at its end.
        """
        held = [os.pidfd_open(pid) for pid in self.children().values()]
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate(timeout=20)
        for process in held:
            assert select.select([process], [], [], 20)[0]
            os.close(process)
        self.process = None


def made(dir_):
    Workspace.init(dir_, write_keys={"web": WRITE_KEY}, admin_keys=[ADMIN_KEY]).close()
    return dir_


@contextlib.contextmanager
def ended(server):
    yield server
    if server.process is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.process.pid, signal.SIGKILL)
        server.process.communicate(timeout=20)


@pytest.fixture
def workspace_dir(tmp_path):
    return made(tmp_path / "site")


@pytest.fixture
def served(workspace_dir):
    """A server that is ready to `start`; killed at the end if it still runs."""
    with ended(Served(workspace_dir)) as server:
        yield server


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A server that several tests of a module use; each leaves it healthy."""
    with ended(Served(made(tmp_path_factory.mktemp("running") / "site"))) as server:
        yield server.start()
