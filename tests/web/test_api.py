"""The admin API in front of a worker that says what each test wants."""

import asyncio
import contextlib
import json

import httpx
import pytest

from touchline.errors import Ambiguous, BadInput, NotFound, TouchlineError, Unavailable
from touchline.jobs import rpc


def test_events_stream_as_json_lines(get, worker):
    worker.answers["events"] = [b'{"message_id":"a"}\n', b'{"message_id":"b"}\n']
    answer = get(
        "/api/v1/events?message_id_prefix=x&person=email:a@b.c&from=2026-01-01&to=2026-02-01&limit=5&cursor=1:2"
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert [json.loads(line)["message_id"] for line in answer.text.splitlines()] == ["a", "b"]
    assert worker.asked == [
        (
            "events",
            {
                "message_id_prefix": "x",
                "person": "email:a@b.c",
                "from": "2026-01-01",
                "to": "2026-02-01",
                "limit": 5,
                "cursor": "1:2",
            },
        )
    ]


def test_no_matches_are_an_empty_answer(get, worker):
    answer = get("/api/v1/rejects")
    assert (answer.status_code, answer.text) == (200, "")
    assert worker.asked == [("rejects", {})]


def test_a_person_may_hold_any_sign(get, worker):
    worker.answers["timeline"] = [b"{}"]
    answer = get("/api/v1/people/user_id:a%2Fb%20%E5%BC%A0/timeline")
    assert answer.status_code == 200
    assert worker.asked == [("timeline", {"person": "user_id:a/b 张"})]


def test_a_person_and_a_question_about_two_have_addresses_of_their_own(get, worker):
    assert get("/api/v1/people/email:a%2Fb").status_code == 200
    assert get("/api/v1/people/why?a=ann&b=email:a@b.c&language=zh").status_code == 200
    assert worker.asked == [
        ("person", {"person": "email:a/b", "language": "en"}),
        ("why", {"a": "ann", "b": "email:a@b.c", "language": "zh"}),
    ]
    assert get("/api/v1/people/why?a=ann").status_code == 400


def test_attribution_passes_its_questions_on(get, worker):
    worker.answers["attribution"] = [b'{"goal":"default"}']
    answer = get("/api/v1/attribution?models=linear&by=channel,campaign&from=2026-01-01&window=30d")
    assert answer.json() == {"goal": "default"}
    assert answer.headers["content-type"] == "application/json"
    assert worker.asked[0][1] == {
        "models": "linear",
        "by": "channel,campaign",
        "from": "2026-01-01",
        "window": "30d",
    }


def test_explanations_and_roles_pass_their_questions_on(get, worker):
    for name in ("explain", "explain_number", "roles", "model_notes"):
        worker.answers[name] = [b"{}"]
    for path in ("explain/web/m1?models=linear", "explain?model=linear&channel=&limit=5"):
        assert get(f"/api/v1/{path}&goal=deals").json() == {}
    assert get("/api/v1/roles?by=stage&top=3&as_of=2026-01-01").json() == {}
    assert get("/api/v1/models").json() == {}
    assert worker.asked == [
        ("explain", {"goal": "deals", "models": "linear", "conversion": "web/m1"}),
        ("explain_number", {"goal": "deals", "model": "linear", "channel": "", "limit": 5}),
        ("roles", {"as_of": "2026-01-01", "by": "stage", "top": 3}),
        ("model_notes", {}),
    ]
    for path in ("explain", "explain?model=linear&limit=0", "roles?top=0", "roles?models=linear"):
        assert get(f"/api/v1/{path}").status_code == 400
    for path in ("roles?half_life=3", "patterns?weights=first=1"):
        assert get(f"/api/v1/{path}").status_code == 400


def test_the_guide_takes_what_is_to_be_decided_and_facts_as_numbers(get, worker):
    worker.answers["attribution_guide"] = [b'{"model":"incremental"}']
    answer = get("/api/v1/attribution/guide?for=budget&channels=8&cycle_days=2.5")
    assert answer.json() == {"model": "incremental"}
    assert worker.asked == [
        ("attribution_guide", {"for": "budget", "channels": 8, "cycle_days": 2.5})
    ]
    assert get("/api/v1/attribution/guide?channels=many").status_code == 400


@pytest.mark.parametrize(
    "path",
    ["/api/v1/events", "/api/v1/rejects", "/api/v1/people/x/timeline", "/api/v1/attribution"],
)
@pytest.mark.parametrize("key", [None, "wrong", ""])
def test_without_an_admin_key_nothing_is_asked(get, worker, path, key):
    answer = get(path, key=key)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["code"] == "wrong_admin_key"
    assert not worker.asked


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadInput("bad_argument", name="by", value="x", why="is wrong."), 400),
        (NotFound("person_unknown", name="x"), 404),
        (Ambiguous("person_ambiguous", name="x", choices="a · b"), 409),
        (Unavailable("disk_full", path="/x"), 503),
        (TouchlineError("internal_error"), 500),
    ],
)
def test_what_the_worker_raises_becomes_a_problem_with_its_code(get, worker, error, status):
    worker.answers["timeline"] = [error]
    answer = get("/api/v1/people/x/timeline")
    assert answer.status_code == status
    body = answer.json()
    assert (body["status"], body["code"]) == (status, error.code)
    assert body["detail"] == error.text("en")


