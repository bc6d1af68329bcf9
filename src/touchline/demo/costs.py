"""Media plan → the cost files, one a platform, as platforms, agencies and suppliers send them.

Clicks that a platform reports are those it sold; fewer land, as in life. Three kinds of dirt live
here: 巨量千川 first reports numbers it corrects at T+3, the agency's sheet is GB18030 with merged
cells and a total, and posters cost a lump for four weeks.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from touchline.demo.channels import BY_KEY, Channel
from touchline.demo.deals import expo_days, webinar_days
from touchline.demo.dice import Dice
from touchline.demo.plan import Lump, Plan
from touchline.demo.rates import rate_rows
from touchline.demo.season import Floats
from touchline.demo.write import Folder

__all__ = ["AGENCY", "PLATFORMS", "REVISED", "REVISED_DAYS", "write_commissions", "write_costs"]

# File → channels that stand in it.
PLATFORMS = {
    "costs_qianchuan.csv": ("qianchuan",),
    "costs_tencent.csv": ("moments", "retarget"),
    "costs_baidu.csv": ("baidu_brand", "baidu_generic", "pro_brand", "pro_generic"),
    "costs_juguang.csv": ("xhs_ads",),
    "costs_tmall.csv": ("tmall_ads",),
    "costs_live.csv": ("live",),
    "costs_podcast.csv": ("podcast",),
    "costs_outdoor.csv": ("outdoor",),
    "costs_sms.csv": ("sms",),
    "costs_stores.csv": ("store_event",),
    "costs_google.csv": ("google_brand", "google_generic"),
    "costs_meta.csv": ("meta", "meta_retarget"),
    "costs_tiktok.csv": ("tiktok",),
    "costs_partners.csv": ("affiliate", "email"),
    "costs_linkedin.csv": ("linkedin",),
    "costs_expo.csv": ("expo", "webinar"),
    "costs_pro_media.csv": ("paper", "trade", "hotline"),
}
DAILY = ("date", "campaign", "cost", "impressions", "clicks", "currency", "channel", "source",
         "medium")  # fmt: skip
LUMPS = ("date", "date_to", "campaign", "cost", "currency", "channel", "source", "medium", "kind")
AGENCY = "costs_agency_xhs.csv"
AGENCY_MAP = """\
# 代理商的小红书蒲公英结案表:GB18030 编码,合并单元格只在首行有值,末行是合计。
[columns]
date = "发布日期"
campaign = "项目"
content = "博主"
cost = "结算金额(元)"
impressions = "阅读量"

[constants]
channel = "小红书蒲公英"
source = "小红书"
medium = "kol"
currency = "CNY"
kind = "media"

[format]
encoding = "gb18030"
header = 3
fill_down = ["date", "campaign"]
"""
REVISED, REVISED_DAYS = "_revised", 30
KINDS = {"slot": "fee", "month": "media", "note": "media", "sms": "media", "lead": "media"}
CPC_SHOWN = 0.03  # clicks an impression, where a platform sells clicks
BLOGGERS = (
    "小鹿的护肤日记",
    "成分控阿May",
    "敏感肌自救站",
    "油皮联盟",
    "皮肤科小林",
    "今天也要防晒",
)


def write_costs(folder: Folder, plan: Plan, seed: int) -> None:
    rng = Dice(seed).of("costs")
    for name, keys in PLATFORMS.items():
        for key in keys:
            channel = BY_KEY[key]
            if channel.bill in ("cpm", "cpc"):
                rows = list(_daily(channel, plan, rng))
                folder.table(
                    name, DAILY, _preliminary(rows, plan, rng) if key == "qianchuan" else rows
                )
                if key == "qianchuan":
                    since = plan.calendar.dates[-REVISED_DAYS].isoformat()
                    recent = [row for row in rows if str(row[0]) >= since]
                    folder.table(name.replace(".csv", f"{REVISED}.csv"), DAILY, recent)
            else:
                folder.table(name, LUMPS, _lumps(channel, plan))
    _agency(folder.out, plan, rng)
    folder.table("rates.csv", ("date", "from", "to", "rate"), rate_rows(plan.calendar))


def _daily(channel: Channel, plan: Plan, rng: np.random.Generator) -> Iterator[list[object]]:
    """A row a day and campaign; they add up to the plan's money."""
    schedule = plan.schedules[channel.index]
    noise = rng.normal(1.0, 0.06, len(schedule.day)).clip(0.7, 1.3)
    money = _shared(plan.spend(channel), schedule.money * noise)
    clicks = channel.clicks(plan.spend(channel)) * schedule.touches
    clicks = np.rint(clicks * rng.normal(1.0, 0.05, len(clicks)).clip(0.8, 1.2)).astype(np.int64)
    shown = np.rint(clicks / (channel.ctr or CPC_SHOWN)).astype(np.int64)
    order = np.lexsort((schedule.campaign, schedule.day))
    for row in order.tolist():
        if money[row] <= 0:
            continue
        spelled = channel.source[row % len(channel.source)]
        yield [plan.calendar.dates[int(schedule.day[row])].isoformat(),
               plan.campaigns[int(schedule.campaign[row])].name, _money(money[row]),
               int(shown[row]), int(clicks[row]), channel.currency, channel.label, spelled,
               channel.medium]  # fmt: skip


