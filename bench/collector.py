"""How much of an empty handler's requests/s the collector keeps while syncing before each answer.

    python bench/collector.py [--seconds 3] [--rounds 3]

Both run on uvicorn (httptools, uvloop), the collector as it is served: without ASGI for what is
plain. wrk loads one after the other with 64 connections. Printed: best of the rounds, and what the
disk does with bare fdatasync.
"""

import argparse
import base64
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

WRITE_KEY = "bench-key"
CONNECTIONS = 64
GATE = 0.5
BATCH = 100
LUA = """
local event = [[%s]]
local batch = %d
local seed = math.random(1, 2^30) .. "-" .. tostring(os.time())
local n = 0
local thread_number = 0
function setup(thread) thread:set("number", thread_number); thread_number = thread_number + 1 end
function request()
  local parts = {}
  for i = 1, batch do
    n = n + 1
    parts[i] = string.gsub(event, "MESSAGE_ID", seed .. "-" .. number .. "-" .. n)
  end
  local body = parts[1]
  local path = "/v1/track"
  if batch > 1 then body = '{"batch":[' .. table.concat(parts, ",") .. ']}'; path = "/v1/batch" end
  return wrk.format("POST", path, {["Authorization"] = "Basic %s",
    ["Content-Type"] = "application/json"}, body)
end
"""
EVENT = {
    "type": "track",
    "event": "Order Completed",
    "messageId": "MESSAGE_ID",
    "userId": "member-20481",
    "anonymousId": "5b7c1f6e-0d0f-4c0e-9a55-3f2c8a1e7d10",
    "timestamp": "2026-11-21T08:30:00.857Z",
    "properties": {"order_id": "50314325", "revenue": 199.5, "currency": "CNY", "coupon": "双十一"},
    "context": {
        "library": {"name": "analytics.js", "version": "2.11.1"},
        "page": {
            "url": "https://shop.example/p/9?utm_source=baidu&utm_medium=cpc&utm_campaign=brand",
            "referrer": "https://www.baidu.com/",
            "title": "商品详情",
            "path": "/p/9",
        },
        "locale": "zh-CN",
        "userAgent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15",
    },
}


async def empty(scope: Any, _receive: Any, send: Any) -> None:
    """The least an ASGI app can do."""
    if scope["type"] == "http":
        headers = [(b"content-type", b"application/json"), (b"content-length", b"16")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"success":true}'})


def run_server(kind: str, directory: str, port: int) -> None:
    import uvicorn

    from touchline.jobs.process import settle_memory
    from touchline.storage.log import Log
    from touchline.storage.workspace import Workspace
    from touchline.web.collector import Collector
    from touchline.web.keys import Keys
    from touchline.web.server import SWITCH_S, Connection

    log, app, http = None, empty, "httptools"
    if kind == "collector":
        log = Log.open(Path(directory))
        app = Collector(log, Keys(Workspace.open(Path(directory))))
        http = Connection
    settle_memory()
    sys.setswitchinterval(SWITCH_S)
    uvicorn.run(
        app,
        port=port,
        loop="uvloop",
        http=http,
        lifespan="off",
        access_log=False,
        log_level="error",
        backlog=1024,
    )
    if log is not None:
        log.close()


class Running:
    """One of the two servers, on a port of its own; it rests while the other is loaded."""

    def __init__(self, kind: str, directory: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.directory = directory
        command = [sys.executable, __file__, "--serve", kind, directory, str(self.port)]
        self.process = subprocess.Popen(command)
        wait_for(self.port)

    def load(self, batch: int, seconds: int) -> tuple[float, float]:
        """(requests/s, p99 in ms) while wrk sends as fast as it is answered."""
        script = Path(self.directory) / f"wrk-{batch}.lua"
        script.write_text(LUA % (json.dumps(EVENT, ensure_ascii=False), batch, basic()))
        options = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script)]
        out = subprocess.run(
            ["wrk", *options, f"http://127.0.0.1:{self.port}"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        if "Non-2xx" in out or "Socket errors" in out:
            sys.exit(f"the run had failures\n{out}")
        rate = float(found(r"Requests/sec:\s+([\d.]+)", out)[0])
        return rate, in_ms(*found(r"99%\s+([\d.]+)(\w+)", out))

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def basic() -> str:
    return base64.b64encode(f"{WRITE_KEY}:".encode()).decode()


def found(pattern: str, text: str) -> tuple[str, ...]:
    match = re.search(pattern, text)
    if match is None:
        sys.exit(f"wrk printed no {pattern}:\n{text}")
    return match.groups()


def in_ms(number: str, unit: str) -> float:
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit("the server did not start")


def syncs_per_second(directory: str, size: int, seconds: float = 1.0) -> float:
    """Bare write + fdatasync of `size` bytes, one after the other: what the disk can do."""
    path = Path(directory) / "sync.bin"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    data, count, start = os.urandom(size), 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        os.write(fd, data)
        os.fdatasync(fd)
        count += 1
    os.close(fd)
    path.unlink()
    return count / (time.perf_counter() - start)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", nargs=3, metavar=("KIND", "DIR", "PORT"), help="internal")
    options = parser.parse_args()
    if options.serve:
        kind, directory, port = options.serve
        run_server(kind, directory, int(port))
        return 0
    if shutil.which("wrk") is None:
        sys.exit("wrk is needed to drive the server: apt-get install wrk")
    from touchline.storage.workspace import Workspace

    runs: dict[str, list[tuple[float, float]]] = {"empty": [], "single": [], "batch": []}
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as directory:
        Workspace.init(Path(directory), write_keys={"bench": WRITE_KEY}).close()
        small, large = (syncs_per_second(directory, size) for size in (1 << 10, 64 << 10))
        print(f"disk: fdatasync after 1 KiB {small:,.0f}/s, after 64 KiB {large:,.0f}/s")
        empty, collector = Running("empty", directory), Running("collector", directory)
        try:
            for _ in range(options.rounds):
                runs["empty"].append(empty.load(1, options.seconds))
                runs["single"].append(collector.load(1, options.seconds))
            for _ in range(options.rounds):
                runs["batch"].append(collector.load(BATCH, options.seconds))
        finally:
            empty.stop()
            collector.stop()
    return report(runs)


def report(runs: dict[str, list[tuple[float, float]]]) -> int:
    for name, results in runs.items():
        rate, p99 = max(results)
        events = f" = {rate * BATCH:,.0f} events/s" if name == "batch" else ""
        print(f"{name:>7}: {rate:>9,.0f} requests/s{events}, p99 {p99:.1f} ms")
    ratio = max(runs["single"])[0] / max(runs["empty"])[0]
    pairs = [s[0] / e[0] for s, e in zip(runs["single"], runs["empty"], strict=True)]
    print(
        f"collector / empty handler: {ratio:.2f}, best of {len(pairs)} each (gate {GATE});"
        f" side by side {statistics.median(pairs):.2f}"
    )
    return int(ratio < GATE)


if __name__ == "__main__":
    sys.exit(main())
