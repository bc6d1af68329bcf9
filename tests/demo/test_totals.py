"""The tables of the demo company come out of its files, within ten percent."""

from collections import Counter, defaultdict

import pytest

from touchline.demo.rates import PARITY

TENTH = 0.10


def near(wanted, tolerance=TENTH):
    return pytest.approx(wanted, rel=tolerance)


@pytest.fixture(scope="session")
def web_orders(web):
    seen = {}
    for call in web:
        if call.get("event") == "Order Completed":
            seen[call["properties"]["order_id"]] = call
    return seen


@pytest.fixture(scope="session")
def file_orders(company):
    """Newest version of each order of the export."""
    return {row["conversion_id"]: row for row in company.rows("conversions_orders.csv")}


def spend(company):
    """Yuan of media by channel and business line, as finally reported."""
    found = Counter()
    for path in sorted(company.out.glob("costs_*.csv")):
        if "agency" in path.name or "commissions" in path.name:
            continue
        rows = company.rows(path.name)
        revised = path.with_name(f"{path.stem}_revised.csv")
        if path.stem.endswith("_revised"):
            continue
        if revised.exists():
            newer = company.rows(revised.name)
            days = {row["date"] for row in newer}
            rows = [row for row in rows if row["date"] not in days] + newer
        for row in rows:
            line = "pro" if "_pro_" in row["campaign"] else "skin"
            yuan = float(row["cost"]) * PARITY[row["currency"]]
            found[row["channel"], line] += yuan
    sheet = (company.out / "costs_agency_xhs.csv").read_bytes().decode("gb18030")
    found["小红书蒲公英", "skin"] = float(sheet.splitlines()[-1].split(",")[4])
    return found


ABROAD = {"Google Generic", "Google Brand", "Meta", "Meta Retargeting", "TikTok", "Affiliates",
          "Email"}  # fmt: skip


def test_orders_and_value_in_china(company, web_orders, file_orders):
    totals = company.totals("china")
    assert totals["orders"] == near(3_900)
    assert totals["revenue"] / totals["orders"] / 100 == near(428)
    assert totals["buyers"] == near(2_450)
    assert totals["new_buyers"] == near(1_850)
    abroad = company.totals("abroad")["orders"]
    assert len(web_orders) + len(file_orders) == totals["orders"] + abroad


def test_orders_abroad(company):
    totals = company.totals("abroad")
    assert totals["orders"] == near(260)
    assert totals["revenue"] / totals["orders"] / 100 / PARITY["USD"] == near(64)


def test_revenue_of_the_files_is_the_truth(company, web, web_orders, file_orders):
    fen = sum(
        round(float(row["amount"]) * 100)
        for row in file_orders.values()
        if row["currency"] == "CNY"
    )
    china = {k: c["properties"] for k, c in web_orders.items() if k[:2] in ("MP", "H5")}
    fen += sum(round(p["revenue"] * 100) for p in china.values())
    refunds = {}
    for call in web:
        if call.get("event") == "Order Refunded":
            refunds[call["properties"]["order_id"]] = call["properties"].get("revenue")
    for order, amount in refunds.items():
        if order in china:
            fen -= round((china[order]["revenue"] if amount is None else amount) * 100)
    assert fen == company.totals("china")["revenue"]


def test_shares_of_the_shops(web_orders, file_orders):
    shops = Counter(name[:2] for name in (*web_orders, *file_orders))
    china = {"TM": 0.34, "DY": 0.24, "MP": 0.19, "PO": 0.18, "H5": 0.05}
    total = sum(shops[key] for key in china)
    for key, share in china.items():
        assert shops[key] / total == near(share, 0.15 if key == "H5" else TENTH), key


def test_identified_orders(file_orders):
    known = defaultdict(list)
    for row in file_orders.values():
        by_phone = row["phone"] and "*" not in row["phone"]
        known[row["shop"]].append(bool(row["member_code"] or by_phone))
    for shop, share in {"天猫旗舰店": 0.22, "抖音店": 0.09, "门店": 0.71}.items():
        assert sum(known[shop]) / len(known[shop]) == pytest.approx(share, abs=0.04), shop


