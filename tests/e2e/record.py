"""Writes tests/collect/protocols/recorded anew: what real clients send, as it arrived at a front
before a real server.

    .venv/bin/python tests/e2e/record.py [NAME ...]

Needs `make peers`, and Chromium for the libraries of browsers. Only the host is changed.
"""

import base64
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from e2e.conftest import ADMIN_KEY, WRITE_KEY, Served, ended
from e2e.front import Call, before
from e2e.libraries import AGENT, LIBRARIES, NAMES, WEBSITE, pages
from peers import ROOT, peer_node, peer_python
from touchline.web.collector import collects
from tracker.conftest import browser

CLIENTS = Path(__file__).parent / "clients"
RECORDED = Path(__file__).parents[1] / "collect/protocols/recorded"
PAGES_PORT, FRONT_PORT = 8781, 8782  # they stand in what is recorded
KEPT = (
    *("user-agent", "authorization", "content-type", "content-encoding", "origin", "referer"),
    *("accept-language", "x-write-key", "anonymousid", "sentat", "x-umami-cache"),
)
SEGMENT = ("segment", "segment-analytics-python", "segment_calls.py")
POSTHOG = ("posthog", "posthog", "posthog_calls.py")
MIXPANEL = ("mixpanel", "mixpanel", "mixpanel_calls.py")
JITSU = ("jitsu", "@jitsu/js", "jitsu_calls.js")
SNOW_NODE = ("snowplow", "@snowplow/node-tracker", "snowplow_calls.js")
SNOW = ("snowplow", "snowplow-tracker", "snowplow_calls.py")
HERE = f"127.0.0.1 {FRONT_PORT}"
# name: protocol, package, program of `clients`, what it is told beside its address.
PROGRAMS = {
    "segment-python": (*SEGMENT, "write-key sp- plain 8"),
    "segment-python-gzip": (*SEGMENT, "write-key sz- gzip 8"),
    "segment-node": ("segment", "@segment/analytics-node", "segment_calls.js", "write-key sn- 8"),
    "rudder-python": ("segment", "rudder-sdk-python", "rudder_calls.py", "write-key rp- 8"),
    "rudder-node": (
        *("segment", "@rudderstack/rudder-sdk-node", "rudder_calls.js"),
        "write-key rn- 8",
    ),
    "posthog-python": (*POSTHOG, "phc_test pp- plain"),
    "posthog-python-gzip": (*POSTHOG, "phc_test pz- gzip"),
    "posthog-node": ("posthog", "posthog-node", "posthog_calls.js", "phc_test pn- gzip"),
    "mixpanel-python": (*MIXPANEL, "mptest mp- single"),
    "mixpanel-python-buffered": (*MIXPANEL, "mptest mb- buffered"),
    "mixpanel-node": ("mixpanel", "mixpanel", "mixpanel_calls.js", "mptest mn-"),
    "jitsu-node": (*JITSU, "site:secret jw- web"),
    "jitsu-node-s2s": (*JITSU, "site:secret js- s2s"),
    "matomo-tracker": ("matomo", "matomo-tracker", "matomo_calls.js", "1"),
    "snowplow-node-post": (*SNOW_NODE, "shop post"),
    "snowplow-node-get": (*SNOW_NODE, "shop get"),
    "snowplow-python-post": (*SNOW, "shop post"),
    "snowplow-python-get": (*SNOW, "shop get"),
    "umami-node": ("umami", "@umami/node", "umami_calls.js", WEBSITE),
    "umami-python": ("umami", "umami-analytics", "umami_calls.py", f"{WEBSITE} up-"),
    "ga4-python": ("ga4", "ga4mp", "ga4_calls.py", "G-SHOP gp-"),
}


def main(wanted: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, ended(site(Path(folder) / "site")) as server:
        server.start()
        for name in wanted or [*PROGRAMS, *LIBRARIES]:
            with before(server.url, port=FRONT_PORT) as front:
                run = by_page if name in LIBRARIES else by_program
                protocol, client = run(name, front.url)
            # posthog-js also asks for a script of its makers, and lives without it.
            calls = [
                call for call in front.calls if call.method != "OPTIONS" and collects(call.path)
            ]
            write(name, protocol, client, calls)
            print(name, len(calls))


def site(dir_: Path) -> Served:
    """A server whose one key answers to the names each protocol has for a site."""
    touchline = (sys.executable, "-m", "touchline.cli")
    subprocess.run((*touchline, "init", dir_, "--admin-key", ADMIN_KEY), check=True)
    aliases = [word for name in NAMES for word in ("--alias", name)]
    key = ("keys", "create", dir_, "--value", WRITE_KEY, "--name", "shop", *aliases)
    subprocess.run((*touchline, *key), check=True, stdout=subprocess.DEVNULL)
    return Served(dir_)


def by_program(name: str, url: str) -> tuple[str, str]:
    protocol, package, program, told = PROGRAMS[name]
    runs, env = (peer_python(), os.environ)
    if program.endswith(".js"):
        runs, env = peer_node(package)
    at = HERE.split() if package == "@snowplow/node-tracker" else [url]
    command = [runs, CLIENTS / program, *at, *told.split()]
    subprocess.run(command, check=True, env={**env, "TZ": "UTC"}, capture_output=True)
    return protocol, f"{package} {version(package, program)}"


def by_page(name: str, url: str) -> tuple[str, str]:
    library = LIBRARIES[name]
    with pages(PAGES_PORT) as (at, hosts), browser(f"--user-agent={AGENT}") as chromium:
        hosts[""] = url
        page = chromium.new_page()
        page.goto(f"{at}/{name}/?utm_source=xhs&utm_medium=kol&utm_campaign=冬季")
        page.wait_for_function("window.isReady")
        page.evaluate("calls()")
        page.wait_for_timeout(4000)
        page.evaluate("last()")
        page.goto("about:blank")
        page.wait_for_timeout(1000)
    return library.protocol, f"{library.package} {version(library.package, '.js')}, in Chromium"


def version(package: str, program: str) -> str:
    if program.endswith(".js"):
        about = (ROOT / "node_modules" / package / "package.json").read_text(encoding="utf-8")
        return f"{json.loads(about)['version']} of npm"
    ask = f"import importlib.metadata as m; print(m.version('{package}'))"
    found = subprocess.run((peer_python(), "-c", ask), check=True, capture_output=True, text=True)
    return f"{found.stdout.strip()} of PyPI"


def write(name: str, protocol: str, client: str, calls: list[Call]) -> None:
    place = RECORDED / protocol / f"{name}.json"
    place.parent.mkdir(exist_ok=True)
    made = {"client": client, "requests": [shown(call) for call in calls]}
    place.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def shown(call: Call) -> dict[str, object]:
    headers = {key: call.headers[key] for key in KEPT if key in call.headers}
    about = {name: getattr(call, name) for name in ("received_us", "method", "path", "query")}
    about["headers"] = headers
    try:
        return {**about, "body": call.body.decode()}
    except UnicodeDecodeError:
        return {**about, "body_base64": base64.b64encode(call.body).decode()}


if __name__ == "__main__":
    main(sys.argv[1:])
