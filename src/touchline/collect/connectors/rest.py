"""An API → its rows of one window, page by page, by dlt's rest_api.

dlt does the paging, the ways to sign in, the picking of rows out of an answer, and resources that
hang on others. Where the window begins and ends is written into the request here, not by dlt: its
state and its filters stay out of it.
"""

import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any

from touchline.collect.connectors.definition import Source
from touchline.collect.connectors.session import GuardedSession
from touchline.net import Client

__all__ = ["api_rows"]

ROWS = "rows"
_OAUTH = "oauth2_client_credentials"


def api_rows(source: Source, bounds: Mapping[str, str], client: Client) -> Iterator[Any]:
    """Rows as the API has them. `bounds`: start, end (exclusive) and last (inclusive) as texts."""
    from dlt.sources.rest_api import rest_api_resources

    config = _config(source, bounds, GuardedSession(client, _named(source)))
    resources = rest_api_resources(config)
    yield from next(resource for resource in resources if resource.name == ROWS)


def _named(source: Source) -> Iterator[str]:
    """The addresses that the definition itself says."""
    about, endpoints = source.client or {}, [source.endpoint or {}]
    endpoints += [parent.get("endpoint", {}) for parent in source.parents]
    yield str(about["base_url"])
    for part in (about, *endpoints):
        auth = part.get("auth")
        if isinstance(auth, dict) and "access_token_url" in auth:
            yield str(auth["access_token_url"])
        if urllib.parse.urlsplit(str(part.get("path", ""))).scheme in ("http", "https"):
            yield str(part["path"])


def _config(source: Source, bounds: Mapping[str, str], session: GuardedSession) -> Any:
    about = {**(source.client or {}), "session": session}
    main: dict[str, Any] = {"name": ROWS, "endpoint": source.endpoint or {}}
    if source.include_from_parent:
        main["include_from_parent"] = source.include_from_parent
    resources = [{**own, "endpoint": own.get("endpoint", {})} for own in (*source.parents, main)]
    if "auth" in about:
        about["auth"] = _signed(about["auth"], session)
    for resource in resources:
        resource["endpoint"] = _endpoint(resource["endpoint"], bounds, session)
    return {"client": about, "resources": resources}


def _endpoint(
    endpoint: dict[str, Any], bounds: Mapping[str, str], session: GuardedSession
) -> dict[str, Any]:
    found = dict(endpoint)
    for part in ("params", "json", "headers"):
        if part in found:
            found[part] = _filled(found[part], bounds)
    if "path" in found:
        found["path"] = _with(str(found["path"]), bounds)
    if "auth" in found:
        found["auth"] = _signed(found["auth"], session)
    return found


def _signed(auth: Any, session: GuardedSession) -> Any:
    """OAuth asks for its token by the guarded session, too."""
    if isinstance(auth, dict) and auth.get("type") == _OAUTH:
        return {**auth, "session": session}
    return auth


def _filled(value: Any, bounds: Mapping[str, str]) -> Any:
    """With the bounds in place. A parameter that is nothing but an open bound is left out."""
    if isinstance(value, dict):
        filled = ((key, of, _filled(of, bounds)) for key, of in value.items())
        return {key: now for key, before, now in filled if now != "" or before == ""}
    if isinstance(value, list):
        return [_filled(of, bounds) for of in value]
    if not isinstance(value, str):
        return value
    text = _with(value, bounds)
    # dlt reads braces as places of its own; a text that names none of those means them as they are.
    return text if "{resources." in text else text.replace("{", "{{").replace("}", "}}")


def _with(text: str, bounds: Mapping[str, str]) -> str:
    for name, bound in bounds.items():
        text = text.replace("{" + name + "}", bound)
    return text
