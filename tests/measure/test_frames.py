"""Frames of any library in, a frame of the same library out; nothing gets lost between them."""

import datetime as dt
import sys
from types import SimpleNamespace

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import touchline
from build import DAY
from touchline.errors import BadInput
from touchline.measure import frames

MINUTE = 60_000_000
TOUCHES = {
    "person_id": ["ann", "ann", "ben", "cleo", "ann"],
    "occurred_at": [dt.datetime(2026, 9, day, tzinfo=dt.UTC) for day in (1, 5, 3, 4, 20)],
    "channel": ["Paid Social", "Search", "Search", "Store", "Store"],
    "campaign": ["autumn", None, "brand", None, None],
}
BOUGHT = {
    "conversion_id": ["o1", "o2", "o3"],
    "person_id": ["ann", "ben", "dora"],
    "occurred_at": [dt.datetime(2026, 9, day, tzinfo=dt.UTC) for day in (6, 8, 9)],
    "revenue": [399.0, 658.5, 20.0],
}


def told(table, *names):
    return [tuple(row[name] for name in names) for row in table.to_pylist()]


def asked(**more):
    given = {"models": "last_touch"} | more
    return touchline.attribute(pa.table(TOUCHES), pa.table(BOUGHT), **given)


def test_rows_add_up_to_everything_that_was_given():
    found = asked(models="all", by=("channel", "campaign"))
    for model in set(found.column("model").to_pylist()):
        rows = [row for row in found.to_pylist() if row["model"] == model]
        assert sum(row["conversions"] for row in rows) == pytest.approx(3, abs=1e-9)
        assert sum(row["revenue"] for row in rows) == pytest.approx(1077.5, abs=1e-6)


def test_channels_come_with_their_share_and_what_no_touch_preceded_has_its_row():
    assert told(asked(), "channel", "conversions", "revenue") == [
        ("Search", 2, 1057.5),
        ("Paid Social", 0, 0),
        ("Store", 0, 0),
        ("(no touch)", 1, 20),
    ]


def test_removal_effects_stand_beside_channels():
    found = asked(models="markov_1")
    effects = dict(told(found, "channel", "removal_effect"))
    assert effects["Search"] == 1
    assert effects["Paid Social"] == pytest.approx(0.5)
    assert effects["(no touch)"] is None


def test_a_touch_has_its_conversion_and_its_credit():
    found = asked(models="linear", per_touch=True)
    assert found.column_names[:2] == ["model", "person_id"]
    names = ("person_id", "channel", "conversion_id", "credit", "revenue")
    assert told(found, *names) == [
        ("ann", "Paid Social", "o1", 0.5, 199.5),
        ("ann", "Search", "o1", 0.5, 199.5),
        ("ben", "Search", "o2", 1.0, 658.5),
    ]


def test_the_window_is_the_callers():
    found = asked(models="first_touch", window_days=2)
    assert dict(told(found, "channel", "conversions")) == {
        "Search": 1,
        "Paid Social": 0,
        "Store": 0,
        "(no touch)": 2,
    }


@pytest.mark.parametrize("days", [0, -5, float("nan"), float("inf"), 5_000])
def test_a_window_that_is_none_is_refused(days):
    with pytest.raises(BadInput, match="window_days") as refused:
        asked(window_days=days)
    assert refused.value.code == "bad_argument"


def test_pandas_gets_pandas():
    found = touchline.attribute(pd.DataFrame(TOUCHES), pd.DataFrame(BOUGHT), models="linear")
    assert isinstance(found, pd.DataFrame)
    assert found["conversions"].sum() == pytest.approx(3)
    assert found.equals(asked(models="linear").to_pandas())


class Polars:
    """A frame of a library that is not installed here."""

    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


Polars.__module__ = "polars.dataframe.frame"


