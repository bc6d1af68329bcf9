"""The committed tracker is what its source makes, and small."""

import gzip
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

import touchline

ROOT = Path(__file__).parents[2]
BUILT = Path(touchline.__file__).parent / "web/tracker"
MOST_BYTES = 10_000


def npm_packages():
    """Node, with the tracker's packages beside it; skipped without, or failed where CI asks."""
    path = f"{os.environ['PATH']}{os.pathsep}{ROOT / '.venv/bin'}"
    node = shutil.which("node", path=path)
    if node is not None and (ROOT / "tracker/node_modules/esbuild").is_dir():
        return node
    message = "Node or tracker/node_modules is missing: run `make tracker`"
    if os.environ.get("TOUCHLINE_REQUIRE_BROWSER") == "1":
        pytest.fail(message)
    pytest.skip(message)


@pytest.mark.parametrize("name", ["touchline.js", "touchline.mjs"])
def test_a_visitor_downloads_at_most_ten_kilobytes(name):
    assert len(gzip.compress((BUILT / name).read_bytes(), 9)) <= MOST_BYTES


def test_what_is_committed_is_what_the_source_makes(tmp_path):
    subprocess.run(
        [npm_packages(), ROOT / "tracker/build.mjs", tmp_path], check=True, capture_output=True
    )
    for fresh in sorted(tmp_path.iterdir()):
        assert fresh.read_bytes() == (BUILT / fresh.name).read_bytes(), "run: make tracker"


def test_parts_that_need_no_browser_work_alone():
    done = subprocess.run(
        [npm_packages(), ROOT / "tracker/build.mjs", "--test"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_the_trackers_click_ids_are_the_collectors():
    """What the collector takes for a click id is told even when a script cut it off the address."""
    table = tomllib.loads(
        (ROOT / "src/touchline/collect/data/sources.toml").read_text(encoding="utf-8")
    )
    source = (ROOT / "tracker/src/page.ts").read_text(encoding="utf-8")
    telling = re.compile(re.search(r"const TELLING =\s+/(.+)/i;", source)[1], re.IGNORECASE)
    names = [name for group in table["click_id"] for name in group["names"]]
    assert [name for name in names if not telling.fullmatch(name)] == []
    harmless = ("token", "email", "client_id", "user_id", "session_id", "state", "code", "page")
    assert [name for name in harmless if telling.fullmatch(name)] == []
