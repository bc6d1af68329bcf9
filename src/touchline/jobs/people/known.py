"""One person, or two identifiers → what is known of them: their page, and why they are one."""

from typing import Any

from touchline.errors import BadInput
from touchline.identity.around.explain import why as explained
from touchline.identity.people import Registry
from touchline.identity.profile import find_person
from touchline.jobs.audited import seen
from touchline.jobs.people.profile import profile
from touchline.storage.workspace import Workspace

__all__ = ["LANGUAGES", "person", "why"]

LANGUAGES = ("en", "zh")


def person(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> dict[str, Any]:
    """The page of `person`: a person_id, `type:value` or a value; texts in `language`."""
    language = _language(args)
    with workspace.view() as view:
        people = registry.at(view)
        found = find_person(workspace, people, args["person"])
        seen(workspace, "person", people.person_ids[found])
        return profile(workspace, view, people, found, language)


def why(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> dict[str, Any]:
    """Why `a` and `b` are one person, or what keeps them apart; texts in `language`."""
    language = _language(args)
    ends = args["a"], args["b"]
    with workspace.view() as view:
        people = registry.at(view)
        for found in dict.fromkeys(find_person(workspace, people, end) for end in ends):
            seen(workspace, "why", people.person_ids[found])
        return explained(workspace, registry, view, ends, language)


def _language(args: dict[str, Any]) -> str:
    language = args.get("language") or LANGUAGES[0]
    if language not in LANGUAGES:
        told = f"is not a language. Known are {', '.join(LANGUAGES)}."
        raise BadInput("bad_argument", name="language", value=language, why=told)
    return language
