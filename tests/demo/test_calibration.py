"""Two lift tests in a world where intent hides what marketing causes: how sure one may be."""

import numpy as np
import pytest

from touchline.attribution.calibrated import posteriors
from touchline.attribution.inputs import Inputs
from touchline.attribution.models import base_of
from touchline.demo.worlds.leaderboard import given_to
from touchline.demo.worlds.recipe import RECIPES
from touchline.demo.worlds.simulate import simulate_world


def test_intervals_hold_what_is_true():
    off: list[np.ndarray] = []
    for seed in range(3):
        world = simulate_world(RECIPES["intent"], people=20_000, seed=seed)
        given = given_to(world)
        place = [world.truth.channels.index(name) for name in world.journeys.labels.channels]
        found, _ = posteriors(base_of(Inputs(world.journeys, **given)), given["lift"])
        off.append((world.truth.conversions[place] - found.channel_mean) / found.channel_sd)
    # Three worlds of eight channels: neither too sure nor too unsure by a third.
    assert np.sqrt(np.mean(np.square(off))) == pytest.approx(1, abs=1 / 3)
    assert np.mean(np.abs(off) < 1.96) >= 0.9