def test_a_library_makes_its_own_answer(monkeypatch):
    made = SimpleNamespace(from_arrow=Polars)
    monkeypatch.setitem(sys.modules, "polars", made)
    views = pa.table(TOUCHES)
    views = views.set_column(2, "channel", views["channel"].cast(pa.string_view()))
    categories = pa.DictionaryArray.from_arrays(
        pa.array([0, None, 1, None, None], pa.uint32()),
        pa.array(["autumn", "brand"], pa.string_view()),
    )
    views = views.set_column(3, "campaign", categories)
    found = touchline.attribute(
        Polars(views), Polars(pa.table(BOUGHT)), models="last_touch", by=("channel", "campaign")
    )
    assert isinstance(found, Polars)
    assert found.table.equals(asked(by=("channel", "campaign")))


def test_times_may_be_microseconds_or_days():
    times = {"occurred_at": [int(at.timestamp() * 1e6) for at in TOUCHES["occurred_at"]]}
    days = {"occurred_at": [at.date() for at in BOUGHT["occurred_at"]]}
    found = touchline.attribute(
        pa.table(TOUCHES | times), pa.table(BOUGHT | days), models="last_touch"
    )
    assert found.equals(asked())


def test_touches_of_one_moment_keep_the_order_of_the_frame():
    at = {"person_id": ["ann", "ann"], "occurred_at": [5, 5], "channel": ["B", "A"]}
    bought = {"person_id": ["ann"], "occurred_at": [5 + MINUTE]}
    found = touchline.attribute(pa.table(at), pa.table(bought), models="first_touch")
    assert told(found, "channel", "conversions", "revenue") == [("A", 0, 0), ("B", 1, 0)]


def test_nobody_touched_and_nobody_bought():
    none = pa.table(TOUCHES).slice(0, 0)
    found = touchline.attribute(none, pa.table(BOUGHT), models="linear,markov_1")
    assert told(found, "model", "channel", "conversions") == [
        ("linear", "(no touch)", 3),
        ("markov_1", "(no touch)", 3),
    ]
    found = touchline.attribute(pa.table(TOUCHES), pa.table(BOUGHT).slice(0, 0), models="linear")
    assert found.column("conversions").to_pylist() == [0, 0, 0]


def test_paths_are_taken_as_a_frame_too():
    paths = pd.DataFrame(
        {
            "path": ["A > B", "B"],
            "total_conversions": [3, 1],
            "total_conversion_value": [30.0, 5.0],
            "total_null": [2, 4],
        }
    )
    found = touchline.attribute_paths(paths, models="last_touch,markov_1")
    assert isinstance(found, pd.DataFrame)
    assert found["channel"].tolist() == ["B", "A", "B", "A"]
    assert found["conversions"].tolist()[:2] == [4, 0]
    with pytest.raises(BadInput, match="empty step"):
        touchline.attribute_paths(paths.assign(path=["A > > B", "B"]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"occurred_at": ["2026-09-01"] * 5}, "timestamps"),
        ({"occurred_at": [None, *TOUCHES["occurred_at"][1:]]}, "row 0 has no usable occurred_at"),
        ({"person_id": ["ann", None, "ben", "cleo", "ann"]}, "row 1 has no usable person_id"),
        ({"channel": [[1]] * 5}, "channel"),
    ],
)
def test_what_cannot_be_used_is_named(change, words):
    with pytest.raises(BadInput, match=words):
        touchline.attribute(pa.table(TOUCHES | change), pa.table(BOUGHT))


def test_other_wrong_frames_are_refused():
    touches, bought = pa.table(TOUCHES), pa.table(BOUGHT)
    with pytest.raises(BadInput, match="list"):
        touchline.attribute([1], bought)
    with pytest.raises(BadInput, match="no column occurred_at"):
        touchline.attribute(touches.drop_columns(["occurred_at"]), bought)
    with pytest.raises(BadInput, match="first is to be channel"):
        touchline.attribute(touches, bought, by="campaign")
    with pytest.raises(BadInput, match="numbers are needed"):
        touchline.attribute(touches, pa.table(BOUGHT | {"revenue": ["1", "2", "3"]}))
    with pytest.raises(BadInput, match="row 1 has no usable revenue"):
        touchline.attribute(touches, pa.table(BOUGHT | {"revenue": [1.0, float("nan"), 2.0]}))


