import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from touchline.attribution.sets import ChannelSets, channel_sets

names = st.sampled_from([f"c{i:03}" for i in range(0, 200, 7)])
row = st.tuples(
    st.lists(names, max_size=6).map(" ".join),
    st.integers(0, 3),
    st.integers(0, 100),
    st.integers(0, 3),
).map(lambda r: (r[0], r[1], r[2] * r[1], r[3]))
rows = st.lists(row, max_size=12)
WIDE = " ".join(f"c{i:03}" for i in range(200))


def read(sets):
    bounds = zip(sets.offsets[:-1], sets.offsets[1:], strict=True)
    return [tuple(sets.members[low:high].tolist()) for low, high in bounds]


@given(rows, st.booleans())
def test_each_journey_has_the_set_of_its_channels(paths, found, is_wide):
    journeys = paths(*found, channels=WIDE if is_wide else "")
    sets = channel_sets(journeys)
    distinct = read(sets)
    assert len(set(distinct)) == len(distinct) == len(sets)
    for number, which in enumerate(sets.of_journey):
        low, high = journeys.offsets[number : number + 2]
        assert distinct[which] == tuple(sorted({*journeys.channel[low:high].tolist()}))
    assert sets.sizes.tolist() == [len(one) for one in distinct]
    assert np.array_equal(sets.table.sum(axis=1), sets.sizes)


@given(rows)
def test_sets_add_up_to_all_journeys(paths, found):
    journeys = paths(*found)
    totals = channel_sets(journeys).totals(journeys)
    assert totals[0].sum() == sum(r[1] + r[3] for r in found)
    assert totals[1].sum() == sum(r[1] for r in found)
    assert totals[2].sum() == sum(r[2] for r in found)


def test_money_that_went_back_alone_is_no_set_s(people):
    journeys = people([("A@1 B@2", 100), ("A@1", -30)], counts=[1, 0])
    sets = channel_sets(journeys)
    assert sorted(sets.totals(journeys)[2].tolist()) == [0, 100]


def test_nothing_makes_no_sets(paths, people):
    assert len(channel_sets(paths())) == 0
    assert read(channel_sets(people([("", 5)]))) == [()]


@given(rows)
def test_sets_are_the_same_read_back_from_their_bits(paths, found):
    sets = channel_sets(paths(*found))
    bits = sets.coded(1 << np.arange(sets.channels))
    assert read(ChannelSets.of_bits(bits, sets.channels)) == read(sets)
    occurring = sorted({*sets.members.tolist()})
    assert np.flatnonzero(sets.seen).tolist() == occurring
