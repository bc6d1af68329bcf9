"""Everything known of one person, on one page; and what is computed of everybody.

For one person the questions about all are asked of a view narrowed to what may count for them: the
events filed under their identifiers, and every row of the orders they had a part in. So a number on
the page is the number that an export has, by construction.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute

from touchline import clock
from touchline.collect.nodes import Trait, clear_traits
from touchline.identity.card import card
from touchline.identity.consent import permissions_told
from touchline.identity.person_map import PersonMap
from touchline.identity.profile import export_people
from touchline.identity.profile_rules import ProfileRules
from touchline.identity.speaker import Speakers
from touchline.identity.timeline import events_of
from touchline.jobs.definitions import goals_of, in_force
from touchline.jobs.people import profile_notes
from touchline.journey.computed import Asked, computed
from touchline.journey.goal import DEFAULT
from touchline.journey.member_stage import stage_of
from touchline.journey.profile_spec import profile_spec
from touchline.journey.ticket import open_tickets
from touchline.storage.columns import CONVERSIONS, EVENTS
from touchline.storage.engine import View
from touchline.storage.mentions import ids_in
from touchline.storage.workspace import Workspace

__all__ = ["Facts", "export", "facts_of_all", "facts_of_one", "profile"]

AT_ONCE = 2_000
EMPTY: Any = {"promote_options": "default"}  # what one of two tables lacks is null
pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker


class Facts:
    """What is computed of the persons of a view: their traits, stage and open tickets."""

    def __init__(self, workspace: Workspace, view: View, speakers: Speakers) -> None:
        goals = {goal.name: goal for goal in (DEFAULT, *goals_of(workspace))}
        self._spec = profile_spec(in_force(workspace), tuple(goals))
        now_us = clock.now_us() if view.as_of_us is None else view.as_of_us
        asked = Asked(self._spec.facts, goals, workspace.currency, now_us)
        self._computed = computed(view, speakers, asked)
        self._tickets = open_tickets(view, speakers, self._spec.tickets, now_us)
        self._sees = workspace.principal.mask

    def of(self, person_ix: int) -> dict[str, Any]:
        """`stage`, `computed` (the site's own traits), `facts` (the rest) and `tickets`."""
        values = self._computed.of(person_ix)
        stage = stage_of(self._spec.stages, values)
        own = {trait.name for trait in self._spec.own}
        told = {
            trait.name: {"value": values[trait.name], "type": trait.gives}
            for trait in self._spec.facts
            if self._sees(trait.name) == "full"
        }
        return {
            "stage": {"name": stage.name, "title": stage.title or stage.name}
            if stage and self._sees("stage") == "full"
            else None,
            "computed": {name: one for name, one in told.items() if name in own},
            "facts": {name: one["value"] for name, one in told.items() if name not in own},
            "tickets": [one.shown() for one in self._tickets.get(person_ix, ())],
        }


def facts_of_all(workspace: Workspace, view: View, people: PersonMap) -> Facts:
    """Of everybody, by a few queries for all of them."""
    return Facts(workspace, view, people.speakers(view))


def facts_of_one(
    workspace: Workspace, view: View, people: PersonMap, person_ix: int
) -> dict[str, Any]:
    """The same of one person; nothing of a value that is nobody's: its rows are beyond number."""
    is_nobody = people.is_quarantined(person_ix)
    part = _nothing(view) if is_nobody else _narrowed(view, people, person_ix)
    found = Facts(workspace, part, _speakers(view, part, people)).of(person_ix)
    return found | ({"stage": None} if is_nobody else {})


def profile(
    workspace: Workspace, view: View, people: PersonMap, person_ix: int, language: str = "en"
) -> dict[str, Any]:
    """All of it: what `touchline people show` prints."""
    nodes, rules = people.node_ids(person_ix), ProfileRules.held(workspace)
    traits = rules.in_force(nodes, clear_traits(workspace, nodes))
    notes = profile_notes.shown(workspace, nodes)
    return {
        **card(workspace, people, view, person_ix, traits=traits),
        "traits_from": {name: _from(rules, one) for name, one in traits.items()},
        **facts_of_one(workspace, view, people, person_ix),
        "tags": notes["tags"],
        "owner": notes["owner"] or _owner(rules, traits),
        "consent": permissions_told(workspace, nodes, language),
    }


def export(workspace: Workspace, view: View, people: PersonMap) -> Iterator[dict[str, Any]]:
    """A line of everybody: `export_people`, and what is computed and noted of them."""
    facts = facts_of_all(workspace, view, people)
    rules = ProfileRules.held(workspace)
    everybody = zip(people.somebody(), export_people(workspace, people), strict=True)
    while portion := list(itertools.islice(everybody, AT_ONCE)):
        nodes = {person: people.node_ids(person) for person, _ in portion}
        notes = profile_notes.shown_each(workspace, nodes)
        for person, line in portion:
            found, noted = facts.of(person), notes[person]
            owner = noted["owner"]["owner"] if noted["owner"] else None
            yield {
                **line,
                "stage": found["stage"] and found["stage"]["name"],
                "computed": {name: one["value"] for name, one in found["computed"].items()},
                "tags": [one["tag"] for one in noted["tags"]],
                "owner": owner or line["traits"].get(rules.owner_trait),
            }


def _from(rules: ProfileRules, one: Trait) -> dict[str, str]:
    return {
        "source": one.source,
        "party": rules.party(one.source, is_told=one.is_told),
        "at": clock.iso(one.ts_us),
    }


def _owner(rules: ProfileRules, traits: Mapping[str, Trait]) -> dict[str, Any] | None:
    """As another system says it, where nobody was set by hand."""
    one = traits.get(rules.owner_trait)
    if one is None or not one.value:
        return None
    return {"owner": one.value, "author": one.source, "at": clock.iso(one.ts_us)}


def _nothing(view: View) -> View:
    return view.narrowed(events=EVENTS.empty_table(), conversions=CONVERSIONS.empty_table())


def _narrowed(view: View, people: PersonMap, person_ix: int) -> View:
    events = events_of(view.files.by_node, view, people, person_ix)
    nodes = [people.known.node_id(node) for node in people.members(person_ix)]
    stated = view.files.rows_naming("conversions", nodes, ["conversion_id", "node_ids"])
    orders = set(events["order_id"].to_pylist()) | set(stated["conversion_id"].to_pylist())
    orders.discard(None)
    conversions = CONVERSIONS.empty_table()
    if orders:
        # Whoever tells of an order may change what it is worth, and whose it is.
        every = view.table("conversions")
        conversions = view.fetch(every.filter(every.conversion_id.isin(sorted(orders))))
        every = view.events(*EVENTS.names)
        told = view.fetch(every.filter(every.order_id.isin(sorted(orders)))).cast(EVENTS)
        known = pc.is_in(events["event_id"], value_set=told["event_id"].combine_chunks())
        events = pa.concat_tables([told, events.filter(pc.invert(known))], **EMPTY)
    return view.narrowed(events=events, conversions=conversions)


def _speakers(view: View, part: View, people: PersonMap) -> Speakers:
    """Of the identifiers in the rows of a part, which are few."""
    ids: set[bytes] = set()
    for rows in part.own_rows.values():
        ids |= set(pc.unique(ids_in(rows)).to_pylist())
    at = people.known.find(sorted(ids))
    nodes = people.nodes.take(pa.array(at[at >= 0]))
    is_shared = bool(pc.any(nodes["is_shared_device"]).as_py())
    return Speakers.given(part, nodes, people.stays(view) if is_shared else None)
