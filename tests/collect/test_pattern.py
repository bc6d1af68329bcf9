"""A site's regular expressions: what they mean, what is refused; no text makes them slow."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.collect.channel import ChannelRules
from touchline.collect.naming import naming
from touchline.collect.pattern import full, search
from touchline.collect.plan_spec import matching
from touchline.collect.property_check import PropertySpec, compiled
from touchline.errors import BadInput

SLOW = r"^(\w+[-_]?)+$"
HOSTILE = "a" * 500 + "!"


@pytest.mark.parametrize(
    "pattern", [r"^ko[lc]$", r"\d{4}_[a-z_]+", "品牌|brand", r"[^a-df-z]shop", "."]
)
@given(text=st.text("abkolcshop 品牌_2026", max_size=20))
def test_ordinary_expressions_mean_what_they_mean_elsewhere(pattern, text):
    assert search(pattern)(text) == (re.search(pattern, text) is not None)
    assert full(pattern)(text) == (re.fullmatch(pattern, text) is not None)
    folded = search(pattern, folds_case=True)
    assert folded(text.upper()) == (re.search(pattern, text.upper(), re.IGNORECASE) is not None)


def test_code_points_and_broken_text():
    assert search(r"^[\u4e00-\u9fa5]+$")("中文")
    assert not search(r"\\u4e00")("一")
    assert not search("^a+$")("a\ud800")
    assert not full("a+")("a" * 513)


@pytest.mark.parametrize("pattern", ["(", r"(a)\1", "(?=a)", "a{2000}", "(.*){0,900}x", "\ud800"])
def test_what_it_cannot_match_in_linear_time_is_refused_where_it_is_written(pattern):
    with pytest.raises(ValueError, match=r"regular expression.*正则"):
        compiled("a", PropertySpec(pattern=pattern))
    with pytest.raises(BadInput) as caught:
        naming({"pattern": {"campaign": pattern}})
    assert caught.value.code == "bad_naming"
    with pytest.raises(BadInput) as caught:
        ChannelRules.compile([{"channel_rule": [{"channel": "A", "medium": {"matches": pattern}}]}])
    assert caught.value.code == "bad_channel_rule"


def test_no_text_makes_an_expression_slow():
    started = time.process_time()
    assert compiled("a", PropertySpec(pattern=SLOW)).faults(HOSTILE)
    rules = ChannelRules.compile(
        [{"channel_rule": [{"channel": "A", "medium": {"matches": SLOW}}]}]
    )
    assert rules.channel("x", HOSTILE) != "A"
    assert not full(SLOW)(HOSTILE)
    assert matching(["*a" * 12 + "b"])(HOSTILE) is None
    assert time.process_time() - started < 1


@given(
    st.lists(st.text("ab*.", max_size=6), max_size=3),
    st.text("ab.\n", max_size=8),
)
def test_a_star_stands_for_anything(patterns, name):
    as_regex = [".*".join(map(re.escape, one.split("*"))) for one in patterns]
    expected = any(re.fullmatch(one, name, re.DOTALL) for one in as_regex)
    assert (matching(patterns)(name) is not None) == expected
