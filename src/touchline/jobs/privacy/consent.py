"""A person's consent, shown and answered for: what commands, the API and the preference page share.

An answer is a job, for it is also an event, and is written for all of the person's identifiers.
What surprises is how far a yes reaches. It is for those of persons; the no of a device of theirs is
only lifted. Who refused to be linked fell apart into single identifiers, and a yes of one of them
puts the person together again: those that said this no with it, and are theirs without it.
"""

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any

import msgspec

from touchline import clock
from touchline.collect.consent_rules import LINKING
from touchline.collect.nodes import clear_values
from touchline.errors import BadInput
from touchline.identity.consent import permissions_told
from touchline.identity.people import Registry, person_map
from touchline.identity.profile import find_person
from touchline.jobs import arguments, job
from touchline.jobs.audited import done, seen
from touchline.jobs.definitions import consent_rules
from touchline.jobs.intake.store import Arrival
from touchline.jobs.intake.writer import Writer
from touchline.model import BASES, LIFTED, TYPE_RANK, Consent, Event, Said
from touchline.storage.consent import (
    ledger,
    of_acts,
    refusals,
    shown_text,
    text_hash,
    texts,
    written,
)
from touchline.storage.engine import View
from touchline.storage.principal import ADMIN
from touchline.storage.workspace import Workspace

__all__ = ["Answer", "Wanted", "answer", "record", "shown", "take", "wanted"]

UPDATED, TOLD = "Consent Updated", "Preferences Told"
SOURCE = "preferences"  # of the events that answers are
PATIENCE_S = 30.0
_DEVICES = TYPE_RANK["anonymous_id"]


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer as an operator gives it for somebody. `text`: the words that were read."""

    purpose: str
    granted: bool
    channel: str = ""
    basis: str = "consent"
    text: str | None = None
    locale: str | None = None
    at: str | None = None
    reason: str | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the job gets: whose, by one of their identifiers (what was typed lies in no job), and
    what. `is_recorded`: an operator said it for them. `told`: sealed, for what people tell of
    themselves lies in no job in clear.
    """

    act: bytes
    said: tuple[Said, ...]
    source: str
    node: bytes
    is_recorded: bool = False
    told: bytes = b""


