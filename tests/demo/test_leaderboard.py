"""The leaderboard: every model scored in every world, in ours and in those of others."""

import json
from pathlib import Path

import numpy as np
import pytest

import peers
from touchline.attribution import credit
from touchline.attribution.models import TABLE
from touchline.cli import main
from touchline.cli.attribution import HEADINGS
from touchline.demo.worlds import foreign
from touchline.demo.worlds.foreign import FOREIGN, foreign_world
from touchline.demo.worlds.leaderboard import given_to, leaderboard, scored, worlds_named
from touchline.demo.worlds.recipe import RECIPES
from touchline.demo.worlds.score import score
from touchline.demo.worlds.simulate import simulate_world
from touchline.errors import BadInput

DOCS = Path(__file__).parents[2] / "docs"
RULES = "first_touch,last_touch,linear"
NOT_GIVEN = {"stages", "weights"}  # a world has no CRM, and nobody who chose weights


@pytest.fixture(scope="module")
def board():
    return leaderboard(["plain", "bots"], seeds=2, people=2_000, models=RULES)


def test_worlds_are_asked_by_name_or_all_together():
    assert worlds_named("bots, plain,bots") == ["bots", "plain"]
    assert worlds_named("own") == list(RECIPES)
    assert worlds_named("all") == [*RECIPES, *FOREIGN]
    for asked in ("", "mars", "plain,mars"):
        with pytest.raises(BadInput, match="no world"):
            worlds_named(asked)


def test_every_model_has_a_line_in_every_world_the_best_first(board):
    for world in ("plain", "bots"):
        lines = [line for line in board.lines if line.world == world]
        assert {line.model for line in lines} == set(RULES.split(","))
        off = [line.score.misallocated for line in lines]
        assert off == sorted(off)
    assert board.shared == ("plain", "bots")
    means = {
        model: np.mean([one.score.misallocated for one in board.lines if one.model == model])
        for model in RULES.split(",")
    }
    assert {one.model: one.score.misallocated for one in board.overall} == pytest.approx(means)


def test_the_same_question_has_the_same_answer(board):
    again = leaderboard(["plain", "bots"], seeds=2, people=2_000, models=RULES)
    assert again.as_json() == board.as_json()


def test_all_models_take_part_that_a_world_can_feed():
    world = simulate_world(RECIPES["plain"], people=2_000)
    found = dict(scored(world))
    expected = {name for name, model in TABLE.items() if not model.needs & NOT_GIVEN}
    assert set(found) == expected
    assert all(0 <= one.covered <= 1 for one in found.values())


def test_confounded_credit_is_set_right_by_two_lift_tests():
    """The figure promised: at most 0.12 misallocated, where rules place a third wrongly."""
    found: dict[str, list[float]] = {}
    for seed in (1, 2, 3):
        world = simulate_world(RECIPES["intent"], people=40_000, seed=seed)
        models = ["linear", "incremental", "calibrated"]
        for model, answer in credit(world.journeys, models, **given_to(world)).items():
            found.setdefault(model, []).append(score(world, answer).misallocated)
    means = {model: np.mean(values) for model, values in found.items()}
    assert means["calibrated"] <= 0.12
    assert means["calibrated"] < means["incremental"] < means["linear"]


@pytest.fixture
def python(monkeypatch):
    monkeypatch.setenv("TOUCHLINE_PEERS", str(peers.ROOT))
    for package in ("mta_audit", "shapley_attribution"):
        peers.peer_file(f"{package}/__init__.py")
    return peers.peer_python()


@pytest.mark.parametrize("name", FOREIGN)
def test_worlds_of_others_are_read_whole(python, monkeypatch, name):
    script, _ = FOREIGN[name]
    monkeypatch.setitem(FOREIGN, name, (script, 120))
    world = foreign_world(name, python=python)
    journeys = world.journeys
    assert journeys.conversions.sum() == world.observed.conversions > 0
    assert len(journeys.label) == len(world.observed.channel)
    assert np.all(world.truth.conversions >= 0)
    assert world.truth.conversions.sum() > 0
    again = foreign_world(name, python=python)
    assert np.array_equal(again.observed.ts_us, world.observed.ts_us)
    assert np.array_equal(again.truth.conversions, world.truth.conversions)


