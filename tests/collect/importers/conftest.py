"""A file in, what it becomes out: the short way through opening, mapping and reading."""

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from touchline.collect.importers.cells import Import
from touchline.collect.importers.conversions import read_conversions
from touchline.collect.importers.costs import add_up, read_costs
from touchline.collect.importers.events import read_events
from touchline.collect.importers.mapfile import read_map
from touchline.collect.importers.mapping import Plan, column_guesses, make_plan
from touchline.collect.importers.people import read_people
from touchline.collect.importers.rates import read_rates
from touchline.collect.importers.read import open_table
from touchline.collect.importers.rows import Table
from touchline.collect.site import Site
from touchline.model import Reject

TESTS = Path(__file__).parents[2]
NOW = 1_780_000_000_000_000


@dataclass
class Result:
    table: Table
    plan: Plan
    rows: list[Any] = field(default_factory=list)

    @property
    def good(self) -> list[Any]:
        return [row for row in self.rows if not isinstance(row, Reject)]

    @property
    def rejects(self) -> list[tuple[int, str]]:
        return [(row.line, row.reason) for row in self.rows if isinstance(row, Reject)]

    @property
    def only(self) -> Any:
        assert self.rejects == []
        (row,) = self.rows
        return row

    def costs(self) -> list[Any]:
        return list(add_up(self.good).values())


class Reader:
    """`read("costs", "date,channel,cost\\n…")`: text, bytes or a path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = Site(workspace="w", time_zone="Asia/Shanghai")

    def __call__(self, kind: str, content: Any, *, toml: str | None = None, **about: Any) -> Result:
        path = content if isinstance(content, Path) else self.file(content)
        map_path = None
        if toml is not None:
            map_path = self.folder / "map.toml"
            map_path.write_text(toml, encoding="utf-8")
        mapfile = read_map(map_path, kind)
        table = open_table(path, mapfile.layout, column_guesses(kind, mapfile))
        plan = make_plan(kind, table, mapfile)
        known = Import(
            self.site,
            about.get("source", kind),
            kind,
            NOW,
            date_order=mapfile.layout.date_order,
        )
        rows = {
            "events": read_events,
            "conversions": read_conversions,
            "people": read_people,
            "rates": read_rates,
            "costs": lambda *args: read_costs(*args, mapfile.layout.fill_down),
        }[kind](table, plan, known)
        return Result(table, plan, list(rows))

    def file(self, content: str | bytes, name: str = "file.csv") -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


@pytest.fixture(scope="session")
def peers() -> ModuleType:
    spec = importlib.util.spec_from_file_location("peers", TESTS / "peers.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
