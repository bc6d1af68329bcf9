"""`touchline explain`: a conversion, a number, the models; whose it is stays masked and audited."""

import csv
import io
import json

import pytest

import touchline
from touchline.cli import main
from touchline.storage.workspace import Workspace

EVENTS = """message_id,occurred_at,channel,campaign,user_id,email
1,2026-03-01T08:00:00+08:00,Ads,spring,ann,ann@shop.cn
2,2026-03-02,Email,,ann,
3,2026-03-03,Ads,autumn,bob,
"""
ORDERS = """conversion_id,occurred_at,amount,user_id
order/1,2026-03-05,10.00,ann
2,2026-03-06,5.00,bob
3,2026-03-06,1.00,nobody-else
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explain")
    Workspace.init(folder / "shop").close()
    for kind, text in (("events", EVENTS), ("conversions", ORDERS)):
        path = folder / f"{kind}.csv"
        path.write_text(text)
        assert main(["import", kind, str(path), "--to", str(folder / "shop")]) == 0
    return str(folder / "shop")


@pytest.fixture
def printed(capsys):
    def printed(*args, code=0):
        capsys.readouterr()
        assert main(list(args)) == code
        return capsys.readouterr().out

    return printed


def test_a_conversion_is_told_in_words_and_for_programs(shop, printed, monkeypatch):
    asked = ("explain", shop, "order/1", "--models", "linear,markov_1")
    found = json.loads(printed(*asked, "--format", "json"))
    assert {"type": "email", "value": "ann@shop.cn"} in found["identifiers"]
    assert [touch["credit"]["linear"]["revenue"] for touch in found["touches"]] == [500, 500]
    rows = list(csv.DictReader(io.StringIO(printed(*asked, "--format", "csv"))))
    assert [(row["model"], row["channel"]) for row in rows][:2] == [
        ("linear", "Ads"), ("markov_1", "Ads")
    ]  # fmt: skip
    text = printed(*asked)
    assert "order/1: 1 conversion, 10.00 CNY" in text
    assert "ann@shop.cn" in text
    assert "0.500 · 5.00" in text
    assert "no touch in the window" in printed("explain", shop, "3", "--models", "linear").lower()
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "首次触达" in printed(*asked)
    with touchline.open(shop) as site:
        assert site.explain("order/1", models="linear,markov_1") == found


def test_a_number_is_told_by_its_conversions(shop, printed):
    asked = ("explain", shop, "--model", "linear", "--channel", "Ads")
    found = json.loads(printed(*asked, "--format", "json"))
    found_rows = [(row["conversion_id"], row["credit"]) for row in found["rows"]]
    assert found_rows == [("2", 1.0), ("order/1", 0.5)]
    assert found["revenue"] == 1000
    with touchline.open(shop) as site:
        assert site.behind("linear", {"channel": "Ads"}) == found
    assert "linear, channel=Ads: 1.50 conversions, 10.00 CNY, from 2 conversions" in printed(*asked)


def test_notes_need_no_workspace(printed):
    found = json.loads(printed("explain", "--notes", "--format", "json"))
    assert found["linear"]["zh"]["means"]
    assert "linear" in printed("explain", "--notes")


@pytest.mark.parametrize(
    "args",
    [
        *((), ("nope",), ("2", "--model", "linear"), ("--model", "all"), ("2", "--models", "x")),
        ("--model", "linear", "--limit", "0"),
    ],
)
def test_what_cannot_be_explained_is_refused_with_the_remedy(shop, printed, args):
    printed("explain", shop, *args, code=2)


def test_an_export_of_credit_tells_what_it_adds_up_to(shop, capsys):
    capsys.readouterr()
    assert main(["export", shop, "credit", "--models", "linear"]) == 0
    said = capsys.readouterr().err
    assert "Adds up (linear): credited 2.0 (15.00)" in said
    assert "unattributed 1.0 (1.00) = 3.0 (16.00) conversions" in said
