"""Calls of umami-analytics as a shop's server makes them: umami_calls.py URL WEBSITE PREFIX."""

import sys

import umami

url, website, prefix = sys.argv[1:]
umami.set_url_base(url)
umami.set_website_id(website)
umami.set_hostname("shop.example.com")
who = {"distinct_id": f"{prefix}u-王", "ip_address": "203.0.113.7"}
umami.new_page_view("精华页", "/p/1?utm_source=xhs&utm_medium=social", **who)
umami.new_revenue_event(
    399.0, "CNY", "Order Completed", url="/p/1", custom_data={"商品": "屏障修护精华"}, **who
)
umami.new_event("Signup", url="/p/1", custom_data={"plan": "年付"}, **who)