def test_returned_orders(company):
    returned, every = Counter(), Counter()
    for row in company.rows("conversions_orders.csv"):
        if row["occurred_at"] < "2026-11-01":
            if row["refunded_at"]:
                returned[row["shop"]] += 1
            else:
                every[row["shop"]] += 1
    for shop, share in {"天猫旗舰店": 0.16, "抖音店": 0.27, "门店": 0.02}.items():
        assert returned[shop] / every[shop] == pytest.approx(share, abs=0.03), shop


def test_spend_and_its_shares(company):
    found = spend(company)
    abroad = sum(v for (channel, _), v in found.items() if channel in ABROAD)
    pro = sum(v for (channel, line), v in found.items() if line == "pro" and channel not in ABROAD)
    china = sum(found.values()) - abroad - pro
    assert (china, abroad, pro) == (near(635_000), near(48_000), near(168_000))
    for channel, share in {
        "巨量千川": 0.22, "达人直播": 0.14, "小红书蒲公英": 0.13, "小红书聚光": 0.05,
        "百度品牌": 0.04, "百度通用": 0.06, "天猫万相台": 0.12, "地铁户外": 0.04,
        "播客": 0.015, "短信": 0.01, "门店活动": 0.045,
    }.items():  # fmt: skip
        assert found[channel, "skin"] / china == near(share), channel
    moments = found["腾讯广告朋友圈", "skin"] + found["腾讯广告再营销", "skin"]
    assert moments / china == near(0.13)
    assert found["Google Generic", "skin"] / abroad == near(0.30)
    meta = found["Meta", "skin"] + found["Meta Retargeting", "skin"]
    assert meta / abroad == near(0.35)
    for channel, share in {
        "展会": 0.38,
        "百度通用": 0.24,
        "研讨会": 0.09,
        "LinkedIn": 0.07,
    }.items():
        assert found[channel, "pro"] / pro == near(share), channel


def test_texts_sent_cost_what_was_billed(company):
    sent = sum(row["name"] == "SMS Sent" for row in company.rows("events_sms_sent.csv"))
    # A marketing text of up to 134 characters is billed as two.
    assert sent * 2 * 0.045 == near(spend(company)["短信", "skin"])


def test_deals_from_lead_to_won(company):
    stages = defaultdict(set)
    amounts = {}
    for row in company.rows("conversions_deals.csv"):
        stages[row["stage"]].add(row["conversion_id"])
        if row["stage"] == "won":
            amounts[row["conversion_id"]] = float(row["amount"])
    counts = {stage: len(deals) for stage, deals in stages.items()}
    counts.pop("renewed")
    assert counts == {
        "lead": 330, "mql": 210, "sql": 96, "opportunity": 60, "won": 24, "lost": 22,
    }  # fmt: skip
    assert sum(amounts.values()) / len(amounts) == near(78_000)
    assert company.totals("pro")["open"] == 14


def test_deals_close_after_one_to_nine_months(company):
    import datetime as dt

    months = sorted(
        (dt.datetime.fromisoformat(row["occurred_at"])
         - dt.datetime.fromisoformat(row["created_at"])).days / 30.4
        for row in company.rows("conversions_deals.csv")
        if row["stage"] in ("won", "lost")
    )  # fmt: skip
    assert months[0] >= 0.9
    assert months[-1] <= 9.1
    assert 3.0 <= months[len(months) // 2] <= 5.4


def test_dealers_bring_their_share_of_deals(company):
    won = [row for row in company.rows("conversions_deals.csv") if row["stage"] == "won"]
    assert 0.15 <= sum(bool(row["dealer"]) for row in won) / len(won) <= 0.5


def test_accounts_have_two_to_four_contacts(company):
    contacts = Counter(row["account_id"] for row in company.rows("people_crm_contacts.csv"))
    assert len(contacts) == 333
    assert set(contacts.values()) == {2, 3, 4}


def test_size_of_the_whole(company):
    assert 250_000 <= company.summary.events <= 400_000
    assert company.summary.people == 20_000
    assert (company.summary.last_day - company.summary.first_day).days in range(545, 550)
