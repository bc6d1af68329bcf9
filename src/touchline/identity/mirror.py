"""PersonMap ↔ tables `map` and `quarantine` of the lake; traits and tags of State → tables
`traits` and `tags`.

A mirror is written whole, in one commit that also says what it was made of (`Mark`). What
surprises: none is ever brought up to date by parts. A reader whose own evidence has the mark of the
mirror takes it, any other computes its map; so answers with and without a mirror are the same.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute
import sqlalchemy as sa

from touchline.collect.nodes import TRAITS
from touchline.identity.evidence import NEVER_US, NO_DECISIONS, Decisions, NodeSet, halves
from touchline.identity.person_map import PersonMap, node_bytes, node_column
from touchline.identity.profile_notes import NOTES, all_holding
from touchline.identity.profile_rules import ProfileRules
from touchline.identity.quarantine import FREE, REASONS, SHARED, Quarantine
from touchline.identity.resolve import VERSION, Clusters
from touchline.identity.rules import Rules
from touchline.identity.sources import Extent
from touchline.model import IDENTIFIER_TYPES
from touchline.storage import columns, consent, schema
from touchline.storage.lake import SEQ, Lake, LakeFiles
from touchline.storage.table import Table, TableSnapshot
from touchline.storage.workspace import Workspace

__all__ = [
    "Mark",
    "forget",
    "is_written",
    "read_map",
    "write_accounts",
    "write_map",
    "write_noted",
]

MARK = "mark"  # in each mirror: the number of its Mark
CONTENT = "content"  # in each mirror: a hash of its rows
AT_ONCE = 500_000  # rows a file
TRAITS_AT_ONCE = 100_000
KEPT_US = 600_000_000  # files that were replaced stay so long for who is reading them
pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker
Array = npt.NDArray[Any]
Rows = Callable[[], Iterable[pa.Table]]


class Mark(NamedTuple):
    """What a map is made of: a hash of the evidence's extent, the rules and what was decided, and
    the newest event.
    """

    number: int
    seq: int

    @classmethod
    def of(cls, files: LakeFiles, rules: Rules, decisions: Decisions = NO_DECISIONS) -> Self:
        made_of = VERSION, Extent.of(files), rules, decisions
        return cls(_hash(repr(made_of).encode()), files.last_seq)


def read_map(lake: Lake, mark: Mark) -> PersonMap | None:
    """The map of this mark, if it is the one that stands in the lake."""
    found = [_current(lake.mirrors[name], mark.number) for name in ("map", "quarantine")]
    nodes, shared = found
    if nodes is None or shared is None:
        return None
    try:
        return _assembled(_rows(nodes, columns.MAP), _rows(shared, columns.QUARANTINE))
    except (OSError, pa.ArrowInvalid):  # a file is gone or damaged: it can be computed
        return None


def is_written(lake: Lake, mark: Mark) -> bool:
    """Whether the mirrors hold the map of this mark."""
    names = ("map", "quarantine")
    return all(_current(lake.mirrors[name], mark.number) for name in names)


def write_map(lake: Lake, people: PersonMap, mark: Mark) -> None:
    """Replaces `map` and `quarantine`, as far as their rows changed. Needs the write lock."""
    known, clusters = people.known, people.people
    cause, count = clusters.quarantine.cause, clusters.quarantine.count
    placed = (known.hi, known.lo, known.rank, known.first_seen_us, clusters.person, clusters.anchor)
    offsets = {MARK: mark.number, SEQ: mark.seq}
    table = lake.mirrors["quarantine"]
    _write(table, offsets, _hash(known.hi, known.lo, cause, count), lambda: _shared(people))
    content = _hash(*placed, clusters.quarantine.held)
    _write(lake.mirrors["map"], offsets, content, lambda: _placed(people))


def write_noted(workspace: Workspace) -> list[str]:
    """Replaces those of `traits`, `tags` and `consent` of which State knows more since; which those
    are. Needs the write lock.
    """
    state, rules = workspace.state, ProfileRules.held(workspace)
    # Asked before the rows are read: those may be newer than the number, never older.
    traits = _hash(b"%d|" % state.mark(TRAITS), msgspec.json.encode(rules, order="sorted"))
    noted: tuple[tuple[str, int, Rows], ...] = (
        ("traits", traits, lambda: _sealed(workspace, rules)),
        ("tags", state.mark(NOTES) + 1, lambda: _tags(workspace)),
        ("consent", consent.version(state) + 1, lambda: _said(workspace)),
    )
    return [name for name, number, rows in noted if _renew(workspace.lake, name, number, rows)]


def write_accounts(lake: Lake, made_of: str, rows: Callable[[], pa.Table]) -> None:
    """Replaces `accounts`, whose rows are a function of what it says."""
    _renew(lake, "accounts", _hash(made_of.encode()), lambda: [rows()])


def forget(lake: Lake) -> None:
    """Empties all mirrors, so that they are made anew."""
    for table in lake.mirrors.values():
        if table.exists():
            files = table.snapshot().files
            table.commit(None, remove=files, offsets={MARK: 0, CONTENT: 0})


def _current(table: Table, mark: int) -> TableSnapshot | None:
    if not table.exists():
        return None
    found = table.snapshot()
    return found if found.offset(MARK) == mark and _is_there(found) else None


def _renew(lake: Lake, name: str, number: int, rows: Rows) -> bool:
    """Replaces a mirror that is not of this number; whether it was. None is made for the first."""
    table = lake.mirrors[name]
    if _current(table, number) is not None or (number == 1 and not table.exists()):
        return False
    _write(table, {MARK: number}, number, rows)
    return True


def _is_there(snapshot: TableSnapshot) -> bool:
    return all(Path(path).exists() for path in snapshot.files)


def _write(table: Table, offsets: dict[str, int], content: int, rows: Rows) -> None:
    if not table.exists():
        table.create()
    found = table.snapshot()
    if found.offset(CONTENT) == content and _is_there(found):
        table.commit(None, offsets=offsets)
    else:
        table.commit(rows(), remove=found.files, offsets={**offsets, CONTENT: content})
    table.sweep(KEPT_US)


_SPARED = {"person_id"}  # not read: the anchors' ids say it
_TYPES = pa.array([*IDENTIFIER_TYPES, None], pa.string())  # by rank; the last is a type unknown


def _placed(people: PersonMap) -> Iterator[pa.Table]:
    """Rows of `map`."""
    known, clusters = people.known, people.people
    ids = _person_ids(people)
    is_anchor = np.zeros(len(known), np.bool_)
    is_anchor[clusters.anchor] = True
    for at in _slices(len(known)):
        seen, person = known.first_seen_us[at], clusters.person[at].astype(np.int64)
        yield pa.Table.from_arrays(
            [
                node_column(known.node_ids(np.arange(at.start, at.stop))),
                _TYPES.take(pa.array(known.rank[at])),
                pa.array(seen, mask=seen == NEVER_US),
                ids.take(pa.array(person)).combine_chunks(),
                pa.array(person),
                pa.array(is_anchor[at]),
                pa.array(clusters.quarantine.held[at]),
            ],
            schema=columns.MAP,
        )


def _person_ids(people: PersonMap) -> pa.ChunkedArray:
    """The person_id of each person, as a column: a list of them all would weigh thrice."""
    ids = people.person_ids
    parts = [pa.array(ids[at], pa.string()) for at in _slices(len(ids))]
    return pa.chunked_array(parts, pa.string())


def _shared(people: PersonMap) -> Iterator[pa.Table]:
    """Rows of `quarantine`."""
    held = np.flatnonzero(people.people.quarantine.held)
    if not len(held):
        return
    cause, count = people.people.quarantine.cause[held], people.people.quarantine.count[held]
    yield pa.Table.from_arrays(
        [
            node_column(people.known.node_ids(held)),
            _TYPES.take(pa.array(people.known.rank[held])),
            _TYPES.take(pa.array(cause, mask=cause < 0)),
            pa.array(count),
            pa.array([REASONS.get(one, SHARED) for one in cause.tolist()], pa.string()),
        ],
        schema=columns.QUARANTINE,
    )


def _sealed(workspace: Workspace, rules: ProfileRules) -> Iterator[pa.Table]:
    """Rows of `traits`, in the order of State's key."""
    own = tuple(schema.trait.primary_key.columns)
    query = sa.select(schema.trait).order_by(*own).limit(TRAITS_AT_ONCE)
    found = workspace.state.read(query)
    while found:
        rows = [
            {
                **dict(zip(schema.trait.columns.keys(), row, strict=True)),
                "party": rules.party(row.source, is_told=row.is_told),
                "place": rules.place(row.name, row.source, is_told=row.is_told),
            }
            for row in found
        ]
        yield pa.Table.from_pylist(rows, schema=columns.TRAITS)
        last = found[-1]
        after = (last.node_id, last.name, last.source, last.is_told)
        found = workspace.state.read(query.where(sa.tuple_(*own) > after))


