"""Somebody asked to be erased → they are, everywhere, and a signed receipt says so.

    asked       tombstones stand: what comes in with these identifiers is refused from now on
    planned     what is theirs has been found, while it can still be
    shredded    keys, values, traits, decisions, links, rejects are out of State
    rewritten   the lake's files that held them are replaced, its mirrors empty
    blanked     their requests in the raw log are zeros
    swept       files and pages that nobody reads any more are gone, memory has forgotten
    done        everything was searched; the receipt is signed, the plan thrown away

Each step may be done twice, and how far an erasure has come stands in State: after a crash it goes
on where it was. The clear values are known until the end, sealed, since they are searched for. One
that left something behind is not done: it rewrites, blanks and searches once more on the next day,
or when somebody asks for it again. One that failed is tried again after a minute, and each time at
the same step after twice as long, up to a day. Until the end nobody of theirs is taken in again.
"""

import functools
import gc
import re
import secrets
from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

import touchline
from touchline import clock
from touchline.collect.nodes import ORDER, TOMBSTONES, is_erased
from touchline.collect.normalise import identifier
from touchline.errors import BadInput, NotFound
from touchline.identity.mirror import forget
from touchline.identity.people import Registry, person_map
from touchline.identity.person_map import PersonMap
from touchline.identity.profile import find_person, identifiers_of
from touchline.identity.receipt import signed
from touchline.jobs import job
from touchline.jobs.audited import done
from touchline.jobs.definitions import site_of
from touchline.jobs.intake.writer import Writer
from touchline.jobs.job import Progress
from touchline.jobs.privacy import erase_lake, erase_state
from touchline.jobs.privacy.erase_plan import Plan, Reader, plan
from touchline.jobs.privacy.erase_scan import Scan, scan
from touchline.jobs.privacy.erase_words import by_itself, forms
from touchline.model import TYPE_RANK
from touchline.storage import audit, schema
from touchline.storage.frames import blank
from touchline.storage.lake import LOG
from touchline.storage.principal import ADMIN
from touchline.storage.state import Statement
from touchline.storage.workspace import Workspace

__all__ = ["ask", "erase", "erasures", "preview", "queued", "readmit", "receipt_of", "resume"]

KIND = "erase"
STEPS = ("asked", "planned", "shredded", "rewritten", "blanked", "swept", "done")
NOW_US = -clock.US  # an age that every file has
AGAIN_US = 60 * clock.US  # one that failed rests so long, then twice as long …
DOUBLINGS = 11  # … until that is more than a day

_table, _job = schema.erasure.c, schema.job.c


def ask(workspace: Workspace, registry: Registry, name: str, reason: str | None = None) -> str:
    """Shuts somebody out at once; the number of the request, for the job that does the rest. Who is
    being erased already has that request, however far it has come, and is shut out by it again.

    Raises NotFound or Ambiguous, and BadInput for a reason that names them.
    """
    try:
        found = _asked(workspace, registry, name)
    except NotFound:  # perhaps they are out of the lake, and something else still holds them
        if (begun := _begun(workspace, _readings(workspace, name))) is None:
            raise
        return _shut_out(workspace, begun)
    _check_reason(reason, found.clear)
    if (begun := _begun(workspace, [found.nodes])) is not None:
        return _shut_out(workspace, begun)
    request = secrets.token_hex(8)
    row = {
        "request_id": request,
        "asked_us": clock.now_us(),
        "step": STEPS[0],
        "sealed_plan": _sealed(workspace, request, found),
    }
    made = (sa.insert(schema.erasure), [row])
    stones = _tombstones(workspace, request, found)
    done(workspace, "person.erase", made, *stones, reason=reason, request=request)
    return request


def preview(workspace: Workspace, registry: Registry, name: str) -> dict[str, Any]:
    """What would be erased, in numbers; nothing is changed."""
    asked = _asked(workspace, registry, name)
    workspace = workspace.seen_by(ADMIN)  # who asks is told numbers alone
    with workspace.view() as view:
        people = registry.at(view)
    return _counts(workspace, plan(workspace, site_of(workspace), people, asked))


