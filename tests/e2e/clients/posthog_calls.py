"""Calls of posthog as a shop makes them: posthog_calls.py URL KEY PREFIX plain|gzip."""

import datetime as dt
import sys
import uuid

from posthog import Posthog

url, key, prefix, packing = sys.argv[1:]
failures = []
client = Posthog(
    key,
    host=url,
    gzip=packing == "gzip",
    on_error=lambda error, items: failures.append((error, len(items))),
)
PERSON = f"{prefix}u-王"
when = dt.datetime(2026, 3, 8, 20, 30, 15, 123456, tzinfo=dt.UTC)


def named(number):
    return {"uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{prefix}{number}"))}


order = {"order_id": f"{prefix}o1", "revenue": 399.0, "currency": "CNY", "商品": "屏障修护精华"}
page = {"$current_url": "https://shop.example.com/精华?utm_source=xhs", "title": "精华"}
client.capture("Order Completed", distinct_id=PERSON, properties=order, timestamp=when, **named(1))
client.set(distinct_id=PERSON, properties={"email": f"{prefix}Wang.Fang@Example.com"}, **named(2))
client.set_once(distinct_id=PERSON, properties={"first_store": "HZ01"}, **named(3))
client.group_identify("company", "acc-1", {"name": "美丽诊所"}, distinct_id=PERSON, **named(4))
client.alias(f"{prefix}anon-9", PERSON, **named(5))
client.capture("浏览", distinct_id=PERSON, groups={"company": "acc-1"}, **named(6))
client.capture("$pageview", distinct_id=PERSON, properties=page, **named(7))
client.capture("nobody", properties={"n": 1}, **named(8))
for number in range(9, 30):
    client.capture("n", distinct_id=PERSON, properties={"n": number}, **named(number))
client.get_all_flags(PERSON)
client.flush()
client.shutdown()
sys.exit(f"given up: {failures}" if failures else 0)