def _tags(workspace: Workspace) -> Iterator[pa.Table]:
    """Rows of `tags`: few, since they are written by hand."""
    notes = all_holding(workspace.state)
    rows = [
        {"node_id": one.node_id, "tag": one.value, "author": one.author, "at_us": one.at_us}
        for one in sorted(notes, key=lambda one: (one.node_id, one.value))
        if one.kind == "tag"
    ]
    yield pa.Table.from_pylist(rows, schema=columns.TAGS)


def _said(workspace: Workspace) -> Iterator[pa.Table]:
    """Rows of `consent`."""
    names = columns.CONSENT.names
    rows = consent.last_said(workspace.state)
    while some := list(itertools.islice(rows, TRAITS_AT_ONCE)):
        told = [{name: getattr(row, name) for name in names} for row in some]
        yield pa.Table.from_pylist(told, schema=columns.CONSENT)


def _assembled(nodes: pa.Table, shared: pa.Table) -> PersonMap:
    """Rows of both tables → the map that they were made of."""
    hi, lo = halves(node_bytes(nodes["node_id"]))
    seen = pc.fill_null(nodes["first_seen_us"], NEVER_US).to_numpy()
    known = NodeSet(hi, lo, _ranks(nodes["type"], len(IDENTIFIER_TYPES)), seen)
    held = np.flatnonzero(nodes["is_quarantined"].to_numpy())
    cause, count = np.full(len(hi), FREE, np.int8), np.zeros(len(hi), np.int32)
    cause[held] = _causes(shared)
    count[held] = shared["touches"].to_numpy()
    person = nodes["person_ix"].to_numpy().astype(np.int32)
    anchor = np.flatnonzero(nodes["is_anchor"].to_numpy()).astype(np.int32)
    return PersonMap(known, Clusters(person, anchor, Quarantine(cause, count)))


