"""`[[alias]]`: several spellings are one label, in events, costs and reports, in all of history."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import build
from build import DAY, T0
from touchline.collect.alias import aliases, renamed_in
from touchline.errors import BadInput
from touchline.identity.people import Registry
from touchline.jobs import queries
from touchline.jobs.definitions import apply, site_of

XHS = {"alias": [{"name": "小红书", "also": ["xhs", "RED书"]}]}
COSTS = "date,channel,source,cost\n"


def channels(workspace, **asked):
    asked = {"models": "linear", **asked}
    rows = queries.attribution(workspace, Registry(workspace), asked).as_json()["rows"]
    return {row["channel"]: (row["revenue"], row["cost"]) for row in rows}


def test_history_in_three_spellings_is_one_channel_from_the_moment_an_alias_says_so(
    workspace, load
):
    visits = "time,name,user_id,channel\n" + "".join(
        f"2026-03-0{n},Visit,u{n},{spelt}\n" for n, spelt in enumerate(["xhs", "XHS", "小红书"], 1)
    )
    load("events", visits)
    orders = "order_id,date,amount,user_id\n"
    load("conversions", orders + "".join(f"o{n},2026-03-05,10,u{n}\n" for n in (1, 2, 3)))
    load("costs", COSTS + "2026-03-01,xhs,,1\n2026-03-01,XHS,,2\n2026-03-01,小红书,,4\n")
    assert set(channels(workspace)) == {"xhs", "XHS", "小红书"}
    apply(workspace, XHS)
    assert channels(workspace) == {"小红书": (3000, 700)}
    lines = queries.events(workspace, Registry(workspace), {})
    assert {json.loads(line)["channel"] for line in lines} == {"小红书"}
    apply(workspace, {"alias": []})
    assert set(channels(workspace)) == {"xhs", "XHS", "小红书"}


def test_a_sheet_in_another_spelling_replaces_and_never_doubles(workspace, load):
    assert load("costs", COSTS + "2026-03-01,xhs,,10\n") == (1, 0, 0, 0)
    apply(workspace, XHS)
    assert load("costs", COSTS + "2026-03-01,xhs,,10\n") == (0, 1, 0, 0)
    assert load("costs", COSTS + "2026-03-01,RED书,,10\n") == (0, 1, 0, 0)
    assert load("costs", COSTS + "2026-03-01,小红书,,12\n") == (0, 0, 1, 0)
    assert channels(workspace) == {"小红书": (0, 1200)}


def test_taking_an_alias_back_never_doubles_what_was_imported_under_it(workspace, load):
    load("costs", COSTS + "2026-03-01,xhs,,10\n")
    apply(workspace, XHS)
    assert load("costs", COSTS + "2026-03-01,xhs,,12\n") == (0, 0, 1, 0)
    assert channels(workspace) == {"小红书": (0, 1200)}
    assert load("costs", COSTS + "2026-03-01,RED书,,13\n2026-03-01,小红书,,1\n") == (0, 0, 2, 0)
    assert channels(workspace) == {"小红书": (0, 1400)}
    apply(workspace, {"alias": []})
    assert channels(workspace) == {"RED书": (0, 1300), "小红书": (0, 100)}


@pytest.mark.parametrize("kind", ["costs", "aggregates"])
def test_an_alias_adds_up_what_two_files_brought(workspace, load, kind):
    header = "date,channel,cost,impressions\n"
    load(kind, header + "2026-03-01,xhs,100,1\n")
    load(kind, header + "2026-03-01,小红书,50,1\n")
    apply(workspace, XHS)
    assert channels(workspace) == {"小红书": (0, 15_000)}
    assert load(kind, header + "2026-03-01,小红书,60,1\n") == (0, 0, 1, 0)
    assert channels(workspace) == {"小红书": (0, 6000)}
    apply(workspace, {"alias": []})
    assert channels(workspace) == {"小红书": (0, 6000)}


def test_spellings_inside_one_file_add_up(workspace, load):
    apply(workspace, XHS)
    assert load("costs", COSTS + "2026-03-01,xhs,,10\n2026-03-01,小红书,,5\n") == (2, 0, 0, 0)
    assert channels(workspace) == {"小红书": (0, 1500)}


def test_a_source_is_known_by_the_table_of_sources_too(workspace):
    apply(workspace, {"alias": [{"name": "红书", "also": ["xhs"], "of": ["source"]}]})
    found = renamed_in({"alias": [{"name": "红书", "also": ["xhs"], "of": ["source"]}]})
    assert found.named("source_name", "xiaohongshu") == "红书"
    assert found.named("channel", "xhs") == "xhs"
    channel = site_of(workspace).channels.channel
    assert channel("红书", "cpc") == channel("xiaohongshu", "cpc")


def test_campaigns_have_aliases_as_well(workspace):
    rows = build.Rows(workspace)
    rows.touch("user_id:ann", T0, "Ads", campaign="Spring-2026")
    rows.touch("user_id:ann", T0 + 1, "Ads", campaign="spring 2026")
    rows.conversion("a", "user_id:ann", T0 + DAY, amount=100, currency="CNY")
    rows.commit()
    apply(
        workspace,
        {"alias": [{"name": "春季", "also": ["spring-2026", "SPRING 2026"], "of": ["campaign"]}]},
    )
    asked = {"models": "linear", "by": "channel,campaign"}
    (row,) = queries.attribution(workspace, Registry(workspace), asked).as_json()["rows"]
    assert (row["channel"], row["campaign"], row["revenue"]) == ("Ads", "春季", 100)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20))
def test_every_case_of_a_spelling_is_the_name_and_nothing_else_is(text):
    found = renamed_in(XHS)
    for spelt in ("XHS", "xHs", "red书", "小红书"):
        assert found.named("channel", spelt) == "小红书"
    if text.lower().strip() not in {"xhs", "red书", "小红书", "www.xhs"}:
        assert found.named("channel", text) in {text, "小红书"}


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ({"name": "a"}, "array"),
        ([{"name": "a"}], "also"),
        ([{"name": "a", "also": []}], "also"),
        ([{"name": "a", "also": [" "]}], "also"),
        ([{"name": "a", "also": ["b"], "of": ["colour"]}], "channel, source"),
        ([{"name": "a", "also": ["b"], "off": ["channel"]}], "off"),
        ([{"name": "a", "also": ["b"]}, {"name": "c", "also": ["B"]}], "'a' already"),
        ([{"name": "a", "also": ["b"]}, {"name": "B", "also": ["c"]}], "'a' already"),
    ],
)
def test_a_bad_alias_is_named(value, part):
    with pytest.raises(BadInput) as error:
        aliases(value)
    assert part in str(error.value)


def test_a_bad_alias_is_not_applied(workspace):
    with pytest.raises(BadInput, match="alias"):
        apply(workspace, {"alias": [{"name": "a", "also": []}]})
