"""Input that means no good: kept, held back or rejected with a reason. Never a hang, and never a
merge by junk.
"""

import csv
import io
import json
import time

import numpy as np
import pytest

import build
import touchline
from touchline.cli import main
from touchline.identity.evidence import NO_APP, OBSERVED, Decisions, Nodes, Pairs, gather
from touchline.identity.resolve import resolve
from touchline.model import TYPE_RANK
from touchline.storage.workspace import Workspace

JUNK = ("null", "N/A", "undefined", "000000", "-1", "[object Object]", "(not set)", "测试", "游客")
FORMULA = '=HYPERLINK("http://x.example","look")'
LONG = "长" * 100_000  # 300 kB, and in the file twice that; ten times as much is refused


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A shop that took in all of it; its folder and what was said of each file."""
    folder = tmp_path_factory.mktemp("hostile")
    Workspace.init(folder / "w").close()
    events = [
        *({"message_id": f"junk{n}", "user_id": value, "anonymous_id": f"web-{n}"}
          for n, value in enumerate(JUNK)),
        *({"message_id": f"mail{n}", "email": value, "phone": "0" * 11, "anonymous_id": f"m-{n}"}
          for n, value in enumerate(("null", "test@test", "noreply@x.cn", "a@b"))),
        {"message_id": "year1", "user_id": "ancient", "occurred_at": "0001-01-01T00:00:00Z"},
        {"message_id": "wide", "email": "Ａｎｎ@Shop.CN", "anonymous_id": "wide"},
        {"message_id": "plain", "email": "ann@shop.cn", "anonymous_id": "narrow"},
        {"message_id": "emoji", "user_id": "👩‍👩‍👧‍👦 li", "anonymous_id": "e-1"},
        {"message_id": "smile", "user_id": "👩‍👩‍👧‍👦", "anonymous_id": "e-4"},
        {"message_id": "escape", "user_id": "\x1b[2J\u202egnp.exe", "anonymous_id": "e-2"},
        {"message_id": "huge", "user_id": "x" * 5_000, "anonymous_id": "e-3"},
    ]  # fmt: skip
    people = [
        {"member_code": "7", "email": "ann@shop.cn", "note": FORMULA, "about": LONG},
        {"member_code": "9", "about": LONG * 10},
        {"member_code": "８", "phone": "１３８００１３８０００", "note": "@SUM(1+1)"},
        {"member_code": "8", "note": "＝1+1"},
    ]
    for kind, given in (("events", events), ("people", people)):
        path = folder / f"{kind}.jsonl"
        rows = [{"name": "Visit", "occurred_at": "2026-03-01", **row} for row in given]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        assert main(["import", kind, str(path), "--to", str(folder / "w"), "--format", "json"]) == 0
    with touchline.open(folder / "w") as opened:
        yield folder / "w", opened


def one(site, a, b):
    return site[1].why(a, b)["same_person"]


def test_what_is_not_stored_is_a_reject_with_a_reason(site, capsys):
    capsys.readouterr()
    assert main(["rejects", "list", str(site[0]), "--format", "json"]) == 0
    found = {one["kind"]: one["reason"] for one in json.loads(capsys.readouterr().out)}
    assert found == {"events": "bad_time", "people": "line_too_long"}
    assert len(list(site[1].events())) == len(JUNK) + 10


def test_junk_joins_nobody(site):
    found = list(site[1].people())
    values = {one["value"] for person in found for one in person["identifiers"]}
    assert not values & set(JUNK)
    for prefix, count in (("web", len(JUNK)), ("m", 4)):
        ids = {site[1].profile(f"anonymous_id:{prefix}-{n}")["person_id"] for n in range(count)}
        assert len(ids) == count
    for value in JUNK:
        with pytest.raises(touchline.NotFound):
            site[1].why(value, "web-1")


def test_full_width_is_the_same_value_and_emoji_a_value(site):
    assert one(site, "wide", "narrow")
    assert one(site, "13800138000", "member_code:8")
    assert one(site, "👩‍👩‍👧‍👦 li", "e-1")
    with pytest.raises(touchline.NotFound):  # without a letter or digit it names nobody
        one(site, "👩‍👩‍👧‍👦", "e-4")


def test_a_long_trait_is_kept_whole(site):
    assert site[1].profile("member_code:7")["traits"]["about"] == LONG


def test_formulas_are_text_in_every_csv(site, capsys):
    capsys.readouterr()
    assert main(["export", str(site[0]), "people", "--format", "csv"]) == 0
    cells = [cell for row in csv.reader(io.StringIO(capsys.readouterr().out)) for cell in row]
    assert any("HYPERLINK" in cell for cell in cells)
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@", "＝")) for cell in cells)


def test_a_value_cannot_steer_the_terminal(site, capsys):
    assert main(["people", "show", str(site[0]), "e-2"]) == 0
    assert main(["people", "why", str(site[0]), "e-2", "narrow"]) == 0
    assert not {"\x1b", "\u202e"} & set(capsys.readouterr().out)


def test_a_value_of_a_hundred_thousand_joins_none_of_them(facts):
    count = 100_000
    ids = [facts.node_id(f"u{n}") for n in range(count)] + [facts.node_id("null-mail")]
    ranks = [TYPE_RANK["user_id"]] * count + [TYPE_RANK["email"]]
    hub = np.full(count, count, np.int32)
    ones = np.ones(count, np.int32)
    pairs = Pairs(np.arange(count, dtype=np.int32), hub, np.full(count, OBSERVED, np.int8), ones)
    started = time.process_time()
    none = np.full(count + 1, NO_APP)
    people = resolve(gather(Nodes.of(ids, ranks, none, np.zeros(count + 1)), pairs))
    assert time.process_time() - started < 5
    assert len(people) == count + 1
    assert people.quarantine.count.max() == count


@pytest.mark.parametrize("turn", range(3))
def test_a_ring_of_contradictions_breaks_where_it_always_does(facts, turn):
    """u1 – p1 – u2 – p2 … – u1, where no person has two user ids, and operators contradict it."""
    size = 40
    texts = [f"u{n} p{n}" for n in range(size)] + [f"p{n} u{(n + 1) % size}" for n in range(size)]
    turned = facts.rows(*texts[turn * 20 :], *texts[: turn * 20])
    node = facts.node_id
    decisions = Decisions(
        together=tuple((node(f"u{n}"), node(f"u{(n + 1) % size}")) for n in range(size)),
        apart=tuple((node(f"u{n}"), node(f"p{n}")) for n in range(0, size, 2)),
    )
    found = facts.solve(turned, decisions=decisions)
    first = facts.solve(facts.rows(*texts), decisions=decisions)
    assert found.groups() == first.groups()
    for group in found.groups():
        assert sum(name[0] == "u" for name in group) <= 1
        assert not any({f"u{n}", f"p{n}"} <= group for n in range(0, size, 2))


def test_what_comes_over_http_is_kept_or_refused_with_a_reason_as_well(tmp_path, capsys):
    """A trait of a megabyte, one that is called like a formula, an account too, the year 1."""
    workspace = Workspace.init(tmp_path / "w")
    who = {"type": "identify", "userId": "ann", "timestamp": "2026-03-01T00:00:00Z"}
    traits = {"about": "长" * 350_000, FORMULA: "@SUM(1)", "email": "Ａｎｎ@acme.com"}
    build.Tracker(workspace).send(
        {**who, "messageId": "1", "traits": traits},
        {**who, "messageId": "2", "type": "group", "groupId": FORMULA},
        {**who, "messageId": "3", "timestamp": "0001-01-01T00:00:00Z"},
    )
    workspace.close()
    folder = str(tmp_path / "w")
    with touchline.open(folder) as opened:
        found = opened.profile("ann")
        told = {one["message_id"]: one["timestamp"][:4] for one in opened.events()}
    assert found["traits"]["about"] == traits["about"]
    assert found["traits"][FORMULA] == "@SUM(1)"
    assert found["companies"] == [{"domain": "acme.com", "account_id": FORMULA}]
    assert "0001" not in told.values()  # the moment it was received stands for no moment
    capsys.readouterr()
    for asked in (("accounts", folder), ("show", folder, "ann"), ("accounts", folder, "acme.com")):
        assert main(["people", *asked, "--format", "csv"]) == 0
        cells = [cell for row in csv.reader(io.StringIO(capsys.readouterr().out)) for cell in row]
        assert cells
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@", "＝")) for cell in cells)
