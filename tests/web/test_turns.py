"""Heavy work of one source leaves room for everybody else's between its parts."""

import asyncio
import threading
import time

import pytest

from touchline.web import turns as module
from touchline.web.turns import SLICE_S, Turns


def test_a_flood_does_a_slice_of_work_in_each_round_of_the_loop():
    done = []

    def work():
        time.sleep(SLICE_S * 1.5)
        done.append("flood")

    async def story():
        turns = Turns()
        flood = [asyncio.create_task(turns.run("a", work)) for _ in range(6)]
        await asyncio.sleep(0)
        before = len(done)
        await turns.run("b", lambda: done.append("other"))
        await asyncio.gather(*flood)
        return before

    assert asyncio.run(story()) == 1
    assert done.index("other") <= 2
    assert len(done) == 7


def test_small_work_of_one_source_waits_for_nothing():
    async def story():
        turns, rounds = Turns(), 0

        async def count():
            nonlocal rounds
            while True:
                await asyncio.sleep(0)
                rounds += 1

        counting = asyncio.create_task(count())
        for _ in range(100):
            await turns.run("a", lambda: None)
        counting.cancel()
        return rounds

    assert asyncio.run(story()) == 0


def test_work_that_fails_gives_its_turn_back(monkeypatch):
    monkeypatch.setattr(module, "SLICE_S", 0.0)

    async def story():
        turns = Turns()
        for run in (turns.run, turns.run_aside):
            with pytest.raises(ZeroDivisionError):
                await run("a", lambda: 1 / 0)
            assert await run("a", lambda: "done") == "done"

    asyncio.run(asyncio.wait_for(story(), 5))


def test_one_thread_at_a_time_works_for_a_source():
    at_work, most, lock = {"a": 0, "b": 0}, {"a": 0, "b": 0}, threading.Lock()

    def work(source):
        with lock:
            at_work[source] += 1
            most[source] = max(most[source], at_work[source])
        time.sleep(0.005)
        with lock:
            at_work[source] -= 1

    async def story():
        turns = Turns()
        works = [turns.run_aside(s, lambda s=s: work(s)) for s in ("a", "b") for _ in range(5)]
        await asyncio.gather(*works)

    asyncio.run(story())
    assert most == {"a": 1, "b": 1}
