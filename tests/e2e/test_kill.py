"""kill -9 of the whole process group under load: nothing acknowledged is lost, nothing is twice.

The long form: KILL_ROUNDS=100 pytest tests/e2e/test_kill.py -s
"""

import asyncio
import base64
import itertools
import json
import os
import random
from collections import Counter

ROUNDS = int(os.environ.get("KILL_ROUNDS", "3"))
CLIENTS = 16
KEY = base64.b64encode(b"write-key:").decode()


class Sender:
    """A client that sends each batch again until it is answered, as SDKs do."""

    def __init__(self, port):
        self.port = port
        self.acknowledged = set()
        self.sent = 0
        self._numbers = itertools.count()

    async def run(self, stop):
        unanswered = None
        while not stop.is_set():
            batch = unanswered or [f"e{next(self._numbers)}" for _ in range(random.randint(1, 4))]
            unanswered = batch
            try:
                if await self._post(batch, stop):
                    self.acknowledged.update(batch)
                    unanswered = None
            except (OSError, EOFError):
                await asyncio.sleep(0.02)
        return unanswered

    async def _post(self, batch, stop):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            body = json.dumps({"batch": items_of(batch)}).encode()
            head = f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {KEY}\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            self.sent += 1
            answer = await reader.readuntil(b"\r\n\r\n")
            return answer.startswith(b"HTTP/1.1 200") and not stop.is_set()
        finally:
            writer.close()


async def load(sender, kill, seconds):
    stop = asyncio.Event()
    tasks = [asyncio.create_task(sender.run(stop)) for _ in range(CLIENTS)]
    await asyncio.sleep(seconds)
    await asyncio.to_thread(kill)
    await asyncio.sleep(0.05)
    stop.set()
    return [batch for batch in await asyncio.gather(*tasks) if batch]


def items_of(batch):
    return [
        {"type": "track", "event": "E", "messageId": m, "userId": f"u{sum(m.encode()) % 50}"}
        for m in batch
    ]


def check(served, sender, unanswered):
    for batch in unanswered:  # the client that is left without an answer sends again
        assert served.post("/v1/batch", {"batch": items_of(batch)})[0] == 200
        sender.acknowledged.update(batch)
    served.wait_committed()
    found = Counter(event["message_id"] for event in served.events())
    print(f"{len(sender.acknowledged)} acknowledged, {len(found)} stored, {sender.sent} requests")
    assert not sender.acknowledged - found.keys()
    assert not [message_id for message_id, count in found.items() if count > 1]


def test_kill_9_of_the_group_loses_and_doubles_nothing(served):
    sender = Sender(served.port)
    unanswered = []
    for _ in range(ROUNDS):
        served.start()
        check(served, sender, unanswered)
        unanswered = asyncio.run(load(sender, served.kill_group, random.uniform(0.3, 2.0)))
    served.start()
    check(served, sender, unanswered)
    assert len(sender.acknowledged) > 50 * ROUNDS