def test_a_problem_speaks_the_askers_language(get, worker):
    worker.answers["timeline"] = [NotFound("person_unknown", name="x")]
    answer = get("/api/v1/people/x/timeline", **{"accept-language": "zh-CN"})
    assert answer.json()["detail"] == NotFound("person_unknown", name="x").text("zh")


@pytest.mark.parametrize(
    "query", ["limit=many", "limit=0", "limit=99999999999999999999", "form=2026-01-01"]
)
def test_arguments_that_cannot_be_understood_are_refused(get, worker, query):
    answer = get(f"/api/v1/events?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "bad_argument"
    assert query.partition("=")[0] in answer.json()["detail"]
    assert not worker.asked


@pytest.mark.parametrize("path", ["links?limit=", "rejects?limit=", "jobs/"])
def test_a_number_that_nothing_counts_to_is_refused(get, worker, path):
    assert get(f"/api/v1/{path}{10**20}").json()["code"] == "bad_argument"
    assert not worker.asked


def test_what_is_refused_is_not_told_at_length(get):
    answer = get("/api/v1/rejects/replay", method="POST", json={"x": "y" * 10_000})
    assert (answer.status_code, len(answer.text) < 400) == (400, True)


def test_numbers_without_end_go_where_an_event_may_hold_them(get, worker):
    worker.answers |= {"replay": [b"{}"], "apply": [b"{}"]}
    edits = {"ab": {"properties": {"n": 10**30, "text": "\u5f20"}}}
    sent = get("/api/v1/rejects/replay", method="POST", json={"edits": edits})
    assert (sent.status_code, json.loads(worker.asked[0][1]["edits"]["ab"])) == (200, edits["ab"])
    refused = get("/api/v1/definitions", method="PUT", json={"goal": [{"value": 10**30}]})
    assert (refused.status_code, refused.json()["code"]) == (400, "unreadable_body")


def test_unknown_addresses_and_methods_are_problems_too(get):
    answer = get("/api/v1/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_address")
    answer = get("/api/v1/events", method="DELETE")
    assert (answer.status_code, answer.json()["code"]) == (405, "other_method")
    assert answer.headers["allow"] == "GET"


def test_without_a_worker_the_answer_is_503(get):
    answer = get("/api/v1/events")
    assert (answer.status_code, answer.json()["code"]) == (503, "worker_away")
    assert answer.headers["retry-after"]


def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one(get, worker):
    worker.answers["events"] = [b"{}\n", None]
    with contextlib.suppress(httpx.HTTPError):
        assert get("/api/v1/events").status_code in (200, 500)


def test_a_worker_that_dies_before_the_first_chunk_is_503(get, worker):
    worker.answers["events"] = [None]
    assert get("/api/v1/events").status_code == 503


def test_an_asker_who_leaves_stops_the_worker(tmp_path, worker):
    worker.answers["events"] = [b"x" * 65536 + b"\n"] * 2000

    async def leave():
        client = rpc.WorkerClient(tmp_path)
        chunks = client.ask("events")
        await anext(chunks)
        await chunks.aclose()
        await asyncio.sleep(0.05)

    asyncio.run(leave())
    assert worker.hung_up.wait(5)


def ping(problem=None, behind=0):
    return [json.dumps({"log_end": 100 + behind, "committed": 100, "problem": problem}).encode()]


def test_health_is_good_only_when_all_roles_are(get, worker):
    worker.answers["ping"] = ping(behind=7)
    answer = get("/health", key=None, problems={"collector": lambda: None})
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "roles": {"collector": "ok", "worker": "ok"},
        "behind_bytes": 7,
    }
    answer = get("/health", key=None, problems={"collector": lambda: "disk_full"})
    assert (answer.status_code, answer.json()["roles"]["collector"]) == (503, "disk_full")
    worker.answers["ping"] = ping(problem="disk_full")
    answer = get("/health", key=None)
    assert (answer.status_code, answer.json()["roles"]["worker"]) == (503, "disk_full")


