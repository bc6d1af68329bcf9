"""The table of protocols as a whole: no two want the same address, none that of another app."""

import itertools

from touchline.collect.protocols import PROTOCOLS, spoken_at
from touchline.web.app import api
from touchline.web.collector import PATHS, collects
from touchline.web.script import Script


def routes():
    return [(protocol, route) for protocol in PROTOCOLS for route in protocol.routes]


def an_address(path):
    return path.replace("{}", "x")


def test_each_address_is_one_protocols_alone():
    paths = [route.path for _, route in routes()]
    assert len(paths) == len(set(paths))
    assert not set(paths) & PATHS
    named = [route for _, route in routes() if "{}" in route.path]
    for one, other in itertools.permutations(named, 2):
        met = spoken_at(an_address(one.path))
        assert met is not None
        assert met[1] is not other, (one.path, other.path)


def test_every_address_leads_to_its_own_protocol():
    for protocol, route in routes():
        assert spoken_at(an_address(route.path)) == (protocol, route)


def test_no_protocol_speaks_where_the_app_answers():
    ours = set(api(None).openapi()["paths"])  # type: ignore[arg-type]  # the list needs no site
    ours |= {"/", "/docs", "/redoc", "/openapi.json", "/health", *Script().paths}
    assert not {path for path in ours if collects(path.replace("{person}", "x"))}
    assert not [route.path for _, route in routes() if route.path.startswith("/api/v1/")]
    for call in ("events", "event", "send", "batch", "s/track"):
        assert not collects(f"/api/v1/{call}")
