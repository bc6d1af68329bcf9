"""`touchline people show|why`: one person on a page, and why two values are one or two."""

import csv
import io
import json

import pytest

import touchline
from touchline.cli import main
from touchline.storage.workspace import Workspace

EVENTS = """message_id,occurred_at,name,user_id,email,anonymous_id,account_id
1,2026-03-01T08:00:00+08:00,Visit,ann,ann@shop.cn,,acme
2,2026-03-02,Visit,ann,,c1,
3,2026-03-03,Visit,bob,,c2,
"""
PEOPLE = "email,note\nann@shop.cn,=HYPERLINK(1)\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    Workspace.init(folder / "shop").close()
    for kind, text in (("events", EVENTS), ("people", PEOPLE)):
        (folder / f"{kind}.csv").write_text(text)
        assert (
            main(["import", kind, str(folder / f"{kind}.csv"), "--to", str(folder / "shop")]) == 0
        )
    return str(folder / "shop")


@pytest.fixture
def printed(capsys):
    def printed(*args):
        capsys.readouterr()
        assert main(list(args)) == 0
        return capsys.readouterr().out

    return printed


def test_a_path_is_json_for_programs_and_prose_for_people(shop, printed, monkeypatch):
    found = json.loads(printed("people", "why", shop, "ann@shop.cn", "c1", "--format", "json"))
    assert list(found) == ["same_person", "path", "blocked_by"]
    assert [hop["to"] for hop in found["path"]] == ["user_id:ann", "anonymous_id:c1"]
    assert {tuple(hop) for hop in found["path"]} == {("from", "to", "class", "event", "rule", "at")}
    text = printed("people", "why", shop, "ann@shop.cn", "c1")
    assert text.splitlines()[0] == "ann@shop.cn and c1 are one person."
    assert "email:ann@shop.cn – user_id:ann: event, seen together on 1 day; events 1" in text
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert "是同一位客户" in printed("people", "why", shop, "ann@shop.cn", "c1")
    assert "没有任何数据" in printed("people", "why", shop, "ann", "bob")


def test_a_page_shows_identifiers_traits_and_accounts(shop, printed):
    found = json.loads(printed("people", "show", shop, "c1", "--format", "json"))
    assert [one["value"] for one in found["identifiers"]] == ["ann", "ann@shop.cn", "c1"]
    assert found["accounts"] == ["acme"]
    assert found["first_seen_at"] == "2026-03-01T00:00:00.000Z"
    assert found["last_seen_at"].startswith("2026-03-01T16")
    assert found["traits"] == {"note": "=HYPERLINK(1)"}
    assert (len(found["other_ids"]), found["held_back"], found["decisions"]) == (2, None, [])
    text = printed("people", "show", shop, "c1")
    assert found["person_id"] in text
    assert "ann@shop.cn" in text
    rows = list(
        csv.DictReader(io.StringIO(printed("people", "show", shop, "c1", "--format", "csv")))
    )
    assert rows[0]["type"] == "user_id"


def test_tags_and_owner_are_noted_and_stand_on_the_page(shop, printed, monkeypatch):
    text = printed("people", "tag", shop, "bob", "VIP", "new", "--author", "Li Na")
    assert [text.count(word) for word in ("VIP", "new", "Li Na")] == [1, 1, 2]
    args = ("people", "tag", shop, "bob", "--remove", "new", "--format", "json")
    assert [one["tag"] for one in json.loads(printed(*args))["tags"]] == ["VIP"]
    rows = csv.DictReader(
        io.StringIO(printed("people", "assign", shop, "bob", "王芳", "--format", "csv"))
    )
    assert [(row["what"], row["value"]) for row in rows] == [("tag", "VIP"), ("owner", "王芳")]
    text = printed("people", "show", shop, "bob")
    assert {"stage: Awareness", "owner: 王芳", "tags: VIP"} <= set(text.splitlines())
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    text = printed("people", "show", shop, "ann")
    assert "会员阶段: 认知" in text
    assert '客户属性 · note = "=HYPERLINK(1)" (自有, people, ' in text
    printed("people", "assign", shop, "bob")
    assert "负责人" not in printed("people", "show", shop, "bob")


def test_another_id_of_a_person_leads_to_them(shop):
    with touchline.open(shop) as site:
        page = site.profile("ann")
        assert {site.profile(one)["person_id"] for one in page["other_ids"]} == {page["person_id"]}
        assert site.why(page["other_ids"][0], "c1")["same_person"]
        blocked = site.why("ann", "bob", language="zh")["blocked_by"]
        assert blocked["kind"] == "no_evidence"
        with pytest.raises(touchline.BadInput):
            site.why("ann", "bob", language="fr")


def test_whoever_looks_is_written_down(shop, printed):
    printed("people", "show", shop, "ann")
    told = json.loads(printed("audit", shop, "--person", "ann", "--format", "json"))
    assert {"read.person", "read.why"} <= {one["action"] for one in told}


MEMBERS = (
    "member_code,email,account_id,name,address\n"
    "1,ann@acme.com,A1,张伟,上海市天钥桥路8号502室\n"
    "2,bob@acme.com,,张小明,上海天钥桥路8号-502\n"
    "3,eve@qq.com,,李四,=1+1\n"
)


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("firm")
    Workspace.init(folder / "w").close()
    (folder / "m.csv").write_text(MEMBERS, encoding="utf-8")
    (folder / "d.toml").write_text("[households]\nby_address = true\n", encoding="utf-8")
    assert main(["import", "people", str(folder / "m.csv"), "--to", str(folder / "w")]) == 0
    assert main(["apply", str(folder / "w"), str(folder / "d.toml")]) == 0
    return str(folder / "w")


def test_who_belongs_to_a_company_is_listed_and_shown(firm, printed, monkeypatch):
    listed = json.loads(printed("people", "accounts", firm, "--format", "json"))
    assert listed == [
        {"account_id": "A1", "domains": ["acme.com"], "people": 2, "by_domain_alone": 1}
    ]
    told = json.loads(printed("people", "accounts", firm, "acme.com", "--format", "json"))
    assert [one["by_row"] for one in told["people"]] in ([True, False], [False, True])
    shown = json.loads(printed("people", "show", firm, "bob@acme.com", "--format", "json"))
    assert shown["accounts"] == []
    assert shown["companies"] == [{"domain": "acme.com", "account_id": "A1"}]
    assert len(shown["household"]["people"]) == 2
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "仅凭域名" in printed("people", "accounts", firm)
    assert "企业邮箱: acme.com (A1)" in printed("people", "show", firm, "bob@acme.com")
    assert printed("people", "households", firm, "--format", "csv").count("p") > 2
    assert main(["people", "accounts", firm, "nix"]) == 2