STEPS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 99), st.sampled_from("ABC")),
    max_size=12,
    unique_by=lambda step: step[:2],
)
ORDERS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 99), st.integers(-50, 900)), max_size=4
)


def framed(steps, orders, scale=1):
    person, day, channel = zip(*steps, strict=True) if steps else ((), (), ())
    touches = {
        "person_id": pa.array(person, pa.int64()),
        "occurred_at": pa.array([d * 86_400_000_000 for d in day], pa.int64()),
        "channel": pa.array(channel, pa.string()),
    }
    person, day, money = zip(*orders, strict=True) if orders else ((), (), ())
    bought = {
        "person_id": pa.array(person, pa.int64()),
        "occurred_at": pa.array([d * 86_400_000_000 for d in day], pa.int64()),
        "revenue": pa.array([m * scale for m in money], pa.float64()),
    }
    found = touchline.attribute(pa.table(touches), pa.table(bought), window_days=30)
    rows = found.to_pylist()
    return {(r["model"], r["channel"]): (r["conversions"], r["revenue"]) for r in rows}


@given(STEPS, ORDERS, st.randoms())
def test_order_of_rows_is_no_matter_and_money_has_no_unit(steps, orders, random):
    wanted = framed(steps, orders)
    models = {model for model, _ in wanted}
    for model in models:
        mine = [value for (name, _), value in wanted.items() if name == model]
        assert sum(count for count, _ in mine) == pytest.approx(len(orders), abs=1e-9)
        assert sum(money for _, money in mine) == pytest.approx(sum(o[2] for o in orders), abs=1e-6)
    mixed, scaled = random.sample(steps, len(steps)), framed(steps, orders, 8)
    for key, (count, money) in framed(mixed, random.sample(orders, len(orders))).items():
        assert (count, money) == pytest.approx(wanted.get(key, (0, 0)), rel=1e-9, abs=1e-6), key
        assert money * 8 == pytest.approx(scaled.get(key, (0, 0))[1], rel=1e-9, abs=1e-5), key


def crowd():
    """Eighty people; the half that met Ads buys, mostly, and so does one in ten of the others."""
    people = [f"p{n}" for n in range(80)]
    start = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)
    met = [(who, start + dt.timedelta(hours=n % 20), "Mail") for n, who in enumerate(people)]
    ads = [start + dt.timedelta(days=20 + n % 7) for n in range(80)]
    met += [(who, ads[n], "Ads") for n, who in enumerate(people) if n % 2]
    met.append(("last", start + dt.timedelta(days=60), "Mail"))
    buys = [n for n in range(80) if (n % 2 and n % 5) or n % 20 == 0]
    sold = [(people[n], ads[n] + dt.timedelta(hours=1 + n % 3), 10.5 + n) for n in buys]
    sold.append(("stranger", start, 1.0))
    points = dict(zip(("person_id", "occurred_at", "channel"), zip(*met, strict=True), strict=True))
    bought = dict(
        zip(("person_id", "occurred_at", "revenue"), zip(*sold, strict=True), strict=True)
    )
    return pa.table({k: list(v) for k, v in points.items()}), pa.table(
        {k: list(v) for k, v in bought.items()}
    )


def test_models_that_watch_people_over_time_find_all_they_need_in_the_frames():
    points, bought = crowd()
    found = touchline.attribute(points, bought, models="hazard,incremental")
    for model in ("hazard", "incremental"):
        rows = {row["channel"]: row for row in found.to_pylist() if row["model"] == model}
        assert {"Ads", "(baseline)", "(no touch)"} <= set(rows)
        assert rows["Ads"]["conversions"] > len(bought) / 2
        assert rows["(no touch)"]["revenue"] == 1.0
        assert sum(row["conversions"] for row in rows.values()) == pytest.approx(len(bought))
        money = sum(row["revenue"] for row in rows.values())
        assert money == pytest.approx(sum(bought.column("revenue").to_pylist()))
    assert "hazard" in touchline.attribute(points, bought).column("model").to_pylist()


