"""Browser libraries as a shop's pages use them, with only their host changed.

Each is a page that loads the library from .venv-peers and has two functions: `calls` does what a
visitor who buys does, `last` is what the visitor does before leaving.
"""

import contextlib
import http.server
import json
import threading
from typing import ClassVar, NamedTuple
from urllib.parse import urlsplit

from peers import ROOT, peer_node

HOST = "shop.example"  # the browser finds it on this machine
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"
WEBSITE = "6d1f4e3c-0000-4000-8000-000000000001"
# What a site is called in each protocol, as aliases of one write key.
NAMES = (
    *("posthog:phc_test", "mixpanel:mptest", "jitsu:site", "snowplow:shop", "matomo:1"),
    *("plausible:shop.example.com", f"umami:{WEBSITE}", "ga4:G-SHOP"),
)


class Library(NamedTuple):
    """`page` and `names`: what its page view is called, and all that is seen of the calls."""

    protocol: str
    package: str
    file: str
    script: str
    names: tuple[str, ...]
    how: str = ""
    page: str = "page"

    @property
    def is_module(self) -> bool:
        return "LIBRARY" in self.script


NAMED = ("identify", "Order Completed", "group")
SEGMENT = """
const [a] = await AnalyticsNext.AnalyticsBrowser.load(
  {writeKey: "write-key", cdnURL: host}, {integrations: {"Segment.io": HOW}});
window.calls = () => Promise.all([a.page("商品页"), a.identify(person, {email}),
  a.group("acc-1", {name: "美丽诊所"}), a.alias(person, id + "anon-9"),
  a.track("Order Completed", order)]);
window.last = () => void a.track("最后");"""
RUDDER = """
const a = new rudderanalytics.RudderAnalytics();
a.load("write-key", host, {configUrl: host, useBeacon: HOW, beaconQueueOptions: {maxItems: 5}});
await new Promise((ready) => a.ready(ready));
window.calls = () => { a.page("商品页"); a.identify(person, {email});
  a.group("acc-1", {name: "美丽诊所"}); a.track("Order Completed", order);
  a.alias(person, id + "anon-9"); };
window.last = () => a.track("最后");"""
POSTHOG = """
import peer from LIBRARY;
peer.init("phc_test", {api_host: host, opt_out_useragent_filter: true});
window.calls = () => { peer.capture("Order Completed", order); peer.identify(person, {email});
  peer.group("company", "acc-1", {name: "美丽诊所"}); };
window.last = () => peer.capture("最后");"""
MIXPANEL = """
import peer from LIBRARY;
peer.init("mptest", {api_host: host, track_pageview: true, ignore_dnt: true,
  api_payload_format: HOW, batch_flush_interval_ms: 500});
window.calls = () => { peer.track("Order Completed", order); peer.identify(person);
  peer.people.set({$email: email}); peer.get_group("company", "acc-1").set("name", "美丽诊所"); };
window.last = () => peer.track("最后");"""
JITSU = """
import {jitsuAnalytics} from LIBRARY;
const jitsu = jitsuAnalytics({host, writeKey: "site:secret"});
window.calls = async () => { await jitsu.page(); await jitsu.identify(person, {email});
  await jitsu.track("Order Completed", order); await jitsu.group("acc-1", {name: "美丽诊所"}); };
window.last = () => void jitsu.track("最后");"""
PLAUSIBLE = """
import {init, track} from LIBRARY;
init({domain: "shop.example.com", endpoint: host + "/api/event", captureOnLocalhost: true});
window.calls = () => track("Order Completed", {props: {商品: "屏障修护精华"},
  revenue: {amount: 399, currency: "CNY"}});
window.last = () => track("最后", {});"""
PLAUSIBLE_TRACKER = """
import Plausible from LIBRARY;
const {trackPageview, trackEvent} = Plausible(
  {domain: "shop.example.com", apiHost: host, trackLocalhost: true});
window.calls = () => { trackPageview(); trackEvent("Order Completed", {props: order}); };
window.last = () => trackEvent("最后");"""
UMAMI = """
window.calls = async () => { await umami.track("Order Completed", order);
  await umami.identify({email}); };
window.last = () => void umami.track("最后");"""
SNOWPLOW = """
const shop = (name) => `iglu:com.snowplowanalytics.snowplow.ecommerce/${name}/jsonschema/1-0-0`;
const sp = window.snowplowBrowserTracking;
sp.newTracker("shop", host, {appId: "shop", eventMethod: HOW, encodeBase64: HOW === "get"});
window.calls = () => { sp.trackPageView(); sp.setUserId(person); sp.trackSelfDescribingEvent({
    event: {schema: shop("snowplow_ecommerce_action"), data: {type: "transaction"}},
    context: [{schema: shop("transaction"), data: {transaction_id: order.order_id, revenue: 399,
      currency: "CNY", total_quantity: 1, 商品: order.商品}}]}); };
window.last = () => sp.trackStructEvent({category: "bye", action: "最后"});"""
UMD = "dist/umd/index.js"
RUDDER_UMD = "dist/npm/modern/bundled/umd/index.js"
BATCHING = '{deliveryStrategy: {strategy: "batching", config: {size: 5, timeout: 200}}}'
NEXT, BY_RUDDER = "@segment/analytics-next", "@rudderstack/analytics-js"
SNOW = ("snowplow", "@snowplow/browser-tracker", "dist/index.umd.min.js", SNOWPLOW)
MIX = ("mixpanel", "mixpanel-browser", "dist/mixpanel.module.js", MIXPANEL)
OF_SEGMENT = (*NAMED, "alias")
LIBRARIES = {
    "segment-browser": Library("segment", NEXT, UMD, SEGMENT, OF_SEGMENT, "{}", "商品页"),
    "segment-browser-batch": Library("segment", NEXT, UMD, SEGMENT, OF_SEGMENT, BATCHING, "商品页"),
    "rudder-browser": Library(
        "segment", BY_RUDDER, RUDDER_UMD, RUDDER, OF_SEGMENT, "false", "商品页"
    ),
    "rudder-browser-beacon": Library(
        "segment", BY_RUDDER, RUDDER_UMD, RUDDER, OF_SEGMENT, "true", "商品页"
    ),
    "posthog-js": Library("posthog", "posthog-js", "dist/module.js", POSTHOG, NAMED),
    "mixpanel-browser": Library(*MIX, ("Order Completed",), '"json"'),
    "mixpanel-browser-base64": Library(*MIX, ("Order Completed",), '"base64"'),
    "jitsu-js": Library("jitsu", "@jitsu/js", "dist/jitsu.es.js", JITSU, NAMED),
    "plausible-browser": Library(
        *("plausible", "@plausible-analytics/tracker", "plausible.js", PLAUSIBLE),
        ("Order Completed",),
    ),
    "plausible-tracker-browser": Library(
        *("plausible", "plausible-tracker", "build/module/lib/tracker.js", PLAUSIBLE_TRACKER),
        ("Order Completed",),
    ),
    "umami-browser": Library(
        *("umami", "umami", "src/tracker/index.js", UMAMI), ("Order Completed", "identify")
    ),
    "snowplow-browser": Library(*SNOW, ("Order Completed",), '"post"'),
    "snowplow-browser-get": Library(*SNOW, ("Order Completed",), '"get"'),
}
PAGE = """<!doctype html><meta charset="utf-8"><title>冬季新品</title>
<body style="height:3000px"><script>window.__plausible = true</script>{library}
<script type="module">
{imports}
const id = {id}, host = {host}, person = id + "u-王", email = id + "wang.fang@example.com";
const order = {{order_id: id + "o1", revenue: 399, currency: "CNY", 商品: "屏障修护精华"}};
{script}
window.isReady = true;
</script>"""


