"""What each key of the admin API may do, and what only a key of its own may."""

import pytest


@pytest.mark.parametrize(
    ("key", "method", "path", "status"),
    [
        ("reader", "GET", "/api/v1/rejects", 200),
        ("reader", "GET", "/api/v1/keys", 403),
        ("reader", "POST", "/api/v1/keys", 403),
        ("locksmith", "GET", "/api/v1/keys", 200),
        ("locksmith", "DELETE", "/api/v1/keys?key=abc", 200),
        ("nobody", "GET", "/api/v1/keys", 401),
        (None, "DELETE", "/api/v1/keys?key=abc", 401),
    ],
)
def test_a_key_may_do_what_its_scopes_say(get, worker, key, method, path, status):
    worker.answers |= {"keys": [b"[]"], "revoke_key": [b"{}"]}
    answer = get(path, key=key, method=method)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "out_of_scope"


def test_a_key_is_made_and_shown(get, worker):
    worker.answers["create_key"] = [b'{"key":"x"}']
    wanted = {"name": "app", "aliases": ["matomo:1"]}
    answer = get("/api/v1/keys", method="POST", json=wanted)
    assert (answer.status_code, answer.json()) == (201, {"key": "x"})
    assert worker.asked == [
        ("create_key", {"kind": "write", "name": "app", "aliases": ["matomo:1"], "scopes": []})
    ]


def test_nobody_makes_a_key_that_may_do_more_than_their_own(get, worker):
    worker.answers["create_key"] = [b"{}"]
    for scopes, status in ((["write"], 403), ([], 403), (["read"], 201), (["read", "keys"], 201)):
        wanted = {"kind": "admin", "scopes": scopes}
        answer = get("/api/v1/keys", method="POST", key="locksmith", json=wanted)
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [
        ("POST", "people/email:a%2Fb/export", ("export_person", {"person": "email:a/b"})),
        ("POST", "people/ann/erase", ("erase_person", {"person": "ann", "reason": None})),
        ("POST", "people/ann/erase?dry_run=1", ("preview_erasure", None)),
        ("GET", "erasures", ("erasures", {})),
        ("GET", "erasures/12ab", ("receipt", {"request": "12ab"})),
        ("POST", "erasures/readmit", ("readmit", {"identifier": "email:a@b.c", "reason": None})),
    ],
)
def test_what_a_customer_may_ask_for_needs_a_key_of_its_own(get, worker, method, path, asked):
    body = {"identifier": "email:a@b.c"} if path.endswith("readmit") else None
    for key in ("reader", "locksmith", "secret"):
        assert get(f"/api/v1/{path}", method=method, json=body, key=key).status_code == 403
    worker.answers[asked[0]] = [b"{}"]
    assert get(f"/api/v1/{path}", method=method, json=body, key="clerk").status_code == 200
    expected = {"person": "ann", "reason": None} if asked[1] is None else asked[1]
    assert worker.asked == [(asked[0], expected)]


@pytest.mark.parametrize(
    ("method", "path", "body", "may", "asked"),
    [
        ("GET", "retention", None, {"clerk"}, ("retention", {})),
        ("POST", "retention", None, {"clerk"}, ("retain", {})),
        (
            "POST", "keys/rotate", {"what": "root"}, {"locksmith", "secret"},
            ("rotate_key", {"what": "root", "reason": None}),
        ),
        ("GET", "keys/receipts", None, {"reader", "locksmith", "secret"}, ("receipt_keys", {})),
    ],
)  # fmt: skip
def test_who_may_let_data_run_out_and_change_a_key(get, worker, method, path, body, may, asked):
    worker.answers[asked[0]] = [b"{}"]
    for key in ("clerk", "reader", "locksmith", "secret"):
        answer = get(f"/api/v1/{path}", method=method, json=body, key=key)
        assert answer.status_code == (200 if key in may else 403)
    assert worker.asked == [asked] * len(may)


def test_no_other_key_can_be_changed(get, worker):
    for body in ({"what": "write"}, {"what": "root", "by": "me"}, {}):
        answer = get("/api/v1/keys/rotate", method="POST", json=body, key="locksmith")
        assert answer.status_code == 400
    assert worker.asked == []
