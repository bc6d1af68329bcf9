"""What is read from State once and kept."""

import asyncio

import pytest

from touchline.errors import Unavailable
from touchline.web import links
from touchline.web.links import Shelf


class Table:
    def __init__(self, **rows):
        self.rows = rows
        self.asked = []
        self.is_away = False

    def read(self, keys):
        self.asked.append(sorted(keys))
        if self.is_away:
            raise OSError("State is away")
        return {key: self.rows[key] for key in keys if key in self.rows}


def test_many_who_ask_at_once_are_answered_by_one_reading():
    async def story():
        table = Table(a=1, b=2)
        shelf = Shelf(table.read)
        found = await asyncio.gather(*(shelf.get(key) for key in "aabbcc"))
        assert found == [1, 1, 2, 2, None, None]
        assert table.asked == [["a", "b", "c"]]
        assert await shelf.get("a") == 1
        assert len(table.asked) == 1

    asyncio.run(story())


def test_a_key_that_comes_while_others_are_read_is_read_next(monkeypatch):
    monkeypatch.setattr(links, "AT_ONCE", 2)

    async def story():
        table = Table(**dict.fromkeys("abcde", 1))
        shelf = Shelf(table.read)
        assert await asyncio.gather(*(shelf.get(name) for name in "abcde")) == [1] * 5
        assert [len(keys) for keys in table.asked] == [2, 2, 1]

    asyncio.run(story())


def test_what_was_not_there_is_asked_for_again(monkeypatch):
    monkeypatch.setattr(links, "GONE_S", 0.0)

    async def story():
        table = Table()
        shelf = Shelf(table.read)
        assert await shelf.get("a") is None
        table.rows["a"] = 1
        assert await shelf.get("a") == 1

    asyncio.run(story())


def test_what_is_not_there_is_not_asked_for_by_every_request():
    async def story():
        table = Table()
        shelf = Shelf(table.read)
        for _ in range(50):
            assert await shelf.get("a") is None
        assert len(table.asked) == 1

    asyncio.run(story())


def test_what_is_old_is_given_and_read_again_beside(monkeypatch):
    monkeypatch.setattr(links, "FRESH_S", 0.0)

    async def story():
        table = Table(a=1)
        shelf = Shelf(table.read)
        assert await shelf.get("a") == 1
        table.rows["a"] = 2
        assert await shelf.get("a") == 1
        for _ in range(100):
            await asyncio.sleep(0.005)
            if await shelf.get("a") == 2:
                return
        raise AssertionError("never read again")

    asyncio.run(story())


def test_while_state_is_away_the_known_stay_good_and_the_unknown_are_told(monkeypatch):
    monkeypatch.setattr(links, "FRESH_S", 0.0)

    async def story():
        table = Table(a=1)
        shelf = Shelf(table.read)
        assert await shelf.get("a") == 1
        table.is_away = True
        for _ in range(3):
            assert await shelf.get("a") == 1
            await asyncio.sleep(0.01)
        with pytest.raises(Unavailable):
            await shelf.get("b")
        table.is_away = False
        assert await shelf.get("b") is None

    asyncio.run(story())


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(links, "KEPT", 10)

    async def story():
        shelf = Shelf(Table().read)
        for number in range(200):
            await shelf.get(str(number))
        assert len(shelf._kept) <= 10

    asyncio.run(story())
