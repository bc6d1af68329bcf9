"""A disk that is really full, and a start with much left to be done."""

import json
import os
import shutil
import subprocess
import time

import msgspec
import pytest

from touchline import clock
from touchline.jobs.doctor import examine
from touchline.model import RawRequest
from touchline.storage.log import Log
from touchline.storage.workspace import Workspace

SIZE = 24 << 20


def track(message_id, **more):
    return {"type": "track", "messageId": message_id, "event": "E", "userId": "u1", **more}


def items(first, count, **more):
    return {"batch": [track(f"m{n}", **more) for n in range(first, first + count)]}


@pytest.fixture
def small_disk(served, tmp_path):
    """The served workspace, on a file system of its own; ordinary users may make none."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount: RLIMIT_FSIZE stands in for it in test_serve.py")
    try:
        shutil.copytree(served.dir, place / "site")
        served.dir = place / "site"
        yield place
    finally:
        if served.process is not None:
            served.kill_group()
        subprocess.run(["umount", "-l", str(place)], check=True)


def free(place):
    about = os.statvfs(place)
    return about.f_bavail * about.f_frsize


def test_a_full_disk_is_told_and_when_there_is_space_again_all_goes_on_by_itself(
    served, small_disk
):
    served.start()
    assert served.post("/v1/batch", items(0, 50))[0] == 200
    served.wait_committed()
    with (small_disk / "filler").open("wb") as file:
        while (left := free(small_disk)) > 0:
            file.write(bytes(min(left, 1 << 20)))
            file.flush()
    started = time.monotonic()
    status, body = served.post("/v1/batch", items(50, 50, properties={"x": "y" * 9000}))
    assert (status, json.loads(body)["code"]) == (503, "disk_full")
    assert time.monotonic() - started < 5
    assert int(served.headers["retry-after"]) >= 1
    assert served.get("/health")[0] == 503
    assert served.get("/api/v1/attribution", "admin-key")[0] == 200  # reports go on
    status, body = served.get("/api/v1/events", "admin-key")  # a look that cannot be written down
    assert (status, json.loads(body)["code"]) == (503, "disk_full")
    (small_disk / "filler").unlink()
    started = time.monotonic()
    while served.post("/v1/batch", items(50, 50))[0] != 200:
        assert time.monotonic() - started < 10
        time.sleep(0.1)
    served.wait_for(200)
    served.wait_committed()
    assert sorted(int(event["message_id"][1:]) for event in served.events("m")) == list(range(100))
    assert served.stop()[0] == 0
    workspace = Workspace.open(served.dir)
    assert examine(workspace)["findings"] == []
    workspace.close()


def first_answer(served, message_id):
    """Seconds from the start of the process to the first answer, with 200."""
    started = time.monotonic()
    served.start(wait=False)
    while True:
        try:
            if served.post("/v1/track", track(message_id))[0] == 200:
                return time.monotonic() - started
        except OSError:
            assert served.process.poll() is None
        assert time.monotonic() - started < 60
        time.sleep(0.02)


def test_a_start_with_a_long_log_to_commit_answers_as_soon_as_one_without(served):
    bare_s = first_answer(served, "before")
    served.kill_group()
    with Log.open(served.dir) as log:
        for first in range(0, 20_000, 200):
            body = msgspec.json.encode(items(first, 200))
            request = RawRequest(clock.now_us(), "web", "/v1/batch", body, first.to_bytes(16))
            log.append(msgspec.msgpack.encode(request))
    took_s = first_answer(served, "first")
    behind = json.loads(served.get("/health")[1]).get("behind_bytes")
    print(f"first answer after {took_s:.1f} s, {bare_s:.1f} s without; {behind} bytes behind")
    assert took_s < bare_s + 2
    served.wait_committed(60)
    assert len(served.events("m")) == 20_000
