"""`touchline init`: what makes no workspace is refused in one line, and nothing is made."""

import os

import pytest

from touchline.cli import main


@pytest.mark.parametrize(
    "given",
    [
        ["--write-key", "web=a\nb"],
        ["--write-key", "w\teb=a"],
        ["--admin-key", ""],
        ["--admin-key", "a\nb"],
        ["--write-key", "web=k", "--admin-key", "k"],
        ["--write-key", "web=k", "--write-key", "app=k"],
        ["--currency", "XXQ"],
        ["--time-zone", "../etc"],
        ["--region", "ZZ"],
    ],
)
def test_an_argument_that_is_wrong_makes_nothing(tmp_path, capsys, given):
    assert main(["init", str(tmp_path / "shop"), *given]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "shop").exists()


@pytest.mark.parametrize("name", ["", os.fsdecode(b"caf\xe9")])
def test_a_folder_without_a_name_in_utf_8_is_refused(tmp_path, capsys, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    assert main(["init", name]) == 2
    assert capsys.readouterr().err.startswith("touchline: ")
    assert not list(tmp_path.iterdir())
