"""Somebody asked what is stored of them → all of it in clear, as one ZIP of JSON and CSV files.

`manifest.json` names the tables with their rows and the SHA-256 of each file. Times are ISO, money
is in minor units beside its currency, as everywhere. What surprises: of an event that others share
a cookie with them for, only what they are the person of is theirs, as in their timeline.
"""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

import msgspec
import sqlalchemy as sa

from touchline import clock
from touchline.collect.nodes import clear_traits
from touchline.identity.people import Registry
from touchline.identity.person import person_id as id_of
from touchline.identity.person_map import PersonMap
from touchline.identity.profile import find_person, identifiers_of
from touchline.identity.profile_rules import ProfileRules
from touchline.identity.speaker import with_person
from touchline.jobs.audited import done
from touchline.jobs.intake.account import open_payload
from touchline.jobs.intake.rejected import identifiers_in
from touchline.jobs.privacy.erase_map import theirs
from touchline.jobs.queries import timeline
from touchline.storage import schema
from touchline.storage.engine import View
from touchline.storage.workspace import Workspace
from touchline.text import disarmed

__all__ = ["bundle", "export"]

OWN = ("node", "trait")  # opened, under names of their own
HIDDEN = ("seq", "node_ids", "known_at_us", "content_hash", "person_ix", "map_version", "device")
Rows = list[dict[str, Any]]


def bundle(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> Iterator[bytes]:
    """The ZIP of `person`."""
    yield export(workspace, registry, args["person"])


def export(workspace: Workspace, registry: Registry, name: str) -> bytes:
    """All that is stored of a person. Raises NotFound or Ambiguous."""
    with workspace.view() as view:
        people = registry.at(view)
        person = find_person(workspace, people, name)
        person_id = people.person_ids[person]
        done(workspace, "person.export", person_id=person_id)
        tables = _lake(view, people, person)
        known: Rows = [dict(one) for one in identifiers_of(workspace, people, person)]
    nodes = people.node_ids(person)
    told = timeline(workspace, registry, {"person": person_id})["events"]
    tables |= {
        "identifiers": known,
        "traits": _traits(workspace, nodes),
        "events": [msgspec.json.decode(event) for event in told],
        "rejects": _rejects(workspace, frozenset(nodes)),
        **_state(workspace, nodes),
    }
    return _zipped(person_id, tables)


def _lake(view: View, people: PersonMap, person: int) -> dict[str, Rows]:
    """Rows of imports; events are those of the timeline."""
    speakers = people.speakers(view)
    found: dict[str, Rows] = {}
    for name in ("conversions", "people"):
        rows = with_person(view.table(name), speakers)
        mine = view.fetch(rows.filter(rows.person_ix == person).order_by("seq"))
        found[name if name != "people" else "people_rows"] = [
            {key: _plain(key, value) for key, value in row.items() if key not in HIDDEN}
            for row in mine.to_pylist()
        ]
    return found


def _traits(workspace: Workspace, nodes: Sequence[bytes]) -> Rows:
    held, rules = clear_traits(workspace, nodes).values(), ProfileRules.held(workspace)
    return [
        {
            "name": trait.name,
            "value": trait.value,
            "source": trait.source,
            "party": rules.party(trait.source, is_told=trait.is_told),
            "at": clock.iso(trait.ts_us),
        }
        for traits in held
        for trait in sorted(traits, key=lambda one: (one.name, one.source, one.is_told))
    ]


def _rejects(workspace: Workspace, nodes: frozenset[bytes]) -> Rows:
    found: Rows = []
    for row in workspace.state.stream(sa.select(schema.reject)):
        raw = open_payload(workspace, row)
        if not nodes.isdisjoint(identifiers_in(workspace, raw)):
            told = {"reason": row.reason, "source": row.source}
            told |= {
                "received_at": clock.iso(row.received_us),
                "payload": raw.decode("utf-8", "replace"),
            }
            found.append(told)
    return found


def _state(workspace: Workspace, nodes: Sequence[bytes]) -> dict[str, Rows]:
    """Rows of every other table that are theirs, by any id they ever had: consents, links …"""
    found: dict[str, Rows] = {}
    ids = [id_of(node) for node in nodes]
    for table in schema.metadata.sorted_tables:
        tests = theirs(table, nodes, ids)
        if tests and table.name not in OWN:
            names = [str(column.name) for column in table.columns]
            rows = workspace.state.read(sa.select(table).where(sa.or_(*tests)))
            listed = [
                {name: _plain(name, value) for name, value in zip(names, row, strict=True)}
                for row in rows
            ]
            if listed:
                found[str(table.name)] = listed
    return found


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if name.endswith("_us") and isinstance(value, int):
        return clock.iso(value)
    return value


def _zipped(person_id: str, tables: dict[str, Rows]) -> bytes:
    out = io.BytesIO()
    listed: list[dict[str, Any]] = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in sorted(tables.items()):
            files = {f"{name}.json": _json(rows), f"{name}.csv": _csv(rows)}
            for path, content in files.items():
                archive.writestr(path, content)
            sums = {path: sha256(content).hexdigest() for path, content in files.items()}
            listed.append({"table": name, "rows": len(rows), "sha256": sums})
        manifest = {
            "person_id": person_id,
            "made_at": clock.iso(clock.now_us()),
            "tables": listed,
        }
        archive.writestr("manifest.json", msgspec.json.format(msgspec.json.encode(manifest)))
    return out.getvalue()


def _json(rows: Rows) -> bytes:
    return msgspec.json.format(msgspec.json.encode(rows)) + b"\n"


def _csv(rows: Rows) -> bytes:
    """With a mark by which spreadsheets know UTF-8, and no cell that they would run."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return text.getvalue().encode("utf-8-sig", "surrogatepass")


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        value = msgspec.json.encode(value).decode()
    return disarmed(value)
