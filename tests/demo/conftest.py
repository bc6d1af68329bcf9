"""One company of 20,000 people, simulated once, and one block of it with its inner tables."""

import csv
import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from touchline.demo import Summary, care, simulate
from touchline.demo.dice import Dice
from touchline.demo.exposure import Touches, stack, touches
from touchline.demo.orders import Orders, orders
from touchline.demo.people import People, draw
from touchline.demo.plan import Plan
from touchline.demo.response import Episodes, Purchases, episodes, purchases
from touchline.demo.season import Calendar
from touchline.demo.world import MARKETS

END = dt.date(2026, 11, 20)


class Company:
    """The folder of a simulated company, as its files say."""

    def __init__(self, out: Path, summary: Summary) -> None:
        self.out = out
        self.summary = summary
        self.truth: dict[str, Any] = json.loads((out / "truth.json").read_text())

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self.out / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def calls(self, pattern: str = "*") -> Iterator[dict[str, Any]]:
        for path in sorted((self.out / "web").glob(f"{pattern}.jsonl")):
            with path.open(encoding="utf-8") as file:
                for line in file:
                    yield from json.loads(line)["batch"]

    def totals(self, business: str) -> dict[str, int]:
        return self.truth["businesses"][business]["totals"]


@pytest.fixture(scope="session")
def company(tmp_path_factory) -> Company:
    out = tmp_path_factory.mktemp("demo") / "clarisle"
    return Company(out, simulate(out, people=20_000, end=END))


@pytest.fixture(scope="session")
def web(company) -> list[dict[str, Any]]:
    return list(company.calls())


@dataclass
class Block:
    plan: Plan
    people: People
    reached: Touches
    episodes: Episodes
    path: Touches
    purchases: Purchases
    contacts: care.Contacts
    messages: care.Messages
    orders: Orders
    talks: Touches


@pytest.fixture(scope="session")
def block() -> Block:
    """Twenty thousand Chinese consumers, before anything is written."""
    plan, market, dice = Plan(Calendar(END), 20_000, 7), MARKETS["china"], Dice(7, 0, 0)
    people = draw(market, 0, 20_000, plan, dice)
    messages = care.messages(people, plan, dice)
    reached = stack([touches(people, plan, dice), messages.clicks()])
    shopping, path = episodes(people, reached, plan, dice)
    bought = purchases(people, shopping, plan, dice)
    contacts = care.contacts(people, plan, dice)
    placed, talks = orders(people, bought, contacts, plan, dice)
    return Block(plan, people, reached, shopping, path, bought, contacts, messages, placed, talks)
