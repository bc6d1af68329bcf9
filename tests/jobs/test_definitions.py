"""What a site decided: in and out as TOML, checked as a whole, never overwritten."""

import tomllib

import pytest
import sqlalchemy as sa

import build
from touchline import clock
from touchline.errors import BadInput
from touchline.jobs.definitions import apply, dump, goals_of, read_file, site_of
from touchline.jobs.doctor import examine
from touchline.jobs.intake.writer import Writer
from touchline.storage import definition, schema

tomli = tomllib.loads
EVERYTHING = """
[site]
own_hosts = ["shop.cn"]
payment_hosts = ["pay.example"]

[[goal]]
name = "deals"
stages = ["won", "赢单"]
value = "revenue"
count = "once"

[[goal]]
name = "leads"
event = "Lead"
value = 12.5

[[channel_rule]]
channel = "私域"
source = "wecom"

[identity]
limits = { phone = 2 }
"""


def written(tmp_path, text):
    path = tmp_path / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_dumped_is_what_was_applied_and_applies_again(workspace, tmp_path):
    documents = read_file(written(tmp_path, EVERYTHING))
    assert sorted(apply(workspace, documents)) == ["channel_rule", "goal", "identity", "site"]
    again = dump(workspace)
    assert tomllib.loads(again) == tomllib.loads(EVERYTHING)
    assert apply(workspace, read_file(written(tmp_path, again))) == []
    assert dump(workspace) == again


def test_a_workspace_without_definitions_dumps_nothing_and_has_the_built_in_goal(workspace):
    assert dump(workspace) == ""
    assert [goal.name for goal in goals_of(workspace)] == ["default"]


def test_definitions_are_in_force_at_once(workspace, tmp_path):
    apply(workspace, read_file(written(tmp_path, EVERYTHING)))
    site = site_of(workspace)
    assert site.own_hosts == {"shop.cn"}
    assert site.payment_hosts == {"pay.example"}
    assert site.channels.channel("wecom", None) == "私域"
    assert [goal.name for goal in goals_of(workspace)] == ["deals", "leads"]


def test_kinds_that_a_file_does_not_name_stay_as_they_are(workspace, tmp_path):
    apply(workspace, read_file(written(tmp_path, EVERYTHING)))
    other = '[[goal]]\nname = "x"\nevent = "X"\n'
    assert apply(workspace, read_file(written(tmp_path, other))) == ["goal"]
    assert [goal.name for goal in goals_of(workspace)] == ["x"]
    assert site_of(workspace).own_hosts == {"shop.cn"}


def test_every_version_is_kept_with_author_and_time(workspace, monkeypatch):
    for number in (1, 2):
        monkeypatch.setattr(clock, "now_us", lambda at=number: at)
        apply(workspace, {"goal": [{"name": f"g{number}", "event": "E"}]}, author="ann")
    query = sa.select(schema.definition).order_by(schema.definition.c.version)
    rows = [(r.kind, r.version, r.author, r.known_at_us) for r in workspace.state.read(query)]
    assert rows == [("goal", 1, "ann", 1), ("goal", 2, "ann", 2)]
    assert [goal.name for goal in goals_of(workspace)] == ["g2"]


