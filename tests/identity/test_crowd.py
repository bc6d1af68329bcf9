"""Whole crowds, with what real data has: a null e-mail, shop phones, kiosks, borrowed cookies."""

import numpy as np
import pytest

from touchline.identity.evidence import Decisions, Nodes, Pairs, gather
from touchline.identity.resolve import resolve
from touchline.identity.rules import DEFAULT

PERSONS = 20_000
COOKIES = 5  # the most one person of the crowd owns, and one borrowed


@pytest.mark.parametrize("shared", [0.001, 0.005, 0.01, 0.05])
def test_no_hairball_without_any_configuration(crowds, shared):
    crowd = crowds.crowd(PERSONS, shared=shared, family=0)
    people = resolve(crowd.evidence())
    largest = int(np.bincount(people.person).max())
    assert largest <= sum(limit or 0 for limit in DEFAULT.limits) + COOKIES
    assert crowds.pair_scores(people.person, crowd.provable())[2] >= 0.98


def test_borrowed_cookies_beside_the_rest(crowds):
    crowd = crowds.crowd(PERSONS)
    people = resolve(crowd.evidence())
    precision, recall, f1 = crowds.pair_scores(people.person, crowd.provable())
    assert f1 >= 0.98
    assert recall >= 0.99
    assert precision >= 0.96


def test_everything_shared_by_many_is_on_the_review_list(crowds):
    crowd = crowds.crowd(PERSONS, shared=0.05)
    evidence = crowd.evidence()
    people = resolve(evidence)
    order = np.lexsort((crowd.nodes.lo, crowd.nodes.hi))
    nobody = crowd.truth[order] < 0
    assert people.quarantine.held[nobody].all()
    assert not people.quarantine.held[~nobody].any()
    assert (people.quarantine.count[nobody] > DEFAULT.quarantine_above).all()


def test_any_order_relabelling_and_repetition_gives_the_same_bits(crowds):
    crowd = crowds.crowd(PERSONS, kiosks=300)
    before = crowd.evidence()
    rng = np.random.default_rng(9)
    turned = _turned(crowd, rng)
    after = gather(*turned)
    for name in ("hi", "lo", "rank", "app", "first_seen_us", "a", "b", "kind", "days"):
        assert getattr(after, name).tobytes() == getattr(before, name).tobytes(), name
    one, two = resolve(before), resolve(after)
    assert len(one.refused) > 0
    for name in ("person", "anchor", "refused", "limit"):
        assert getattr(two, name).tobytes() == getattr(one, name).tobytes(), name


def _turned(crowd, rng):
    """The same facts: nodes renumbered, some twice; pairs shuffled, turned round, some twice."""
    size, edges = len(crowd.truth), len(crowd.pairs.a)
    place = rng.permutation(size)
    twice = rng.integers(0, size, size // 3)
    rows = np.concatenate([np.argsort(place), twice])
    nodes = Nodes(*(column[rows] for column in crowd.nodes))
    pick = rng.permutation(np.concatenate([np.arange(edges), rng.integers(0, edges, edges // 3)]))
    a, b = place[crowd.pairs.a[pick]], place[crowd.pairs.b[pick]]
    swap = rng.random(len(pick)) < 0.5
    a, b = np.where(swap, b, a).astype(np.int32), np.where(swap, a, b).astype(np.int32)
    return nodes, Pairs(a, b, crowd.pairs.kind[pick], crowd.pairs.days[pick])


def test_setting_apart_and_taking_it_back_is_the_identity(crowds):
    crowd = crowds.crowd(2_000)
    evidence = crowd.evidence()
    couple = evidence.node_id(int(evidence.a[0])), evidence.node_id(int(evidence.b[0]))
    before = resolve(evidence)
    apart = resolve(gather(crowd.nodes, crowd.pairs, Decisions(apart=(couple,))))
    after = resolve(gather(crowd.nodes, crowd.pairs))
    a, b = int(evidence.a[0]), int(evidence.b[0])
    assert before.person[a] == before.person[b]
    assert apart.person[a] != apart.person[b]
    assert after.person.tobytes() == before.person.tobytes()
