"""What an erasure does with a column is said for every column; and how their words are cut."""

import json

import pyarrow as pa
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from touchline.jobs.privacy.erase_map import LAKE, STATE, Fate
from touchline.jobs.privacy.erase_words import Knife, forms
from touchline.storage import schema
from touchline.storage.columns import BY_NODE, MIRRORS, TABLES
from touchline.storage.search import Wanted

HELD = (sa.String, sa.LargeBinary)


def _may_hold(kind):
    return not (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_date(kind)
    )


def test_every_column_of_state_that_may_hold_somebody_is_listed():
    there = {
        table.name: {column.name for column in table.columns if isinstance(column.type, HELD)}
        for table in schema.metadata.sorted_tables
    }
    told = {name: set(columns) for name, columns in STATE.items()}
    assert told == there
    # A row that an erasure may change in part has a key to find it by, which stays.
    for table in schema.metadata.sorted_tables:
        for key in table.primary_key.columns:
            fate = STATE[table.name].get(key.name, Fate.NAME)
            assert fate in (Fate.NAME, Fate.THEIRS, Fate.SEALED, Fate.MADE)


def test_every_column_of_the_lake_that_may_hold_somebody_is_listed():
    shapes = [*(shape for shape, _ in TABLES.values()), *MIRRORS.values(), BY_NODE]
    there = {field.name for shape in shapes for field in shape if _may_hold(field.type)}
    assert set(LAKE) == there


VALUES = st.text(st.sampled_from('abc0129"\\,:{}[] .é客'), min_size=8, max_size=14)
JSON = st.recursive(
    st.one_of(st.integers(), st.booleans(), st.none(), VALUES, st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(VALUES, inner, max_size=3),
    max_leaves=6,
)


@given(VALUES, JSON, st.booleans())
def test_json_stays_json_whatever_is_cut_out_of_it(value, held, is_ascii):
    """Keys stay, and so does each value in which the word does not stand."""
    knife = Knife(Wanted([], [], forms("user_id", value)))
    before = {"theirs": value, "others": held}
    after = json.loads(knife.cut(Fate.JSON, json.dumps(before, ensure_ascii=is_ascii)))
    assert list(after) == ["theirs", "others"]
    if forms("user_id", value):
        assert value not in after["theirs"] or after["theirs"] == "erased"
    assert _shape(after["others"]) == _shape(held)


def _shape(value):
    if isinstance(value, dict):
        return {key: _shape(one) for key, one in value.items()}
    return [_shape(one) for one in value] if isinstance(value, list) else ...