def test_the_truth_of_labels_is_what_their_author_says(python, monkeypatch):
    monkeypatch.setitem(FOREIGN, "mta_criteo", (FOREIGN["mta_criteo"][0], 500))
    world = foreign_world("mta_criteo", python=python)
    assert dict(zip(world.truth.channels, world.truth.conversions, strict=True)) == {
        "type_A": world.observed.conversions,
        "type_B": 0,
    }


def test_worlds_of_others_are_skipped_aloud(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("TOUCHLINE_PEERS", str(tmp_path))
    args = ["attribution", "leaderboard", "--seeds", "1", "--people", "1000", "--models", RULES]
    code = main([*args, "--worlds", "plain,mta_jd", "--format", "json"])
    out, err = capsys.readouterr()
    assert code == 1
    assert "Skipped: mta_jd" in err
    assert "make peers" in err
    whole = json.loads(out)
    assert whole["skipped"] == [{"world": "mta_jd", "reason": "no_peers"}]
    assert {row["world"] for row in whole["rows"]} == {"plain"}


def test_a_generator_that_fails_says_why(monkeypatch, tmp_path):
    broken = tmp_path / "bin" / "python"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho 'no such module' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("TOUCHLINE_PEERS", str(tmp_path))
    board = leaderboard(["mta_jd"], seeds=1)
    assert [(name, why.code) for name, why in board.skipped] == [("mta_jd", "peer_failed")]
    assert "no such module" in str(board.skipped[0][1])
    assert foreign.peers_python() == broken


def test_the_table_reads_in_both_languages(monkeypatch, capsys):
    args = ["attribution", "leaderboard", "--seeds", "1", "--people", "1000", "--models", RULES]
    assert main([*args, "--worlds", "plain"]) == 0
    english = capsys.readouterr().out
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert main([*args, "--worlds", "plain"]) == 0
    chinese = capsys.readouterr().out
    for model in RULES.split(","):
        assert model in english
        assert model in chinese
    assert "Misallocated" in english
    assert "错配比例" in chinese
    assert "Misallocated" not in chinese


def test_what_cannot_be_asked_is_refused(capsys):
    for words in (["--worlds", "mars"], ["--seeds", "0"], ["--people", "10"], ["--models", "x"]):
        assert main(["attribution", "leaderboard", *words]) == 2
    assert "mars" in capsys.readouterr().err


PAGES = pytest.mark.parametrize("page", ["guides/choose-a-model.md", "zh/choose-a-model.md"])


@pytest.fixture(scope="module")
def again():
    """A column of the second table, as `bench/leaderboard.py` makes it: the rest is of its kind."""
    models = "linear,shapley,markov_1,hazard,incremental"
    board = leaderboard(["plain"], seeds=3, people=20_000, models=models)
    return {line.model: 100 * line.score.misallocated for line in board.lines}


@PAGES
def test_the_docs_have_the_figures_that_models_have_now(page, again):
    text = (DOCS / page).read_text("utf-8")
    table = text.partition("<!-- begin leaderboard -->")[2].partition("<!-- end -->")[0]
    assert "--seeds 3 --people 20000 " in table
    words = HEADINGS["zh" if page.startswith("zh") else "en"]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    first = next(at for at, row in enumerate(rows) if row[1:2] == [words["plain"]])
    told = {row[0].strip("`"): row[1] for row in rows[first:] if len(row) == len(rows[first])}
    found = {model: float(told[model].rstrip("%")) for model in again}
    assert found == pytest.approx(again, abs=0.6)  # it was rounded


@PAGES
def test_the_docs_have_the_last_table_of_every_model_and_world(page):
    """Made by `python bench/leaderboard.py --write`: a new model or world needs a new table."""
    text = (DOCS / page).read_text("utf-8")
    table = text.partition("<!-- begin leaderboard -->")[2].partition("<!-- end -->")[0]
    given = {name for name, model in TABLE.items() if not model.needs & NOT_GIVEN}
    assert all(f"| `{name}` |" in table for name in given)
    words = HEADINGS["zh" if page.startswith("zh") else "en"]
    assert all(f"| {words[name]} " in table for name in RECIPES)
    assert all(f"| `{name}` " in table for name in FOREIGN)
