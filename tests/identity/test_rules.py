import pytest

from touchline.errors import BadInput
from touchline.identity.rules import DEFAULT, STRONG, Rules
from touchline.model import IDENTIFIER_TYPES


def held(rules):
    return dict(zip(IDENTIFIER_TYPES, rules.limits, strict=True))


def test_defaults_are_those_of_the_documentation():
    limits = held(DEFAULT)
    assert limits == {
        "user_id": 1,
        "unionid": 1,
        "member_code": 1,
        "crm_id": 3,
        "email": 5,
        "phone": 3,
        "external_userid": 3,
        "openid": 1,
        "anonymous_id": None,
        "device": None,
    }
    assert DEFAULT.quarantine_above == 5
    assert set(STRONG) == {"user_id", "unionid", "member_code", "crm_id", "phone", "email"}


def test_a_document_without_the_table_gives_the_defaults():
    assert Rules.from_document({"goal": []}) == DEFAULT


def test_a_document_changes_what_it_names_and_only_that():
    limits = {"phone": 2, "device": 10, "crm_id": "none"}
    rules = Rules.from_document({"identity": {"quarantine_above": 8, "limits": limits}})
    assert held(rules) == held(DEFAULT) | {"phone": 2, "device": 10, "crm_id": None}
    assert rules.quarantine_above == 8
    assert hash(rules) != hash(DEFAULT)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (3, "must be a table"),
        ({"limits": []}, "must be a table"),
        ({"limits": {"phone": 0}}, "from 1 to 1000"),
        ({"limits": {"phone": True}}, "from 1 to 1000"),
        ({"limits": {"phone": "many"}}, 'or "none"'),
        ({"limits": {"phone": "5 a fortnight"}}, '"5 a year"'),
        ({"limits": {"phone": "0 a year"}}, "is 0"),
        ({"limits": {"phone": "3 per 0d"}}, "from 1 to 1000"),
        ({"limits": {"openid": "1 a year"}}, "per app"),
        ({"priority": ["fone"]}, "has 'fone', which is not an identifier type"),
        ({"strong": "phone"}, "must be a list"),
        ({"blocked": {"phone": "^4"}}, "must be a list"),
        ({"blocked": {"phone": ["(?=4)"]}}, "RE2"),
        ({"blocked": {"fone": ["^4"]}}, 'did you mean "phone"?'),
        ({"blocked": {"sets": ["junk"]}}, "sets are role_mailboxes"),
        ({"blocked": {"any": ["x"] * 201}}, "at most 200"),
        ({"limits": {"fone": 1}}, 'did you mean "phone"?'),
        ({"limits": {"zzz": 1}}, "is not an identifier type. Correct"),
        ({"quarantine_above": 2.5}, "is 2.5"),
        ({"quarantine_above": "none"}, "is 'none'"),
        ({"quarantine": 5}, 'did you mean "quarantine_above"?'),
    ],
)
def test_a_bad_document_says_what_to_do(table, says):
    with pytest.raises(BadInput) as caught:
        Rules.from_document({"identity": table})
    assert caught.value.code == "bad_identity_rule"
    assert says in str(caught.value)
    assert "touchline apply" in caught.value.text("zh")
