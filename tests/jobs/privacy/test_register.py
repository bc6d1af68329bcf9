"""The register in force: who may get what of whom, and what an operator is told in time."""

import json
from datetime import timedelta

import pytest

import build
from touchline import clock
from touchline.cli import main
from touchline.errors import BadInput, NotFound
from touchline.identity.sharing import may_share, today_of
from touchline.jobs import definitions
from touchline.jobs.doctor import examine
from touchline.jobs.privacy.register import register
from touchline.model import Consent
from touchline.storage.consent import written

NODE = b"n" * 16


@pytest.fixture
def workspace(tmp_path):
    made = build.workspace(tmp_path / "w")
    yield made
    made.close()


def put_in_force(workspace, *, days=365, **about):
    ends = today_of(workspace) + timedelta(days=days)
    done = ends - timedelta(days=400)
    paper = {"name": "p", "kind": "impact_assessment", "done_at": done, "expires": ends}
    recipient = {
        "name": "partner",
        "role": "controller",
        "country": "CN",
        "fields": ["phone", "city"],
        "purpose": "marketing",
        "assessments": ["p"],
    }
    documents = {"assessment": [paper], "recipient": [recipient | about]}
    definitions.apply(workspace, documents)


def agree(workspace, purpose, basis="separate_consent", channel=""):
    now = clock.now_us()
    row = Consent(
        act=now.to_bytes(16),
        node=NODE,
        purpose=purpose,
        channel=channel,
        is_granted=True,
        basis=basis,
        at_us=now,
        known_at_us=now,
        source="test",
    )
    workspace.state.write(*written(workspace.state, [row]))


def shared(workspace, *fields):
    return may_share(workspace, [NODE], "partner", fields).fields


def test_a_yes_to_a_channel_is_for_the_recipient_that_serves_it(workspace):
    agree(workspace, "marketing", channel="email")
    put_in_force(workspace, role="processor")
    assert shared(workspace, "phone") == ()
    put_in_force(workspace, role="processor", channel="email")
    assert shared(workspace, "phone") == ("phone",)


def test_only_registered_fields_go_and_only_with_a_consent_of_its_own(workspace):
    put_in_force(workspace)
    agree(workspace, "marketing")
    assert shared(workspace, "phone") == ()
    agree(workspace, "sharing", basis="consent")
    assert shared(workspace, "phone") == ()
    agree(workspace, "sharing")
    assert shared(workspace, "email", "phone", "city") == ("phone", "city")
    with pytest.raises(NotFound):
        may_share(workspace, [NODE], "stranger", ["phone"])


def test_what_goes_abroad_needs_one_consent_more(workspace):
    put_in_force(workspace, country="US")
    for purpose in ("marketing", "sharing"):
        agree(workspace, purpose)
    assert shared(workspace, "phone") == ()
    agree(workspace, "transfer_abroad")
    assert shared(workspace, "phone") == ("phone",)


def test_a_paper_that_runs_out_is_told_by_doctor_and_closes_the_way(workspace, capsys):
    put_in_force(workspace, days=10)
    for purpose in ("marketing", "sharing"):
        agree(workspace, purpose)
    told = [f["where"] for f in examine(workspace)["findings"] if f["check"] == "register"]
    assert told == ["p"]
    assert shared(workspace, "phone") == ("phone",)
    put_in_force(workspace, days=-1)
    assert shared(workspace, "phone") == ()
    told = [f["what"] for f in examine(workspace, "zh")["findings"] if f["check"] == "register"]
    assert ["到期" in what for what in told] == [True, False]
    assert main(["consent", "register", str(workspace.dir), "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [one["is_open"] for one in found["recipients"]] == [False]
    assert [one["code"] for one in found["findings"]] == ["paper_over", "recipient_bare"]


def test_what_is_in_force_is_listed_and_dumped(workspace):
    put_in_force(workspace)
    (one,) = register(workspace, {})["recipients"]
    assert (one["needs"], one["is_open"]) == (("marketing", "sharing"), True)
    assert 'name = "partner"' in definitions.dump(workspace)


def test_a_paper_that_recipients_rest_on_is_not_taken_away(workspace):
    put_in_force(workspace)
    with pytest.raises(BadInput, match="no assessment"):
        definitions.apply(workspace, {"assessment": []})
