"""A workspace of every format there was is still read, and answers what it answered then."""

import json
import tarfile

import pytest

from build import Tracker, track
from formats import KEPT, answers
from touchline.jobs.intake.writer import Writer
from touchline.storage.workspace import FORMAT, Workspace

NUMBERS = sorted(int(path.stem) for path in KEPT.glob("*.json"))


@pytest.fixture(params=NUMBERS)
def kept(request, tmp_path):
    with tarfile.open(KEPT / f"{request.param}.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    opened = Workspace.open(tmp_path / "w")
    yield opened, json.loads((KEPT / f"{request.param}.json").read_text("utf-8"))
    opened.close()


def assert_holds(found, wanted, where=""):
    """All that was said then is said now; more may be said."""
    if isinstance(wanted, dict):
        for name, value in wanted.items():
            assert_holds(found[name], value, f"{where}.{name}")
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), where
        for place, (one, value) in enumerate(zip(found, wanted, strict=True)):
            assert_holds(one, value, f"{where}[{place}]")
    elif isinstance(wanted, float):
        assert found == pytest.approx(wanted, abs=1e-9), where
    else:
        assert found == wanted, where


def test_the_format_of_this_version_is_kept():
    assert list(range(1, FORMAT + 1)) == NUMBERS


def test_it_answers_what_it_answered_then(kept):
    workspace, told = kept
    assert told["doctor"]["findings"] == []
    assert_holds(answers(workspace), told)


def test_it_is_written_to_and_knows_what_it_knew(kept):
    workspace, told = kept
    Tracker(workspace).send(
        track("a", "Ad", properties={"channel": "Ads", "campaign": "spring"}),
        track("new", "Visit", anonymousId="never seen"),
        {"type": "identify", "messageId": "told", "userId": "zoe", "traits": {"name": "Zoe"}},
    )
    with workspace.write_lock():
        writer = Writer(workspace)
        writer.catch_up()
    now = answers(workspace)
    assert len(now["events"]) == len(told["events"]) + 2
    assert now["doctor"]["findings"] == []
