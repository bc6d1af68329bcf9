"""Ten thousand real paths: totals, and the numbers of three programs that others wrote.

channelattribution: heuristics to 1e-9, its simulated chains to their error. do-attribution: removal
effects of orders 1 to 3 to 1e-9, exact on both sides. shapley-attribution: set and ordered Shapley.
"""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from touchline.attribution import MODELS, credit
from touchline.attribution.shapley import by_position, equal_set
from touchline.measure.path_file import read_paths

CONVERSIONS, NULLS, VALUE = 19_785, 68_602, 74_802.97
TIMELESS = tuple(model for model in MODELS if model != "time_decay")
MARKOV = ("markov_1", "markov_2", "markov_3")
GOLDEN = Path(__file__).parents[1] / "golden" / "pathdata_removal.json"
HEURISTICS = {"first_touch": "first_touch", "last_touch": "last_touch", "linear": "linear_touch"}

PEER = """
import contextlib, io, json, sys
with contextlib.redirect_stdout(io.StringIO()):
    import ChannelAttribution as peer, pandas
    rows = pandas.read_csv(sys.argv[1])
    names = ("path", "total_conversions")
    found = {"heuristics": peer.heuristic_models(
        rows, *names, var_value="total_conversion_value", flg_pro=False).to_dict("list")}
    for order in (1, 2, 3):
        answer = peer.markov_model(
            rows, *names, var_value="total_conversion_value", var_null="total_null", order=order,
            out_more=True, flg_pro=False, verbose=False)
        found[f"markov_{order}"] = answer["removal_effects"].to_dict("list")
print(json.dumps(found))
"""

EXACT = """
import json, sys, warnings
warnings.simplefilter("ignore")
import pandas
from do_attribution import MarkovAttribution
rows = pandas.read_csv(sys.argv[1])
won, lost = rows[rows.total_conversions > 0], rows[rows.total_null > 0]
paths, outcome = [*won.path, *lost.path], [1] * len(won) + [0] * len(lost)
weights = [*won.total_conversions, *lost.total_null]
found = {}
for order in (1, 2, 3):
    model = MarkovAttribution(order=order, removal_strategy="redirect_to_null")
    found[f"markov_{order}"] = model.fit(paths, outcome, weights)["removal_effects"]
print(json.dumps(found))
"""
ORDERED = """
import json, sys
from shapley_attribution.models.ordered import OrderedShapleyAttribution
from shapley_attribution.models.simplified import SimplifiedShapleyAttribution
paths = [path.split(" > ") for path in json.load(sys.stdin)]
ordered = OrderedShapleyAttribution(normalize=False)
simple = SimplifiedShapleyAttribution(normalize=False)
ordered.fit(paths)
simple.fit(paths)
print(json.dumps([ordered.position_attribution_, simple.attribution_]))
"""


@pytest.fixture(scope="module")
def journeys(pathdata):
    return read_paths(pathdata)


@pytest.fixture(scope="module")
def answers(journeys):
    return credit(journeys, TIMELESS)


@pytest.fixture(scope="module")
def ask(peers):
    def run(program, *arguments, given=""):
        command = [peers.peer_python(), "-c", program, *arguments]
        answer = subprocess.run(command, capture_output=True, text=True, check=True, input=given)
        return json.loads(answer.stdout)

    return run


@pytest.fixture(scope="module")
def peer(ask, pathdata):
    return ask(PEER, pathdata)


@pytest.fixture(scope="module")
def exact(ask, pathdata):
    return ask(EXACT, pathdata)


def test_the_file_is_read_whole(journeys):
    assert len(journeys.labels.channels) == 12
    assert journeys.conversions.sum() == CONVERSIONS
    assert journeys.nulls.sum() == NULLS
    assert journeys.value.sum() == pytest.approx(VALUE, abs=0.005)


@pytest.mark.parametrize("model", TIMELESS)
def test_every_model_conserves_the_totals(journeys, answers, model):
    assert answers[model].channel_conversions.sum() == pytest.approx(CONVERSIONS, abs=1e-9)
    assert answers[model].channel_revenue.sum() == pytest.approx(journeys.value.sum(), rel=1e-12)


@pytest.mark.parametrize("model", MARKOV)
def test_removal_effects_equal_those_of_the_chains_without_each_channel(journeys, answers, model):
    """The golden file was solved by definition: per channel, the chain less its windows."""
    golden = json.loads(GOLDEN.read_text())[model]
    conversions, money = np.array([golden[name] for name in journeys.labels.channels]).T
    assert answers[model].removal_effect == pytest.approx(conversions, abs=1e-11)
    assert answers[model].removal_effect_revenue == pytest.approx(money, abs=1e-11)


@pytest.mark.parametrize("model", HEURISTICS)
def test_heuristics_equal_the_peer(journeys, answers, peer, model):
    found = peer["heuristics"]
    place = [found["channel_name"].index(name) for name in journeys.labels.channels]
    column = HEURISTICS[model]
    theirs = np.array(found[f"{column}_conversions"])[place]
    assert answers[model].channel_conversions == pytest.approx(theirs, rel=1e-9)
    money = np.array(found[f"{column}_value"])[place]
    assert answers[model].channel_revenue == pytest.approx(money, rel=1e-9)


@pytest.mark.parametrize("model", MARKOV)
def test_removal_effects_lie_within_the_peers_simulation_error(journeys, answers, peer, model):
    found = peer[model]
    place = [found["channel_name"].index(name) for name in journeys.labels.channels]
    theirs = np.array(found["removal_effects_conversion"])[place]
    assert answers[model].removal_effect == pytest.approx(theirs, abs=0.02)
    money = np.array(found["removal_effects_conversion_value"])[place]
    assert answers[model].removal_effect_revenue == pytest.approx(money, abs=0.02)


@pytest.mark.parametrize("model", MARKOV)
def test_removal_effects_equal_those_of_another_exact_program(journeys, answers, exact, model):
    theirs = [exact[model][name] for name in journeys.labels.channels]
    assert answers[model].removal_effect == pytest.approx(theirs, rel=1e-9)


def test_set_and_ordered_shapley_equal_the_peer(paths, ask):
    rng = np.random.default_rng(8)
    found = [" > ".join(rng.choice(list("ABCDE"), rng.integers(1, 8))) for _ in range(200)]
    ordered, simple = ask(ORDERED, given=json.dumps(found))
    journeys = paths(*((path.replace(" > ", " "), 1, 1, 0) for path in found))
    counted, _ = by_position(journeys, equal_set(journeys), max(map(len, ordered.values())))
    answer = credit(journeys, ["shapley"])["shapley"].channel_conversions
    names = journeys.labels.channels
    assert answer == pytest.approx([simple[name] for name in names], rel=1e-9)
    assert counted == pytest.approx(np.array([ordered[name] for name in names]), rel=1e-9)