def shown(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> dict[str, Any]:
    """What one person agreed to and refused, row by row, and what that comes to."""
    with workspace.view() as view:
        people = registry.at(view)
        person = find_person(workspace, people, args["person"])
        nodes, person_id = people.node_ids(person), people.person_ids[person]
    seen(workspace, "consent", person_id)
    rows = ledger(workspace.state, nodes)
    words = shown_text(workspace.state, {row.text for row in rows if row.text})
    clear, language = clear_values(workspace, nodes), args.get("language") or "en"
    return {
        "person_id": person_id,
        "permissions": permissions_told(workspace, nodes, language),
        "ledger": [
            {
                "identifier": msgspec.structs.asdict(clear[row.node])
                if row.node in clear
                else None,
                "purpose": row.purpose,
                "channel": row.channel or None,
                "granted": row.is_granted,
                "basis": row.basis,
                "text": words.get(row.text or ""),
                "text_hash": row.text,
                "locale": row.locale,
                "source": row.source,
                "at": clock.iso(row.at_us) if row.at_us else None,
                "known_at": clock.iso(row.known_at_us),
            }
            for row in rows
        ],
    }


def wanted(
    workspace: Workspace, registry: Registry, person: str, given: Wanted, author: str
) -> dict[str, Any]:
    """An operator's answer, checked, as arguments of the job."""
    asked = consent_rules(workspace).purpose(given.purpose)
    if given.channel and given.channel not in asked.channels:
        known = ", ".join(asked.channels) or "none"
        why = f"is no channel of {asked.name}; known are {known}."
        raise BadInput("bad_argument", name="channel", value=given.channel[:80], why=why)
    if given.basis not in BASES:
        why = f"is none of {', '.join(BASES)}."
        raise BadInput("bad_argument", name="basis", value=given.basis[:80], why=why)
    with workspace.view() as view:  # who it is, not who asks for it
        people = registry.at(view)
        node = people.node_ids(find_person(workspace.seen_by(ADMIN), people, person))[0]
    at_us = arguments.moment(given.at, "at", workspace.time_zone) if given.at else clock.now_us()
    locale = given.locale if given.locale in ("en", "zh") else "en"
    if given.text:
        workspace.state.write(texts(workspace.state, [(given.text, locale)]))
    said = Said(
        purpose=given.purpose,
        channel=given.channel,
        is_granted=given.granted,
        basis=given.basis,
        text=text_hash(given.text, locale) if given.text else None,
        locale=given.locale,
        at_us=min(at_us, clock.now_us()),
    )
    source = f"operator:{author}" + (f" {given.reason}" if given.reason else "")
    return msgspec.to_builtins(
        Answer(
            act=secrets.token_bytes(16),
            said=(said,),
            source=source[:220],
            node=node,
            is_recorded=True,
        )
    )


def record(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> Any:
    """The same, done: what the API asks for."""
    given = msgspec.convert(args["wanted"], Wanted)
    made = wanted(workspace, registry, args["person"], given, args["author"])
    number = job.submit(workspace.state, "consent", made)
    return job.told(workspace.state, number, patience_s=PATIENCE_S)


def answer(args: Mapping[str, Any]) -> Answer:
    return msgspec.convert(args, Answer)


def take(writer: Writer, args: dict[str, Any]) -> dict[str, Any]:
    """The job: rows for every identifier of the person, and the events. Safe to repeat."""
    workspace, registry, given = writer.workspace, writer.registry, answer(args)
    with workspace.view() as view:
        people = registry.around(view, [given.node])
        (person,) = people.person_of([given.node])
        own = [given.node] if person is None else people.node_ids(person)
        known = people.known
        found = zip(own, known.find(own).tolist(), strict=True)
        ranks = {node: int(known.rank[at]) if at >= 0 else 0 for node, at in found}
        joins = any(one.is_granted and one.purpose == LINKING for one in given.said)
        others = _set_free(workspace, registry, view, own) if joins else frozenset[bytes]()
    rows = list(_rows(workspace, given, ranks, others))
    statements = written(workspace.state, rows)
    if not given.is_recorded:
        workspace.state.write(*statements)
    else:
        about = [msgspec.to_builtins(one) for one in given.said]
        done(workspace, "consent.record", *statements, said=about)
    writer.store.store([*_events(workspace, given, own[0])])
    return {"rows": len(rows)}


def _set_free(
    workspace: Workspace, registry: Registry, view: View, own: Sequence[bytes]
) -> frozenset[bytes]:
    """Identifiers that refuse to be linked by an act of this person, and would be theirs again."""
    state = workspace.state
    acts = {row.act for row in ledger(state, own) if row.purpose == LINKING and not row.is_granted}
    said = (row for row in ledger(state, of_acts(state, acts)) if row.purpose == LINKING)
    apart = {node for node, row in refusals(said).items() if row.act in acts}
    if apart <= {*own}:
        return frozenset()
    rules, now = registry.ruled(view)
    unlinked = tuple(node for node in now.unlinked if node not in apart)
    people = person_map(view, rules, replace(now, unlinked=unlinked))
    theirs = {*people.person_of([*own])} - {None}
    others = sorted(apart - {*own})
    found = zip(others, people.person_of(others), strict=True)
    return frozenset(node for node, person in found if person in theirs)


def _rows(
    workspace: Workspace, given: Answer, ranks: Mapping[bytes, int], others: Collection[bytes]
) -> Iterator[Consent]:
    """`ranks`: of their identifiers. `others`: those that agree to be linked with them."""
    now = clock.now_us()
    before = ledger(workspace.state, ranks)
    persons = {node for node, rank in ranks.items() if rank < _DEVICES} or {*ranks}
    for said in given.said:
        lifted: set[bytes] = set()
        if said.is_granted:
            lifted = {r.node for r in before if r.purpose == said.purpose and not r.is_granted}
            lifted = lifted - persons | {*(others if said.purpose == LINKING else ())}
        for node in sorted(persons | lifted if said.is_granted else ranks):
            one = msgspec.structs.replace(said, basis=LIFTED) if node in lifted else said
            at_us = now if said.at_us is None else said.at_us
            yield one.row(node, act=given.act, source=given.source, at_us=at_us, known_at_us=now)


def _events(workspace: Workspace, given: Answer, node: bytes) -> Iterable[Arrival]:
    """The answer in the person's timeline; of an erased one there is none."""
    who = clear_values(workspace, [node]).get(node)
    if who is None:
        return
    names = {f"{one.purpose}{'.' if one.channel else ''}{one.channel}": one for one in given.said}
    told = msgspec.json.decode(workspace.vault.open(given.told, b"told")) if given.told else {}
    at_us = next((one.at_us for one in given.said if one.at_us), None) or clock.now_us()
    purposes = {"purposes": {name: one.is_granted for name, one in names.items()}}
    for name, properties, traits in ((UPDATED, purposes, {}), (TOLD, {"told": sorted(told)}, told)):
        if (name == UPDATED and names) or (name == TOLD and told):
            content = msgspec.json.encode([name, properties, traits])
            event = Event(
                source=SOURCE,
                message_id=f"{given.act.hex()}-{name.split()[0].lower()}",
                type="track",
                name=name,
                ts_us=at_us,
                received_us=clock.now_us(),
                identifiers=(who,),
                content_hash=blake2b(content, digest_size=16).digest(),
                properties=properties,
                context={"consent": {"source": given.source.partition(" ")[0]}},
                traits=traits,
                told=tuple(traits),
            )
            yield Arrival(event, {"event": name, **properties})
