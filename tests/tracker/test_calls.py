"""The calls of analytics.js from a page, as they arrive: once, right type, ids, text and times."""

import time
from datetime import datetime

SNIPPET = """<script>!function(n){var t=window[n]=window[n]||[];
"init load identify track page group alias reset ready consent".split(" ").forEach(function(m){
t[m]=t[m]||function(){t.push([m].concat([].slice.call(arguments)))}})}("touchline");
touchline.init({key:"write-key",host:"http://shop.example:%d"});
touchline.identify("u-7",{name:"张三"});
touchline.ready(function(){window.isReady=true})</script>
<script async src="/t.js"></script>"""


def names(events):
    return [event["name"] for event in events]


def test_a_page_is_reported_with_address_title_and_time(page, site):
    before = time.time()
    page.goto(site.url("/新品?x=1#section"), referer="https://www.zhihu.com/")
    (event,) = site.events()
    assert event["type"] == "page"
    assert event["page_url"] == site.url("/%E6%96%B0%E5%93%81?x=1")
    assert event["page_title"] == "冬季新品 – Shop"
    assert event["context"]["page"]["referrer"] == "https://www.zhihu.com/"
    assert event["context"]["library"]["name"] == "touchline.js"
    at = datetime.fromisoformat(event["timestamp"]).timestamp()
    assert before - 1 < at < time.time() + 1
    assert event["anonymous_id"] == page.evaluate("touchline.user().anonymousId()")


def test_every_call_arrives_once_with_its_ids(page, site):
    page.goto(site.url())
    page.evaluate(
        """async () => {
      await touchline.track("加入购物车", {sku: "A1", price: 12.5, 标签: ["礼盒", "😀"]});
      touchline.identify("u-1", {email: "li@example.com", 城市: "杭州"});
      touchline.group("acme", {plan: "pro"});
      touchline.page("商品", "详情", {sku: "A1"});
      touchline.alias("u-1", "old-device");
      touchline.track("After");
    }"""
    )
    events = site.events(7)
    anonymous = page.evaluate("touchline.user().anonymousId()")
    assert [e["type"] for e in events] == [
        "page", "track", "identify", "group", "page", "alias", "track",
    ]  # fmt: skip
    assert {e["anonymous_id"] for e in events} == {anonymous}
    assert [e["user_id"] for e in events] == [None, None, *["u-1"] * 5]
    cart, identified, group, view, _, after = events[1:]
    assert cart["name"] == "加入购物车"
    assert cart["properties"] == {"sku": "A1", "price": 12.5, "标签": ["礼盒", "😀"]}
    assert {"type": "email", "value": "li@example.com"} in identified["identifiers"]
    assert group["account_id"] == "acme"
    assert (view["name"], view["properties"]) == ("详情", {"category": "商品", "sku": "A1"})
    assert after["context"]["groupId"] == "acme"


def test_a_wrong_device_clock_is_corrected(page, site):
    page.add_init_script(
        """const Real = Date;
      window.Date = class extends Real {
        constructor(...given) { given.length ? super(...given) : super(Real.now() - 3 * 3600e3) }
        static now() { return Real.now() - 3 * 3600e3 }
      };"""
    )
    page.goto(site.url())
    (event,) = site.events()
    at = datetime.fromisoformat(event["timestamp"]).timestamp()
    own = datetime.fromisoformat(event["original_timestamp"]).timestamp()
    assert abs(at - time.time()) < 15
    assert abs(time.time() - 3 * 3600 - own) < 15


def test_calls_made_before_the_script_came_are_replayed_in_order(page, site):
    site.tag = SNIPPET % site.port
    page.goto(site.url())
    page.wait_for_function("window.isReady")
    page.evaluate("touchline.track('Later')")
    assert names(site.events(3)) == ["page", "identify", "Later"]
    assert site.events()[1]["user_id"] == "u-7"


def test_pages_written_for_analytics_js_report_their_views_themselves(page, site):
    site.tag = '<script src="/t.js" data-name="analytics"></script>'
    page.goto(site.url())
    page.evaluate(
        f"""analytics.load("write-key", {{host: "http://shop.example:{site.port}"}});
      analytics.page();
      analytics.track("Signed Up", {{plan: "A"}}, () => window.wasCalled = true)"""
    )
    page.wait_for_function("window.wasCalled")
    assert names(site.events(2)) == ["page", "Signed Up"]
    assert page.evaluate("typeof touchline") == "undefined"


def test_time_context_and_id_of_a_call_may_be_the_callers(page, site):
    page.goto(site.url())
    page.evaluate(
        """touchline.track("Past", {}, {timestamp: new Date(Date.now() - 60000),
      messageId: "mine-" + Math.random(), context: {shop: "HZ01"}})"""
    )
    past, _ = site.events(2)
    assert past["message_id"].startswith("mine-")
    assert past["context"]["shop"] == "HZ01"
    assert time.time() - datetime.fromisoformat(past["timestamp"]).timestamp() > 50


def test_another_user_on_the_same_device_is_another_visitor(page, site):
    page.goto(site.url())
    page.evaluate("touchline.identify('u-1'); touchline.identify('u-2'); touchline.track('As u-2')")
    first, one, two, last = site.events(4)
    assert first["anonymous_id"] == one["anonymous_id"] != two["anonymous_id"]
    assert (last["user_id"], last["anonymous_id"]) == ("u-2", two["anonymous_id"])
    page.evaluate("touchline.reset(); touchline.track('As nobody')")
    nobody = site.events(5)[-1]
    assert nobody["user_id"] is None
    assert nobody["anonymous_id"] not in (one["anonymous_id"], two["anonymous_id"])


def test_the_user_and_the_device_are_known_on_the_next_page(page, site):
    page.goto(site.url("/a"))
    page.evaluate("touchline.identify('u-1')")
    page.goto(site.url("/b"))
    events = [e for e in site.events(4) if e["type"] != "track"]
    assert len({e["anonymous_id"] for e in events}) == 1
    assert events[-1]["user_id"] == "u-1"


def test_subdomains_share_the_device_but_not_a_user_who_signed_out(page, site):
    page.goto(site.url("/a", "www.shop.example"))
    page.evaluate("touchline.identify('u-1')")
    page.goto(site.url("/b", "m.shop.example"))
    page.goto(site.url("/c", "shop.example"))
    views = [e for e in site.events(6) if e["type"] == "page"]
    assert len({e["anonymous_id"] for e in views}) == 1
    page.evaluate("touchline.reset()")
    page.goto(site.url("/d", "www.shop.example"))
    last = [e for e in site.events(8) if e["type"] == "page"][-1]
    assert last["user_id"] is None
    assert last["anonymous_id"] != views[0]["anonymous_id"]


def test_a_site_may_look_at_each_item_and_drop_it(page, site):
    site.tag = '<script src="/t.js"></script>'
    page.goto(site.url())
    page.evaluate(
        f"""touchline.init({{key: "write-key", host: "http://shop.example:{site.port}",
      before: (item) => {{ item.properties = {{seen: true}}; return item.event !== "No" }}}});
      touchline.track("No"); touchline.track("Yes")"""
    )
    events = site.events(2)
    assert names(events) == ["page", "Yes"]
    assert [e["properties"] for e in events] == [{"seen": True}] * 2