@pytest.mark.parametrize(
    ("text", "code", "named"),
    [
        ("[[goals]]\nname = 'x'\n", "unknown_definition", "goals"),
        ("[[goal]]\nname = 'x'\n", "bad_goal", "x"),
        ("[goal]\nname = 'x'\n", "bad_goal", r"\[\[goal\]\]"),
        ("goal = 5\n", "bad_goal", "goal"),
        ("[site]\nown_host = ['x']\n", "bad_site", "own_host"),
        ("[site]\nown_hosts = 'x'\n", "bad_site", "own_hosts"),
        ("[[channel_rule]]\nsource = 'x'\n", "bad_channel_rule", "channel"),
        ("[identity]\nlimits = { shoe = 1 }\n", "bad_identity_rule", "shoe"),
        ("[[goal\n", "file_unreadable", "TOML"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_and_nothing_of_it_is_stored(
    workspace, tmp_path, text, code, named
):
    whole = "[[channel_rule]]\nchannel = 'x'\nsource = 'y'\n" if "channel_rule" not in text else ""
    with pytest.raises(BadInput, match=named) as caught:
        apply(workspace, read_file(written(tmp_path, text + whole)))
    assert (caught.value.code, caught.value.exit_code) == (code, 2)
    assert definition.current(workspace.state) == {}


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path):
    with pytest.raises(BadInput) as caught:
        read_file(tmp_path / "nowhere.toml")
    assert caught.value.code == "file_missing"
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput) as caught:
        read_file(tmp_path / "x.toml")
    assert caught.value.code == "file_unreadable"
    with pytest.raises(BadInput):
        read_file(tmp_path)


def test_a_file_saved_by_windows_is_read(workspace, tmp_path):
    path = tmp_path / "site.toml"
    path.write_bytes(b"\xef\xbb\xbf" + EVERYTHING.replace("\n", "\r\n").encode())
    apply(workspace, read_file(path))
    assert [goal.name for goal in goals_of(workspace)] == ["deals", "leads"]


def test_only_the_newest_version_of_a_kind_is_read(workspace, monkeypatch):
    moments = (n // 2 for n in range(2, 18))  # a version and the row of the audit log
    monkeypatch.setattr(clock, "now_us", lambda: next(moments))
    for host in "abc":
        definition.save(workspace.state, {"site": {"own_hosts": [host]}}, "ann")
    definition.save(workspace.state, {"goal": []}, "ann")
    read = []
    monkeypatch.setattr(tomllib, "loads", lambda text: read.append(text) or tomli(text))
    assert definition.current(workspace.state) == {"site": {"own_hosts": ["c"]}, "goal": []}
    assert len(read) == 2
    assert definition.current(workspace.state, 2) == {"site": {"own_hosts": ["b"]}}
    assert definition.current(workspace.state, 0) == {}
    assert len(read) == 3


LOOKS_AROUND = r"^(?!test).*shop$"
TAKEN_ONCE = {
    "channel_rule": [
        {"channel": "A", "medium": {"matches": LOOKS_AROUND}},
        {"channel": "B", "medium": "own"},
    ],
    "event": [
        {
            "name": "Signed",
            "strict": True,
            "properties": {
                "code": {"type": "string", "pattern": LOOKS_AROUND},
                "items": {"type": "array", "items": {"properties": {"id": {"pattern": "("}}}},
            },
        }
    ],
}


def test_an_expression_that_was_taken_once_and_is_refused_now_stops_nothing_else(workspace):
    """Commits go on, its rule holds for nothing, and doctor says where it stands."""
    definition.save(workspace.state, TAKEN_ONCE, "before")
    tracker = build.Tracker(workspace)
    tracker.send(
        build.page("m1", "https://x.cn/?utm_source=a&utm_medium=my-shop"),
        build.page("m2", "https://x.cn/?utm_source=a&utm_medium=own"),
        build.track("m3", "Signed", properties={"code": "any", "items": [{"id": "x"}]}),
        build.track("m4", "Signed", properties={"code": 7}),
    )
    Writer(workspace).catch_up()
    with workspace.view("fresh", "events") as view:
        rows = view.fetch(view.events("message_id", "channel", "seq")).to_pylist()
    by_id = {row["message_id"]: row["channel"] for row in rows}
    assert by_id.keys() == {"m1", "m2", "m3"}  # what else the plan says holds
    assert (by_id["m1"], by_id["m2"]) == ("Unassigned", "B")
    found = {one["where"]: one["what"] for one in examine(workspace)["findings"]}
    assert found.keys() == {"channel_rule 1", "Signed.code", "Signed.items[].id"}
    assert "(?!test)" in found["channel_rule 1"]


def test_beside_an_expression_that_is_refused_now_the_rest_can_still_be_applied(workspace):
    definition.save(workspace.state, TAKEN_ONCE, "before")
    assert apply(workspace, {"goal": [{"name": "g", "event": "E"}]}) == ["goal"]
    assert definition.current(workspace.state)["channel_rule"] == TAKEN_ONCE["channel_rule"]
    with pytest.raises(BadInput, match="no regular expression"):
        apply(workspace, {"channel_rule": TAKEN_ONCE["channel_rule"]})
