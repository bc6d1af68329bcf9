"""`touchline roles`: one answer in words, for spreadsheets, for programs and from Python."""

import csv
import io
import json

import touchline
from touchline.cli import main
from touchline.storage.workspace import Workspace

EVENTS = """message_id,occurred_at,channel,campaign,user_id
1,2026-03-01T08:00:00+08:00,Ads,spring,ann
2,2026-03-02,Email,,ann
3,2026-03-03,Store,,ann
4,2026-03-03,Ads,autumn,bob
5,2026-03-03,Ads,,cy
"""
ORDERS = """conversion_id,occurred_at,amount,user_id,stage
1,2026-03-05,10.00,ann,won
2,2026-03-06,5.00,bob,won
3,2026-03-06,9.00,cy,lost
"""


def test_roles_are_told_in_words_and_for_programs(tmp_path, capsys, monkeypatch):
    shop = str(tmp_path / "shop")
    Workspace.init(tmp_path / "shop").close()
    for kind, text in (("events", EVENTS), ("conversions", ORDERS)):
        path = tmp_path / f"{kind}.csv"
        path.write_text(text)
        assert main(["import", kind, str(path), "--to", shop]) == 0
    capsys.readouterr()

    def printed(*args):
        assert main(["roles", shop, *args]) == 0
        return capsys.readouterr().out

    found = json.loads(printed("--format", "json", "--top", "1"))
    assert [one["path"] for one in found["paths"]] == [["Ads", "Email", "Store"]]
    with touchline.open(shop) as site:
        assert site.roles(top=1) == found
    rows = list(csv.DictReader(io.StringIO(printed("--format", "csv"))))
    assert (rows[0]["channel"], rows[0]["opener_conversions"]) == ("Ads", "2.0")
    text = printed("--by", "channel,campaign")
    for words in ("Openers adds up", "Ads · spring > Email · – > Store · –", "1 lost deals"):
        assert words in text
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    text = printed()
    assert "首次触达(拉新)" in text
    assert "输单前的最后触点" in text
    assert main(["roles", shop, "--top", "0"]) == 2