def erase(writer: Writer, args: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Brings an erasure to its end, from wherever it is; the receipt."""
    run = _Run(writer, args["request"], progress)
    while run.step != "done" and not run.hits:
        run.next()
    return msgspec.json.decode(receipt_of(writer.workspace, args["request"]))


def resume(workspace: Workspace) -> None:
    """Leaves a job for each erasure that was begun and has none: after one that failed in a while
    that grows, after one that left something behind a day later. To be called as often as one
    likes.
    """
    state = workspace.state
    query = sa.select(_table.request_id, _table.step, _table.receipt)
    begun = state.read(query.where(_table.done_us.is_(None)))
    asked = {job.packed_args(_args(row.request_id)): row for row in begun}
    jobs: dict[str, list[Any]] = {args: [] for args in asked}
    for one in state.lookup(_job.args, asked, _job.args, _job.finished_at_us, _job.progress):
        jobs[one.args].append(one)
    for args, row in asked.items():
        if _is_due(row, jobs[args]):
            queued(workspace, row.request_id)


def queued(workspace: Workspace, request: str) -> int:
    """The number of the job that brings a request to its end; of a new one, if there is none."""
    return job.submit(workspace.state, KIND, _args(request))


def erasures(workspace: Workspace) -> list[dict[str, Any]]:
    """Every request, the newest first, and how far it has come."""
    query = sa.select(schema.erasure).order_by(_table.asked_us.desc(), _table.request_id)
    return [
        {
            "request": row.request_id,
            "asked_at": clock.iso(row.asked_us),
            "step": row.step,
            "done_at": None if row.done_us is None else clock.iso(row.done_us),
        }
        for row in workspace.state.read(query)
    ]


def receipt_of(workspace: Workspace, request: str) -> bytes:
    """The receipt of an erasure that is done, as a file."""
    row = _row(workspace, request)
    if row.receipt is None:
        raise NotFound("erasure_unknown", name=request)
    return row.receipt.encode()


def readmit(workspace: Workspace, name: str, reason: str | None = None) -> None:
    """Takes an identifier (`type:value`) in again, of somebody who agreed anew. Raises BadInput
    while they are being erased: what came in meanwhile would go as well.
    """
    kind, _, value = name.partition(":")
    known = identifier(kind, value, workspace.region) if kind in TYPE_RANK else None
    vault = workspace.vault
    node = known and vault.node_id(known.type, known.value)
    if known is None or node is None or not is_erased(workspace, node):
        raise NotFound("person_unknown", name=name)
    if (begun := _begun(workspace, [[node]])) is not None:
        raise BadInput("erasure_open", name=name, request=begun.request_id)
    _check_reason(reason, [(known.type, known.value)])
    stone = vault.tombstone(node)
    gone = sa.delete(schema.tombstone).where(schema.tombstone.c.hash == sa.bindparam("stone"))
    done(workspace, "person.readmit", (gone, [{"stone": stone}]), _moved(workspace), reason=reason)


class _Run:
    """One erasure, a step at a time."""

    def __init__(self, writer: Writer, request: str, progress: Progress) -> None:
        self._writer = writer
        self._workspace = writer.workspace
        self._request = request
        self._progress = progress
        row = _row(self._workspace, request)
        self.step: str = row.step
        self.hits = 0
        self._asked_us: int = row.asked_us
        if row.sealed_plan is not None:
            self._plan = _opened(self._workspace, row)

    def next(self) -> None:
        steps: dict[str, Callable[[], None]] = {
            "asked": self._find,
            "planned": self._shred,
            "shredded": self._rewrite,
            "rewritten": self._blank,
            "blanked": self._sweep,
            "swept": self._prove,
        }
        self._tell()
        steps[self.step]()
        self.step = _row(self._workspace, self._request).step

    def _tell(self) -> None:
        self._progress(_share(self.step))

    def _find(self) -> None:
        """All of it, once nothing of theirs is on its way any more."""
        writer, workspace = self._writer, self._workspace
        writer.forget(())
        writer.catch_up()
        people = self._people()
        whose = {one for one in people.person_of(self._plan.nodes) if one is not None}
        if len(whose) == 1:  # what was found to be theirs since they asked
            (person,) = whose
            nodes = sorted({*self._plan.nodes, *people.node_ids(person)})
            self._plan = msgspec.structs.replace(self._plan, nodes=nodes)
            workspace.state.write(*_tombstones(workspace, self._request, self._plan))
            writer.catch_up()
        self._plan = plan(workspace, writer.site, people, self._plan)
        sealed = {"sealed_plan": _sealed(workspace, self._request, self._plan)}
        stones = _tombstones(workspace, self._request, self._plan)
        workspace.state.write(*stones, self._moved("planned", sealed))

    def _people(self) -> PersonMap:
        """Who everybody is by what had been decided when they asked: whom somebody has joined to
        them since has not asked.
        """
        workspace, registry = self._workspace, self._writer.registry
        with workspace.view(as_of_us=self._asked_us) as then:
            ruled = registry.ruled(then)
        with workspace.view() as view:
            is_same = ruled == registry.ruled(view)
            return registry.at(view) if is_same else person_map(view, *ruled)

    def _forget(self) -> None:
        """They leave the memory of this process, and the live store is made anew without them."""
        self._writer.forget(self._plan.devices)
        self._writer.registry.forget()

    def _shred(self) -> None:
        self._writer.forget(self._plan.devices)
        state = self._workspace.state
        hours = [
            {"source": source, "hour_us": int(hour), "stored": stored, "rejected": rejected}
            for place, (stored, rejected) in self._plan.hours.items()
            for hour, _, source in [place.partition(" ")]
        ]
        counted = state.upsert(schema.erased_count, add=("stored", "rejected"))
        also = ((counted, hours), self._moved("shredded"))
        erase_state.shred(state, self._plan.wanted, self._plan.rejects, *also)

    def _rewrite(self) -> None:
        erase_lake.rewrite(self._workspace, self._plan)
        forget(self._workspace.lake)
        self._forget()
        self._write("rewritten")

    def _blank(self) -> None:
        """Their requests, also those that came since it was planned; others' in them are stored."""
        writer, workspace = self._writer, self._workspace
        writer.catch_up()
        end = workspace.state.mark(LOG)
        late = Reader(workspace, writer.site, self._plan).frames(self._plan.log_end, end)
        frames = [*self._plan.frames, *late]
        self._plan = msgspec.structs.replace(self._plan, frames=frames, log_end=end)
        sealed = {"sealed_plan": _sealed(workspace, self._request, self._plan)}
        workspace.state.write(self._moved("rewritten", sealed))
        blank(workspace.dir, frames)
        self._write("blanked")

    def _sweep(self) -> None:
        lake, store = self._workspace.lake, self._writer.store
        with store.turn:  # a file that is being written belongs to no version yet
            lake.fresh.sweep(NOW_US)
        for table in lake.all.values():
            if table is not lake.fresh and table.exists():
                table.sweep(NOW_US)
        self._forget()
        _forget_caches()
        erase_state.shred(self._workspace.state, self._plan.wanted, ())  # what was written since
        erase_state.tidy(self._workspace.state)
        self._write("swept")

    def _prove(self) -> None:
        found = self._scanned()
        workspace, now = self._workspace, clock.now_us()
        done(workspace, "person.erased", request=self._request, hits=found.hits)
        number, end = audit.head(workspace.state)
        receipt = {
            "request": self._request,
            "workspace": workspace.id,
            "asked_at": clock.iso(self._asked_us),
            "done_at": clock.iso(now),
            **_counts(workspace, self._plan),
            "scan": found.told(),
            "audit": {"number": number, "hash": end.hex()},
            "version": touchline.__version__,
        }
        text = signed(receipt, workspace.vault.signer()).decode()
        self.hits = found.hits
        ended = {"done_us": now, "sealed_plan": None}
        step, also = ("shredded", {}) if found.hits else ("done", ended)
        workspace.state.write(self._moved(step, {"receipt": text, **also}))

    def _scanned(self) -> Scan:
        """What is left. Pages of the database that an older version left are written anew."""
        for is_last in (False, True):
            found = scan(self._workspace, self._writer.site, self._plan, self._tell)
            if found.places.get("files.state.db", 0) == 0 or is_last:
                break
            erase_state.tidy(self._workspace.state, whole=True)
        return found

    def _write(self, step: str) -> None:
        self._workspace.state.write(self._moved(step))

    def _moved(self, step: str, also: dict[str, Any] | None = None) -> Statement:
        row = {"of_request": self._request, "step": step, **(also or {})}
        values = {name: sa.bindparam(name) for name in row if name != "of_request"}
        moved = sa.update(schema.erasure).where(_table.request_id == sa.bindparam("of_request"))
        return moved.values(values), [row]


def _asked(workspace: Workspace, registry: Registry, name: str) -> Plan:
    """Who is meant, in clear whoever asks: nothing of it is shown."""
    workspace = workspace.seen_by(ADMIN)
    with workspace.view() as view:
        people = registry.at(view)
    person = find_person(workspace, people, name)
    known = identifiers_of(workspace, people, person)
    return Plan(
        nodes=people.node_ids(person),
        person_ids=[people.person_ids[person]],
        clear=[(one["type"], one["value"]) for one in known],
    )


def _args(request: str) -> dict[str, str]:
    return {"request": request}


def _share(step: str) -> float:
    return STEPS.index(step) / len(STEPS)


def _is_due(row: Any, jobs: Sequence[Any]) -> bool:
    """Whether a job is to be left for a request, of which these jobs there are."""
    if any(one.finished_at_us is None for one in jobs):
        return False
    last = max((one.finished_at_us for one in jobs), default=0)
    here = sum(one.progress is None or one.progress >= _share(row.step) for one in jobs)
    pause_us = AGAIN_US << min(max(here - 1, 0), DOUBLINGS)
    is_left = row.receipt is not None
    return clock.now_us() - last >= (clock.DAY_US if is_left else min(pause_us, clock.DAY_US))


def _shut_out(workspace: Workspace, row: Any) -> str:
    """Sets the tombstones of a request that were taken away since; its number."""
    request = row.request_id
    workspace.state.write(*_tombstones(workspace, request, _opened(workspace, row)))
    return request


def _begun(workspace: Workspace, any_of: Sequence[Collection[bytes]]) -> Any | None:
    """An erasure in its course of all these identifiers, of any of several such."""
    query = sa.select(schema.erasure).where(_table.done_us.is_(None)).order_by(_table.asked_us)
    for row in workspace.state.read(query):
        nodes = set(_opened(workspace, row).nodes)
        if any(nodes.issuperset(one) for one in any_of):
            return row
    return None


def _readings(workspace: Workspace, name: str) -> list[list[bytes]]:
    """Identifiers that somebody may mean by `type:value` or a value."""
    kind, _, value = name.partition(":")
    read = [identifier(kind, value, workspace.region)] if kind in TYPE_RANK else []
    read += [identifier(kind, name, workspace.region) for kind in TYPE_RANK]
    vault = workspace.vault
    return [[vault.node_id(one.type, one.value)] for one in read if one is not None]


def _check_reason(reason: str | None, clear: Sequence[tuple[str, str]]) -> None:
    """A reason stands for good."""
    words = {word for one in clear for word in (one[1], *forms(*one))}
    if reason and any(re.search(by_itself(word), reason, re.IGNORECASE) for word in words):
        raise BadInput("reason_names_person")


def _counts(workspace: Workspace, found: Plan) -> dict[str, Any]:
    """What was there, in numbers: identifiers by type, rows by table."""
    kinds: dict[str, int] = {}
    for kind, _ in found.clear:
        kinds[kind] = kinds.get(kind, 0) + 1
    tables = {f"lake.{name}": counts for name, counts in found.tables.items()}
    for fate, counts in (("deleted", found.shredded), ("redacted", found.cut)):
        for name, rows in counts.items():
            if rows:
                tables.setdefault(f"state.{name}", {})[fate] = rows
    after = {f"lake.{n}": workspace.lake.tables[n].snapshot().rows for n in found.tables}
    after["lake.events"] += workspace.lake.fresh.snapshot().rows
    return {
        "identifiers": dict(sorted(kinds.items())),
        "tables": {
            n: c | ({"rows_after": after[n]} if n in after else {}) for n, c in tables.items()
        },
        "requests_blanked": len(found.frames),
        "keys_destroyed": found.keys,
    }


def _tombstones(workspace: Workspace, request: str, of: Plan) -> list[Statement]:
    """Of their identifiers and orders, as far as they are known."""
    now, vault = clock.now_us(), workspace.vault
    rows = [
        {"hash": vault.tombstone(node), "request_id": request, "known_at_us": now}
        for node in (*of.nodes, *(vault.node_id(ORDER, order) for order in of.orders))
    ]
    return [(workspace.state.upsert(schema.tombstone), rows), _moved(workspace)]


def _moved(workspace: Workspace) -> Statement:
    """Tells those who hold tombstones in memory that there are others."""
    added = workspace.state.upsert(schema.mark, add=["value"])
    return added, [{"name": TOMBSTONES, "value": 1}]


def _sealed(workspace: Workspace, request: str, found: Plan) -> bytes:
    return workspace.vault.seal(msgspec.msgpack.encode(found), b"erasure|" + request.encode())


def _opened(workspace: Workspace, row: Any) -> Plan:
    clear = workspace.vault.open(row.sealed_plan, b"erasure|" + row.request_id.encode())
    return msgspec.msgpack.decode(clear, type=Plan)


def _row(workspace: Workspace, request: str) -> Any:
    rows = workspace.state.read(sa.select(schema.erasure).where(_table.request_id == request))
    if not rows:
        raise NotFound("erasure_unknown", name=request[:80])
    return rows[0]


def _forget_caches() -> None:
    """What functions of this process remember of texts that they read."""
    kind = type(functools.lru_cache(lambda: None))
    for found in gc.get_objects():
        if isinstance(found, kind):
            found.cache_clear()
