import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.attribution import credit
from touchline.attribution.memory import FOLDS, HIGHEST_ORDER, chosen_order


def world(chance, size=4_000, seed=3):
    """Paths of two to five steps over A B C, converting with the chance of their last steps."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(size):
        steps = rng.choice(list("ABC"), rng.integers(2, 6)).tolist()
        has_converted = rng.random() < chance(steps)
        found.append(
            (" ".join(steps), float(has_converted), 10.0 * has_converted, 1 - has_converted)
        )
    return found


def test_where_only_the_last_channel_matters_one_step_is_enough(paths):
    memory = chosen_order(paths(*world(lambda steps: {"A": 0.5, "B": 0.2, "C": 0.05}[steps[-1]])))
    assert memory.order == 1
    assert len(memory.auc) == HIGHEST_ORDER
    assert memory.auc[0] > 0.6


def test_where_the_pair_matters_two_steps_are_taken(paths):
    """Each channel closes equally often: only what came before it tells journeys apart."""
    memory = chosen_order(paths(*world(lambda steps: 0.6 if steps[-2] == steps[-1] else 0.05)))
    assert memory.order == 2
    assert memory.auc[1] > memory.auc[0] + 0.1


def test_a_triple_takes_three(paths):
    memory = chosen_order(paths(*world(lambda steps: 0.7 if steps[-3:-2] == ["A"] else 0.05)))
    assert memory.order == 3


def test_where_nothing_matters_no_order_is_better_than_a_coin(paths):
    memory = chosen_order(paths(*world(lambda _: 0.3)))
    assert memory.order == 1
    assert np.abs(memory.auc - 0.5).max() < 0.05


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(paths, random):
    rows = world(lambda steps: 0.6 if steps[-2] == steps[-1] else 0.05, 300)
    first = chosen_order(paths(*rows))
    random.shuffle(rows)
    second = chosen_order(paths(*rows))
    assert first.order == second.order
    assert first.auc.tolist() == second.auc.tolist()


def test_a_row_with_counts_is_that_many_rows(paths):
    rows = [("A B", 30, 0, 10), ("B A", 5, 0, 40), ("A", 3, 0, 50), ("B B A", 10, 0, 9)]
    apart = [
        one
        for path, won, _, lost in rows
        for one in [(path, 1, 0, 0)] * won + [(path, 0, 0, 1)] * lost
    ]
    together, singly = chosen_order(paths(*rows)), chosen_order(paths(*apart))
    assert together.auc.tolist() == singly.auc.tolist()


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [("A B", 1, 10, 0)],
        [("A B", 50, 10, 0), ("B", 50, 10, 0)],
        [("A B", 0, 0, 50)],
        [("", 5, 50, 5)],
    ],
)
def test_where_nothing_can_be_compared_the_order_is_one(paths, rows):
    memory = chosen_order(paths(*rows))
    assert memory.order == 1
    assert len(memory.auc) == 0


def test_folds_without_an_outcome_are_left_out(paths):
    memory = chosen_order(paths(("A B", 2, 10, 40), ("B A", 1, 10, 40)))
    assert memory.order >= 1
    assert np.isfinite(memory.auc).all()
    assert FOLDS > 3  # three conversions cannot be in every fold


def test_the_model_is_the_chain_of_the_order_it_names(paths):
    journeys = paths(*world(lambda steps: 0.6 if steps[-2] == steps[-1] else 0.05, 1_000))
    answer = credit(journeys, ["markov_auto", "markov_2"])
    auto, second = answer["markov_auto"], answer["markov_2"]
    assert auto.fitted["order"] == 2
    assert 0.5 < auto.fitted["auc"] < 1
    assert auto.channel_conversions.tolist() == second.channel_conversions.tolist()
    assert auto.removal_effect is not None


def test_many_channels_allow_fewer_orders(paths):
    wide = " ".join(f"c{i}" for i in range(70_000))
    rows = [("c1 c2", 30, 10, 10), ("c2", 5, 10, 40)]
    assert len(chosen_order(paths(*rows, channels=wide)).auc) == 2
