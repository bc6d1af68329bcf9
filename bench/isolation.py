"""What another key's sender notices of a flood on one write key, and of ten seconds of questions.

    python bench/isolation.py [--seconds 10] [--events 200000]

One `touchline serve` with all its processes. Eight connections of the key `web` send one event
each, twenty times a second; printed is how long their answers took: alone, while wrk sends
batches of 100 and bodies of some 2 MiB under another key as fast as they are answered, and while
four dashboards ask for credit by all models. The senders share the machine with the server.
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from collector import EVENT, LUA, WRITE_KEY, basic
from commit import fill, requests
from restart import KEY, Server
from touchline.storage.workspace import Workspace

GOAL_MS = 100.0
SENDERS = 8
EVERY_S = 0.05
QUESTIONS = 4
ASKED = "/api/v1/attribution?models=all&by=channel,campaign"
LARGE = 2_500  # events in a body of some 2 MiB


async def send(url: str, until: float, name: int) -> list[float]:
    """Seconds that each answer took, on one connection."""
    to = urlsplit(url)
    reader, writer = await asyncio.open_connection(to.hostname, to.port)
    took: list[float] = []
    while time.monotonic() < until:
        body = json.dumps({"event": "E", "userId": "u", "messageId": f"{name}-{time.time_ns()}"})
        head = f"POST /v1/track HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {KEY}\r\n"
        started = time.monotonic()
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        await reader.readexactly(length)
        took.append(time.monotonic() - started)
        if not answer.startswith(b"HTTP/1.1 200"):
            sys.exit(f"the other key was refused: {answer!r}")
        await asyncio.sleep(max(0.0, EVERY_S - took[-1]))
    writer.close()
    return took


async def senders(url: str, seconds: float) -> list[float]:
    until = time.monotonic() + seconds
    all_took = await asyncio.gather(*(send(url, until, name) for name in range(SENDERS)))
    return sorted(took for each in all_took for took in each)


def flood(url: str, folder: Path, batch: int, seconds: int) -> Callable[[], str]:
    """wrk on its way; called, it waits and says how much it sent."""
    script = folder / f"flood-{batch}.lua"
    script.write_text(LUA % (json.dumps(EVENT, ensure_ascii=False), batch, basic()))
    connections = "64" if batch <= 100 else "8"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), url]
    wrk = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def ended() -> str:
        out = wrk.communicate()[0]
        rate = next(line.split()[1] for line in out.splitlines() if "Requests/sec" in line)
        return f"{float(rate) * batch:,.0f} events/s beside it"

    return ended


def questions(url: str, seconds: int) -> Callable[[], str]:
    """Dashboards that ask again and again; called, says how many answers there were."""
    script = (
        "import sys,time,urllib.request as u\n"
        f"until=time.monotonic()+{seconds}\nn=0\n"
        "while time.monotonic()<until:\n"
        " u.urlopen(u.Request(sys.argv[1],headers={'authorization':'Bearer a'}),timeout=600).read()"
        "\n n+=1\nprint(n)"
    )
    command = [sys.executable, "-c", script, url + ASKED]
    asking = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(QUESTIONS)
    ]

    def ended() -> str:
        answers = sum(int(one.communicate()[0] or 0) for one in asking)
        return f"{QUESTIONS} asking all the time, {answers} answers"

    return ended


def told(what: str, took: list[float], beside: str) -> bool:
    p50, p99 = (1000 * took[int(len(took) * part)] for part in (0.5, 0.99))
    print(
        f"{what}: {len(took):,} answers, p50 {p50:.1f} ms, p99 {p99:.1f} ms"
        f" (asked ≤ {GOAL_MS:.0f}), longest {1000 * took[-1]:.0f} ms; {beside}",
        flush=True,
    )
    return p99 <= GOAL_MS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--events", type=int, default=200_000)
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is needed to flood the server: apt-get install wrk")
    seconds = options.seconds
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        folder = Path(name)
        keys = {"web": "k", "flood": WRITE_KEY}
        Workspace.init(folder, write_keys=keys, admin_keys=["a"]).close()
        fill(folder, list(requests(options.events)))
        server = Server(folder)
        try:
            server.first_answer_s()
            server.committed_s()
            print(f"machine: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")

            def measured(what: str, begin: Callable[[], Callable[[], str]]) -> bool:
                ended = begin()
                took = asyncio.run(senders(server.url, seconds))
                return told(what, took, ended())

            ask = urllib.request.Request(server.url + ASKED, headers={"authorization": "Bearer a"})
            started = time.monotonic()
            urllib.request.urlopen(ask, timeout=600).close()
            first_s = time.monotonic() - started
            kept = [
                measured("alone", lambda: lambda: "nothing beside it"),
                measured("a flood of batches", lambda: flood(server.url, folder, 100, seconds)),
                measured("a flood of bodies", lambda: flood(server.url, folder, LARGE, seconds)),
                measured("questions", lambda: questions(server.url, seconds)),
            ]
            print(f"one question alone took {first_s:.1f} s")
        finally:
            server.kill()
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
