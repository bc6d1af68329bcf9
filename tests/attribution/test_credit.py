import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.attribution import MODELS, choose, credit, obstacle
from touchline.attribution.rules import Weights
from touchline.attribution.stages import Stages
from touchline.errors import BadInput

touch = st.tuples(
    st.sampled_from(["A", "B", "C", "Direct"]), st.sampled_from("xy"), st.integers(0, 90)
)
journey = st.lists(touch, max_size=7).map(
    lambda found: " ".join(
        f"{channel}/{campaign}@{day}"
        for channel, campaign, day in sorted(found, key=lambda t: t[2])
    )
)
won = st.lists(st.tuples(journey, st.integers(-500, 100_000)), max_size=8)
others = st.lists(journey.filter(bool), max_size=8)
AGGREGATE = ("markov_1", "markov_2", "markov_3", "markov_auto", "shapley_rate")
RULES = tuple(model for model in MODELS if model not in AGGREGATE)


@given(won, others)
def test_every_model_gives_out_exactly_what_was_won(people, found, lost):
    journeys = people(found, lost)
    conversions = sum(bool(path) for path, _ in found)
    revenue = sum(value for path, value in found if path)
    assert journeys.no_touch == (len(found) - conversions, sum(v for _, v in found) - revenue)
    for model, answer in credit(journeys, MODELS).items():
        assert answer.channel_conversions.sum() == pytest.approx(conversions, abs=1e-9), model
        assert answer.channel_revenue.sum() == pytest.approx(revenue, abs=1e-6), model


@given(won, others)
def test_every_grain_adds_up_to_the_one_above(people, found, lost):
    journeys = people(found, lost)
    channel_of = journeys.labels.channel_of
    channels = len(journeys.labels.channels)
    label = journeys.label[: journeys.converting_touches]
    for answer in credit(journeys, MODELS).values():
        for by_touch, by_label, left, by_channel in (
            (
                answer.touch_conversions,
                answer.label_conversions,
                answer.leftover_conversions,
                answer.channel_conversions,
            ),
            (
                answer.touch_revenue,
                answer.label_revenue,
                answer.leftover_revenue,
                answer.channel_revenue,
            ),
        ):
            summed = np.bincount(label, by_touch, len(channel_of))
            assert summed == pytest.approx(by_label, abs=1e-6)
            rolled = np.bincount(channel_of, by_label, channels) + left
            assert rolled == pytest.approx(by_channel, abs=1e-6)


@given(won, others)
def test_rules_share_out_each_conversion_by_itself(people, found, lost):
    journeys = people(found, lost)
    expected = journeys.is_touched.astype(float)
    for model, answer in credit(journeys, RULES).items():
        assert answer.share is not None
        assert (answer.share >= 0).all()
        shared = np.bincount(journeys.journey_of, answer.share, journeys.converting)
        assert shared == pytest.approx(expected, abs=1e-12), model


@given(won, others, st.randoms(use_true_random=False))
def test_the_order_of_journeys_changes_nothing(people, found, lost, random):
    first = credit(people(found, lost), MODELS)
    random.shuffle(found)
    random.shuffle(lost)
    second = credit(people(found, lost), MODELS)
    for model in MODELS:
        a, b = first[model], second[model]
        assert a.channel_conversions == pytest.approx(b.channel_conversions, abs=1e-9)
        assert a.channel_revenue == pytest.approx(b.channel_revenue, abs=1e-6)


path_row = st.tuples(
    st.lists(st.sampled_from(["A", "B", "C", "Direct"]), max_size=6).map(" ".join),
    st.integers(0, 3),
    st.integers(0, 500),
    st.integers(0, 3),
).map(lambda r: (r[0], r[1], r[2] * r[1], r[3]))
TIMELESS = tuple(model for model in MODELS if model != "time_decay")


@given(st.lists(path_row, min_size=1, max_size=8))
def test_a_row_with_counts_is_that_many_rows(paths, rows):
    apart = [
        one
        for path, conversions, value, nulls in rows
        for one in [(path, 1, value / max(conversions, 1), 0)] * conversions
        + [(path, 0, 0, 1)] * nulls
    ]
    channels = "A B C Direct"
    together = credit(paths(*rows, channels=channels), TIMELESS)
    singly = credit(paths(*apart, channels=channels), TIMELESS)
    for model in TIMELESS:
        a, b = together[model], singly[model]
        assert a.channel_conversions == pytest.approx(b.channel_conversions, abs=1e-9), model
        assert a.channel_revenue == pytest.approx(b.channel_revenue, abs=1e-6), model
        assert a.label_conversions == pytest.approx(b.label_conversions, abs=1e-9), model


