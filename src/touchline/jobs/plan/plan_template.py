"""Touchpoint maps and plans to begin with, one a business: data/templates → definitions.

A template's texts are in two languages and its owners and stages are named once. What comes of it
is in one language, ready to be applied or to be corrected first.
"""

import tomllib
from importlib import resources
from typing import Any

import tomli_w

from touchline.errors import BadInput, NotFound
from touchline.jobs import definitions
from touchline.storage import definition
from touchline.storage.workspace import Workspace

__all__ = ["begin", "template", "templates"]

LANGUAGES = ("en", "zh")
TEXTS = frozenset(("name", "description"))


def templates() -> list[dict[str, Any]]:
    """[{"name", "title": {"en", "zh"}, "touchpoints", "events"}] of all there are."""
    found = ((name, _read(name)) for name in _names())
    return [
        {
            "name": name,
            "title": held["title"],
            "touchpoints": len(held["touchpoint"]),
            "events": len(held["event"]),
        }
        for name, held in found
    ]


def template(name: str, language: str) -> dict[str, Any]:
    """{"name", "toml", "definitions"} of a template in one language."""
    if language not in LANGUAGES:
        why = f"is none of {', '.join(LANGUAGES)}."
        raise BadInput("bad_argument", name="language", value=language, why=why)
    if name not in _names():
        raise NotFound("unknown_template", name=name[:80], known=", ".join(_names()))
    held = _read(name)
    words = {**held.get("stage", {}), **held.get("owner", {})}
    found: dict[str, Any] = {"plan": held.get("plan", {"strict": False})}
    for kind in ("event", "touchpoint"):
        found[kind] = [_in(language, one, words) for one in held[kind]]
    return {"name": name, "toml": tomli_w.dumps(found), "definitions": found}


def begin(workspace: Workspace, name: str, language: str) -> dict[str, Any]:
    """The definitions of a template, for a workspace that has no plan yet."""
    held = definition.current(workspace.state)
    if any(held.get(kind) for kind in definitions.PLAN_KINDS):
        raise BadInput("plan_exists")
    return template(name, language)["definitions"]


def _names() -> tuple[str, ...]:
    folder = resources.files("touchline.collect").joinpath("data/templates")
    return tuple(sorted(one.name.removesuffix(".toml") for one in folder.iterdir()))


def _read(name: str) -> dict[str, Any]:
    file = resources.files("touchline.collect").joinpath(f"data/templates/{name}.toml")
    return tomllib.loads(file.read_text("utf-8"))


def _in(language: str, raw: dict[str, Any], words: dict[str, Any]) -> dict[str, Any]:
    """A table of a template with the texts of one language."""
    found: dict[str, Any] = {}
    for key, value in raw.items():
        if key in ("stage", "owner"):
            found[key] = words[value][language]
        elif key in TEXTS and isinstance(value, dict):
            found[key] = value[language]
        elif key == "properties":
            found[key] = {name: _in(language, spec, words) for name, spec in value.items()}
        else:
            found[key] = value
    return found
