"""Roles and sequences: each view adds up to the conversions it is of."""

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.attribution import Journeys, Labels, Touches
from touchline.attribution.roles import ended, roles
from touchline.attribution.sequences import sequences

PATHS = st.lists(st.lists(st.integers(0, 3), max_size=6), max_size=8)


def journeys_of(won, lost, size=4):
    """Paths of label codes; the n-th that converts is worth 100 + n."""
    held = [path for path in lost if path]
    labels = Labels.of_channels(tuple("ABCDEFGH"[:size]))
    number = [j for j, path in enumerate(won) for _ in path]
    return Journeys.from_touches(
        Touches(np.array(number, dtype=np.int64), np.array(list(chain(*won)), dtype=np.int64)),
        Touches(
            np.array([j for j, path in enumerate(held) for _ in path], dtype=np.int64),
            np.array(list(chain(*held)), dtype=np.int64),
        ),
        value=np.arange(100, 100 + len(won)),
        labels=labels,
    )


def test_a_path_is_opened_helped_and_closed():
    found = roles(journeys_of([[0, 1, 1, 2]], [], size=3))
    assert found.opener.conversions.tolist() == [1, 0, 0]
    assert found.assist.conversions.tolist() == [0, 1, 0]
    assert found.assist.value.tolist() == [0, 100, 0]
    assert found.closer.conversions.tolist() == [0, 0, 1]
    assert (found.helped.tolist(), found.present.tolist()) == ([0, 1, 0], [1, 1, 1])
    assert (found.early.tolist(), found.mid.tolist(), found.late.tolist()) == (
        [1, 0, 0], [0, 2, 0], [0, 0, 1]
    )  # fmt: skip


def test_the_only_touch_opens_and_closes_and_is_neither_early_nor_late():
    found = roles(journeys_of([[1]], [], size=2))
    assert (found.opener.conversions[1], found.closer.conversions[1], found.alone[1]) == (1, 1, 1)
    assert found.early.sum() == found.mid.sum() == found.late.sum() == 0


@given(PATHS, PATHS)
def test_each_role_adds_up_to_its_conversions_and_money(won, lost):
    found = roles(journeys_of(won, lost))
    touched = [100 + n for n, path in enumerate(won) if path]
    long = [100 + n for n, path in enumerate(won) if len(path) > 2]
    for role, worth in ((found.opener, touched), (found.closer, touched), (found.assist, long)):
        assert role.conversions.sum() == pytest.approx(len(worth), abs=1e-9)
        assert role.value.sum() == pytest.approx(sum(worth))
        assert (role.conversions >= 0).all()
    places = (found.early, found.mid, found.late, found.alone)
    assert sum(one.sum() for one in places) == sum(map(len, won))


@given(PATHS, PATHS)
def test_journeys_that_lead_nowhere_end_once(won, lost):
    found = ended(journeys_of(won, lost))
    held = [path for path in lost if path]
    assert found.last.tolist() == [sum(path[-1] == c for path in held) for c in range(4)]
    assert found.present.tolist() == [sum(c in path for path in held) for c in range(4)]


def merged(path):
    return tuple(c for at, c in enumerate(path) if at == 0 or path[at - 1] != c)


@given(PATHS, PATHS)
def test_sequences_are_counted_as_if_they_were_compared(won, lost):
    found = sequences(journeys_of(won, lost), 100)
    counted = {one.steps: (one.conversions, one.value, one.nulls) for one in found}
    wanted = {}
    for n, path in enumerate(won):
        if path:
            conversions, value, nulls = wanted.get(merged(path), (0, 0, 0))
            wanted[merged(path)] = (conversions + 1, value + 100 + n, nulls)
    for path in lost:
        if path and merged(path) in wanted:
            conversions, value, nulls = wanted[merged(path)]
            wanted[merged(path)] = (conversions, value, nulls + 1)
    assert counted == wanted
    assert [one.conversions for one in found] == sorted((c for c, _, _ in wanted.values()))[::-1]


def test_the_most_frequent_come_first_and_no_more_than_asked():
    found = journeys_of([[0], [0, 0], [1]], [[2], [2, 2], [2], [0]])
    assert [one.steps for one in sequences(found, 1)] == [(0,)]
    (lost,) = sequences(found, 1, by_nulls=True)
    assert (lost.steps, lost.nulls, lost.conversions) == ((2,), 3, 0)


def test_nothing_has_no_roles_and_no_sequences():
    nothing = journeys_of([], [], size=0)
    assert sequences(nothing, 5) == []
    assert len(roles(nothing).present) == len(ended(nothing).present) == 0
