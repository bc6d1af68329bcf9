"""Matching of records: suggested, sure or to be answered, undone; limits and decisions hold."""

import contextlib
import importlib
import json

import pytest

import build
from touchline import clock
from touchline.errors import BadInput, NotFound
from touchline.identity.decisions import decided
from touchline.identity.match import queue, suggest
from touchline.identity.people import Registry
from touchline.jobs.imports.importing import run_import
from touchline.jobs.intake.writer import Writer
from touchline.jobs.people import identity, matching
from touchline.jobs.queries import people
from touchline.storage.audit import actor_of, entries

CRM = """crm_id,姓名,手机,生日,地址
k1,王小明,13800138000,1990-05-12,深圳市南山区科技园南路8号3栋502
k2,李国庆,13800138001,1970-10-01,北京市西城区月坛北街2号
k3,谢雨晨,13800138002,2001-06-06,合肥市包河区徽州大道7号
k4,赵敏,13800138003,1988-08-08,上海市徐汇区漕溪路12号
"""
TILL = """member_code,name,mobile,birthday,address
m1,Wang Xiaoming,13800138009,1990/5/12,深圳南山区科技园南路8-3-502
m2,杨雪梅,13900139001,1972-03-08,北京市西城区月坛北街2号
m3,谢婷婷,13900139002,2001-06-06,合肥市包河区徽州大道7号
m4,Emma Clark,13900139003,1999-01-01,
"""
SCORED = {}


@pytest.fixture
def site(tmp_path):
    workspace = build.workspace(tmp_path / "w")
    with workspace.write_lock():
        writer = Writer(workspace)
        for name, text in (("crm", CRM), ("till", TILL)):
            path = tmp_path / f"{name}.csv"
            path.write_text(text, encoding="utf-8")
            run_import(writer, "people", path)
    yield workspace
    workspace.close()


@pytest.fixture(autouse=True)
def _scored_once(monkeypatch):
    """Splink takes a second even for these few: the same records are scored once in all tests."""
    real = suggest.score

    def score(rows):
        told = json.dumps(rows, sort_keys=True)
        if told not in SCORED:
            SCORED[told] = real(rows)
        return SCORED[told]

    monkeypatch.setattr(suggest, "score", score)


def match(site, **more):
    hold = contextlib.nullcontext
    return matching.match(site, hold, matching.asked({**more}), lambda _: None)


def listed(site, status="all"):
    return [json.loads(x) for x in matching.review(site, Registry(site), {"status": status})]


def answer(site, number, verdict, **more):
    asked = {"number": number, "verdict": verdict, "reason": "called", **more}
    return matching.answer(site, Registry(site), asked)


def persons(site):
    """Sets of crm_id and member_code that are one person's."""
    found = [json.loads(line) for line in people(site, Registry(site), {})]
    kinds = ("crm_id", "member_code")
    sets = [{i["value"] for i in one["identifiers"] if i["type"] in kinds} for one in found]
    return sorted("".join(sorted(one)) for one in sets)


ALONE = ["k1", "k2", "k3", "k4", "m1", "m2", "m3", "m4"]
SURE = ["k1m1", "k2", "k3", "k4", "m2", "m3", "m4"]


def test_who_is_surely_one_is_joined_and_twins_wait_for_an_answer(site):
    assert match(site, is_trial=True) == {
        "records": 8, "suggested": 2, "sure": 1, "open": 1, "threshold": 0.999, "is_trial": True,
    }  # fmt: skip
    assert persons(site) == ALONE
    match(site)
    assert persons(site) == SURE
    (waiting,) = listed(site, "open")
    assert [side["traits"].get("姓名") or side["traits"]["name"] for side in waiting["sides"]]
    assert waiting["bits"]["given"] < 0 < waiting["bits"]["birthday"]
    assert not waiting["is_one_person"]
    assert 0.5 < waiting["probability"] <= 1


def test_an_accepted_suggestion_is_a_decision_and_undone_like_one(site):
    match(site)
    (twins,) = listed(site, "open")
    told = answer(site, twins["suggestion"], "accept")
    assert told["status"] == "accepted"
    assert persons(site) == ["k1m1", "k2", "k3m3", "k4", "m2", "m4"]
    assert [one["status"] for one in listed(site)] == ["sure", "accepted"]
    with pytest.raises(BadInput, match="already"):
        answer(site, twins["suggestion"], "accept")
    undo = {"kind": "undo", "undoes": told["decision"], "reason": "a slip"}
    identity.decide(site, Registry(site), undo)
    assert persons(site) == SURE
    assert listed(site, "open")[0]["suggestion"] == twins["suggestion"]


def test_who_wrote_an_answer_down_is_known_beside_its_author(site):
    match(site)
    for one, verdict in zip(listed(site), ("accept", "reject"), strict=True):
        answer(site, one["suggestion"], verdict, author="zoe")
        told = list(entries(site.state))[-1]
        assert told["actor"] == actor_of(site.principal) != "zoe"


