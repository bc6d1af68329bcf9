"""`touchline people export|erase|erasures|readmit` and `verify-receipt`."""

import json
import shutil

import pytest

import build
from build import Tracker, track
from touchline.cli import main


@pytest.fixture
def shop(tmp_path):
    made = build.workspace(tmp_path / "shop")
    identify = {"type": "identify", "messageId": "i", "userId": "ann-lee-17"}
    Tracker(made).send(
        identify | {"traits": {"email": "ann.lee@shop.cn"}},
        track("a", "Visit", userId="ann-lee-17"),
        track("b", "Visit", userId="bob"),
    )
    made.close()
    return tmp_path / "shop"


def test_a_customer_is_given_what_is_stored_and_then_erased_with_proof(shop, tmp_path, capsys):
    out, receipt = tmp_path / "ann.zip", tmp_path / "receipt.json"
    assert main(["people", "export", str(shop), "ann-lee-17", "--out", str(out)]) == 0
    assert out.stat().st_mode & 0o777 == 0o600
    dry = ["people", "erase", str(shop), "ann-lee-17", "--dry-run", "--format", "json"]
    assert main(dry) == 0
    assert json.loads(capsys.readouterr().out)["tables"]["lake.events"]["deleted"] == 2
    asked = ["people", "erase", str(shop), "email:ann.lee@shop.cn", "--reason", "letter of 3 March"]
    assert main([*asked, "--out", str(receipt)]) == 0
    assert "0 traces" in capsys.readouterr().err
    assert main([*asked]) == 2
    shutil.rmtree(shop)
    capsys.readouterr()
    assert main(["verify-receipt", str(receipt), "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["receipt"]["tables"]["lake.events"]["rows_after"] == 1
    assert main(["verify-receipt", str(receipt), "--key", told["fingerprint"]]) == 0
    assert main(["verify-receipt", str(receipt), "--key", "0000"]) == 1
    receipt.write_text(receipt.read_text().replace('"deleted": 2', '"deleted": 3'))
    assert main(["verify-receipt", str(receipt)]) == 1
    assert "changed after it was signed" in capsys.readouterr().out
    receipt.write_text("{}")
    assert main(["verify-receipt", str(receipt)]) == 2
    assert main(["verify-receipt", str(tmp_path / "none")]) == 2


def test_requests_are_listed_and_their_receipts_printed_again(shop, capsys):
    main(["people", "erase", str(shop), "ann-lee-17", "--format", "json"])
    made = json.loads(capsys.readouterr().out)
    request = made["receipt"]["request"]
    assert main(["people", "erasures", str(shop), "--format", "json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["request"], found["step"]) == (request, "done")
    assert main(["people", "erasures", str(shop), request]) == 0
    assert json.loads(capsys.readouterr().out) == made
    assert main(["people", "erase", str(shop), "--request", request]) == 0
    assert main(["people", "erasures", str(shop), "0"]) == 2
    assert main(["people", "erase", str(shop)]) == 2
    assert main(["people", "readmit", str(shop), "email:ann.lee@shop.cn"]) == 0
    assert main(["people", "readmit", str(shop), "email:ann.lee@shop.cn"]) == 2