def html(name: str, host: str, id_: str) -> str:
    """The page of a library; `id_` begins all that it names."""
    library = LIBRARIES[name]
    peer_node(library.package)
    # Without `__plausible` its libraries do not count a browser that a program leads.
    at = f"/lib/{library.package}/{library.file}"
    lines = library.script.replace("HOW", library.how).strip().split("\n")
    imports = [line.replace("LIBRARY", f'"{at}"') for line in lines if line.startswith("import")]
    about = f'data-website-id="{WEBSITE}" data-host-url="{host}"'
    tag = "" if library.is_module else f'<script src="{at}" {about}></script>'
    return PAGE.format(
        library=tag,
        imports="\n".join(imports),
        id=json.dumps(id_),
        host=json.dumps(host),
        script="\n".join(line for line in lines if not line.startswith("import")),
    )


class Pages(http.server.BaseHTTPRequestHandler):
    """`/NAME/ID`: the page of a library, which reports to the host of that id."""

    hosts: ClassVar[dict[str, str]]

    def do_GET(self) -> None:
        at = urlsplit(self.path)
        body, kind = b"", "text/html"
        if at.path.startswith("/lib/"):
            file = ROOT / "node_modules" / at.path.removeprefix("/lib/")
            body = (file if file.is_file() else file.with_suffix(".js")).read_bytes()
            kind = "text/javascript"
        elif at.path.count("/") == 2:
            _, name, id_ = at.path.split("/")
            body = html(name, self.hosts[id_], id_).encode()
        self.send_response(200)
        self.send_header("content-type", f"{kind}; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@contextlib.contextmanager
def pages(port=0):
    """The address of the pages, and the host of each id, to be filled."""

    class Here(Pages):
        hosts: ClassVar[dict[str, str]] = {}

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Here)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}", Here.hosts
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
