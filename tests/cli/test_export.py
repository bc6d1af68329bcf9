"""`touchline export --out`: a file that is whole or not there; what is no file stays what it is."""

import pytest

import build
from build import T0, Tracker
from touchline import clock
from touchline.cli import main


@pytest.fixture
def export(tmp_path):
    made = build.workspace(tmp_path / "shop")
    event = {"type": "track", "event": "Visit", "userId": "ann", "timestamp": clock.iso(T0)}
    Tracker(made).send({**event, "messageId": "m1"})
    made.close()
    return lambda out: main(["export", str(tmp_path / "shop"), "events", "--out", str(out)])


def test_a_file_is_replaced_as_a_whole_also_behind_another_name(export, tmp_path):
    (tmp_path / "old.jsonl").write_text("old")
    (tmp_path / "link").symlink_to("old.jsonl")
    assert export(tmp_path / "link") == 0
    assert (tmp_path / "link").is_symlink()
    assert '"m1"' in (tmp_path / "old.jsonl").read_text()
    assert not list(tmp_path.glob("*.part"))


def test_a_device_stays_one_and_a_full_one_is_a_full_disk(export, tmp_path, capsys):
    for name in ("null", "full"):
        (tmp_path / name).symlink_to(f"/dev/{name}")
    assert [export(tmp_path / name) for name in ("null", "full")] == [0, 3]
    assert "no space left" in capsys.readouterr().err
    assert (tmp_path / "null").is_char_device()


def test_what_cannot_be_written_is_named(export, tmp_path, capsys):
    assert [export(tmp_path), export(tmp_path / "gone" / "x")] == [2, 2]
    assert capsys.readouterr().err.count(f"touchline: {tmp_path}") == 2