def test_health_is_bad_without_a_worker(get):
    answer = get("/health", key=None)
    assert answer.status_code == 503
    assert answer.json()["roles"] == {"worker": "worker_away"}


def test_the_api_describes_itself_as_openapi_3_1(get):
    described = get("/openapi.json", key=None).json()
    assert described["openapi"].startswith("3.1")
    assert {
        "/health",
        "/api/v1/events",
        "/api/v1/rejects",
        "/api/v1/people/{person}/timeline",
        "/api/v1/attribution",
    } <= set(described["paths"])
    names = {p["name"] for p in described["paths"]["/api/v1/events"]["get"]["parameters"]}
    assert {"from", "to", "person", "limit", "cursor", "message_id_prefix"} <= names
    assert get("/docs", key=None).status_code == 200


def test_a_person_is_tagged_and_given_an_owner(get, worker):
    worker.answers |= {"note_person": [b"{}"], "person": [b"{}"]}
    said = {"set": ["VIP"], "unset": ["new"], "author": "Li Na"}
    path = "/api/v1/people/email:a%2Fb"
    assert get(f"{path}/tags", method="POST", json=said).status_code == 200
    for name in ("王芳", None):
        assert get(f"{path}/owner", method="PUT", json={"owner": name}).status_code == 200
    assert get(f"{path}?language=zh").status_code == 200
    about = {"person": "email:a/b"}
    assert worker.asked == [
        ("note_person", about | {"tags": ["VIP"], "untag": ["new"], "author": "Li Na"}),
        ("note_person", about | {"owner": "王芳"}),
        ("note_person", about | {"owner": ""}),
        ("person", about | {"language": "zh"}),
    ]
    assert get(f"{path}/tags", method="POST", json=said, key="reader").status_code == 403
    assert get(f"{path}/tags", method="POST", json={"add": ["VIP"]}).status_code == 400
    assert get(f"{path}?language=fr").status_code == 400


def test_rejects_are_chosen_and_replayed(get, worker):
    worker.answers |= {"rejects": [], "replay": [b'{"job":1}']}
    assert get("/api/v1/rejects?reason=missing_id&source=web&status=all").status_code == 200
    edits = {"ab": {"event": "Visit"}}
    for wanted in ({"ids": ["ab"]}, {"all": True}, {"edits": edits}):
        assert get("/api/v1/rejects/replay", method="POST", json=wanted).json() == {"job": 1}
    assert worker.asked == [
        ("rejects", {"reason": "missing_id", "source": "web", "status": "all"}),
        ("replay", {"ids": ["ab"]}),
        ("replay", {"all": True}),
        ("replay", {"edits": {"ab": b'{"event": "Visit"}'}}),
    ]
    refused = get("/api/v1/rejects/replay", method="POST", json={"all": True}, key="reader")
    assert refused.status_code == 403
    misspelt = get("/api/v1/rejects/replay", method="POST", json={"al": True})
    assert misspelt.status_code == 400


