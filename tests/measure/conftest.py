import pytest

import build


@pytest.fixture
def rows(tmp_path):
    """Rows for the lake of a workspace in CNY that counts days in UTC."""
    made = build.Rows(build.workspace(tmp_path / "w"))
    yield made
    made.workspace.close()
