import tomllib
from pathlib import Path

import pytest

from touchline.collect import bots
from touchline.collect.bots import is_bot

LINES = (Path(__file__).parent / "agents.tsv").read_text(encoding="utf-8").splitlines()
AGENTS = [line.split("\t") for line in LINES]


@pytest.mark.parametrize(("label", "agent"), AGENTS, ids=LINES)
def test_bots_are_told_from_people_and_their_phones(label, agent):
    assert is_bot(agent) == (label == "bot")


def test_no_user_agent_says_nothing():
    assert not is_bot(None)
    assert not is_bot("")


def test_no_browser_and_no_app_of_the_labelled_arrivals_is_a_bot():
    table = tomllib.loads((Path(__file__).parent / "arrivals.toml").read_text("utf-8"))
    assert [name for name, agent in table["agents"].items() if is_bot(agent)] == []


def test_of_agents_that_begin_alike_one_is_remembered():
    start = "Mozilla/5.0 (X11; Linux x86_64) " + "x" * 480
    is_bot(start)
    before = bots._bot.cache_info().currsize
    assert not any(is_bot(f"{start} {number} Googlebot") for number in range(50))
    assert bots._bot.cache_info().currsize == before
