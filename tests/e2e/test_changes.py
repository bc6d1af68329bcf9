"""Who became whom, told over HTTP by a running server: a merge, its opposite, an erasure."""

import json
import time

import touchline
from touchline.cli import main

ADMIN_KEY = "admin-key"


def ask(server, method, path, body=None):
    headers = {"authorization": f"Bearer {ADMIN_KEY}", "content-type": "application/json"}
    status, found = server.send(method, path, body and json.dumps(body).encode(), headers)
    assert status in (200, 201, 202), found
    return [json.loads(line) for line in found.splitlines() if line.strip()]


def changes(server, after, count, seconds=60):
    """Changes behind a number, when there are that many."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = ask(server, "GET", f"/api/v1/identity/changes?after={after}")
        if len(found) >= count:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{count} changes were expected behind {after}, {found} came")


def person(server, name):
    return ask(server, "GET", f"/api/v1/people/{name}/timeline")[0]


def is_explained_alike(server, a, b, monkeypatch, capsys):
    """Over HTTP, on the command line and from Python, in both languages."""
    for language, locale in (("en", "C.UTF-8"), ("zh", "zh_CN.UTF-8")):
        monkeypatch.setenv("LC_ALL", locale)
        asked = f"/api/v1/people/why?a={a}&b={b}&language={language}"
        (told,) = ask(server, "GET", asked)
        with touchline.open(server.dir) as site:
            assert site.why(a, b, language=language) == told
        capsys.readouterr()
        assert main(["people", "why", str(server.dir), a, b, "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out) == told
    return True


def test_who_keeps_something_by_person_is_told_whom_to_look_at_again(served, monkeypatch, capsys):
    served.start()
    batch = [
        {"type": "identify", "messageId": "1", "userId": "ann", "anonymousId": "c1"},
        {"type": "page", "messageId": "2", "anonymousId": "c2"},
        {"type": "page", "messageId": "3", "anonymousId": "c3"},
    ]
    assert served.post("/v1/batch", {"batch": batch})[0] == 200
    served.wait_committed()
    ann, guest = person(served, "user_id:ann"), person(served, "anonymous_id:c2")
    assert (len(ann["events"]), len(guest["events"])) == (1, 1)

    said = {"other": "anonymous_id:c2", "reason": "she called"}
    (merged,) = ask(served, "POST", "/api/v1/people/user_id:ann/merge", said)
    both = person(served, "anonymous_id:c2")
    assert {event["message_id"] for event in both["events"]} == {"1", "2"}
    for a, b in (("ann", "anonymous_id:c1"), ("c1", "c2"), ("ann", "c3")):
        assert is_explained_alike(served, a, b, monkeypatch, capsys)
    (first,) = changes(served, 0, 1)
    assert (first["kind"], first["cause"]) == ("person_merged", "decision")
    assert {first["person_id"], first["other_id"]} == {ann["person_id"], guest["person_id"]}
    assert first["other_id"] == both["person_id"]

    ask(served, "POST", f"/api/v1/identity/decisions/{merged['decision']}/undo", {"reason": "no"})
    assert person(served, "user_id:ann") == ann
    assert person(served, "anonymous_id:c2") == guest
    (second,) = changes(served, first["number"], 1)
    assert (second["kind"], second["cause"]) == ("person_split", "decision")
    assert second["person_id"] == both["person_id"]
    assert changes(served, 0, 2) == [first, second]

    ask(served, "POST", "/api/v1/people/anonymous_id:c3/erase")
    deadline = time.monotonic() + 60
    while True:
        status, _ = served.get("/api/v1/people/anonymous_id:c3/timeline", ADMIN_KEY)
        if status == 404:
            break
        assert time.monotonic() < deadline
        time.sleep(0.2)
    # Whoever was erased became nobody: it is no change of anybody else, and the numbers go on.
    assert person(served, "user_id:ann") == ann
    ask(served, "POST", "/api/v1/people/user_id:ann/merge", said)
    third = changes(served, second["number"], 1)[-1]
    assert (third["kind"], third["number"] > second["number"]) == ("person_merged", True)
