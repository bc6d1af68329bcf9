"""Calls of mixpanel as a shop makes them: mixpanel_calls.py URL TOKEN PREFIX single|buffered."""

import sys

from mixpanel import BufferedConsumer, Consumer, Mixpanel

url, token, prefix, sending = sys.argv[1:]
host = url.partition("://")[2]
consumer = Consumer(api_host=host) if sending == "single" else BufferedConsumer(api_host=host)
# The library takes a host and always speaks https to it; the test has no certificate.
plain = consumer if sending == "single" else consumer._consumer
plain._endpoints = {
    name: at.replace("https://", "http://") for name, at in plain._endpoints.items()
}
client = Mixpanel(token, consumer=consumer)
PERSON = f"{prefix}u-王"
order = {"order_id": f"{prefix}o1", "revenue": 399.0, "currency": "CNY", "商品": "屏障修护精华"}
order |= {"time": 1_773_001_815, "$insert_id": f"{prefix}1"}

client.track(
    PERSON, "Order Completed", {**order, "time": 1_773_001_815, "$insert_id": f"{prefix}1"}
)
client.track(PERSON, "浏览", {"n": 2, "$insert_id": f"{prefix}2"})
client.people_set(PERSON, {"$email": f"{prefix}wang.fang@example.com", "$name": "小芳"})
client.people_set_once(PERSON, {"first_store": "HZ01"})
client.people_increment(PERSON, {"visits": 1})
client.people_append(PERSON, {"tags": "vip"})
client.people_union(PERSON, {"tags": ["gold"]})
client.people_remove(PERSON, {"tags": "vip"})
client.people_unset(PERSON, ["old"])
client.people_track_charge(PERSON, 99.5, {"sku": "S1"})
client.people_delete(f"{prefix}gone")
client.group_set("company", "acc-1", {"name": "美丽诊所"})
client.group_union("company", "acc-1", {"tags": ["spa"]})
client.import_data("secret", PERSON, "历史", 1_772_000_000, {"n": 3, "$insert_id": f"{prefix}3"})
client.merge("secret", f"{prefix}d1", PERSON)
if sending == "buffered":
    consumer.flush()
