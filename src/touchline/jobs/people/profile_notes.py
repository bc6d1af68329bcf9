"""Tags and owner of a customer, set and unset by the staff, with who did it.

A person_id stands for the identifier it was made of, as in decisions. The audit log says that
somebody was tagged and by whom; with which words stands in the row itself, which goes when the
person is erased.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from touchline import clock
from touchline.errors import BadInput
from touchline.identity.people import Registry
from touchline.identity.profile import find_node
from touchline.identity.profile_notes import Kind, Note, Written, holding, written
from touchline.jobs.audited import done
from touchline.jobs.people.identity import line
from touchline.storage.audit import actor_of
from touchline.storage.workspace import Workspace

__all__ = ["LONGEST_TAG", "note", "shown", "shown_each"]

LONGEST_TAG, LONGEST_NAME = 100, 200
MOST = 100  # tags of one person, and of one request
Row = tuple[bytes, Kind, str, bool]


class Wanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be noted of `person`. `owner`: "" for nobody any more."""

    person: str
    tags: list[str] = []
    untag: list[str] = []
    owner: str | None = None
    author: str | None = None


def note(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> dict[str, Any]:
    """Sets and unsets; tells what holds then. What holds already is not written again."""
    wanted = msgspec.convert(args, Wanted)
    actor = actor_of(workspace.principal)
    author = line("author", wanted.author or actor, LONGEST_NAME)
    tags, untag = (_tags(name, getattr(wanted, name)) for name in ("tags", "untag"))
    both = sorted(set(tags) & set(untag))
    if both:
        raise BadInput("bad_argument", name="untag", value=both[0], why="is in tags as well.")
    owner = wanted.owner and line("owner", wanted.owner, LONGEST_NAME)
    with workspace.view() as view:
        people = registry.at(view)
        node = find_node(workspace, people, wanted.person)
        person = int(people.people.person[node])
        nodes, named = people.node_ids(person), people.known.node_id(node)
        if people.is_quarantined(person):
            raise BadInput("value_held_back", name=wanted.person)
        person_id = people.person_ids[person]
    held = _held(workspace, nodes)
    rows = [*_tagging(held, named, tags, untag), *_owning(held, named, owner)]
    if len({one.value for one in held if one.kind == "tag"} | set(tags)) > MOST:
        why = f"would make more than {MOST} tags."
        raise BadInput("bad_argument", name="tags", value=tags[0], why=why)
    if rows:
        statements = written(workspace.state, rows, author)
        count = sum(row[3] for row in rows)
        done(
            workspace,
            "person.note",
            *statements,
            person_id=person_id,
            set=count,
            unset=len(rows) - count,
        )
    return {"person_id": person_id, **shown(workspace, nodes)}


def shown(workspace: Workspace, nodes: Sequence[bytes]) -> dict[str, Any]:
    """`tags` and `owner` of a person, each with who set it and when, as whoever asks may see it."""
    return _seen(workspace, Written.of(_held(workspace, nodes)))


def shown_each(
    workspace: Workspace, persons: Mapping[int, Sequence[bytes]]
) -> dict[int, dict[str, Any]]:
    """The same of many, each as the node ids that are theirs."""
    held = holding(workspace.state, {node for nodes in persons.values() for node in nodes})
    return {
        person: _seen(workspace, Written.of(one for node in nodes for one in held.get(node, ())))
        for person, nodes in persons.items()
    }


def _seen(workspace: Workspace, found: Written) -> dict[str, Any]:
    sees = workspace.principal.mask
    tags = found.tags if sees("tags") == "full" else ()
    owner = found.owner if sees("owner") == "full" else None
    return {
        "tags": [_shown("tag", one) for one in tags],
        "owner": _shown("owner", owner) if owner else None,
    }


def _shown(name: str, one: Note) -> dict[str, str]:
    return {name: one.value, "author": one.author, "at": clock.iso(one.at_us)}


def _held(workspace: Workspace, nodes: Sequence[bytes]) -> list[Note]:
    return [one for own in holding(workspace.state, nodes).values() for one in own]


def _tags(name: str, given: Sequence[str]) -> list[str]:
    if len(given) > MOST:
        raise BadInput("bad_argument", name=name, value=len(given), why=f"are more than {MOST}.")
    return list(dict.fromkeys(line(name, one, LONGEST_TAG) for one in given))


def _tagging(
    held: Sequence[Note], named: bytes, tags: Sequence[str], untag: Sequence[str]
) -> list[Row]:
    known = {one.value for one in held if one.kind == "tag"}
    new: list[Row] = [(named, "tag", tag, True) for tag in tags if tag not in known]
    old = [one for one in held if one.kind == "tag" and one.value in untag]
    return new + [(one.node_id, "tag", one.value, False) for one in old]


def _owning(held: Sequence[Note], named: bytes, owner: str | None) -> list[Row]:
    """A new owner ends the others' care of this person, on whichever identifier it was written."""
    if owner is None:
        return []
    old = [one for one in held if one.kind == "owner" and one.value != owner]
    ended: list[Row] = [(one.node_id, "owner", one.value, False) for one in old]
    is_known = any(one.kind == "owner" and one.value == owner for one in held)
    return ended if not owner or is_known else [*ended, (named, "owner", owner, True)]
