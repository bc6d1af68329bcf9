"""Paths and files at the edge: every model gives out what was won, or says why it cannot."""

import numpy as np
import pytest

from touchline.attribution import (
    MODELS,
    Stages,
    Weights,
    by_position,
    choose,
    combinations,
    credit,
    synergy,
    transitions,
)

LONG = " ".join(f"c{i % 7}" for i in range(1_000))


def every(journeys, conversions, revenue):
    """All models that journeys alone suffice for, and a rule of one's own; the answers."""
    models, _ = choose("all", journeys, weights=Weights(first=1, last=2))
    answers = credit(journeys, models, weights=Weights(first=1, last=2))
    for model, answer in answers.items():
        assert answer.channel_conversions.sum() == pytest.approx(conversions, abs=1e-9), model
        assert answer.channel_revenue.sum() == pytest.approx(revenue, abs=1e-6), model
        if model != "shapley_rate":
            assert (answer.channel_conversions >= -1e-12).all(), model
    return answers


def test_paths_of_a_thousand_touches(paths):
    every(paths((LONG, 2, 50, 3), ("c1", 1, 5, 9)), 3, 55)
    counted, _ = by_position(paths((LONG, 1, 1, 0)), np.full(1_000, 1 / 1_000), 10)
    assert counted[:, :9].sum() == pytest.approx(9 / 1_000)
    assert counted.sum() == pytest.approx(1)


def test_one_journey_alone(paths, people):
    answers = every(paths(("A B", 1, 10, 0)), 1, 10)
    assert answers["markov_auto"].fitted == {"order": 1}
    assert answers["shapley"].channel_conversions.tolist() == [0.5, 0.5]
    every(people([("A@1", 10)]), 1, 10)


def test_all_conversions_in_one_channel(paths):
    journeys = paths(("A", 5, 50, 1), ("B", 0, 0, 9), ("C B", 0, 0, 4))
    answers = every(journeys, 5, 50)
    harmful = answers.pop("shapley_rate").channel_conversions
    assert harmful[0] > 5 > 0 > harmful[1]  # journeys with B convert less than those without
    for model, answer in answers.items():
        assert answer.channel_conversions == pytest.approx([5, 0, 0]), model


def test_a_channel_never_seen_in_a_journey_that_failed(paths):
    every(paths(("A", 1, 10, 9), ("A B", 4, 40, 0), ("A", 0, 0, 3)), 5, 50)


def test_self_loops_and_repeats(paths):
    looped = every(paths(("A A A B B", 2, 20, 1), ("B B", 1, 5, 4)), 3, 25)
    plain = every(paths(("A B", 2, 20, 1), ("B", 1, 5, 4)), 3, 25)
    for model in ("markov_1", "shapley", "shapley_rate", "first_touch", "last_touch"):
        a, b = looped[model], plain[model]
        assert a.channel_conversions == pytest.approx(b.channel_conversions), model


def test_touches_of_one_second_keep_their_order(people):
    journeys = people([("A@1 B@1 C@1", 30)])
    answers = every(journeys, 1, 30)
    assert answers["first_touch"].channel_conversions.tolist() == [1, 0, 0]
    assert answers["time_decay"].channel_conversions == pytest.approx([1 / 3] * 3)
    stages = Stages.at(journeys, np.array([86_400_000_000]), np.array([86_400_000_000]))
    assert stages.lead.tolist() == [2]


@pytest.mark.parametrize("names", [list("AB"), list("ABC"), [f"c{i}" for i in range(30)]])
def test_channels_by_another_name_get_the_same(paths, names):
    """Turned round, so that codes change places; what is sampled is drawn for codes."""
    rng = np.random.default_rng(2)
    rows = [
        (
            " ".join(rng.choice(names, rng.integers(1, 6))),
            *(float(x) for x in rng.integers(0, 4, 3)),
        )
        for _ in range(60)
    ]
    rows = [(path, won, value * (won > 0), lost) for path, won, value, lost in rows]
    turned = dict(zip(names, reversed([f"z{99 - i}" for i in range(len(names))]), strict=True))
    other = [(" ".join(turned[name] for name in path.split()), *rest) for path, *rest in rows]
    models = [m for m in MODELS if m not in ("time_decay", "markov_auto")]
    if len(names) > 20:
        models.remove("shapley_rate")
    first, second = (credit(paths(*found), models) for found in (rows, other))
    for model in models:
        a, b = first[model], second[model]
        place = [b.journeys.labels.channels.index(turned[n]) for n in a.journeys.labels.channels]
        assert b.channel_conversions[place] == pytest.approx(a.channel_conversions, abs=1e-9), model
        assert b.channel_revenue[place] == pytest.approx(a.channel_revenue, abs=1e-6), model


def test_patterns_of_nothing_and_of_one_touch(paths):
    for journeys in (paths(), paths(("A", 1, 10, 0))):
        assert len(synergy(journeys).first) == 0
        assert combinations(journeys).conversions.sum() == len(journeys.conversions)
        assert transitions(journeys, 3).counts.sum() == 2 * len(journeys.conversions)
