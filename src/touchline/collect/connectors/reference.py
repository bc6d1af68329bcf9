"""Credentials of a source by reference → their values, at the moment something is pulled.

    "secret:meta"                   sealed in State, given once with `source add --secret`
    "env:TOUCHLINE_SOURCE_META"     of the environment of the process that pulls

Definitions, dumps and lists hold references only: a value in clear where a credential belongs is
refused. Of the environment only names meant for sources are read, so that a definition cannot ask
for the secrets of something else.
"""

import os
import re
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from touchline.errors import BadInput

__all__ = ["check_references", "references", "resolved"]

ENVIRONMENT = "TOUCHLINE_SOURCE_"
_REFERENCE = re.compile(r"(secret|env):([A-Za-z0-9_.-]{1,120})")
_PRIVATE = re.compile(
    r"token|secret|passw|pwd|api[-_]?key|auth|credential|signature|cookie", re.IGNORECASE
)
# Names that speak of a credential and hold none.
_ABOUT = re.compile(r"(_url|_path|_param|_key_name|_expiration)$|^(auth|type)$", re.IGNORECASE)


def references(value: Any) -> Iterator[tuple[str, str]]:
    """(secret | env, name) of every reference in a definition."""
    for _, text in _texts(value, ""):
        found = _REFERENCE.fullmatch(text)
        if found is not None:
            yield found[1], found[2]


def check_references(source: str, value: Any) -> None:
    """Raises BadInput for a credential in clear and for a reference that may not be followed."""
    for kind, name in references(value):
        if kind == "env" and not name.startswith(ENVIRONMENT):
            why = f"env:{name} is not for sources; call the variable {ENVIRONMENT}…"
            raise BadInput("bad_source", name=source, why=why)
    for key, text in _texts(value, ""):
        is_clear = _REFERENCE.fullmatch(text) is None
        if text and is_clear and _PRIVATE.search(key) and not _ABOUT.search(key):
            raise BadInput("source_secret_in_clear", name=source, key=key)
        if key == "url" and is_clear and urllib.parse.urlsplit(text).password:
            raise BadInput("source_secret_in_clear", name=source, key="url")


def resolved(
    value: Any,
    secret: Callable[[str], str | None],
    environment: Mapping[str, str] = os.environ,
) -> Any:
    """The value with every reference replaced. Raises BadInput for one that leads nowhere."""
    if isinstance(value, dict):
        return {key: resolved(of, secret, environment) for key, of in value.items()}
    if isinstance(value, list):
        return [resolved(of, secret, environment) for of in value]
    found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    held = secret(found[2]) if found[1] == "secret" else environment.get(found[2])
    if not held:
        raise BadInput("source_secret_missing", reference=found[0])
    return held


def _texts(value: Any, key: str) -> Iterator[tuple[str, str]]:
    """Every text with the name it stands under; of a list that of the list."""
    if isinstance(value, dict):
        for own, of in value.items():
            yield from _texts(of, str(own))
    elif isinstance(value, list):
        for of in value:
            yield from _texts(of, key)
    elif isinstance(value, str):
        yield key, value
