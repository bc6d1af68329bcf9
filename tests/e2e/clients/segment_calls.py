"""Run by the peers' Python: the official Segment SDK with only its host changed."""

import datetime as dt
import sys

import segment.analytics as analytics

host, write_key, prefix, use_gzip = sys.argv[1:5]
analytics.write_key = write_key
analytics.host = host
analytics.gzip = use_gzip == "gzip"
failures: list[object] = []
analytics.on_error = lambda error, items: failures.append((error, len(items)))

when = dt.datetime(2026, 3, 8, 20, 30, 15, 123456, tzinfo=dt.UTC)
analytics.identify(
    "u-王", {"email": "Wang.Fang@Example.com", "昵称": "小芳"}, message_id=f"{prefix}1"
)
analytics.track(
    "u-王",
    "Order Completed",
    {"order_id": f"{prefix}o1", "revenue": 399.0, "currency": "CNY", "商品": "屏障修护精华"},
    timestamp=when,
    message_id=f"{prefix}2",
)
analytics.page(
    "u-王", "商品", "精华页", {"url": "https://clarisle.cn/p/1"}, message_id=f"{prefix}3"
)
analytics.screen("u-王", "小程序", "首页", {"门店": "HZ01"}, message_id=f"{prefix}4")
analytics.group("u-王", "acc-1", {"name": "美丽诊所"}, message_id=f"{prefix}5")
analytics.alias("anon-9", "u-王", message_id=f"{prefix}6")
last = int(sys.argv[5]) if len(sys.argv) > 5 else 206
for number in range(7, last + 1):
    analytics.track("u-王", "浏览", {"n": number}, message_id=f"{prefix}{number}")
analytics.flush()
analytics.shutdown()
sys.exit(f"given up: {failures}" if failures else 0)
