"""A real browser (Debian's Chromium, through Playwright) on pages that report to a real server.

Without Chromium these tests are skipped; with TOUCHLINE_REQUIRE_BROWSER=1 (set by CI) they fail.
The browser finds every host under `.example` on this machine: sites have names of their own.
"""

import contextlib
import http.server
import json
import os
import shutil
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from urllib.parse import urlsplit

import pytest

from e2e.conftest import Served, ended, made
from tracker.pages import opened

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

ARGS = [
    "--no-sandbox",
    "--host-resolver-rules=MAP *.example 127.0.0.1",
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,LocalNetworkAccessChecks",
]
PAGE = """<!doctype html><meta charset="utf-8"><title>冬季新品 – Shop</title>
{head}<body style="height:4000px;margin:0">{body}</body>"""


def absent(message):
    if os.environ.get("TOUCHLINE_REQUIRE_BROWSER") == "1":
        pytest.fail(message)
    pytest.skip(message)


class Front(http.server.BaseHTTPRequestHandler):
    """Pages of the test's making, and the collector behind them: well, or as ill as it is told."""

    protocol_version = "HTTP/1.1"
    site = None

    def do_GET(self):
        path = urlsplit(self.path).path
        if path in ("/t.js", "/t.mjs", "/track.js"):
            return self.hand_on(None)
        return self.say(
            200, self.site.page(path), self.site.headers | {"content-type": "text/html"}
        )

    def do_OPTIONS(self):
        self.hand_on(None)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        ill = self.site.illness
        ill = ill(body) if callable(ill) else ill
        if ill and not self.path.startswith("/v1/id"):
            self.site.refused.append((time.monotonic(), body))
            status, headers = ill
            return self.say(status, b"", headers | {"access-control-allow-origin": "*"})
        self.hand_on(body)
        self.site.taken.append(body)
        return None

    def hand_on(self, body):
        skipped = ("connection", "accept-encoding")
        kept = {k: v for k, v in self.headers.items() if k.lower() not in skipped}
        url = self.site.collector + self.path
        request = urllib.request.Request(url, body, kept, method=self.command)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                self.say(answer.status, answer.read(), dict(answer.headers))
        except urllib.error.HTTPError as error:
            with error:
                self.say(error.code, error.read(), dict(error.headers))

    def say(self, status, body, headers):
        skipped = ("content-length", "transfer-encoding", "connection", "date", "server")
        with contextlib.suppress(OSError):  # a tab that was closed does not read on
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in skipped:
                    self.send_header(name, value)
            if status != 204:
                self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *args):
        pass


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass


class Site:
    """What the pages of one test say, and what of them arrived."""

    def __init__(self, server, port, token):
        self.server = server
        self.collector = server.url
        self.port = port
        self.token = token
        self.headers = {}
        self.illness = (
            None  # (status, headers) while the collector is ill, or what says so of a body
        )
        self.refused = []
        self.taken = []
        self.pages = {}
        self.body = ""
        self.tag = f'<script src="http://shop.example:{port}/t.js" data-key="write-key"></script>'

    def url(self, path="/", host="shop.example"):
        return f"http://{host}:{self.port}/{self.token}{path}"

    def with_options(self, **options):
        """The script tag with attributes."""
        said = "".join(f' data-{k.replace("_", "-")}="{v}"' for k, v in options.items())
        self.tag = self.tag.replace("></script>", f"{said}></script>")

    def page(self, path):
        path = path.removeprefix(f"/{self.token}")
        return self.pages.get(path, PAGE.format(head=self.tag, body=self.body)).encode()

    def events(self, wanted=1, seconds=20):
        """The events of this test's pages, once there are as many as wanted."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if len({item["messageId"] for item in self.sent()}) >= wanted:
                break
            time.sleep(0.05)
        time.sleep(0.05)  # the last answer may still be on its way
        self.server.wait_committed()
        here = f"/{self.token}"
        found = [e for e in self.server.events() if here in (e["page_url"] or "")]
        assert max(Counter(e["message_id"] for e in found).values(), default=1) == 1
        return sorted(found, key=lambda e: e["original_timestamp"])

    def sent(self):
        """Items of all requests that were handed on."""
        return [item for body in self.taken for item in json.loads(body).get("batch", ())]


@contextlib.contextmanager
def browser(*more):
    """Chromium of this machine, with more arguments."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
    if found is None:
        absent("Chromium is not installed: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=[*ARGS, *more])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def chromium():
    """Of one module: while Playwright runs, no other test could run an event loop of its own."""
    with browser() as launched:
        yield launched


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    made_one = Served(made(tmp_path_factory.mktemp("tracker") / "site"))
    with ended(made_one) as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOUCHLINE_COMMIT_S", "0.1")  # tests ask often
        yield running.start()


@pytest.fixture
def site(server, request):
    class Here(Front):
        pass

    front = Quiet(("127.0.0.1", 0), Here)
    Here.site = Site(server, front.server_port, f"{abs(hash(request.node.nodeid)):x}")
    thread = threading.Thread(target=front.serve_forever, daemon=True)
    thread.start()
    yield Here.site
    front.shutdown()
    thread.join()
    front.server_close()


@pytest.fixture
def context(chromium):
    opened = chromium.new_context()
    yield opened
    opened.close()


@pytest.fixture
def page(context):
    return opened(context)
