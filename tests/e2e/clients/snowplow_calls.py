"""Calls of snowplow-tracker as a shop makes them: snowplow_calls.py URL APP post|get."""

import sys
import time

from snowplow_tracker import (
    Emitter,
    PagePing,
    PageView,
    ScreenView,
    SelfDescribing,
    SelfDescribingJson,
    StructuredEvent,
    Subject,
    Tracker,
)

PAGE = "https://shop.example.com/精华?utm_source=xiaohongshu&utm_medium=kol"
SHOP = "iglu:com.snowplowanalytics.snowplow.ecommerce"
TRUE_TIME = 1_772_973_015_000  # 2026-03-08T12:30:15Z

url, app, method = sys.argv[1:]
emitter = Emitter(url, method=method)
subject = Subject()
subject.set_platform("web").set_user_id("u-王").set_domain_user_id("d-1")
subject.set_lang("zh-CN").set_timezone("Asia/Shanghai").set_screen_resolution(1920, 1080)
subject.set_ip_address("203.0.113.7").set_useragent("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0")
subject.set_domain_session_id("v-1").set_domain_session_index(4).set_color_depth(24)
tracker = Tracker("shop", emitter, subject=subject, app_id=app, encode_base64=method == "get")


def schema(name):
    return f"{SHOP}/{name}/jsonschema/1-0-0"


def order():
    about = {"transaction_id": "SO-1", "revenue": 399, "currency": "CNY", "total_quantity": 2}
    product = {"id": "S1", "name": "精华", "category": "护肤", "price": 199.5, "quantity": 2}
    return SelfDescribing(
        SelfDescribingJson(schema("snowplow_ecommerce_action"), {"type": "transaction"}),
        context=[
            SelfDescribingJson(schema("transaction"), {**about, "payment_method": "alipay"}),
            SelfDescribingJson(schema("product"), {**product, "currency": "CNY"}),
        ],
        true_timestamp=TRUE_TIME,
    )


tracker.track(
    PageView(page_url=PAGE, page_title="屏障修护精华", referrer="https://www.xiaohongshu.com/")
)
tracker.track(PagePing(page_url=PAGE, min_x=0, max_x=9, min_y=0, max_y=700))
tracker.track(
    StructuredEvent(category="视频", action="Play", label="开箱", property_="hd", value=1.5)
)
tracker.track(ScreenView(id_="s1", name="首页"))
tracker.track(order())
tracker.track(
    SelfDescribing(
        SelfDescribingJson("iglu:com.acme/quote_requested/jsonschema/1-0-0", {"机型": "X-9"})
    )
)


def waiting():
    with emitter.lock:  # while it sends, its store is empty
        return emitter.event_store.size()


emitter.flush()
deadline = time.monotonic() + 30
while waiting() and time.monotonic() < deadline:
    time.sleep(0.1)  # what was refused is sent again by a timer
sys.exit(waiting())
