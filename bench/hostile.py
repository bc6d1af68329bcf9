"""Memory that bodies made to hurt cost the server: growth of each process, and what it answered.

    python bench/hostile.py [--seconds 20] [--connections 32]

One `touchline serve`, first warmed up with ordinary requests. Then all kinds of bodies at once on
many connections: too large, gzip bombs, nested deep, integers of a million digits, a context
repeated ten thousand times, lone surrogates, NUL, NaN. Asked: nothing is answered with 5xx, the
server grows by less than 300 MB, and the worker, which stores what was let in, keeps within 1 GiB.
Resident memory is looked at twenty times a second.
"""

import argparse
import concurrent.futures
import gzip
import http.client
import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from commit import requests
from restart import KEY, Server
from touchline.storage.workspace import Workspace

GOAL_MB = 300
GOAL_WORKER_MB = 1074
SERVER, WORKER = "touchline.web.server", "touchline.jobs.worker"
MIB = 1 << 20
PAGE = os.sysconf("SC_PAGE_SIZE")
HEADERS = {"Authorization": f"Basic {KEY}", "Content-Type": "application/json"}


def bodies() -> dict[str, bytes]:
    def batch(items: str, more: str = "") -> bytes:
        return f'{{"batch":[{items}]{more}}}'.encode()

    one = '{"type":"track","event":"E","userId":"u","properties":{"a":%s}}'
    small = '{"type":"track","event":"E","userId":"u"}'
    large, most = (json.dumps({"page": {"title": "x" * size}}) for size in (6000, 750))
    return {
        "32 MiB": b'{"batch":[' + b" " * (32 * MIB),
        "4 MiB of events": batch(",".join([one % '"ab"'] * (4 * MIB // 70))),
        "gzip of 2 GiB": gzip.compress(b" " * (256 * MIB), 9) * 8,
        "gzip of 4 MiB": gzip.compress(batch(",".join([one % "1"] * (4 * MIB // 70)))),
        "2,000,000 deep": b"[" * (2 * MIB),
        "an item 100,000 deep": batch(one % ("[" * 100_000 + "]" * 100_000)),
        "1,000,000 digits": batch(one % ("9" * 1_000_000)),
        "exponents": batch(",".join([one % "1e400"] * 1000)),
        "2,000,000 empty lists": batch(one % ("[" + "[]," * 1_300_000 + "[]]")),
        "10,000 x 6 kB of context": batch(",".join([small] * 10_000), f',"context":{large}'),
        "10,000 x what may be": batch(",".join([small] * 10_000), f',"context":{most}'),
        "all that may be": batch(",".join([one % f'"{"x" * 3900}"'] * 1000)),
        "20,000 items": batch(",".join([small] * 20_000)),
        "lone surrogates": batch(",".join([one % '"\\ud800"'] * 1000)),
        "NUL": batch(",".join([one % '"\\u0000"'] * 1000)),
        "NaN": batch(",".join([one % "NaN"] * 1000)),
        "no JSON": os.urandom(MIB),
    }


class Watch:
    """The most resident memory of each process of a session, by its role."""

    def __init__(self, session: int) -> None:
        self._session = session
        self.peak: dict[str, float] = {}
        self._ends = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while not self._ends.wait(0.05):
            for role, size in self.sizes().items():
                self.peak[role] = max(size, self.peak.get(role, 0.0))

    def sizes(self) -> dict[str, float]:
        """MB of each process now."""
        found: dict[str, float] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if os.getsid(int(folder.name)) != self._session:
                    continue
                words = (folder / "cmdline").read_bytes().split(b"\0")
                pages = int((folder / "statm").read_text().split()[1])
            except OSError:  # it has ended
                continue
            role = next((w.decode() for w in words if w.startswith(b"touchline.")), "other")
            found[role] = found.get(role, 0.0) + pages * PAGE / 1e6
        return found

    def end(self) -> None:
        self._ends.set()


def post(url: str, path: str, body: bytes) -> int:
    to = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    try:
        to.request("POST", path, body, HEADERS)
        return to.getresponse().status
    except (http.client.HTTPException, OSError):
        return 0  # the server closed before it had all
    finally:
        to.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    hostile = bodies()
    heard: Counter[tuple[str, int]] = Counter()
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        folder = Path(name)
        Workspace.init(folder, write_keys={"web": "k"}).close()
        server = Server(folder)
        try:
            server.first_answer_s()
            for body in requests(20_000):
                post(server.url, "/v1/batch", body)
            server.committed_s()
            watch = Watch(server.process.pid)
            before, until = watch.sizes(), time.monotonic() + options.seconds

            def torment(start: int) -> None:
                kinds = list(hostile.items())
                while time.monotonic() < until:
                    start += 1
                    kind, body = kinds[start % len(kinds)]
                    heard[kind, post(server.url, "/v1/batch", body)] += 1

            with concurrent.futures.ThreadPoolExecutor(options.connections) as pool:
                list(pool.map(torment, range(options.connections)))
            server.committed_s()
            watch.end()
        finally:
            server.kill()
    for kind in hostile:
        answers = {status: count for (of, status), count in heard.items() if of == kind}
        print(f"{kind:>24}: {answers}")
    grown = {role: watch.peak.get(role, 0.0) - size for role, size in before.items()}
    for role, size in sorted(before.items()):
        print(f"{role}: {size:.0f} MB, at most {grown[role]:+.0f} MB")
    bad = sum(count for (_, status), count in heard.items() if status >= 500)
    print(f"{sum(heard.values()):,} requests, {bad} answered with 5xx")
    print(f"asked: {SERVER} < {GOAL_MB} MB more, {WORKER} <= {GOAL_WORKER_MB} MB in all")
    is_bounded = grown[SERVER] < GOAL_MB and watch.peak[WORKER] <= GOAL_WORKER_MB
    return 0 if is_bounded and not bad else 1


if __name__ == "__main__":
    sys.exit(main())