def test_what_was_rejected_stays_apart_and_is_not_suggested_again(site):
    match(site)
    (sure,) = listed(site, "sure")
    (twins,) = listed(site, "open")
    answer(site, sure["suggestion"], "reject")
    answer(site, twins["suggestion"], "reject")
    assert persons(site) == ALONE
    assert match(site)["suggested"] == 0
    assert [one["status"] for one in listed(site)] == ["rejected", "rejected"]
    assert persons(site) == ALONE


EVENTS = "message_id,occurred_at,name,user_id,phone\n1,2026-03-01,Login,u1,13800138000\n"


def test_what_was_rejected_stays_apart_when_the_strongest_identifier_leaves(site, tmp_path):
    path = tmp_path / "events.csv"
    path.write_text(EVENTS, encoding="utf-8")
    with site.write_lock():
        writer = Writer(site)
        run_import(writer, "events", path)
        writer.catch_up()
    match(site)
    (sure,) = listed(site, "sure")
    answer(site, sure["suggestion"], "reject")
    asked = {"kind": "unmerge", "names": ("user_id:u1", "crm_id:k1"), "reason": "not his login"}
    identity.decide(site, Registry(site), asked)
    match(site)
    assert persons(site)[1:] == ALONE


def test_a_suggestion_that_has_ended_is_not_answered(site):
    match(site)
    (sure,) = listed(site, "sure")
    queue.renew(site.state, [])
    with pytest.raises(NotFound):
        answer(site, sure["suggestion"], "reject")


def test_the_decision_of_an_answer_is_its_own(site, monkeypatch):
    match(site)
    (sure,) = listed(site, "sure")
    told = answer(site, sure["suggestion"], "accept")  # they are one already
    assert decided(site.state)[-1].id == told["decision"]
    record = identity.record

    def overtaken(*given, **more):
        made = record(*given, **more)
        record(site.state, "block", about=[b"n" * 16], author="li", reason="a kiosk")
        return made

    monkeypatch.setattr(identity, "record", overtaken)
    told = answer(site, sure["suggestion"], "reject")
    by_id = {one.id: one.kind for one in decided(site.state)}
    assert by_id[told["decision"]] == "unmerge"


def test_matching_again_changes_nothing_and_does_not_build_on_suggestions(site):
    match(site)
    before = queue.standing(site.state)
    match(site)
    assert queue.standing(site.state) == before


def test_nothing_joins_by_itself_where_the_site_wants_to_see_all(site):
    assert match(site, threshold="1")["sure"] == 0
    assert persons(site) == ALONE
    match(site)
    assert persons(site) == SURE
    match(site, threshold=1)
    assert persons(site) == ALONE


def test_a_report_of_an_earlier_day_has_the_suggestions_of_that_day(site):
    start = clock.now_us()
    match(site)
    joined = clock.now_us()
    match(site, threshold=1)
    assert queue.sure(site.state, start - 1) == ()
    assert len(queue.sure(site.state, joined)) == 1
    assert queue.sure(site.state) == ()


def test_two_of_a_strong_identifier_are_never_suggested(site, tmp_path):
    path = tmp_path / "more.csv"
    path.write_text(TILL.replace("m1", "m9").split("m2")[0], encoding="utf-8")
    with site.write_lock():
        writer = Writer(site)
        run_import(writer, "people", path)
    match(site)
    assert [one for one in persons(site) if "m1" in one or "m9" in one] != ["k1m1m9"]
    assert all("m1" not in one or "m9" not in one for one in persons(site))


def test_what_cannot_be_is_said(site):
    with pytest.raises(NotFound):
        answer(site, 99, "accept")
    with pytest.raises(BadInput):
        matching.asked({"threshold": "half"})
    with pytest.raises(BadInput):
        matching.asked({"threshold": float("nan")})
    with pytest.raises(BadInput):
        listed(site, "maybe")
    match(site)
    with pytest.raises(BadInput, match="reason"):
        answer(site, listed(site, "open")[0]["suggestion"], "reject", reason=" ")


def test_without_the_extra_it_says_how_to_install_it(site, monkeypatch):
    load = importlib.import_module

    def missing(name, *args):
        if name in ("splink", "pypinyin"):
            raise ModuleNotFoundError(name)
        return load(name, *args)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(BadInput, match=r"touchline\[match\]"):
        match(site)


def test_an_empty_workspace_has_nothing_to_match(tmp_path):
    empty = build.workspace(tmp_path / "e")
    assert match(empty)["records"] == 0
    empty.close()


def test_hostile_traits_are_read_and_join_nobody(site, tmp_path):
    long = "张" * 100_000
    rows = [
        {
            "crm_id": "h1",
            "name": long,
            "address": "=HYPERLINK(1)" * 9_999,
            "birthday": "0001-01-01",
        },
        {"crm_id": "h2", "name": "🙂" * 500, "address": "(" * 99_999, "birthday": "9999-99-99"},
        {"crm_id": "h3", "name": ["x"] * 999, "address": {"city": 1e308, "": None}, "birthday": {}},
    ]
    path = tmp_path / "hostile.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with site.write_lock():
        run_import(Writer(site), "people", path)
    match(site)
    assert persons(site) == sorted([*SURE, "h1", "h2", "h3"])
