"""What operators decide of people: tried, told with all it changes, and put down.

    merge A B   unmerge A B   block V   unblock V   undo N

A name is a person_id, `type:value` or a value. A decision is about identifiers: a person_id means
the one that it was made of, so that ids of before a merge still tell the two apart.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from touchline import clock
from touchline.collect.nodes import clear_values
from touchline.errors import BadInput, NotFound
from touchline.identity.around.carried import carried
from touchline.identity.around.nearby import Judged
from touchline.identity.around.nearby import judged as judge
from touchline.identity.around.proof import Proof
from touchline.identity.change import Differences
from touchline.identity.decisions import (
    Decision,
    Overtaken,
    decided,
    holding,
    newest,
    record,
    supposing,
)
from touchline.identity.evidence import MANUAL
from touchline.identity.kruskal import APART
from touchline.identity.people import PersonMap, Registry, Ruling
from touchline.identity.profile import find_node
from touchline.identity.quarantine import BY_HAND, FREE
from touchline.identity.rules import Rules
from touchline.jobs.audited import seen
from touchline.model import IDENTIFIER_TYPES
from touchline.storage.audit import actor_of
from touchline.storage.engine import View
from touchline.storage.workspace import Workspace

__all__ = ["MAX_REASON", "changed", "decide", "decisions", "line", "shown_nodes"]

MAX_REASON = 1000
MAX_NAME = 600  # a type and the longest identifier
LAST = 2**62  # a number behind all others
MOST_CHANGES = 100
Shown = dict[str, Any]


class Wanted(Struct, frozen=True, kw_only=True):
    """What is to be decided. `names`: two to merge and unmerge, one to block and unblock.
    `is_to_stay`: also if it is so already.
    """

    kind: str
    reason: str
    names: tuple[str, ...] = ()
    undoes: int | None = None
    author: str | None = None
    is_trial: bool = False
    is_to_stay: bool = False


def decide(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> Shown:
    """Puts a decision down and tells what it changes; of a trial, what it would.

    Raises BadInput for what would change nothing, or cannot be done, with the rule that forbids it.
    """
    wanted = msgspec.convert(args, Wanted)
    author = line("author", wanted.author or actor_of(workspace.principal), 200)
    reason = line("reason", wanted.reason, MAX_REASON)
    wanted = msgspec.structs.replace(wanted, author=author, reason=reason)
    while True:
        with workspace.view() as view, suppress(Overtaken):
            return _decided(workspace, registry, view, wanted)


def _decided(workspace: Workspace, registry: Registry, view: View, wanted: Wanted) -> Shown:
    """The same, by the decisions there are at its start. Raises Overtaken if more were made."""
    last, made = newest(workspace.state), decided(workspace.state)
    rules, standing = registry.ruled(view)
    now = supposing(standing, made)
    before = registry.at(view, (rules, now))
    at = [find_node(workspace, before, line("name", name, MAX_NAME)) for name in wanted.names]
    _check_sense(before, wanted, at, made)
    about = [before.known.node_id(node) for node in at]
    one = _decision(wanted, about)
    then = supposing(standing, [*made, one])
    if wanted.kind == "unmerge" and (merge := _merged(view, before, (rules, then), at, made)):
        raise BadInput("joined_by_hand", a=wanted.names[0], b=wanted.names[1], number=merge.id)
    judged = judge(registry, view, before, (rules, now, then), _concerned(one, made))
    if wanted.kind == "merge":
        _check_whole(before, judged, wanted, at, rules)
    told = {
        "decision": None,
        "kind": wanted.kind,
        "about": shown_nodes(workspace, before, about),
        "undoes": wanted.undoes,
        "author": one.author,
        "reason": one.reason,
        "is_trial": wanted.is_trial,
        **changed(Differences(before, judged.people), MOST_CHANGES),
    }
    if not wanted.is_trial:
        told["decision"] = record(
            workspace.state,
            wanted.kind,
            about=about,
            undoes=wanted.undoes,
            author=one.author,
            reason=one.reason,
            after=last,
        )
        registry.keep(view, judged.people, (rules, then))
    return told


def changed(found: Differences, most: int) -> Shown:
    """Counts of what is different, and the changes that move most values."""
    return {
        "persons_before": _count(found.before),
        "persons_after": _count(found.after),
        **found.counts,
        "changes": [one._asdict() for one in found.changes(most, of_persons=True)],
    }


def _count(people: PersonMap) -> int:
    """Persons; a shared value alone is nobody."""
    held = people.people.quarantine.held[people.people.anchor]
    return len(held) - int(held.sum())


def decisions(workspace: Workspace, registry: Registry, _args: dict[str, Any]) -> Iterator[bytes]:
    """JSON lines of all that was ever decided, the newest first."""
    seen(workspace, "decisions")
    made = decided(workspace.state)
    held = holding(made)
    with workspace.view() as view:
        people = registry.at(view)
    nodes = [node for one in made for node in (one.a, one.b) if node is not None]
    known = dict(zip(nodes, shown_nodes(workspace, people, nodes), strict=True))
    for one in reversed(made):
        shown = {
            "decision": one.id,
            "kind": one.kind,
            "about": [known[node] for node in (one.a, one.b) if node is not None],
            "undoes": one.undoes,
            "author": one.author,
            "reason": one.reason,
            "at": clock.iso(one.known_at_us),
            "is_in_force": one.id in held,
        }
        yield msgspec.json.encode(shown) + b"\n"


def shown_nodes(workspace: Workspace, people: PersonMap, nodes: Sequence[bytes]) -> list[Shown]:
    """`{"type", "value", "person_id"}` of each; what was erased has no value."""
    clear = clear_values(workspace, nodes)
    found: list[Shown] = []
    for node, person in zip(nodes, people.person_of(list(nodes)), strict=True):
        known = clear.get(node)
        found.append(
            {
                "type": known.type if known else None,
                "value": known.value if known else None,
                "person_id": None if person is None else people.person_ids[person],
            }
        )
    return found


def line(name: str, text: str, longest: int) -> str:
    """What somebody wrote, fit to be shown on one line."""
    text = text.strip()
    if not text or len(text) > longest or not text.isprintable():
        why = f"must be one line of 1 to {longest} characters."
        raise BadInput("bad_argument", name=name, value=text[:80], why=why)
    return text


def _decision(wanted: Wanted, about: Sequence[bytes]) -> Decision:
    """As it will stand behind all others."""
    a, b = (*about, None, None)[:2]
    author, reason = wanted.author or "", wanted.reason
    return Decision(LAST, wanted.kind, a, b, wanted.undoes, author, reason, clock.now_us())


def _check_sense(
    people: PersonMap, wanted: Wanted, at: Sequence[int], made: Sequence[Decision]
) -> None:
    """What would change nothing is a slip of whoever asked."""
    if wanted.kind == "undo":
        _check_undo(wanted.undoes, made)
    elif wanted.kind in ("merge", "unmerge"):
        _check_pair(people, wanted, at)
    elif (cause := people.people.quarantine.cause[at[0]]) == BY_HAND and wanted.kind == "block":
        raise BadInput("already_blocked", name=wanted.names[0])
    elif cause == FREE and wanted.kind == "unblock":
        raise BadInput("not_held_back", name=wanted.names[0])


def _check_undo(number: int | None, made: Sequence[Decision]) -> None:
    if all(one.id != number for one in made):
        raise NotFound("no_such_decision", number=number)
    undo = Decision(LAST, "undo", None, None, number, "", "", 0)
    if holding([*made, undo]) == holding(made):
        raise BadInput("decision_not_in_force", number=number)


def _check_pair(people: PersonMap, wanted: Wanted, at: Sequence[int]) -> None:
    a, b = wanted.names
    if at[0] == at[1]:
        raise BadInput("same_value", a=a, b=b)
    is_one = people.people.person[at[0]] == people.people.person[at[1]]
    if wanted.is_to_stay and is_one == (wanted.kind == "merge"):
        return
    if is_one and wanted.kind == "merge":
        raise BadInput("already_one_person", a=a, b=b)
    if not is_one and wanted.kind == "unmerge":
        raise BadInput("not_one_person", a=a, b=b)
    for name, node in zip(wanted.names, at, strict=True):
        if people.people.quarantine.held[node]:
            raise BadInput("value_held_back", name=name)


def _merged(
    view: View, before: PersonMap, ruled: Ruling, at: Sequence[int], made: Sequence[Decision]
) -> Decision | None:
    """A merge by hand that stands between two, `ruled` as if they were set apart, which replaces a
    merge of the very two. Evidence of rows can be let go. Such a merge would stay, being believed
    before all else, and tear off what an event said.
    """
    rules, then = ruled
    nodes = before.members(int(before.people.person[at[0]]))
    ids = {before.known.node_id(node) for node in nodes}
    if not any(ids.issuperset(couple) for couple in then.together):
        return None
    proof = Proof.of(before.known, nodes, carried(view, sorted(ids)), rules=rules, decisions=then)
    first, second = (before.known.node_id(node) for node in at)
    hops = proof.chain(first, second, ids)
    by_hand = [{hop.start, hop.end} for hop in hops if hop.kind == MANUAL]
    held = holding(made)
    standing = (one for one in reversed(made) if one.id in held and {one.a, one.b} in by_hand)
    return next(standing, None)


def _concerned(one: Decision, made: Sequence[Decision]) -> tuple[bytes, ...]:
    """The values that a decision is about; of an undo, what was decided of first."""
    by_number = {other.id: other for other in made}
    while one.undoes is not None:
        one = by_number[one.undoes]
    return tuple(node for node in (one.a, one.b) if node is not None)


def _check_whole(
    before: PersonMap, judged: Judged, wanted: Wanted, at: Sequence[int], rules: Rules
) -> None:
    """Two persons become one whole, or what stands against it is told. A decision is believed
    before all else: such a merge would hold, and tear off what an event said.
    """
    evidence, people = judged.evidence, judged.found
    nodes = [node for one in at for node in before.members(int(before.people.person[one]))]
    both = evidence.find([before.known.node_id(node) for node in nodes])
    if len(set(people.person[both].tolist())) == 1:
        return
    a, b = wanted.names
    ends = evidence.a[people.refused], evidence.b[people.refused]
    inside = np.isin(ends[0], both) & np.isin(ends[1], both)
    against = people.limit[inside & (people.person[ends[0]] != people.person[ends[1]])]
    if not len(against):
        raise BadInput("may_not_be_linked", a=a, b=b)
    if against[0] == APART:
        raise BadInput("merge_set_apart", a=a, b=b)
    kind, limit = IDENTIFIER_TYPES[against[0]], rules.limits[against[0]]
    raise BadInput("merge_over_limit", a=a, b=b, limit=limit, type=kind)