def test_the_account_and_jobs_are_asked_for(get, worker):
    worker.answers |= {"intake": [b'{"hours":[]}'], "job": [b'{"is_done":true}']}
    assert get("/api/v1/intake?source=web&from=2026-01-01&to=2026-02-01").json() == {"hours": []}
    assert get("/api/v1/jobs/7").json() == {"is_done": True}
    asked = {"source": "web", "from": "2026-01-01", "to": "2026-02-01"}
    assert worker.asked == [("intake", asked), ("job", {"number": 7})]


def test_the_plan_is_read_checked_and_begun(get, worker):
    names = ("plan", "plan_check", "plan_observed", "plan_templates", "plan_template")
    worker.answers |= {key: [b"{}"] for key in (*names, "begin_plan")}
    for path in ("", "/check?days=3&language=zh", "/observed", "/templates", "/templates/saas"):
        assert get(f"/api/v1/plan{path}").status_code == 200
    begun = {"template": "saas", "language": "zh"}
    assert get("/api/v1/plan/new", method="POST", json=begun).status_code == 200
    assert worker.asked == [
        ("plan", {}),
        ("plan_check", {"days": 3, "language": "zh"}),
        ("plan_observed", {}),
        ("plan_templates", {}),
        ("plan_template", {"name": "saas", "language": "en"}),
        ("begin_plan", begun),
    ]
    assert get("/api/v1/plan?day=3").status_code == 400
    refused = get("/api/v1/plan/new", method="POST", json=begun, key="reader")
    assert refused.status_code == 403


def test_a_visit_s_channel_is_explained_to_readers(get, worker):
    worker.answers["channel_explain"] = [b'{"channel":"Direct"}']
    answer = get(
        "/api/v1/channel/explain?url=https%3A%2F%2Fs.cn&user_agent=x&mode=ga4", key="reader"
    )
    assert answer.json() == {"channel": "Direct"}
    asked = {"url": "https://s.cn", "user_agent": "x", "mode": "ga4"}
    assert worker.asked == [("channel_explain", asked)]
    assert get("/api/v1/channel/explain?mode=ua").status_code == 400
    assert get("/api/v1/channel/explain", key=None).status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "asked"),
    [
        (
            "/people/email:a%2Fb@x.cn/merge",
            {"with": "user_id:7", "reason": "a call"},
            {"kind": "merge", "names": ["email:a/b@x.cn", "user_id:7"]},
        ),
        (
            "/people/p00/unmerge",
            {"with": "p11", "reason": "a call", "author": "ann", "dry_run": True},
            {"kind": "unmerge", "names": ["p00", "p11"], "author": "ann", "is_trial": True},
        ),
        (
            "/identity/block",
            {"value": "phone:1", "reason": "a call"},
            {"kind": "block", "names": ["phone:1"]},
        ),
        (
            "/identity/unblock",
            {"value": "phone:1", "reason": "a call"},
            {"kind": "unblock", "names": ["phone:1"]},
        ),
        (
            "/identity/decisions/3/undo",
            {"reason": "a call"},
            {"kind": "undo", "undoes": 3},
        ),
    ],
)
def test_a_decision_is_asked_of_the_worker_with_its_reason(get, worker, path, body, asked):
    worker.answers["decide"] = [b'{"decision":1}']
    answer = get(f"/api/v1{path}", method="POST", json=body)
    assert (answer.status_code, answer.json()) == (200, {"decision": 1})
    assert worker.asked == [("decide", {"is_trial": False, "reason": "a call", **asked})]
    assert get(f"/api/v1{path}", method="POST", json=body, key="reader").status_code == 403
    del body["reason"]
    assert get(f"/api/v1{path}", method="POST", json=body).status_code == 400


