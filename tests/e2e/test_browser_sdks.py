"""Browser libraries of PostHog, Mixpanel and Jitsu in Chromium, on a page of another origin."""

import http.server
import json
import shutil
import threading
import time
from urllib.parse import quote, urlsplit

import pytest

from e2e.conftest import ADMIN_KEY
from e2e.test_product_sdks import shop
from peers import ROOT, peer_node
from tracker.conftest import ARGS, absent, sync_api

__all__ = ["shop"]  # a server that answers to the names all of them give it

SCRIPTS = {
    "posthog-js": "posthog-js/dist/module.js",
    "mixpanel-browser": "mixpanel-browser/dist/mixpanel.module.js",
    "@jitsu/js": "@jitsu/js/dist/jitsu.es.js",
}
HTML = """<!doctype html><meta charset="utf-8"><title>冬季新品</title>
<script type="module">
import * as all from "/{path}";
window.peer = all.jitsuAnalytics ? all : all.default;
window.isReady = true;
</script>"""
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"
ORDER = '{order_id: id + "o1", revenue: 399, currency: "CNY", 商品: "屏障修护精华"}'
POSTHOG = f"""([url, id]) => {{
  peer.init("phc_test", {{api_host: url, opt_out_useragent_filter: true}});
  peer.capture("Order Completed", {ORDER});
  peer.identify(id + "u-王", {{email: id + "wang.fang@example.com"}});
  peer.group("company", "acc-1", {{name: "美丽诊所"}});
}}"""
MIXPANEL = f"""([url, id]) => {{
  const form = {{api_payload_format: window.form, batch_flush_interval_ms: 500}};
  peer.init("mptest", {{api_host: url, track_pageview: true, ignore_dnt: true, ...form}});
  peer.track("Order Completed", {ORDER});
  peer.identify(id + "u-王");
  peer.people.set({{$email: id + "wang.fang@example.com"}});
  peer.get_group("company", "acc-1").set("name", "美丽诊所");
}}"""
JITSU = f"""async ([url, id]) => {{
  const jitsu = peer.jitsuAnalytics({{host: url, writeKey: "site:secret"}});
  await jitsu.page();
  await jitsu.identify(id + "u-王", {{email: id + "wang.fang@example.com"}});
  await jitsu.track("Order Completed", {ORDER});
}}"""


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = urlsplit(self.path).path.lstrip("/")
        is_script = path in SCRIPTS.values()
        body = (ROOT / "node_modules" / path).read_bytes() if is_script else b""
        if path.startswith("page/"):
            body = HTML.format(path=path.removeprefix("page/")).encode()
        self.send_response(200)
        self.send_header("content-type", "text/javascript" if is_script else "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def pages():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://shop.example:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def chromium():
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
    if found is None:
        absent("Chromium is not installed: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, pages, shop):
    """Does something on a page, waits for a name among the events of its person, and leaves."""
    context = chromium.new_context(user_agent=AGENT)
    page = context.new_page()

    def visited(package, script, prefix, *, last, before=None):
        peer_node(package)
        page.goto(f"{pages}/page/{SCRIPTS[package]}?utm_source=xhs&utm_medium=kol")
        page.wait_for_function("window.isReady")
        if before:
            page.evaluate(before)
        page.evaluate(script, [shop.url, prefix])
        page.wait_for_timeout(1500)  # its queue is kept in a database that takes its time
        if last:
            page.evaluate(last)
        page.goto("about:blank")
        return found_of(shop, prefix)

    yield visited
    context.close()


def found_of(shop, prefix):
    """Events of whoever ordered, once there are no more of them."""
    found, before = [], None
    deadline = time.monotonic() + 20
    while found != before or not found:
        assert time.monotonic() < deadline
        time.sleep(0.7)
        shop.wait_committed()
        path = f"/api/v1/people/user_id:{quote(f'{prefix}u-王')}/timeline"
        status, body = shop.get(path, ADMIN_KEY)
        before, found = found, json.loads(body)["events"] if status == 200 else []
    return {event["name"]: event for event in found}, json.loads(body)["identifiers"]


def check(events, identifiers, prefix):
    order = events["Order Completed"]
    assert (order["revenue"], order["currency"], order["source"]) == (39900, "CNY", "shop")
    assert order["properties"]["商品"] == "屏障修护精华"
    assert ("email", f"{prefix}wang.fang@example.com") in {
        (found["type"], found["value"]) for found in identifiers
    }
    page = events["page"]
    assert (page["source_name"], page["medium"]) == ("xiaohongshu", "kol")
    assert page["page_title"] == "冬季新品"
    assert order["anonymous_id"]


def test_posthog_js(visit):
    bye = "() => peer.capture('最后')"
    events, identifiers = visit("posthog-js", POSTHOG, "bp-", last=bye)
    check(events, identifiers, "bp-")
    assert events.keys() >= {"identify", "group", "最后", "$pageleave"}


@pytest.mark.parametrize("form", ["json", "base64"])
def test_mixpanel_browser(visit, form):
    bye = "() => peer.track('最后')"
    before = f"() => {{ window.form = {json.dumps(form)} }}"
    prefix = f"bm-{form}-"
    events, identifiers = visit("mixpanel-browser", MIXPANEL, prefix, last=bye, before=before)
    check(events, identifiers, prefix)
    assert events.keys() >= {"identify", "最后"}


def test_jitsu_js(visit):
    events, identifiers = visit("@jitsu/js", JITSU, "bj-", last=None)
    check(events, identifiers, "bj-")
