"""What the receiving loop knows of definitions, and how often it asks."""

import asyncio

from touchline.collect.site import Site
from touchline.errors import Unavailable
from touchline.web.rules import PAUSE_S, STALE_S, Rules


class Shelf:
    """Definitions that can change, break, and count who asks."""

    def __init__(self):
        self.number, self.asked, self.is_broken = 1, 0, False

    def __call__(self, number):
        self.asked += 1
        if self.is_broken:
            raise Unavailable("workspace_locked", path="w")
        name = f"site {self.number}"
        return None if number == self.number else (self.number, Site(workspace=name))


def told(story, shelf=None):
    shelf = shelf or Shelf()

    async def run():
        return await story(Rules(shelf), shelf)

    return asyncio.run(run()), shelf


def later(rules, seconds):
    rules._asked -= seconds


def test_definitions_are_read_once_in_a_while_however_many_ask():
    async def story(rules, _):
        return [site.workspace for site in await asyncio.gather(*(rules.now() for _ in range(50)))]

    names, shelf = told(story)
    assert set(names) == {"site 1"}
    assert shelf.asked == 1


def test_a_change_is_seen_when_what_is_known_is_stale():
    async def story(rules, shelf):
        first = await rules.now()
        shelf.number = 2
        same = await rules.now()
        later(rules, STALE_S)
        return [first, same, await rules.now()]

    sites, _ = told(story)
    assert [site.workspace for site in sites] == ["site 1", "site 1", "site 2"]


def test_what_is_missing_is_looked_for_at_once_but_not_by_each_who_asks():
    async def story(rules, shelf):
        await rules.now()
        shelf.number = 2
        later(rules, PAUSE_S)
        return [await rules.anew(), *await asyncio.gather(*(rules.anew() for _ in range(20)))]

    news, shelf = told(story)
    assert news[0]
    assert not any(news[1:])
    assert shelf.asked <= 4


def test_what_is_known_stays_good_while_state_cannot_be_read():
    async def story(rules, shelf):
        await rules.now()
        shelf.is_broken, shelf.number = True, 2
        later(rules, STALE_S)
        return await rules.now()

    site, _ = told(story)
    assert site.workspace == "site 1"