def test_what_makes_people_is_read(get, worker):
    for name, path in (
        ("identity_rules", "/identity/rules"),
        ("quarantine", "/identity/quarantine?reason=staff&limit=3"),
        ("decisions", "/identity/decisions"),
        ("person_changes", "/identity/changes?after=7"),
    ):
        worker.answers[name] = [b"{}\n"]
        assert get(f"/api/v1{path}", key="reader").status_code == 200
    document = {"identity": {"limits": {"phone": 1}}}
    worker.answers["identity_dry_run"] = [b"{}"]
    assert get("/api/v1/identity/dry-run", method="POST", json=document).status_code == 200
    assert worker.asked[1:] == [
        ("quarantine", {"reason": "staff", "limit": 3}),
        ("decisions", {}),
        ("person_changes", {"after": 7}),
        ("identity_dry_run", document),
    ]
    assert get("/api/v1/identity/quarantine?reason=odd").status_code == 400


def test_accounts_and_households_are_read(get, worker):
    worker.answers |= {"accounts": [b"{}\n"], "account": [b"{}"], "households": [b"{}\n"]}
    for path in ("accounts?limit=2", "accounts/acme.com", "households"):
        assert get(f"/api/v1/{path}", key="reader").status_code == 200
    assert worker.asked == [
        ("accounts", {"limit": 2}),
        ("account", {"account": "acme.com"}),
        ("households", {}),
    ]
    assert get("/api/v1/accounts?limit=0").status_code == 400


def test_matching_is_asked_for_seen_and_answered(get, worker):
    worker.answers |= {"match": [b"{}"], "review": [b"{}\n"], "answer_suggestion": [b"{}"]}
    path = "/api/v1/identity"
    assert get(f"{path}/match", method="POST", json={"threshold": 0.99}).status_code == 200
    assert get(f"{path}/review?status=all&limit=5", key="reader").status_code == 200
    said = {"reason": "a call"}
    assert get(f"{path}/review/7/reject", method="POST", json=said).status_code == 200
    assert worker.asked == [
        ("match", {"threshold": 0.99, "is_trial": False}),
        ("review", {"status": "all", "limit": 5}),
        ("answer_suggestion", {"number": 7, "verdict": "reject", "reason": "a call"}),
    ]
    assert get(f"{path}/review/7/accept", method="POST", json=said, key="reader").status_code == 403
    for wrong in ("/review/7/maybe", "/review/x/accept", "/review/7/accept"):
        assert get(f"{path}{wrong}", method="POST", json={}).status_code in (400, 404)
    assert get(f"{path}/match", method="POST", json={"threshold": 0.2}).status_code == 400
    assert get(f"{path}/review?status=odd").status_code == 400


def test_lift_tests_are_entered_asked_for_and_taken_back(get, worker):
    worker.answers |= {"add_lift": [b"{}"], "remove_lift": [b"{}"], "next_lift": [b"{}"]}
    wanted = {"name": "geo/1", "channel": "Ads", "from": "2026-03-01", "to": "2026-03-31"}
    added = get("/api/v1/lift", method="POST", json=wanted | {"treated": "9:2", "control": "9:1"})
    assert added.status_code == 201
    assert get("/api/v1/lift/next?error=0.2&from=2026-03-01").status_code == 200
    assert get("/api/v1/lift/geo%2F1", method="DELETE").status_code == 200
    assert get("/api/v1/lift/geo", method="DELETE", key="reader").status_code == 403
    assert get("/api/v1/lift", method="POST", json=wanted | {"kind": "guess"}).status_code == 400
    asked = dict(worker.asked)
    assert asked["add_lift"]["start"] == "2026-03-01"
    assert asked["next_lift"] == {"error": 0.2, "from": "2026-03-01", "campaigns": False}
    assert asked["remove_lift"] == {"name": "geo/1"}
