"""Naming rules: what is said of a name, in both languages, and which rules cannot be."""

import pytest

from touchline.collect.campaign import Labels
from touchline.collect.link import FIELDS
from touchline.collect.naming import SEPARATORS, WORDS, build, checked, naming
from touchline.errors import BadInput

RULES = {
    "required": ["source", "campaign"],
    "case": "lower",
    "separator": "_",
    "chinese": False,
    "max_length": 20,
    "mediums": ["cpc", "kol", "email"],
    "pattern": {"campaign": r"\d{4}_[a-z_]+"},
}


def found(labels, rules=RULES):
    return [(one.field, one.code) for one in naming(rules).findings(Labels(**labels))]


def test_names_in_order_have_no_findings():
    assert found({"source": "baidu", "medium": "cpc", "campaign": "2611_spring_sale"}) == []


@pytest.mark.parametrize(
    ("labels", "findings"),
    [
        ({}, [("source", "missing"), ("campaign", "missing")]),
        ({"source": "Baidu", "campaign": "2611_a"}, [("source", "case_lower")]),
        ({"source": "bai du", "campaign": "2611_a"}, [("source", "separator")]),
        ({"source": "百度", "campaign": "2611_a"}, [("source", "chinese")]),
        ({"source": "b" * 21, "campaign": "2611_a"}, [("source", "too_long")]),
        ({"source": "b", "medium": "cpm", "campaign": "2611_a"}, [("medium", "unknown")]),
        ({"source": "b", "campaign": "spring"}, [("campaign", "pattern")]),
        (
            {"source": "b", "campaign": "Spring-Sale"},
            [("campaign", "case_lower"), ("campaign", "separator"), ("campaign", "pattern")],
        ),
    ],
)
def test_each_fault_is_found_by_its_field(labels, findings):
    assert found(labels) == findings


def test_without_rules_any_name_will_do():
    assert found({"source": "百 度", "medium": "X-y_z"}, {}) == []


def test_a_name_close_to_one_on_the_list_is_told_of():
    (one,) = naming({"sources": ["xiaohongshu", "baidu"]}).findings(Labels(source="xiaohongsu"))
    assert "did you mean xiaohongshu?" in one.text("en")
    assert "xiaohongshu" in one.text("zh")
    (far,) = naming({"sources": ["baidu"]}).findings(Labels(source="zzz"))
    assert far.text("en") == "source 'zzz' is not on the list"


def test_every_finding_has_words_in_both_languages():
    said = {
        one.code: (one.text("en"), one.text("zh"))
        for labels in (
            Labels(source="A-文" * 9, medium="x"),
            Labels(campaign="a"),
            Labels(source="文", medium="cpc", campaign="a"),
        )
        for rules in (RULES, {**RULES, "case": "upper", "max_length": 200})
        for one in naming(rules).findings(labels)
    }
    assert set(said) == set(WORDS)
    assert not any(
        f"{{{mark}" in text for pair in said.values() for text in pair for mark in "fvsmn"
    )


def test_all_findings_are_raised_at_once_in_the_askers_language():
    with pytest.raises(BadInput) as caught:
        checked(naming(RULES), Labels(medium="cpm"))
    assert "source is missing; medium 'cpm' is not" in caught.value.text("en")
    assert "缺少 source" in caught.value.text("zh")
    checked(naming({}), Labels())


@pytest.mark.parametrize(
    "document",
    [
        {"requird": []},
        {"required": ["sauce"]},
        {"case": "camel"},
        {"separator": "--"},
        {"separator": ""},
        {"max_length": "long"},
        {"pattern": {"campaign": "("}},
        {"pattern": {"shoe": "a"}},
        {"sources": "baidu"},
        ["lower"],
    ],
)
def test_rules_that_cannot_be_are_refused(document):
    with pytest.raises(BadInput) as caught:
        naming(document)
    assert caught.value.code == "bad_naming"


def test_an_address_is_built_and_its_names_are_looked_at():
    url, findings = build("https://shop.cn/p", {"source": "Baidu", "campaign": "春 季"})
    assert url == "https://shop.cn/p?utm_source=Baidu&utm_campaign=%E6%98%A5%20%E5%AD%A3"
    assert findings == []
    _, findings = build("https://shop.cn/p", {"source": "Baidu"}, naming(RULES))
    assert [one.code for one in findings] == ["case_lower", "missing"]


def test_every_field_may_be_required_and_every_separator_chosen():
    assert len(found({}, {"required": list(FIELDS)})) == len(FIELDS)
    for mark in SEPARATORS:
        assert found({"source": f"a{mark}b"}, {"separator": mark}) == []
