import pytest

import build
from touchline.jobs.imports.importing import run_import
from touchline.jobs.intake import load as load_module
from touchline.jobs.intake.writer import Writer


@pytest.fixture
def workspace(tmp_path):
    made = build.workspace(tmp_path / "w")
    yield made
    made.close()


@pytest.fixture
def load(workspace, tmp_path):
    """Imports a text as a file: (stored, duplicate, updated, rejected)."""

    def run(kind, text, **options):
        path = tmp_path / "file.csv"
        path.write_text(text, "utf-8")
        with workspace.write_lock():
            writer = Writer(workspace)
            found = run_import(writer, kind, path, **options)
            writer.catch_up()
        return tuple(found.values())[1:]

    return run


class Clock:
    """Time that passes when told to."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def ticking(monkeypatch):
    """The clock by which loads are told and chores are due."""
    made = Clock()
    monkeypatch.setattr(load_module, "time", made)
    return made