def _shared(total: float, weights: Floats) -> list[int]:
    """Cents of `total` by weight; they add up to it exactly."""
    edges = np.rint(np.cumsum(weights / weights.sum()) * total * 100).astype(np.int64)
    return np.diff(edges, prepend=0).tolist()


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _preliminary(
    rows: list[list[object]], plan: Plan, rng: np.random.Generator
) -> list[list[object]]:
    """What the platform said first of the last days: a few percent off."""
    since = plan.calendar.dates[-REVISED_DAYS].isoformat()
    found: list[list[object]] = []
    for row in rows:
        if str(row[0]) < since:
            found.append(row)
            continue
        cents = round(float(str(row[2])) * 100 * rng.uniform(0.94, 1.03))
        found.append([*row[:2], _money(cents), *row[3:]])
    return found


def _lumps(channel: Channel, plan: Plan) -> Iterator[list[object]]:
    kind = KINDS.get(channel.bill, "media")
    kind = "commission" if channel.key == "affiliate" else kind
    for lump in _bookings(channel, plan):
        dates = plan.calendar.dates
        yield [dates[lump.first].isoformat(), dates[lump.last].isoformat(),
               plan.campaigns[lump.campaign].name, f"{lump.amount:.2f}", channel.currency,
               channel.label, channel.source[0], channel.medium, kind]  # fmt: skip


def _bookings(channel: Channel, plan: Plan) -> list[Lump]:
    """Bookings, fairs or webinars; what is billed by the month, campaign by campaign."""
    if channel.key in plan.lumps:
        return plan.lumps[channel.key]
    campaigns = plan.on_day(channel.index)
    days = {
        "expo": [(int(days[0]), int(days[-1])) for _, days in expo_days(plan)],
        "webinar": [(day, day) for day in webinar_days(plan).tolist()],
    }.get(channel.key)
    if days:
        each = plan.spend(channel) / len(days)
        return [Lump(first, last, each, int(campaigns[first])) for first, last in days]
    return _monthly(channel, plan)


def _monthly(channel: Channel, plan: Plan) -> list[Lump]:
    """The days of a month and campaign as one row."""
    schedule = plan.schedules[channel.index]
    month = np.array([date.year * 12 + date.month for date in plan.calendar.dates])[schedule.day]
    key = month * 100_000 + schedule.campaign
    found: list[Lump] = []
    for value in np.unique(key).tolist():
        rows = key == value
        days = schedule.day[rows]
        amount = plan.spend(channel) * float(schedule.money[rows].sum())
        found.append(Lump(int(days.min()), int(days.max()), amount, value % 100_000))
    return found


def _agency(out: Path, plan: Plan, rng: np.random.Generator) -> None:
    """The agency's sheet: a title, a blank line, merged project cells, a total."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["澄屿 × 代理 小红书蒲公英投放结案表", "", "", "", "", ""])
    writer.writerow(["", "", "", "", "", ""])
    writer.writerow(["项目", "发布日期", "博主", "笔记形式", "结算金额(元)", "阅读量"])
    above, total = "", 0
    lumps = sorted(plan.lumps["xhs_note"], key=lambda lump: (lump.campaign, lump.first))
    for number, lump in enumerate(lumps):
        name = plan.campaigns[lump.campaign].name
        date = plan.calendar.dates[lump.first]
        cents = round(lump.amount * 100)
        total += cents
        reads = int(lump.amount * rng.uniform(3, 9))
        blogger = BLOGGERS[number % len(BLOGGERS)]
        form = ("图文", "视频")[number % 2]
        writer.writerow(["" if name == above else name, f"{date.year}/{date.month}/{date.day}",
                         blogger, form, _money(cents), reads])  # fmt: skip
        above = name
    writer.writerow(["合计", "", "", "", _money(total), ""])
    (out / AGENCY).write_bytes(text.getvalue().encode("gb18030"))
    (out / AGENCY).with_suffix(".map.toml").write_text(AGENCY_MAP, encoding="utf-8")


def write_commissions(folder: Folder, paid: Mapping[tuple[int, str], int], plan: Plan) -> None:
    """(day of the window, channel) → fen of commissions, which follow from sales, not a plan."""
    rows = [
        [plan.calendar.dates[day].isoformat(), BY_KEY[key].label, _money(cents), "CNY",
         "commission"]
        for (day, key), cents in sorted(paid.items())
        if cents
    ]  # fmt: skip
    folder.table("costs_commissions.csv", ("date", "channel", "cost", "currency", "kind"), rows)
