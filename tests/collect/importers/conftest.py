"""A file in, what it becomes out: the short way through opening, mapping and reading."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from touchline.collect.importers.costs import add_up
from touchline.collect.importers.events import EventRow
from touchline.collect.importers.file import OpenFile, open_file
from touchline.collect.site import Site
from touchline.model import Cost, Reject


@dataclass
class Result:
    file: OpenFile
    rows: list[Any]

    @property
    def table(self) -> Any:
        return self.file.table

    @property
    def fields(self) -> dict[str, str]:
        """Column → field, of the columns that have one."""
        fields = self.file.plan.kind.fields
        return {
            a.column: a.field
            for a in self.file.plan.assignments
            if a.is_field and a.field in fields
        }

    @property
    def good(self) -> list[Any]:
        found = [row for row in self.rows if not isinstance(row, Reject)]
        return [row.event if isinstance(row, EventRow) else row for row in found]

    @property
    def rejects(self) -> list[tuple[int, str]]:
        return [(row.line, row.reason) for row in self.rows if isinstance(row, Reject)]

    @property
    def only(self) -> Any:
        assert self.rejects == []
        (row,) = self.good
        return row

    @property
    def costs(self) -> list[Cost]:
        """What equal keys add up to, in order of appearance."""
        return list(add_up(day for row in self.good for day in row.days).values())


class Reader:
    """`read("costs", "date,channel,cost\\n…")`: text, bytes or a path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = Site(workspace="w", time_zone="Asia/Shanghai")

    def __call__(
        self,
        kind: str,
        content: Any,
        *,
        toml: str | None = None,
        source: str | None = None,
        sheet: str | None = None,
        map_name: str | None = None,
    ) -> Result:
        path = content if isinstance(content, Path) else self.file(content)
        map_path = Path(map_name) if map_name else None
        if toml is not None:
            map_path = self.folder / "map.toml"
            map_path.write_text(toml, encoding="utf-8")
        opened = open_file(kind, path, self.site, map_path=map_path, source=source, sheet=sheet)
        return Result(opened, list(opened.rows()))

    def file(self, content: str | bytes, name: str = "file.csv") -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    return Reader(tmp_path)
