"""`touchline rejects`: seen, corrected, stored; the exit code says whether any are left."""

import io
import json
import sys

import pytest

import build
from build import T0, Tracker
from touchline import clock
from touchline.cli import main

BAD = {"type": "track", "messageId": "n1", "userId": "ann", "timestamp": clock.iso(T0)}


@pytest.fixture
def shop(tmp_path):
    made = build.workspace(tmp_path / "shop")
    Tracker(made).send(BAD, {**BAD, "messageId": "n2"}, {**BAD, "messageId": "n3", "userId": None})
    made.close()
    return str(tmp_path / "shop")


def listed(shop, capsys, *options):
    assert main(["rejects", "list", shop, "--format", "json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def test_rejects_are_listed_and_chosen_by_reason(shop, capsys):
    assert [one["message_id"] for one in listed(shop, capsys)] == ["n1", "n2", "n3"]
    (nobody,) = listed(shop, capsys, "--reason", "missing_id")
    assert nobody["message_id"] == "n3"
    assert listed(shop, capsys, "--source", "app") == []
    assert len(listed(shop, capsys, "--limit", "2")) == 2


def test_people_read_why(shop, capsys, monkeypatch):
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert main(["rejects", "list", shop]) == 0
    printed = capsys.readouterr()
    assert "编号" in printed.out
    assert "2 × missing_event" in printed.err
    assert main(["rejects", "list", shop, "--format", "csv"]) == 0
    assert capsys.readouterr().out.startswith("reject_id,message_id,reason,payload,")


def test_one_is_corrected_and_the_rest_stay(shop, capsys, monkeypatch):
    first = listed(shop, capsys)[0]
    corrected = json.dumps({**first["payload"], "event": "Visit"}).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(corrected)))
    asked = ["rejects", "replay", shop, "--id", first["reject_id"], "--payload", "-"]
    assert main(asked) == 0
    assert "1 stored" in capsys.readouterr().out
    assert len(listed(shop, capsys)) == 2
    (replayed,) = listed(shop, capsys, "--status", "replayed")
    assert replayed["reject_id"] == first["reject_id"]


def test_what_is_still_wrong_is_a_finding(shop, capsys):
    assert main(["rejects", "replay", shop, "--all", "--format", "json"]) == 1
    done = json.loads(capsys.readouterr().out)
    assert (done["asked"], done["rejected"]) == (3, 3)
    assert done["reasons"] == {"missing_event": 2, "missing_id": 1}


@pytest.mark.parametrize(
    "options", [[], ["--id", "no"], ["--payload", "x.json"], ["--id", "0", "--payload", "gone"]]
)
def test_what_cannot_be_replayed_is_bad_input(shop, options, capsys):
    assert main(["rejects", "replay", shop, *options]) == 2
    assert "PosixPath" not in capsys.readouterr().err
