"""Log → rows of the lake with all enrichment: events a second on one core, and in bounded memory.

python bench/commit.py [EVENTS]     default 100,000, in batches of 100

Printed beside what the same core does when it only decodes the same JSON: the ratio is the figure.
"""

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

import machine
from touchline import clock
from touchline.jobs.intake.writer import Writer
from touchline.jobs.process import settle_memory
from touchline.model import RawRequest
from touchline.storage.log import Log
from touchline.storage.workspace import Workspace

GOAL = 60_000
BATCH = 100
VIEWS = 12  # events of one visitor
PAGES = [f"/products/{number}" for number in range(300)]
SOURCES = [
    ("utm_source=baidu&utm_medium=cpc&utm_campaign=brand", "https://www.baidu.com/"),
    ("utm_source=google&utm_medium=cpc&utm_campaign=spring&gclid=G", "https://www.google.com/"),
    ("", "https://www.zhihu.com/question/1"),
    ("", ""),
]
AGENTS = [
    f"Mozilla/5.0 (iPhone; CPU iPhone OS {major}_{minor} like Mac OS X) AppleWebKit/605.1.15"
    for major in range(15, 19)
    for minor in range(5)
]


def requests(events: int) -> Iterator[bytes]:
    """Bodies of BATCH items each: visitors who view pages and now and then buy."""
    rng = random.Random(1)  # the same events each time
    start = time.time() - 86_400
    items: list[dict[str, Any]] = []
    visitor = agent = query = referrer = ""
    for number in range(events):
        if number % VIEWS == 0:
            visitor, agent = f"visitor-{rng.getrandbits(64):x}", rng.choice(AGENTS)
            query, referrer = rng.choice(SOURCES)
        else:
            query, referrer = "", "https://shop.example/"
        at = start + number * 86_000 / events
        items.append(
            item(number, at, visitor, agent, f"{query}{number}" if query else "", referrer)
        )
        if len(items) == BATCH:
            yield json.dumps({"batch": items}, ensure_ascii=False).encode()
            items = []


def item(
    number: int, at: float, visitor: str, agent: str, query: str, referrer: str
) -> dict[str, Any]:
    page = PAGES[number * 7919 % len(PAGES)]
    url = f"https://shop.example{page}" + (f"?{query}" if query else "")
    what = (
        {"type": "track", "event": "Order Completed"}
        | {"properties": {"order_id": f"o{number}", "revenue": 199.5, "currency": "CNY"}}
        if number % 40 == 0
        else {"type": "page", "name": "商品详情", "properties": {"title": f"商品 {page}"}}
    )
    return what | {
        "messageId": f"m-{number}",
        "anonymousId": visitor,
        "timestamp": clock.iso(int(at * clock.US)),
        "context": {
            "library": {"name": "touchline.js", "version": "0.1.0"},
            "locale": "zh-CN",
            "userAgent": agent,
            "page": {"url": url, "path": page, "referrer": referrer, "title": f"商品 {page}"},
        },
    }


def fill(folder: Path, bodies: list[bytes]) -> None:
    with Log.open(folder) as log:
        for number, body in enumerate(bodies):
            request = RawRequest(
                clock.now_us(), "web", "/v1/batch", body, number.to_bytes(16), "python/3"
            )
            log.append(msgspec.msgpack.encode(request))


def cpu_of(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> int:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    bodies = list(requests(events))
    decode = msgspec.json.Decoder().decode
    bare = min(cpu_of(lambda: [decode(body) for body in bodies]) for _ in range(3))
    print(f"{events:,} events, {sum(map(len, bodies)) / 2**20:.0f} MiB of JSON")
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        folder = Path(name)
        Workspace.init(folder, write_keys={"web": "k"}).close()
        fill(folder, bodies)
        workspace = Workspace.open(folder)
        writer = Writer(workspace)
        settle_memory()

        def commit() -> None:
            while writer.commit_once():
                pass

        spent, settled = cpu_of(commit), cpu_of(writer.settle)
        workspace.close()
    print(
        f"commit: {events / spent:,.0f} events/s of CPU (goal {GOAL:,}), {spent / bare:.1f} x"
        f" decoding alone; settling: {events / settled:,.0f} events/s;"
        f" peak {machine.peak_mib():,.0f} MiB"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
