"""People as they are, and what is known of them in clear → which two may be one person.

A record is a person as of now, without what only likeness joined: their traits, phones and
addresses, opened here, in memory. So the answer is a function of the evidence and of what operators
decided, and not of what was suggested before. What surprises: two records that may not be one
(over a limit, set apart by hand) are a weight against everything that would bring them together.
"""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from touchline.collect.nodes import Trait, clear_traits, clear_values
from touchline.errors import BadInput
from touchline.identity.evidence import Evidence
from touchline.identity.kruskal import OPENID
from touchline.identity.match.clean import compared
from touchline.identity.match.cluster import average_link, forest
from touchline.identity.match.extra import needed
from touchline.identity.match.model import VERSION, Scored, score
from touchline.identity.match.queue import Suggestion
from touchline.identity.person_map import PersonMap
from touchline.identity.profile_rules import ProfileRules
from touchline.identity.resolve import People
from touchline.identity.rules import Rules
from touchline.model import Identifier
from touchline.storage.workspace import Workspace

__all__ = ["SURE", "Records", "records", "suggest", "threshold_bits"]

SURE = 0.999  # as a probability: what is likelier joins people by itself
ASKED = 0.0  # bits, 50 %: what is less likely is not worth a look
NEVER = -1e6
AT_ONCE = 2_000
TELLING = ("surname", "given", "birthday", "national_id")  # without any, nothing can be said
OF_RECORD = ("phone", "email")  # identifiers that are compared as well
Progress = Callable[[float], None]
Persons = npt.NDArray[np.int64]


class Records(NamedTuple):
    """Per record the node that stands for it, the person it is, and its cleaned columns."""

    node: npt.NDArray[np.int64]
    person: npt.NDArray[np.int64]
    rows: list[dict[str, str | None]]


def threshold_bits(probability: float) -> float:
    """Bits of a probability; 1 is never reached."""
    if not 0.5 <= probability <= 1:
        why = "is not a probability from 0.5 to 1."
        raise BadInput("bad_argument", name="threshold", value=probability, why=why)
    return math.inf if probability == 1 else math.log2(probability / (1 - probability))


def records(
    workspace: Workspace, evidence: Evidence, people: People, progress: Progress
) -> Records:
    """Everybody of whom enough is known, opened. Who refuses to be linked is left out."""
    needed("pypinyin")
    found = PersonMap.of(evidence, people)
    refused = set(people.person[evidence.unlinked].tolist())
    somebody = [person for person in found.somebody() if person not in refused]
    nodes: list[int] = []
    persons: list[int] = []
    raw: list[dict[str, Any]] = []
    for start in range(0, len(somebody), AT_ONCE):
        for person, node, said in _opened(workspace, found, somebody[start : start + AT_ONCE]):
            persons.append(person)
            nodes.append(node)
            raw.append(said)
        progress(0.5 * start / len(somebody))
    rows = compared(raw, workspace.region)
    kept = [n for n, row in enumerate(rows) if any(row[name] for name in TELLING)]
    return Records(
        np.array(nodes, np.int64)[kept], np.array(persons, np.int64)[kept], [rows[n] for n in kept]
    )


def suggest(
    evidence: Evidence, people: People, rules: Rules, held: Records, sure_bits: float
) -> list[Suggestion]:
    """A heaviest tree of pairs for every group of records that seems to be one person."""
    needed("splink")
    scored = score(held.rows)
    person = held.person
    is_never = _over_limit(evidence, people, rules, person[scored.a], person[scored.b])
    is_never |= _set_apart(evidence, people, person[scored.a], person[scored.b])
    weight = np.where(is_never, NEVER, scored.weight)
    group = average_link(len(held.rows), scored.a, scored.b, weight)
    is_likely = (group[scored.a] == group[scored.b]) & (weight >= ASKED)
    places = np.flatnonzero(is_likely).tolist()
    at = {(int(scored.a[n]), int(scored.b[n])): n for n in places}
    edges = forest((float(weight[n]), int(scored.a[n]), int(scored.b[n])) for n in places)
    return [_made(evidence, held, scored, at[x, y], sure_bits) for _, x, y in edges]


def _made(
    evidence: Evidence, held: Records, scored: Scored, n: int, sure_bits: float
) -> Suggestion:
    ends = (int(held.node[scored.a[n]]), int(held.node[scored.b[n]]))
    a, b = sorted(evidence.node_id(node) for node in ends)
    bits = {name: round(float(said[n]), 1) for name, said in scored.bits.items()}
    weight = float(scored.weight[n])
    # Twins share all but the given name: without one that fits somebody has to look.
    is_sure = weight >= sure_bits and bits.get("given", 0.0) > 0
    told = {name: said for name, said in bits.items() if said}
    return Suggestion(a=a, b=b, weight=round(weight, 2), bits=told, model=VERSION, is_sure=is_sure)


def _opened(
    workspace: Workspace, found: PersonMap, persons: Sequence[int]
) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """(person, the node that stands for them, all that is known), of those with any trait. That is
    the node most of it came with, the strongest of several: what is answered of two records holds
    of these, whatever leaves the person later.
    """
    known = found.known
    members = {
        person: sorted(found.members(person), key=lambda n: (known.rank[n], n))
        for person in persons
    }
    ids = {n: known.node_id(n) for n in itertools.chain.from_iterable(members.values())}
    traits, rules = clear_traits(workspace, ids.values()), ProfileRules.held(workspace)
    clear = clear_values(workspace, ids.values())
    for person, nodes in members.items():
        own = [ids[node] for node in nodes]
        told = rules.in_force(own, traits)
        said = _said(own, told, clear)
        if said is not None:
            counts = Counter(trait.node_id for trait in told.values())
            yield person, max(nodes, key=lambda node: counts[ids[node]]), said


def _said(
    own: Sequence[bytes],
    traits: Mapping[str, Trait],
    clear: Mapping[bytes, Identifier],
) -> dict[str, Any] | None:
    if not traits:
        return None
    said: dict[str, Any] = {}
    for name, trait in traits.items():
        value = trait.value
        said.update(_parts(name, value) if isinstance(value, dict) else {name: value})
    for kind in OF_RECORD:
        values = sorted(clear[n].value for n in own if n in clear and clear[n].type == kind)
        if values:
            said[kind] = values
    return said


def _parts(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """`address: {city, street}` as Segment has it: the parts, each a column."""
    return {part: said for part, said in value.items() if name == "address"}


def _over_limit(
    evidence: Evidence, people: People, rules: Rules, a: Persons, b: Persons
) -> npt.NDArray[np.bool_]:
    """Whether two persons have more values of a type between them than one may: two user ids."""
    found = np.zeros(len(a), np.bool_)
    for rank, limit in enumerate(rules.limits):
        # An openid counts per app, and a window takes time: the resolver sees to these.
        if limit is None or rank == OPENID or rules.windows_us[rank] is not None:
            continue
        counts = np.bincount(people.person[evidence.rank == rank], minlength=len(people))
        found |= counts[a] + counts[b] > limit
    return found


def _set_apart(evidence: Evidence, people: People, a: Persons, b: Persons) -> npt.NDArray[np.bool_]:
    size = np.int64(len(people))
    apart = np.sort(people.person[evidence.apart].astype(np.int64).reshape(-1, 2), axis=1)
    keys = apart[:, 0] * size + apart[:, 1]
    return np.isin(np.minimum(a, b) * size + np.maximum(a, b), keys)
