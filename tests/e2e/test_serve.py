"""The process group as a user meets it: it receives, answers, survives and stops."""

import gzip
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from touchline.storage.log import Log, read
from touchline.storage.workspace import Workspace

ADMIN_KEY = "admin-key"


def track(message_id, **more):
    return {"type": "track", "messageId": message_id, "event": "下单", "userId": "u1", **more}


def gone(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def soon(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_is_sent_is_answered_and_can_be_read(running):
    served = running
    batch = {"batch": [track("m1"), track("m1"), {"type": "track", "messageId": "m2"}]}
    status, body = served.post("/v1/batch", gzip.compress(json.dumps(batch).encode()))
    assert status == 200
    assert [r["status"] for r in json.loads(body)["results"]] == ["stored", "duplicate", "rejected"]

    assert served.post("/v1/track", track("m3"), key="nobody")[0] == 401
    assert served.post("/v1/track", b"{")[0] == 400
    assert served.post("/v1/track", b"x" * (5 << 20))[0] == 413
    assert served.post("/v1/track", gzip.compress(bytes(64 << 20)))[0] == 413
    assert served.post("/v1/track", {**track("m4"), "writeKey": "write-key"}, key=None)[0] == 200
    asked = {"Origin": "https://shop.cn", "Access-Control-Request-Headers": "authorization"}
    assert served.send("OPTIONS", "/v1/t", None, asked)[0] == 204

    started = time.monotonic()
    soon(lambda: [e["message_id"] for e in served.events("m")] == ["m1", "m4"], 5)
    assert time.monotonic() - started < 5
    assert served.events("m")[0]["name"] == "下单"
    status, lines = served.get("/api/v1/rejects", ADMIN_KEY)
    assert status == 200
    assert [json.loads(line)["message_id"] for line in lines.splitlines()] == ["m2"]
    status, timeline = served.get("/api/v1/people/user_id:u1/timeline", ADMIN_KEY)
    assert status == 200
    assert len(json.loads(timeline)["events"]) == 2
    assert served.get("/api/v1/people/nobody/timeline", ADMIN_KEY)[0] == 404
    assert served.get("/api/v1/events", "wrong")[0] == 401
    status, report = served.get("/api/v1/attribution?models=linear", ADMIN_KEY)
    assert status == 200
    assert json.loads(report)["goal"] == "default"


def test_a_disk_that_refuses_is_told_with_503_until_it_recovers(running):
    served = running
    assert served.post("/v1/track", track("disk-before"))[0] == 200
    server = served.children()["web.server"]
    limits = resource.prlimit(server, resource.RLIMIT_FSIZE)
    resource.prlimit(server, resource.RLIMIT_FSIZE, (0, limits[1]))
    for _ in range(3):
        status, body = served.post("/v1/track", track("disk-during"))
        assert (status, json.loads(body)["code"]) == (503, "log_failed")
        assert int(served.headers["retry-after"]) >= 1
    assert served.get("/health")[0] == 503
    soon(lambda: len(served.events("disk-")) == 1, 5)  # committing and reading go on
    resource.prlimit(server, resource.RLIMIT_FSIZE, limits)
    soon(lambda: served.post("/v1/track", track("disk-after"))[0] == 200, 5)
    served.wait_for(200, 5)
    served.wait_committed()
    assert [event["message_id"] for event in served.events("disk-")] == [
        "disk-before",
        "disk-after",
    ]


def test_sigterm_finishes_commits_and_exits_0(served):
    served.start()
    children = served.children()
    ids = [f"m{n}" for n in range(50)]
    for message_id in ids:
        assert served.post("/v1/track", track(message_id))[0] == 200
    served.events()
    started = time.monotonic()
    code, written = served.stop()
    assert code == 0, written
    assert "leaked" not in written  # a library's complaint of what threads still hold
    assert time.monotonic() - started < 8
    assert all(gone(pid) for pid in children.values())
    workspace = Workspace.open(served.dir)
    with workspace.view() as view:
        rows = view.fetch(view.events().select("message_id")).column(0).to_pylist()
    workspace.close()
    assert sorted(rows) == sorted(ids)


def test_ctrl_c_to_the_whole_group_stops_as_cleanly(served):
    served.start()
    assert served.post("/v1/track", track("m1"))[0] == 200
    os.killpg(served.process.pid, signal.SIGINT)
    _, written = served.process.communicate(timeout=20)
    assert served.process.returncode == 0, written
    assert "Traceback" not in written
    served.process = None


def test_receiving_goes_on_while_a_killed_worker_is_restarted(running):
    served = running
    worker = served.children()["jobs.worker"]
    os.kill(worker, signal.SIGKILL)
    soon(lambda: gone(worker))
    saw_503 = served.get("/health")[0] == 503
    for number in range(30):
        assert served.post("/v1/track", track(f"worker-{number}"))[0] == 200
    served.wait_for(200)
    assert saw_503
    assert served.children()["jobs.worker"] != worker
    served.wait_committed()
    assert len(served.events("worker-")) == 30


def test_a_killed_server_is_restarted_behind_the_same_port(running):
    served = running
    assert served.post("/v1/track", track("server-1"))[0] == 200
    server = served.children()["web.server"]
    os.kill(server, signal.SIGKILL)
    soon(lambda: gone(server))
    assert served.post("/v1/track", track("server-2"))[0] == 200  # waited in line, not refused
    served.wait_for(200)
    served.wait_committed()
    assert [event["message_id"] for event in served.events("server-")] == ["server-1", "server-2"]


def test_children_do_not_outlive_a_killed_supervisor(served):
    served.start()
    children = served.children()
    served.process.kill()
    served.process.communicate(timeout=20)
    served.process = None
    soon(lambda: all(gone(pid) for pid in children.values()), 5)
    served.start()  # at once: the locks are free


def serve_in_vain(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "touchline.cli", "serve", *map(str, arguments)],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.returncode, done.stderr


def test_what_is_no_workspace_is_refused_in_one_line(tmp_path):
    code, written = serve_in_vain(tmp_path / "nothing")
    assert code == 2
    assert "touchline init" in written


def test_a_port_in_use_is_refused_in_one_line(workspace_dir):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, written = serve_in_vain(workspace_dir, "--port", port)
    assert code == 3
    assert str(port) in written


@pytest.mark.parametrize("port", [-1, 70000])
def test_a_port_that_cannot_be_is_refused_in_one_line(workspace_dir, port):
    assert serve_in_vain(workspace_dir, "--port", port)[0] == 2


def test_a_workspace_already_served_is_refused_in_one_line(workspace_dir):
    with Log.open(workspace_dir):
        code, written = serve_in_vain(workspace_dir, "--port", 0)
    assert code == 3
    assert "already" in written


def test_a_workspace_being_written_is_refused_in_one_line(workspace_dir):
    workspace = Workspace.open(workspace_dir)
    with workspace.write_lock():
        assert serve_in_vain(workspace_dir, "--port", 0)[0] == 3
    workspace.close()


def test_a_workspace_of_a_newer_touchline_is_refused_in_one_line(workspace_dir):
    about = workspace_dir / "workspace.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"format": 99}))
    code, written = serve_in_vain(workspace_dir, "--port", 0)
    assert code == 2
    assert "newer" in written


def test_the_log_keeps_what_was_acknowledged_when_nobody_commits(served):
    served.start()
    os.kill(served.children()["jobs.worker"], signal.SIGSTOP)
    assert served.post("/v1/track", track("m1"))[0] == 200
    assert served.get("/health")[0] == 503  # the worker does not answer in time
    served.kill_group()
    assert len(list(read(served.dir, 0, 1 << 20))) == 1
    served.start()
    served.wait_committed()
    assert [event["message_id"] for event in served.events()] == ["m1"]
