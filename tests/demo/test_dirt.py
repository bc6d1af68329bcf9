"""Every piece of dirt the company is known for is in its files."""

import csv
import datetime as dt
import io
import re
from collections import Counter, defaultdict
from urllib.parse import parse_qs, urlsplit

from touchline.demo.members import NO_MAILS, STAFF_NUMBER
from touchline.demo.people import phone
from touchline.demo.speech import store_tablet
from touchline.demo.world import STAFF, STORES


def test_members_under_a_staff_members_own_phone(company):
    staff = {phone(STAFF_NUMBER + n): name for n, (name, _) in enumerate(STAFF)}
    found = [row for row in company.rows("people_members.csv") if row["phone"] in staff]
    assert len(found) >= 20
    assert all(staff[row["phone"]] == row["registered_by"] for row in found)


def test_members_typed_into_a_store_tablet(company, web):
    members = defaultdict(set)
    for call in web:
        if call["type"] == "identify" and call["anonymousId"].startswith("tablet-"):
            members[call["anonymousId"]].add(call["userId"])
    tablets = {store_tablet(company.truth["seed"], n) for n in range(len(STORES))}
    assert members.keys() <= tablets
    assert max(len(who) for who in members.values()) > 5


def test_phones_of_nobody_and_mails_called_null(company):
    rows = company.rows("people_members.csv")
    phones = Counter(row["phone"] for row in rows)
    assert phones["138****8000"] > 5
    assert phones["13800138000"] > 5
    mails = Counter(row["email"] for row in rows)
    assert all(mails[nothing] > 5 for nothing in NO_MAILS)


def test_spellings_of_one_source(web):
    sources = Counter()
    for call in web:
        url = call["context"].get("page", {}).get("url", "")
        for source in parse_qs(urlsplit(url).query).get("utm_source", ()):
            sources[source] += 1
    assert min(sources[name] for name in ("xhs", "XHS", "小红书", "douyin", "Douyin", "抖音")) > 20


def test_spend_is_revised_after_some_days(company):
    first = {(r["date"], r["campaign"]): r["cost"] for r in company.rows("costs_qianchuan.csv")}
    newer = company.rows("costs_qianchuan_revised.csv")
    changed = [row for row in newer if first[row["date"], row["campaign"]] != row["cost"]]
    assert len(changed) > 0.9 * len(newer) > 20
    assert min(row["date"] for row in newer) >= "2026-10-20"


def test_the_agencys_sheet_is_gb18030_with_merged_cells_and_a_total(company):
    raw = (company.out / "costs_agency_xhs.csv").read_bytes()
    rows = list(csv.reader(io.StringIO(raw.decode("gb18030"))))
    assert rows[2][0] == "项目"
    body, total = rows[3:-1], rows[-1]
    assert total[0] == "合计"
    assert any(row[0] == "" for row in body)
    assert round(sum(float(row[4]) for row in body), 2) == float(total[4])
    assert (company.out / "costs_agency_xhs.map.toml").exists()


def test_refunds_on_day_fifteen(company, web):
    for row in company.rows("conversions_orders.csv"):
        if row["refunded_at"]:
            bought = dt.datetime.fromisoformat(row["occurred_at"])
            assert dt.datetime.fromisoformat(row["refunded_at"]) - bought == dt.timedelta(days=15)
    assert sum(call.get("event") == "Order Refunded" for call in web) > 20


def test_a_refund_is_a_newer_version_of_the_order(company):
    versions = defaultdict(list)
    for row in company.rows("conversions_orders.csv"):
        versions[row["conversion_id"]].append(float(row["amount"]))
    twice = [amounts for amounts in versions.values() if len(amounts) > 1]
    assert twice
    assert all(len(amounts) == 2 and amounts[0] > amounts[1] >= 0 for amounts in twice)
    assert any(amounts[1] > 0 for amounts in twice)


def test_links_passed_on_keep_the_first_readers_click(web):
    first, second = {}, []
    for call in web:
        url = call["context"].get("page", {}).get("url", "")
        click = re.search("gdt_vid=([0-9a-f]+)", url)
        if click is None:
            continue
        if "from=singlemessage" in url:
            second.append((click.group(1), call))
        else:
            first[click.group(1)] = call
    assert len(second) > 10
    known = [(first[click], call) for click, call in second if click in first]
    assert len(known) > 0.9 * len(second)
    assert sum(a["anonymousId"] != b["anonymousId"] for a, b in known) > 0.9 * len(known)
    assert all("MicroMessenger" in b["context"]["userAgent"] for _, b in known)


def test_marketplaces_mask_their_buyers(company):
    for row in company.rows("conversions_orders.csv"):
        if row["shop"] in ("天猫旗舰店", "抖音店"):
            assert "**" in row["phone"]
            assert "**" in row["buyer_nick"]


def test_phones_with_a_wrong_clock_say_so_when_they_send(company):
    late = list(company.calls("*-late-phones"))
    assert len(late) > 500
    assert len({call["sentAt"] for call in late}) >= 5
    others = [call for call in company.calls("website-20*") if "sentAt" in call]
    assert not others


def test_a_few_clocks_were_reset(web):
    assert 0 < sum(call["timestamp"] < "2020-01-05" for call in web) < 500


def test_programs_read_the_site_as_well(web):
    agents = Counter(call["context"].get("userAgent", "") for call in web)
    bots = sum(n for agent, n in agents.items() if re.search("(?i)spider|bot/|headless", agent))
    assert 0.002 * len(web) < bots < 0.03 * len(web)
    assert any("CUBOT" in agent for agent in agents)


def test_some_deliveries_come_twice_as_they_were(company, web):
    seen, again = {}, 0
    for call in web:
        if call["messageId"] in seen:
            again += 1
            assert seen[call["messageId"]] == call
        seen[call["messageId"]] = call
    assert again == company.summary.duplicates > 100
