"""`touchline demo`: what cannot be built is refused before anything is made, and one that was cut
off stands in nobody's way.
"""

import contextlib

import pytest

from touchline.cli import demo, main
from touchline.errors import Unavailable
from touchline.jobs import rpc


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Runs the verb up to where its server would start."""

    @contextlib.contextmanager
    def unserved(_args):
        raise Unavailable("demo_not_served", port=1)
        yield

    monkeypatch.setattr(demo, "_served", unserved)
    return lambda *more: main(["demo", "--dir", str(tmp_path / "shop"), "--no-serve", *more])


def test_a_number_of_people_that_cannot_be_made_leaves_nothing_behind(build, tmp_path, capsys):
    assert build("--people", "0") == 2
    assert "200" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_files_of_somebody_else_stay_as_they_are(build, tmp_path, capsys):
    (tmp_path / "shop-files").mkdir()
    (tmp_path / "shop-files" / "diary.txt").touch()
    assert build() == 2
    (tmp_path / "shop").touch()
    assert build() == 2
    (tmp_path / "shop").unlink()
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "diary.txt").touch()
    assert build() == 2
    assert all(line.startswith("touchline: ") for line in capsys.readouterr().err.splitlines())
    assert len(list(tmp_path.rglob("*"))) == 4


def test_a_demo_that_was_cut_off_is_built_anew(build, tmp_path, capsys):
    assert build() == 3
    (tmp_path / "shop" / "left").touch()
    assert build("--people", "300") == 3
    assert not (tmp_path / "shop" / "left").exists()
    assert "--port" in capsys.readouterr().err


def test_a_demo_that_is_being_built_is_left_alone(build, tmp_path):
    assert build() == 3
    (tmp_path / "shop" / "left").touch()
    with contextlib.closing(rpc.listen(tmp_path / "shop")):
        assert build() == 3
    assert (tmp_path / "shop" / "left").exists()
