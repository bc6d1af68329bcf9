"""Keys and aliases as the receiving loop finds them, and how soon it forgets one."""

import asyncio

import pytest

from touchline.storage.workspace import key_hash
from touchline.web import keys as module
from touchline.web.keys import EXPIRED_S, STALE_S, Keys


class Store:
    def __init__(self):
        self.keys = {"web": "k1", "app": "k2", "odd": "matomo:9"}
        self.aliases = {"matomo:1": "k1", "plausible:shop.example.com": "k2"}
        self.is_broken = False

    def write_keys(self):
        if self.is_broken:
            raise OSError
        return {key_hash(key): name for name, key in self.keys.items()}

    def write_aliases(self):
        return {alias: key_hash(key) for alias, key in self.aliases.items()}

    def admin_scopes(self, key):
        return frozenset()


class Time:
    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def time(monkeypatch):
    found = Time()
    monkeypatch.setattr(module, "time", found)
    return found


@pytest.mark.parametrize(
    ("sent", "source"),
    [
        ("k1", "web"),
        ("matomo:1", "web"),
        ("plausible:Shop.Example.com", "app"),
        ("matomo:9", "odd"),
        ("mixpanel:k2", "app"),
        ("posthog:k1", "web"),
        ("matomo:2", None),
        ("fax:k1", None),
        ("matomo:", None),
        ("", None),
    ],
)
def test_a_site_is_found_by_alias_else_by_a_key_of_ours(sent, source):
    assert asyncio.run(Keys(Store()).source(sent)) == source


def test_a_revoked_key_is_refused_in_ten_seconds_however_quiet_it_was(time):
    async def story(quiet):
        store = Store()
        keys = Keys(store)
        assert await keys.source("k1", b"header") == "web"
        del store.keys["web"]
        time.now += quiet
        first = keys.by_header(b"header") or await keys.source("k1", b"header")
        await asyncio.sleep(0.05)
        second = keys.by_header(b"header") or await keys.source("k1", b"header")
        return first, second

    assert asyncio.run(story(3600.0)) == (None, None)
    assert asyncio.run(story(EXPIRED_S + 0.1)) == (None, None)
    assert asyncio.run(story(STALE_S + 0.1)) == ("web", None)
    assert EXPIRED_S < 10


def test_an_alias_goes_with_its_key(time):
    async def story():
        store = Store()
        keys = Keys(store)
        assert await keys.source("matomo:1") == "web"
        del store.keys["web"]
        time.now += EXPIRED_S + 1
        return await keys.source("matomo:1")

    assert asyncio.run(story()) is None


def test_keys_stay_good_while_state_cannot_be_read(time):
    async def story():
        store = Store()
        keys = Keys(store)
        store.is_broken = True
        time.now += 3600
        return await keys.source("k1"), await keys.source("matomo:1")

    assert asyncio.run(story()) == ("web", "web")


def test_a_key_just_made_is_good_and_a_flood_of_unknown_ones_reads_state_seldom():
    async def story():
        store = Store()
        keys = Keys(store)
        reads = 0
        read = store.write_keys

        def counted():
            nonlocal reads
            reads += 1
            return read()

        store.write_keys = counted
        asks = [asyncio.create_task(keys.source(f"x{n}")) for n in range(200)]
        await asyncio.sleep(0)
        store.keys["shop"] = "new"
        assert await keys.source("new") == "shop"
        assert await asyncio.gather(*asks) == [None] * 200
        return reads

    assert asyncio.run(story()) <= 2
