"""Who gets which field on what ground, and the papers behind it."""

import datetime as dt

import pytest

from touchline.collect.consent_rules import ConsentRules
from touchline.collect.sharing import Register
from touchline.errors import BadInput

TODAY = dt.date(2026, 6, 1)
PAPER = {"name": "sms-2026", "kind": "impact_assessment", "done_at": "2026-03-01"}
GATEWAY = {
    "name": "gateway",
    "role": "processor",
    "country": "CN",
    "fields": ["phone"],
    "purpose": "marketing",
    "assessments": ["sms-2026"],
}


def register(*recipients, papers=(PAPER,)):
    made = Register.of({"recipient": list(recipients), "assessment": list(papers)})
    made.check(ConsentRules.of({}))
    return made


def found(*recipients, papers=(PAPER,)):
    return [(f.where, f.what) for f in register(*recipients, papers=papers).findings(TODAY)]


def test_what_a_person_must_allow_follows_from_who_gets_it_and_where():
    def purposes(**about):
        return register(GATEWAY | about).recipients["gateway"].purposes("CN")

    assert purposes() == ("marketing",)
    assert purposes(role="controller") == ("marketing", "sharing")
    assert purposes(country="US") == ("marketing", "transfer_abroad")
    assert purposes(role="joint", country="US", purpose="sharing") == ("sharing", "transfer_abroad")


def test_a_recipient_may_serve_one_channel_that_there_is():
    assert register(GATEWAY | {"channel": "sms"}).recipients["gateway"].channel == "sms"
    for wrong in ({"channel": "pigeon"}, {"channel": "sms", "purpose": "sharing"}):
        with pytest.raises(BadInput, match="channel"):
            register(GATEWAY | wrong)


def test_a_paper_that_ends_within_a_month_is_told_and_one_that_is_over_closes_the_way():
    assert found(GATEWAY) == []
    soon, over = PAPER | {"expires": "2026-06-20"}, PAPER | {"expires": "2026-05-31"}
    assert found(GATEWAY, papers=[soon]) == [("sms-2026", "paper_soon")]
    assert register(GATEWAY, papers=[soon]).is_open("gateway", TODAY)
    assert found(GATEWAY, papers=[over]) == [
        ("sms-2026", "paper_over"),
        ("gateway", "recipient_bare"),
    ]
    assert not register(GATEWAY, papers=[over]).is_open("gateway", TODAY)


def test_nobody_gets_anything_without_an_impact_assessment_or_after_the_end():
    diligence = PAPER | {"kind": "due_diligence"}
    assert found(GATEWAY, papers=[diligence]) == [("gateway", "recipient_bare")]
    ended = GATEWAY | {"until": "2026-05-01"}
    assert found(ended) == [("gateway", "recipient_over")]
    assert not register(ended).is_open("gateway", TODAY)
    assert not register(GATEWAY).is_open("stranger", TODAY)


@pytest.mark.parametrize(
    "wrong",
    [
        {"country": "China"},
        {"purpose": "magic"},
        {"basis": "because"},
        {"fields": []},
        {"assessments": ["none"]},
        {"role": "friend"},
        {"until": "soon"},
        {"more": 1},
    ],
)
def test_what_is_wrong_with_a_recipient_is_named(wrong):
    with pytest.raises(BadInput) as error:
        register(GATEWAY | wrong)
    assert error.value.code == "bad_register"


@pytest.mark.parametrize(
    "papers",
    [
        [PAPER, PAPER],
        [PAPER | {"expires": "2026-01-01"}],
        [PAPER | {"evidence": [{"title": "r", "sha256": "beef"}]}],
        [{"name": "x"}],
        "all of them",
    ],
)
def test_what_is_wrong_with_a_paper_is_named(papers):
    with pytest.raises(BadInput) as error:
        Register.of({"assessment": papers})
    assert error.value.code == "bad_register"
