"""The path within a person is what made it, and whoever is kept apart is so by something."""

import datetime as dt
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.identity.around.carried import Carried
from touchline.identity.around.proof import Hop, Proof
from touchline.identity.evidence import NO_DECISIONS, OBSERVED, Decisions, NodeSet
from touchline.identity.kruskal import APART, credible_order
from touchline.identity.rules import DEFAULT
from touchline.model import IDENTIFIER_TYPES, TYPE_RANK

NAMES = ["u1", "u2", "m1", "m2", "p1", "p2", "p3", "p4", "c1", "c2", "o1@a", "o2@a", "o3@b"]
names = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).map(tuple)
said = st.lists(st.tuples(names, st.integers(0, 3), st.sampled_from([1, 2])), max_size=14)
couples = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=2)


def proof_of(facts, solved, rows, decisions):
    sets = {}
    for row in rows:
        ids = sorted({facts.node_id(name): name for name in row.names}.items())
        nodes = tuple(
            (i, IDENTIFIER_TYPES[TYPE_RANK[facts.LETTERS[n[0]]]], n[-1] if "@" in n else None)
            for i, n in ids
        )
        day = dt.date(2026, 1, 1) + dt.timedelta(row.day)
        one = Carried("events", row.kind, nodes, day, row.day, "web", None, "track", "page")
        sets[nodes, day, row.kind] = one
    evidence = solved.evidence
    known = NodeSet(evidence.hi, evidence.lo, evidence.rank, evidence.first_seen_us)
    ordered = sorted(sets.values(), key=lambda one: one.kind)
    return Proof.of(known, range(len(known)), ordered, rules=DEFAULT, decisions=decisions)


def forest(solved):
    """Edges that the resolver took, in the order it would: all but those refused."""
    evidence, people = solved.evidence, solved.people
    held = people.quarantine.held
    edges = np.flatnonzero(~(held[evidence.a] | held[evidence.b]))
    refused = set(people.refused.tolist())
    part = {}
    taken = set()
    for edge in credible_order(evidence, edges).tolist():
        a, b = int(evidence.a[edge]), int(evidence.b[edge])
        if edge not in refused and part.setdefault(a, a) != part.setdefault(b, b):
            part |= {n: part[a] for n, of in list(part.items()) if of == part[b]}
            taken.add((evidence.node_id(a), evidence.node_id(b)))
    return taken


@given(said, couples, couples)
def test_a_path_runs_along_the_edges_that_made_the_person(facts, given_rows, joined, parted):
    rows = [facts.Row(*one) for one in given_rows]
    decisions = Decisions(
        together=tuple((facts.node_id(a), facts.node_id(b)) for a, b in joined),
        apart=tuple((facts.node_id(a), facts.node_id(b)) for a, b in parted),
    )
    solved = facts.solve(rows, decisions=decisions)
    proof, taken = proof_of(facts, solved, rows, decisions), forest(solved)
    ids = [solved.evidence.node_id(n) for n in range(len(solved.evidence))]
    person = solved.people.person.tolist()
    for a, b in itertools.combinations(range(len(ids)), 2):
        inside = [node for node, of in zip(ids, person, strict=True) if of == person[a]]
        hops = proof.chain(ids[a], ids[b], inside)
        if person[a] == person[b]:
            assert (hops[0].start, hops[-1].end) == (ids[a], ids[b])
            assert {(min(hop[:2]), max(hop[:2])) for hop in hops} <= taken
        else:
            assert hops == []


@given(said, couples)
def test_an_edge_between_two_was_refused_by_what_is_told(facts, given_rows, parted):
    rows = [facts.Row(*one) for one in given_rows]
    apart = Decisions(apart=tuple((facts.node_id(a), facts.node_id(b)) for a, b in parted))
    solved = facts.solve(rows, decisions=apart)
    evidence, people = solved.evidence, solved.people
    proof = proof_of(facts, solved, rows, apart)
    limits = dict(zip(people.refused.tolist(), people.limit.tolist(), strict=True))
    held, person = people.quarantine.held, people.person
    for edge, ends in enumerate(zip(evidence.a.tolist(), evidence.b.tolist(), strict=True)):
        a, b = ends
        if person[a] != person[b] and not (held[a] or held[b]):
            both = np.flatnonzero((person == person[a]) | (person == person[b])).tolist()
            ids = [evidence.node_id(n) for n in both]
            rank = proof.barrier((evidence.node_id(b), evidence.node_id(a)), ids)
            assert rank == limits[edge]
            assert rank == APART or proof.too_many(rank, ids)


@pytest.mark.parametrize(
    ("table", "type_", "name", "types", "class_"),
    [
        ("people", None, None, ("phone", "member_code"), "import_row"),
        ("people", None, None, ("phone", "crm_id"), "crm_link"),
        ("conversions", "order", "won", ("phone", "email"), "import_row"),
        ("events", "identify", None, ("user_id", "anonymous_id"), "login"),
        ("events", "identify", None, ("email", "anonymous_id"), "same_event"),
        ("events", "track", "Email Link Clicked", ("email", "anonymous_id"), "click_id"),
        ("events", "track", "Form Submitted", ("email", "anonymous_id"), "form"),
        ("events", "track", "page", ("openid", "unionid"), "wechat"),
        ("events", "track", "page", ("external_userid", "phone"), "wecom"),
        ("events", "track", "page", ("member_code", "phone"), "member_code"),
        ("events", "page", None, ("user_id", "anonymous_id"), "same_event"),
    ],
)
def test_a_hop_is_named_after_the_row_that_says_it(table, type_, name, types, class_):
    row = Carried(table, OBSERVED, (), None, 0, "web", "m", type_, name)
    assert Hop(b"", b"", OBSERVED, 1, row).named(types, ["Form Submitted"]) == class_


def test_no_rows_no_path(facts):
    solved = facts.solve(facts.rows("u1"))
    proof = proof_of(facts, solved, [], NO_DECISIONS)
    assert proof.chain(b"a" * 16, b"b" * 16, []) == []