def _rows(snapshot: TableSnapshot, shape: pa.Schema) -> pa.Table:
    """The rows of a mirror in their order: its files do not overlap."""
    names = [name for name in shape.names if name not in _SPARED]
    parts = sorted(snapshot.read(names), key=lambda part: part["node_id"][0].as_py())
    none = shape.empty_table().select(names)
    return pa.concat_tables([none, *parts])


def _ranks(types: pa.ChunkedArray, absent: int) -> npt.NDArray[np.int8]:
    place = pc.index_in(types, pa.array(IDENTIFIER_TYPES, pa.string()))
    return pc.fill_null(place, absent).to_numpy().astype(np.int8)


def _causes(shared: pa.Table) -> npt.NDArray[np.int8]:
    cause = _ranks(shared["touched_type"], FREE)
    reason = shared["reason"].to_numpy()
    for code, name in REASONS.items():
        cause[reason == name] = code
    return cause


def _slices(length: int) -> Iterator[slice]:
    return (slice(at, min(at + AT_ONCE, length)) for at in range(0, length, AT_ONCE))


def _hash(*parts: bytes | Array) -> int:
    """A number from 1 on, of 63 bits: what a commit can carry."""
    digest = blake2b(digest_size=8)
    for part in parts:
        digest.update(part if isinstance(part, bytes) else np.ascontiguousarray(part).data)
    return int.from_bytes(digest.digest(), "big") >> 1 or 1