def test_reruns_are_equal_to_the_last_bit(paths):
    rng = np.random.default_rng(7)
    rows = [
        (
            " ".join(rng.choice(list("ABCDEFGH"), rng.integers(1, 9))),
            *(float(x) for x in rng.integers(1, 5, 3)),
        )
        for _ in range(400)
    ]
    answers = [credit(paths(*rows), TIMELESS) for _ in range(3)]
    for model in TIMELESS:
        first, *again = (answer[model] for answer in answers)
        for other in again:
            assert other.channel_conversions.tobytes() == first.channel_conversions.tobytes()
            assert other.channel_revenue.tobytes() == first.channel_revenue.tobytes()


def test_totals_do_not_drift_over_many_conversions(paths):
    rows = [(("A B C D E F G H"[: 2 * (i % 8) + 1]), 1, 100 / 3, 0) for i in range(20_000)]
    for model, answer in credit(paths(*rows), TIMELESS).items():
        assert answer.channel_conversions.sum() == pytest.approx(20_000, abs=1e-9), model


def test_markov_shares_the_total_in_proportion_to_what_would_be_lost(paths):
    journeys = paths(("A B", 1, 100, 0), ("A", 0, 0, 1), ("B", 0, 0, 1))
    answer = credit(journeys, ["markov_1"])["markov_1"]
    assert answer.removal_effect == pytest.approx([0.5, 1])
    assert answer.removal_effect_revenue == pytest.approx([0.5, 1])
    assert answer.channel_conversions == pytest.approx([1 / 3, 2 / 3])
    assert answer.channel_revenue == pytest.approx([100 / 3, 200 / 3])


def test_refunds_that_cancel_sales_blow_no_share_up(people):
    """Money nets to 0: what was earned and what went back are shared out separately."""
    journeys = people([("A@1 B@2", 100), ("B@1", -100)], others=["A"])
    answer = credit(journeys, ["markov_1"])["markov_1"]
    assert answer.channel_revenue.sum() == pytest.approx(0, abs=1e-9)
    assert np.abs(answer.channel_revenue).max() <= 100
    assert answer.removal_effect_revenue is not None
    assert np.isfinite(answer.removal_effect_revenue).all()


def test_money_that_goes_back_without_its_order_lowers_revenue_alone(people):
    journeys = people([("A@1", 100), ("A@1 B@2", -30)], counts=[1, 0])
    for model, answer in credit(journeys, MODELS).items():
        assert answer.channel_conversions.sum() == pytest.approx(1), model
        assert answer.channel_revenue.sum() == pytest.approx(70), model


def test_money_that_goes_back_without_its_order_moves_no_conversions(people):
    won, lost = [("A@1 B@2", 100), ("C@1 A@3", 50), ("B@1", 30)], ["A C", "B A", "C"]
    plain = credit(people(won, others=lost), MODELS)
    alone = [*won, ("A@1 C@2", -31), ("C@5", -40)]
    found = credit(people(alone, others=lost, counts=[1, 1, 1, 0, 0]), MODELS)
    for model, answer in found.items():
        before = plain[model]
        assert answer.channel_conversions == pytest.approx(before.channel_conversions), model
        assert answer.channel_revenue.sum() == pytest.approx(180 - 71), model
        if answer.share is None:
            taken = answer.channel_revenue - before.channel_revenue
            assert taken == pytest.approx([-15.5, 0, -55.5]), model


def test_money_that_goes_back_where_nothing_was_won_is_still_taken(people):
    for model, answer in credit(people([("A@1 B@2", -30)], counts=[0]), MODELS).items():
        assert answer.channel_conversions.tolist() == [0, 0], model
        assert answer.channel_revenue.sum() == pytest.approx(-30), model


def test_a_channel_only_lost_journeys_hold_keeps_its_aggregate_total_as_leftover(people):
    """C leads to A in the chain, but no journey with C converted: no campaign can take its part."""
    journeys = people([("A/x@1", 90)], others=["C/x A/x", "A/x"])
    answer = credit(journeys, ["markov_1"])["markov_1"]
    assert answer.leftover_conversions[0] == 0
    assert answer.leftover_conversions[1] == answer.channel_conversions[1] > 0
    assert answer.leftover_revenue[1] == answer.channel_revenue[1] > 0
    assert answer.label_conversions[1] == 0


def test_direct_is_a_channel_like_any_other_and_wins_where_it_is_alone(people):
    journeys = people([("Direct@1", 10), ("A@1 Direct@2", 20)])
    answer = credit(journeys, ["last_non_direct", "last_touch"])
    assert answer["last_non_direct"].channel_revenue.tolist() == [20, 10]
    assert answer["last_touch"].channel_revenue.tolist() == [0, 30]


def test_conversions_of_the_same_second_stay_apart(people):
    journeys = people([("A@1 B@1", 10), ("A@1 B@1", 20)])
    for model, answer in credit(journeys, RULES).items():
        assert answer.channel_conversions.sum() == pytest.approx(2), model
        assert answer.channel_revenue.sum() == pytest.approx(30), model


