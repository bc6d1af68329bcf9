"""`touchline identity match|review`: what is suggested is shown, answered, and told as JSON."""

import csv
import io
import json

import pytest

from touchline.cli import main
from touchline.storage.workspace import Workspace

CRM = """crm_id,姓名,手机,生日,地址
k1,王小明,13800138000,1990-05-12,深圳市南山区科技园南路8号3栋502
k2,谢雨晨,13800138002,2001-06-06,合肥市包河区徽州大道7号
"""
TILL = """member_code,name,mobile,birthday,address
m1,Wang Xiaoming,13800138009,1990/5/12,深圳南山区科技园南路8-3-502
m2,谢婷婷,13900139002,2001-06-06,合肥市包河区徽州大道7号
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("match")
    Workspace.init(folder / "shop").close()
    for name, text in (("crm", CRM), ("till", TILL)):
        path = folder / f"{name}.csv"
        path.write_text(text, encoding="utf-8")
        assert main(["import", "people", str(path), "--to", str(folder / "shop")]) == 0
    assert main(["identity", "match", str(folder / "shop")]) == 0
    return str(folder / "shop")


@pytest.fixture
def printed(capsys):
    def printed(*args, code=0):
        capsys.readouterr()
        assert main(["identity", *args]) == code
        said = capsys.readouterr()
        return said.err if code else said.out

    return printed


def test_suggestions_are_shown_with_what_speaks_for_and_against_them(shop, printed):
    text = printed("review", shop)
    assert "谢雨晨" in text
    assert "谢婷婷" in text
    assert "birthday" in text
    (row,) = csv.DictReader(io.StringIO(printed("review", shop, "--format", "csv")))
    assert (row["for"], row["against"]) == ("surname, birthday, area, street", "given, phone")
    (sure,) = json.loads(printed("review", shop, "--status", "sure", "--format", "json"))
    assert sure["is_one_person"]


def test_a_terminal_that_speaks_chinese_is_answered_in_chinese(shop, printed, monkeypatch):
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert "待审核" in printed("review", shop)
    assert "已比对 4 条档案" in printed("match", shop, "--dry-run")


def test_an_answer_needs_a_reason_and_is_told_as_json(shop, printed):
    (twins,) = json.loads(printed("review", shop, "--format", "json"))
    number = str(twins["suggestion"])
    assert "--reason" in printed("review", shop, "--reject", number, code=2)
    both = ("review", shop, "--reject", number, "--accept", number, "--reason", "x")
    assert "--accept" in printed(*both, code=2)
    told = json.loads(
        printed("review", shop, "--reject", number, "--reason", "twins", "--format", "json")
    )
    assert told == {"suggestion": twins["suggestion"], "status": "rejected", "decision": 1}
    assert json.loads(printed("review", shop, "--format", "json")) == []
    assert "already" in printed("review", shop, "--reject", number, "--reason", "x", code=2)
    assert "twins" in printed("decisions", shop)


@pytest.mark.parametrize("threshold", ["0.4", "2", "x", "nan", "inf"])
def test_a_threshold_is_a_probability(shop, printed, threshold):
    assert "probability" in printed("match", shop, "--threshold", threshold, code=2)


def test_why_two_are_one_person_names_likeness(shop, capsys):
    capsys.readouterr()
    assert main(["people", "why", shop, "crm_id:k1", "member_code:m1", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [hop["class"] for hop in found["path"]] == ["probabilistic"]
