"""The paths that operate.md has a proxy pass on: all that the world sends to, and no others."""

import re
from pathlib import Path

import pytest

from touchline.collect.protocols import PROTOCOLS
from touchline.web.collector import PATHS
from touchline.web.routes import preferences
from touchline.web.script import Script

PAGE = Path(__file__).parents[2] / "docs/guides/operate.md"
SECTION = PAGE.read_text("utf-8").partition("## Behind a proxy\n")[2].partition("\n## ")[0]
LISTED = {
    path
    for row in re.findall(r"^\|.*\|$", SECTION, re.MULTILINE)
    for path in re.findall("`(/.*?)`", row)
}
ROUTES = {
    *PATHS,
    *Script().paths,
    *(route.path for protocol in PROTOCOLS for route in protocol.routes),
    *(r.path for r in preferences.router.routes if not r.path.startswith("/api/")),
}
INSIDE = (
    "/",
    "/health",
    "/docs",
    "/openapi.json",
    "/static/x.js",
    "/api/v1/people",
    "/api/v1/keys",
)


def passes(path, listed):
    return re.fullmatch(".+".join(map(re.escape, listed.split("*"))) + "/?", path) is not None


@pytest.mark.parametrize("route", sorted(ROUTES))
def test_a_proxy_passes_on_every_path_that_the_world_sends_to(route):
    path = re.sub(r"{\w*}", "a1.b", route)
    assert any(passes(path, listed) for listed in LISTED)


def test_a_proxy_passes_on_no_more():
    paths = [re.sub(r"{\w*}", "tp2", route) for route in ROUTES]
    assert [listed for listed in LISTED if not any(passes(path, listed) for path in paths)] == []
    assert [path for path in INSIDE if any(passes(path, listed) for listed in LISTED)] == []