def test_too_few_conversions_to_watch_are_named():
    with pytest.raises(BadInput, match="at least 30 conversions"):
        asked(models="incremental")


def test_what_all_leaves_out_though_the_frames_have_it_is_said():
    """More channels than so few conversions could tell apart."""
    start, people = dt.datetime(2026, 9, 1, tzinfo=dt.UTC), [f"p{n}" for n in range(250)]
    met = {"person_id": people, "channel": [f"c{n}" for n in range(250)]}
    points = pa.table(met | {"occurred_at": [start] * 250})
    late = [start + dt.timedelta(hours=1 + n) for n in range(100)]
    bought = pa.table({"person_id": people[:100], "occurred_at": late})
    with pytest.warns(UserWarning, match="hazard|incremental") as said:
        found = touchline.attribute(points, bought)
    left_out = {"hazard", "incremental"}.difference(found.column("model").to_pylist())
    assert len(said) == len(left_out) > 0


def test_what_no_label_can_take_joins_the_row_that_has_no_finer_name():
    met = {"person_id": ["a", "b", "c"], "channel": ["X", "Y", "Y"], "campaign": ["k", None, "q"]}
    points = pa.table(met | {"occurred_at": [dt.datetime(2026, 9, 1, tzinfo=dt.UTC)] * 3})
    sold = {"person_id": ["a"], "occurred_at": [dt.datetime(2026, 9, 2, tzinfo=dt.UTC)]}
    bought = pa.table(sold | {"revenue": [10.0]})
    by = ("channel", "campaign")
    found = touchline.attribute(points, bought, models="shapley_rate", by=by)
    keys = told(found, *by)
    assert len(keys) == len(set(keys))
    assert sum(found.column("conversions").to_pylist()) == pytest.approx(1)


def test_touches_may_have_columns_called_as_those_of_the_answer():
    points = pa.table(TOUCHES)
    points = points.append_column("revenue", pa.array([7.0] * len(points)))
    found = touchline.attribute(points, pa.table(BOUGHT), models="linear", per_touch=True)
    assert found.column_names.count("revenue") == 1
    assert found.equals(asked(models="linear", per_touch=True))


def test_channels_called_as_rows_of_no_channel_are_unassigned():
    points = pa.table(TOUCHES | {"channel": ["(Baseline)"] * len(TOUCHES["channel"])})
    found = touchline.attribute(points, pa.table(BOUGHT), models="linear")
    assert set(found.column("channel").to_pylist()) <= {"Unassigned", "(no touch)"}


def test_who_bought_without_a_touch_makes_others_watched_as_long():
    """As in a workspace: what is known last ends the watch, whoever it is of."""
    start = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)
    points = pa.table({"person_id": ["ann"], "occurred_at": [start], "channel": ["Ads"]})
    late = {
        "person_id": ["ben", None],
        "occurred_at": [start + dt.timedelta(days=n) for n in (5, 9)],
    }
    found = frames._watched(points, pa.table(late), 90)
    assert (found.end_us - found.start_us).tolist() == [5 * DAY]


def test_text_of_polars_goes_all_the_way(monkeypatch):
    """It comes as views, of which rows cannot be taken."""
    monkeypatch.setitem(sys.modules, "polars", SimpleNamespace(from_arrow=Polars))
    touches, bought = (
        pa.table(
            {k: pa.array(v, pa.string_view()) if k.endswith("id") else v for k, v in t.items()}
        )
        for t in (TOUCHES, BOUGHT)
    )
    found = touchline.attribute(Polars(touches), Polars(bought), models="linear", per_touch=True)
    names = ("person_id", "credit", "revenue")
    assert told(found.table, *names) == told(asked(models="linear", per_touch=True), *names)


def test_weights_are_a_table_or_text_and_other_options_are_named():
    asked_for = {"models": "custom"}
    text = asked(**asked_for, weights="first=0.25,last=0.75")
    assert text.equals(asked(**asked_for, weights={"first": 0.25, "last": 0.75}))
    with pytest.raises(BadInput, match="half_life_days"):
        asked(interval=0.95)
