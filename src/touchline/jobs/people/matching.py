"""Matching of records asked for, and what came of it: seen, accepted, rejected.

    match     reads everybody in clear, in memory, and renews the suggestions
    review    what is suggested, with what speaks for it and against it

Accepting is a merge and rejecting an unmerge of the same two identifiers, as operators decide them:
listed with all decisions, and undone like them.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from touchline import clock
from touchline.collect.nodes import clear_traits
from touchline.errors import BadInput, NotFound
from touchline.identity.decisions import decided, in_force
from touchline.identity.evidence import Decisions
from touchline.identity.match import queue
from touchline.identity.match.queue import STATUSES, Suggestion
from touchline.identity.match.suggest import SURE, records, suggest, threshold_bits
from touchline.identity.people import PersonMap, Registry
from touchline.identity.profile import traits_of
from touchline.identity.profile_rules import ProfileRules
from touchline.jobs import arguments
from touchline.jobs.audited import seen
from touchline.jobs.job import Progress
from touchline.jobs.people import identity
from touchline.storage.workspace import Workspace

__all__ = ["answer", "asked", "match", "review"]

SHOWN = 100
KINDS = {"accept": "merge", "reject": "unmerge"}


class Answer(Struct, frozen=True, kw_only=True):
    number: int
    verdict: str
    reason: str
    author: str | None = None


def asked(args: dict[str, Any]) -> dict[str, Any]:
    """Arguments of the job, checked before it is one."""
    given = args.get("threshold")
    try:
        threshold = SURE if given is None else float(given)
    except ValueError:
        why = "is not a probability from 0.5 to 1."
        raise BadInput("bad_argument", name="threshold", value=given, why=why) from None
    threshold_bits(threshold)
    return {"threshold": threshold, "is_trial": bool(args.get("is_trial"))}


def match(
    workspace: Workspace, hold: Any, args: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """How many records were compared, and what is suggested now; of a trial, what would be."""
    sure_bits = threshold_bits(args["threshold"])
    seen(workspace, "match")
    registry = Registry(workspace)
    with workspace.view() as view:
        rules = registry.ruled(view)[0]
        evidence, people = registry.supposed(view, has_suggestions=False)
    held = records(workspace, evidence, people, progress)
    progress(0.5)
    found = suggest(evidence, people, rules, held, sure_bits)
    if not args["is_trial"]:
        with hold():
            said = in_force(decided(workspace.state))
            queue.renew(workspace.state, found, {*said.together, *said.apart})
    progress(1.0)
    sure = sum(one.is_sure for one in found)
    counts = {"records": len(held.rows), "suggested": len(found), "sure": sure}
    return {**counts, "open": len(found) - sure, **args}


def review(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> Iterator[bytes]:
    """JSON lines of suggestions, the most likely first. `status`: open (default), sure, accepted,
    rejected or all; `limit`.
    """
    wanted = args.get("status") or "open"
    if wanted not in (*STATUSES, "all"):
        why = f"is not one of {', '.join((*STATUSES, 'all'))}."
        raise BadInput("bad_argument", name="status", value=wanted, why=why)
    most = arguments.limit(args["limit"]) if args.get("limit") else SHOWN
    said = in_force(decided(workspace.state))
    told = [(one, _status(one, said)) for one in queue.standing(workspace.state)]
    chosen = [(one, status) for one, status in told if wanted in (status, "all")][:most]
    seen(workspace, "suggestions")
    with workspace.view() as view:
        people = registry.at(view)
    for one, status in chosen:
        yield msgspec.json.encode(_shown(workspace, people, one, status)) + b"\n"


def answer(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> dict[str, Any]:
    """Accepts or rejects a suggestion: {"suggestion", "status", "decision"}."""
    said = msgspec.convert(args, Answer)
    one = queue.suggestion(workspace.state, said.number)
    if one is None or said.verdict not in KINDS:
        raise NotFound("no_such_suggestion", number=said.number)
    kind = KINDS[said.verdict]
    status = {"merge": "accepted", "unmerge": "rejected"}[kind]
    if _status(one, in_force(decided(workspace.state))) == status:
        raise BadInput("suggestion_answered", number=said.number, status=status)
    with workspace.view() as view:
        people = registry.at(view)
    nodes = identity.shown_nodes(workspace, people, one.couple)
    if any(node["person_id"] is None or node["type"] is None for node in nodes):
        raise NotFound("no_such_suggestion", number=said.number)
    names = [f"{node['type']}:{node['value']}" for node in nodes]
    more = {"reason": said.reason, "author": said.author, "is_to_stay": True}
    told = identity.decide(workspace, registry, {"kind": kind, "names": names, **more})
    return {"suggestion": one.id, "status": status, "decision": told["decision"]}


def _status(one: Suggestion, said: Decisions) -> str:
    if one.couple in said.together:
        return "accepted"
    if one.couple in said.apart:
        return "rejected"
    return "sure" if one.is_sure else "open"


def _shown(workspace: Workspace, people: PersonMap, one: Suggestion, status: str) -> dict[str, Any]:
    """Both sides in clear, side by side: somebody has to judge them."""
    sides = identity.shown_nodes(workspace, people, one.couple)
    for side, node in zip(sides, one.couple, strict=True):
        side["traits"] = _traits(workspace, people, node, side["person_id"])
    return {
        "suggestion": one.id,
        "status": status,
        "probability": round(1 / (1 + 2**-one.weight), 6),
        "weight": one.weight,
        "is_one_person": sides[0]["person_id"] == sides[1]["person_id"] is not None,
        "sides": sides,
        "bits": one.bits,
        "model": one.model,
        "at": clock.iso(one.known_at_us),
    }


def _traits(
    workspace: Workspace, people: PersonMap, node: bytes, person_id: str | None
) -> dict[str, Any]:
    """What its own rows said; of one that no traits came with, what is known of the person."""
    found = ProfileRules.held(workspace).in_force([node], clear_traits(workspace, [node]))
    if found or person_id is None:
        return {name: one.value for name, one in found.items()}
    person = people.person_of([node])[0]
    return {} if person is None else traits_of(workspace, people, person)
