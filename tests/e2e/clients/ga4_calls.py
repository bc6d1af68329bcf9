"""Calls of ga4mp as a shop makes them: ga4_calls.py URL MEASUREMENT_ID PREFIX."""

import datetime as dt
import sys

from ga4mp import GtagMP

url, site, prefix = sys.argv[1:]
client = GtagMP(api_secret="secret", measurement_id=site, client_id=f"{prefix}1234567890.17000")
client._base_domain = f"{url}/mp/collect"  # the library has no option for it
client.store.set_user_property(name="user_id", value=f"{prefix}u-王")
client.store.set_user_property(name="level", value="gold")

at = dt.datetime.fromisoformat  # the library takes no zone
page = {"page_location": "https://shop.example.com/精华?utm_source=xhs", "page_title": "精华"}
order = {"transaction_id": f"{prefix}o1", "value": 399.0, "currency": "CNY", "商品": "屏障修护精华"}
items = [{"item_id": "S1", "item_name": "精华", "price": 199.5, "quantity": 2}]
client.send([{"name": "page_view", "params": page}], date=at("2026-03-08T20:30:15"))
client.send(
    [
        {"name": "purchase", "params": {**order, "items": items}},
        {"name": "login", "params": {"method": "wechat"}},
    ],
    date=at("2026-03-08T20:30:16"),
)
client.send([{"name": "later", "params": {"n": 1}}], postpone=True)
client.postponed_send()
