"""`touchline patterns`: what is asked in numbers, and what a table says beside its rows."""

import json

import pytest

from touchline.cli import main
from touchline.storage.workspace import Workspace

PATHS = "path,total_conversions,total_conversion_value,total_null\nAds > Email,2,20,1\n"


@pytest.fixture
def asked(tmp_path):
    """DIR, and a file of paths."""
    Workspace.init(tmp_path / "shop").close()
    (tmp_path / "paths.csv").write_text(PATHS)
    return ([str(tmp_path / "shop")], ["--paths", str(tmp_path / "paths.csv")])


@pytest.mark.parametrize("option", ["--order", "--limit"])
def test_a_number_below_one_is_refused_and_no_default(asked, option):
    for where in asked:
        assert main(["patterns", *where, "--show", "transitions", option, "0"]) == 2


def test_a_file_of_paths_is_enough(asked, capsys):
    assert main(["patterns", *asked[1], "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["channels"] == ["Ads", "Email"]
