"""Rules as they are told, and what others would change, before anything is put in force."""

import json

import pytest

from touchline.errors import BadInput
from touchline.identity.rules import DEFAULT
from touchline.jobs import definitions
from touchline.jobs.people import identity, identity_rules

KIOSK = [f"device:kiosk email:{n}@b.cn" for n in range(6)]


def dry_run(lake, table):
    return identity_rules.dry_run(lake.workspace, lake.registry, {"identity": table})


def held(lake, **asked):
    lines = identity_rules.quarantine(lake.workspace, lake.registry, asked)
    return [json.loads(line) for line in lines]


def test_rules_say_where_they_are_from(lake):
    told = identity_rules.rules(lake.workspace, None, {})
    assert told["document"] is None
    assert {one["from"] for one in told["limits"].values()} == {"default"}
    assert told["limits"]["phone"] == {"most": 3, "window_days": None, "from": "default"}
    table = {"limits": {"phone": "4 a year"}, "priority": ["phone"], "blocked": {"any": ["^x$"]}}
    definitions.apply(lake.workspace, {"identity": table}, "ann")
    told = identity_rules.rules(lake.workspace, None, {})
    assert told["document"]["author"] == "ann"
    assert told["limits"]["phone"] == {"most": 4, "window_days": 365, "from": "document"}
    assert told["limits"]["email"]["from"] == "default"
    assert told["priority"]["value"][:3] == ["phone", "user_id", "unionid"]
    assert told["blocked"] == [{"type": "any", "pattern": "^x$"}]


def test_a_dry_run_tells_splits_merges_and_values_and_changes_nothing(lake):
    lake.put("events", *KIOSK, "user_id:u phone:+8613800138000 phone:+8613900139000")
    before = list(lake.people().person_ids)
    told = dry_run(lake, {"limits": {"phone": 1}})
    assert (told["split"], told["merged"], told["held_back"]) == (1, 0, 0)
    assert told["changes"][0]["person_id"] in before
    told = dry_run(lake, {"quarantine_above": 6, "limits": {"email": 9}})
    assert (told["merged"], told["released"], told["persons_after"]) == (5, 1, 2)
    assert [one["value"] for one in told["freed"]] == ["kiosk"]
    told = dry_run(lake, {"blocked": {"phone": ["^.86138"]}})
    assert [(one["value"], one["reason"]) for one in told["held"]] == [
        ("+8613800138000", "pattern")
    ]
    assert dry_run(lake, {})["changes"] == []
    assert list(lake.people().person_ids) == before
    with pytest.raises(BadInput, match="is missing"):
        identity_rules.dry_run(lake.workspace, lake.registry, {"goal": []})


def test_a_dry_run_says_what_comes_of_it_when_it_is_put_in_force(lake):
    lake.put("events", *KIOSK)
    table = {"quarantine_above": 3, "limits": {"email": "none"}}
    told = dry_run(lake, {**table, "quarantine_above": 6})
    definitions.apply(lake.workspace, {"identity": {**table, "quarantine_above": 6}}, "ann")
    assert len(lake.people().somebody()) == told["persons_after"] == 1
    assert DEFAULT.quarantine_above == 5


def test_values_held_back_are_listed_with_the_reason(lake):
    lake.put("events", *KIOSK, "user_id:u phone:+8613800138000")
    staff = "crm_id:e1 phone:+8613900139000"
    lake.put("people", (staff, {"source": "staff"}))
    asked = {"kind": "block", "names": ["13800138000"], "reason": "a shop's"}
    identity.decide(lake.workspace, lake.registry, asked)
    found = {one["value"]: one for one in held(lake)}
    assert held(lake)[0]["value"] == "kiosk"
    kiosk = found["kiosk"]
    assert (kiosk["reason"], kiosk["touched_type"], kiosk["touches"]) == ("shared", "email", 6)
    assert kiosk["above"] == 5
    assert found["+8613800138000"]["reason"] == "by_hand"
    assert found["+8613900139000"]["reason"] == "staff"
    assert [one["value"] for one in held(lake, reason="staff")] == ["+8613900139000"]
    assert len(held(lake, limit="1")) == 1