def test_nothing_won_gives_nothing_and_no_error(people):
    for answer in credit(people([], others=["A B", "B"]), MODELS).values():
        assert answer.channel_conversions.tolist() == [0, 0]
        assert answer.label_revenue.tolist() == [0, 0]
        assert answer.leftover_revenue.tolist() == [0, 0]
    effects = credit(people([], others=["A"]), ["markov_1"])["markov_1"].removal_effect
    assert effects is not None
    assert effects.tolist() == [0]


def test_the_half_life_reaches_time_decay(people):
    journeys = people([("A@0 B@7", 300)])
    assert credit(journeys, ["time_decay"])["time_decay"].channel_revenue == pytest.approx(
        [100, 200]
    )
    slow = credit(journeys, ["time_decay"], half_life_days=1e9)["time_decay"]
    assert slow.channel_revenue == pytest.approx([150, 150])


@pytest.mark.parametrize("days", [0, -1, float("nan"), float("inf")])
def test_a_half_life_must_be_a_time(people, days):
    with pytest.raises(BadInput) as refused:
        credit(people([("A@0", 1)]), ["time_decay"], half_life_days=days)
    assert refused.value.code == "bad_half_life"


def test_all_means_all_that_can_be_computed_and_says_what_cannot(paths):
    journeys = paths((" ".join(f"c{i}" for i in range(21)), 1, 1, 0))
    models, left_out = choose("all", journeys)
    assert models == [model for model in MODELS if model != "time_decay"]
    assert [why.code for why in left_out] == ["model_needs_times"]


def test_models_keep_the_order_they_are_asked_in(people):
    journeys = people([("A@1 B@2", 1)])
    models, left_out = choose(" linear, markov_2,linear ", journeys)
    assert (models, left_out) == (["linear", "markov_2"], [])
    assert list(credit(journeys, models)) == models


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("linear,lineal", "unknown_model"),
        ("", "unknown_model"),
        (",", "unknown_model"),
        ("time_decay", "model_needs_times"),
        ("w_shaped", "model_needs_stages"),
        ("custom", "model_needs_weights"),
        ("markov_60", "too_many_channels"),
    ],
)
def test_a_model_asked_for_by_name_is_given_or_refused(paths, asked, code):
    journeys = paths((" ".join(f"c{i}" for i in range(21)), 1, 1, 0))
    with pytest.raises(BadInput) as refused:
        choose(asked, journeys)
    assert refused.value.code == code
    assert refused.value.text("zh")


def test_credit_refuses_what_it_cannot_compute(paths):
    with pytest.raises(BadInput):
        credit(paths(("A", 1, 1, 0)), ["time_decay"])
    with pytest.raises(BadInput):
        credit(paths(("A", 1, 1, 0)), ["guess"])


def test_markov_refuses_more_channels_than_memory_holds(paths, monkeypatch):
    monkeypatch.setattr("touchline.attribution.markov.MARKOV_CHANNELS", 2)
    with pytest.raises(BadInput) as refused:
        choose("markov_1", paths(("A B C", 1, 1, 0)))
    assert refused.value.code == "too_many_channels"


def test_weights_of_one_s_own_are_a_model(people):
    journeys = people([("A@1 B@2 C@3", 100)])
    models, _ = choose("all", journeys, weights=Weights(first=1, rest=3))
    assert "custom" in models
    answer = credit(journeys, ["custom"], weights=Weights(first=1, rest=3))["custom"]
    assert answer.channel_revenue == pytest.approx([25, 37.5, 37.5])
    assert obstacle("custom", journeys, weights=Weights(lead=1)).code == "model_needs_stages"


def test_position_based_takes_any_weights(people):
    journeys = people([("A@1 B@2 C@3", 100)])
    given_weights = Weights(first=0.2, last=0.7, rest=0.1)
    answer = credit(journeys, ["position_based"], positions=given_weights)["position_based"]
    assert answer.channel_revenue == pytest.approx([20, 10, 70])


def test_stages_bring_their_models_into_all(people):
    journeys = people([("A@1 B@2 C@3", 100)])
    stages = Stages(lead=np.array([1]), opportunity=np.array([2]))
    models, left_out = choose("all", journeys, stages=stages)
    assert {"w_shaped", "z_shaped"} <= {*models}
    assert left_out == []
    answer = credit(journeys, ["w_shaped"], stages=stages)["w_shaped"]
    assert answer.channel_conversions == pytest.approx([1 / 3] * 3)


@given(won, others, st.integers(2, 1_000))
def test_money_in_another_unit_moves_no_share(people, found, lost, factor):
    first = credit(people(found, lost), MODELS)
    second = credit(people([(path, value * factor) for path, value in found], lost), MODELS)
    for model in MODELS:
        a, b = first[model], second[model]
        assert b.channel_conversions == pytest.approx(a.channel_conversions, abs=1e-9), model
        assert b.channel_revenue == pytest.approx(a.channel_revenue * factor, abs=1e-6), model
