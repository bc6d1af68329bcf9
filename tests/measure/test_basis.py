"""Labels as codes: any number of distinct values, equal data giving equal codes."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from touchline.measure.gather import numbered_labels

NAMES = [f"n{i}" for i in range(7)]
TEXTS = st.lists(
    st.tuples(*[st.one_of(st.none(), st.sampled_from(["a", "b", "渠道"]))] * 3), max_size=30
)


def columns(rows):
    return pa.table(
        {str(i): pa.array(c, pa.string()) for i, c in enumerate(zip(*rows, strict=True))}
    )


def test_seven_labels_of_many_thousand_values_each_keep_their_names():
    """Their product is beyond 64 bits."""
    size = 5000
    rows = [
        tuple(f"{name}-{(row * (at + 1)) % size}" for at, name in enumerate(NAMES))
        for row in range(size)
    ]
    code, labels = numbered_labels(columns(rows))
    assert [labels[c] for c in code] == rows
    assert len(labels) == len(set(rows))


@given(TEXTS.filter(len))
def test_codes_stand_for_their_labels_whatever_the_order_of_rows(rows):
    code, labels = numbered_labels(columns(rows))
    assert [labels[c] for c in code] == rows
    assert len(set(labels)) == len(labels)
    backwards, same = numbered_labels(columns(rows[::-1]))
    assert same == labels
    assert backwards.tolist() == code.tolist()[::-1]
