"""What the company tells Touchline of itself: goals and channel rules; and a note on the files."""

from collections import Counter
from pathlib import Path

from touchline.demo.channels import ALL, Channel
from touchline.demo.world import DEVICE, HOSTS, PRO_PRODUCTS, PRODUCTS

__all__ = ["site_toml", "write_site"]

HEAD = """\
# 澄屿 Clarisle:转化目标、来源别名与渠道规则。导入: touchline apply DIR site.toml

# 订单:官网/小程序的 Order Completed 事件,加上导入的天猫、抖音与门店订单。
[[goal]]
name = "orders"
event = "Order Completed"
stages = [""]

# 专业线:赢单、商机、线索(CRM 各阶段快照)。
[[goal]]
name = "pro_deals"
stages = ["won"]

[[goal]]
name = "pro_opportunities"
stages = ["opportunity", "won", "lost"]

[[goal]]
name = "pro_leads"
stages = ["lead", "mql", "sql", "opportunity", "won", "lost"]

[site]
own_hosts = [{hosts}]

[source_alias]
xiaohongshu = ["xhs", "XHS", "小红书"]
tencent_ads = ["tencent"]
instagram = ["IG"]
wechat_miniprogram = ["小程序"]
"""
MINI_RULE = """
[[channel_rule]]
channel = "会员小程序"
source = "小程序"
medium = "scene"
"""
README = """\
# 澄屿 Clarisle · 演示数据 / demo data

虚构公司的数据,由 `touchline demo` 生成;号码、人名、金额均为虚构。
All of it is invented. What a customer would send, and nothing else:

| file | what it is |
|---|---|
| `site.toml` | goals and channel rules: `touchline apply DIR site.toml` |
| `web/*.jsonl` | a body for `POST /v1/batch` a line; write keys in `web/sources.json` |
| `events_*.csv` | offline touches: `touchline import events FILE --to DIR` |
| `conversions_orders.csv` | marketplaces and tills; web orders are events |
| `conversions_deals.csv` | CRM: each deal in all the stages it went through |
| `people_*.csv` | members, CRM contacts |
| `costs_*.csv`, `rates.csv` | spend, exchange rates; `_revised` after its first version |
| `catalogue.csv` | prices, unit costs, days a pack lasts |
| `*.map.toml` | map for the file of the same name |
| `truth.json` | what the simulator knows and no product may read |
"""


def write_site(out: Path) -> None:
    (out / "site.toml").write_text(site_toml(), encoding="utf-8")
    (out / "README.md").write_text(README, encoding="utf-8")
    (out / "catalogue.csv").write_text(_catalogue(), encoding="utf-8")


def _catalogue() -> str:
    goods = [
        f"{p.sku},{p.name},{p.price},{p.price * p.cost / 100:.2f},{p.refill or ''}"
        for p in (*PRODUCTS, DEVICE)
    ]
    machines = [f"P{n},{name},{price},," for n, (name, price, _) in enumerate(PRO_PRODUCTS, 1)]
    return "\n".join(["sku,name,price,unit_cost,lasts_days", *goods, *machines]) + "\n"


def site_toml() -> str:
    hosts = ", ".join(f'"{host.removeprefix("https://")}"' for host in HOSTS.values())
    return HEAD.format(hosts=hosts) + MINI_RULE + "".join(_rules())


def _rules() -> list[str]:
    """A rule for each channel that has links; those that share source and medium by campaign."""
    linked = [channel for channel in ALL if channel.source and channel.medium]
    # `_meta_` also stands in the names of `meta_retarget`: the longer key goes first.
    linked.sort(key=lambda channel: -len(channel.key))
    shared = Counter(_way(channel) for channel in linked)
    seen: set[str] = set()
    found: list[str] = []
    for channel in linked:
        names = ", ".join(f'"{name}"' for name in dict.fromkeys(channel.source))
        rule = (
            f'\n[[channel_rule]]\nchannel = "{channel.label}"\nsource = [{names}]\n'
            f'medium = "{channel.medium}"\n'
        )
        if shared[_way(channel)] > 1:
            rule += f'campaign = {{ matches = "_{channel.key}_" }}\n'
        if rule not in seen:
            seen.add(rule)
            found.append(rule)
    return found


def _way(channel: Channel) -> tuple[str, str]:
    return channel.source[0], channel.medium
