"""Journeys of a company: of whom rows name, and of colleagues if the site says so."""

import pytest
import sqlalchemy as sa

import touchline
from touchline.cli import main
from touchline.storage import schema
from touchline.storage.workspace import Workspace

EVENTS = """message_id,occurred_at,name,email,channel,account_id
1,2026-03-01,Visit,ann@acme.com,Ads,A1
2,2026-03-02,Visit,bob@acme.com,Expo,
3,2026-03-03,Visit,eve@qq.com,Mail,
"""
DEALS = "conversion_id,occurred_at,stage,amount,currency,account_id\nd1,2026-03-09,won,900,CNY,A1\n"


@pytest.fixture
def firm(tmp_path):
    folder = tmp_path / "w"
    Workspace.init(folder).close()
    for kind, text in (("events", EVENTS), ("conversions", DEALS)):
        (tmp_path / f"{kind}.csv").write_text(text)
        assert main(["import", kind, str(tmp_path / f"{kind}.csv"), "--to", str(folder)]) == 0
    return folder


def credited(folder):
    """Channel → what it got of the deal."""
    with touchline.open(folder) as opened:
        rows = opened.attribution(models="linear").as_json()["rows"]
    return {row["channel"]: row["revenue"] for row in rows}


def put_in_force(folder, rules):
    (folder.parent / "d.toml").write_text(rules)
    assert main(["apply", str(folder), str(folder.parent / "d.toml")]) == 0


def test_colleagues_are_credited_if_the_site_says_so_and_leave_no_trace(firm):
    assert credited(firm) == {"Ads": 90000}
    put_in_force(firm, "[accounts]\ncredit_colleagues = true\n")
    colleagues = {"Ads": 45000, "Expo": 45000}
    assert credited(firm) == colleagues
    why = ("--reason", "a call")
    assert main(["people", "merge", str(firm), "bob@acme.com", "eve@qq.com", *why]) == 0
    assert credited(firm) == {"Ads": 30000, "Expo": 30000, "Mail": 30000}
    assert main(["identity", "decisions", str(firm), "--undo", "1", *why]) == 0
    assert credited(firm) == colleagues
    put_in_force(firm, "[accounts]\ncredit_colleagues = false\n")
    assert credited(firm) == {"Ads": 90000}


def test_who_is_erased_is_of_no_company_any_more(firm):
    asked = ["people", "erase", str(firm), "bob@acme.com", "--reason", "asked for it"]
    assert main([*asked, "--out", str(firm.parent / "r.json")]) == 0
    workspace = Workspace.open(firm)
    held = workspace.state.read(sa.select(schema.mail_domain))
    node = workspace.vault.node_id("email", "bob@acme.com")
    workspace.close()
    assert len(held) == 2
    assert node not in {bytes(row.node_id) for row in held}
