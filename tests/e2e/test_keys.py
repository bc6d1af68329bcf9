"""Keys, limits and rejects of a running server, as those who run it meet them."""

import json
import subprocess
import sys
import time

ADMIN_KEY = "admin-key"


def track(message_id, **more):
    return {"type": "track", "messageId": message_id, "event": "下单", "userId": "u1", **more}


def command(served, *words):
    verbs, options = words[:2], words[2:]
    asked = [sys.executable, "-m", "touchline.cli", *verbs, str(served.dir), *options]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def admin(served, method, path, body=None, key=ADMIN_KEY):
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    status, answer = served.send(method, path, data, headers)
    return status, json.loads(answer)


def test_a_key_is_good_at_once_and_no_more_ten_seconds_after_it_was_revoked(running):
    key = command(running, "keys", "create", "--name", "app", "--alias", "posthog:phc_x")
    assert running.post("/v1/track", track("k1"), key=key)[0] == 200
    by_alias = {**track("k2"), "writeKey": "posthog:phc_x"}
    assert running.post("/v1/track", by_alias, key=None)[0] == 200
    assert running.get("/api/v1/events", key)[0] == 401, "a write key can only write"
    command(running, "keys", "revoke", key)
    time.sleep(9.5)
    assert running.post("/v1/track", track("k3"), key=key)[0] == 401
    assert running.post("/v1/track", by_alias, key=None)[0] == 401
    assert running.post("/v1/track", track("k5"))[0] == 200


def test_admin_keys_do_what_their_scopes_say(running):
    wanted = {"kind": "admin", "scopes": ["read"], "name": "looker"}
    status, made = admin(running, "POST", "/api/v1/keys", wanted)
    assert status == 201
    assert running.get("/api/v1/events", made["key"])[0] == 200
    status, answer = admin(running, "GET", "/api/v1/keys", key=made["key"])
    assert (status, answer["code"]) == (403, "out_of_scope")
    assert admin(running, "DELETE", f"/api/v1/keys?key={made['id']}")[0] == 200
    assert running.get("/api/v1/events", made["key"])[0] == 401
    status, listed = admin(running, "GET", "/api/v1/keys")
    assert [key["name"] for key in listed if key["revoked_at"]][-1] == "looker"


def test_a_reject_is_corrected_over_the_api_and_the_account_says_so(running):
    running.post("/v1/batch", {"batch": [{"type": "track", "messageId": "r1", "userId": "u1"}]})
    running.wait_committed()
    (line,) = running.get("/api/v1/rejects?message_id_prefix=r1", ADMIN_KEY)[1].splitlines()
    reject = json.loads(line)
    edits = {reject["reject_id"]: {**reject["payload"], "event": "下单"}}
    for stored, before in ((1, 0), (0, 1)):
        status, told = admin(running, "POST", "/api/v1/rejects/replay", {"edits": edits})
        assert (status, told["is_done"]) == (200, True)
        assert told["result"]["stored"] == stored
        assert told["result"]["replayed_before"] == before
    assert [event["name"] for event in running.events("r1")] == ["下单"]
    status, account = admin(running, "GET", "/api/v1/intake?source=web")
    assert account["is_balanced"] is True
    assert sum(hour["rejected"] for hour in account["hours"]) == 0


def test_a_source_over_its_limit_waits_and_the_others_do_not(served):
    (served.dir / "settings.toml").write_text("events_per_s = 2\n")
    served.start()
    other = command(served, "keys", "create", "--name", "app")
    batch = {"batch": [track(f"f{n}") for n in range(60)]}
    assert served.post("/v1/batch", batch)[0] == 200
    status, answer = served.post("/v1/track", track("f99"))
    assert (status, json.loads(answer)["code"]) == (429, "too_many_requests")
    assert 1 <= int(served.headers["retry-after"]) <= 60
    assert served.post("/v1/track", track("o1"), key=other)[0] == 200
