"""dlt in this process, with nothing of it leaving a folder of the test."""

import pytest

from touchline.jobs.imports.fetch import dlt_environment


@pytest.fixture(scope="session", autouse=True)
def dlt_at_home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in dlt_environment(tmp_path_factory.mktemp("dlt")).items():
            if name not in {"HOME", "TMPDIR"}:
                patch.setenv(name, value)
        yield
