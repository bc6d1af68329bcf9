"""Killed with much to commit: how soon the first request is answered again, and all can be read.

python bench/restart.py [EVENTS]     default 1,000,000, in batches of 100, none of them committed

Printed beside a start with an empty log in the same run: the ratio is the figure.
"""

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from commit import fill, requests
from touchline.storage.frames import end_offset
from touchline.storage.workspace import Workspace

GOAL_S = 5.0
KEY = base64.b64encode(b"k:").decode()
EVENT = json.dumps({"type": "track", "event": "E", "userId": "u"}).encode()


class Server:
    """`touchline serve` on a folder; killed at the end."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "touchline.cli", "serve", str(folder), "--port", str(port)],
            start_new_session=True,
            stdout=subprocess.DEVNULL,
        )

    def first_answer_s(self) -> float:
        headers = {"authorization": f"Basic {KEY}"}
        while True:
            if self.process.poll() is not None:
                sys.exit("the server did not start")
            with contextlib.suppress(OSError):
                urllib.request.urlopen(
                    urllib.request.Request(f"{self.url}/v1/track", EVENT, headers), timeout=60
                ).close()
                return time.monotonic() - self.started
            time.sleep(0.01)

    def committed_s(self) -> float:
        while True:
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"{self.url}/health", timeout=60) as answer,
            ):
                if json.load(answer)["behind_bytes"] == 0:
                    return time.monotonic() - self.started
            time.sleep(0.1)

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def main() -> int:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        folder = Path(name)
        Workspace.init(folder, write_keys={"web": "k"}).close()
        server = Server(folder)
        bare_s = server.first_answer_s()
        server.kill()
        fill(folder, list(requests(events)))
        server = Server(folder)
        try:
            answer_s, size = server.first_answer_s(), end_offset(folder)
            committed_s = server.committed_s()
        finally:
            server.kill()
    print(
        f"{events:,} events ({size / 2**20:,.0f} MiB of log) to commit: first answer after"
        f" {answer_s:.1f} s (goal {GOAL_S:.0f}), {answer_s / bare_s:.2f} x that of an empty log;"
        f" all committed after {committed_s:.0f} s"
    )
    return 0 if answer_s <= max(GOAL_S, 1.5 * bare_s) else 1  # a busy machine starts nothing soon


if __name__ == "__main__":
    sys.exit(main())
