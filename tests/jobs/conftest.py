import pytest

import build
from touchline.jobs.imports.importing import run_import
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
