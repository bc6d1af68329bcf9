"""What Segment and RudderStack speak beside their calls: settings, paths with a slash behind, what
an SDK measures of itself.

The surprise: Segment's browser SDK takes its write key and the host it sends to from the settings,
not from what the page said. So both are told it as it asked for them.
"""

import re
from collections.abc import Sequence
from typing import Any

from touchline.collect import segment
from touchline.collect.protocol import Answer, Protocol, Route, Verdict, in_json
from touchline.collect.url import fields
from touchline.model import RawRequest

__all__ = ["SEGMENT"]

_CALLS = ("track", "identify", "page", "screen", "group", "alias", "merge", "batch", "import")
_HOST = re.compile(r"[\w.\-:\[\]]{1,255}", re.ASCII)
_ALL: dict[str, Any] = {"__default": {"enabled": True, "integrations": {}}}


def _settings(request: RawRequest) -> Answer:
    """GET /v1/projects/{key}/settings: the only destination is us, and nothing is measured."""
    key = request.path.split("/")[3]
    about: dict[str, Any] = {
        "apiKey": key,
        "unbundledIntegrations": [],
        "addBundledMetadata": True,
        "maybeBundledConfigIds": {},
        "versionSettings": {"version": "4.4.7", "componentTypes": ["browser", "ios", "android"]},
    }
    host = request.headers.get("x-forwarded-host") or request.headers.get("host", "")
    if _HOST.fullmatch(host):
        scheme = request.headers.get("x-forwarded-proto", "")
        about["apiHost"] = f"{host}/v1"
        about["protocol"] = "https" if scheme.startswith("https") else "http"
    return in_json(
        {
            "integrations": {"Segment.io": about},
            "plan": {"track": _ALL, "identify": _ALL, "group": _ALL},
            "edgeFunction": {},
            "analyticsNextEnabled": True,
            "middlewareSettings": {},
            "enabledMiddleware": {},
            "metrics": {"sampleRate": 0},
            "legacyVideoPluginsEnabled": False,
            "remotePlugins": [],
        }
    )


def _source_config(request: RawRequest) -> Answer:
    """GET /sourceConfig: an enabled source without destinations."""
    key = fields(request.query.encode("latin-1")).get("writeKey", "")
    name = request.source or "touchline"
    off = {"enabled": False}
    return in_json(
        {
            "source": {
                "id": name,
                "name": name,
                "writeKey": key,
                "enabled": True,
                "workspaceId": "touchline",
                "connections": [],
                "destinations": [],
                "dataplanes": {},
                "config": {"statsCollection": {"errors": off, "metrics": off}},
                "sourceDefinition": {"name": "Javascript", "category": None},
                "updatedAt": "2026-01-01T00:00:00.000Z",
            },
            "updatedAt": "2026-01-01T00:00:00.000Z",
            "isHosted": True,
        }
    )


def _dropped(_: RawRequest) -> Answer:
    """POST /v1/m: what the SDK measures of itself says nothing of visitors."""
    return in_json({"success": True})


def _answer(_: RawRequest, verdicts: Sequence[Verdict]) -> Answer:
    return in_json({"success": True, "results": verdicts})


SEGMENT = Protocol(
    name="segment",
    routes=(
        Route("/v1/projects/{}/settings", ("GET",), _settings),
        Route("/sourceConfig", ("GET", "HEAD"), _source_config),
        Route("/sourceConfig/", ("GET", "HEAD"), _source_config),
        Route("/v1/m", tells=_dropped),
        *(Route(f"/v1/{call}/") for call in (*_CALLS, *"tipsgab")),
        Route("/beacon/v1/batch/"),
    ),
    read=segment.read,
    answer=_answer,
    has_our_keys=True,
)
