"""The plan beside what came in: status of touchpoints, findings, a plan made of what was seen."""

import json
import tomllib

import pytest
import sqlalchemy as sa

import build
from build import DAY, T0, Tracker, page, track
from touchline import clock
from touchline.cli import main
from touchline.errors import BadInput, NotFound
from touchline.identity.people import Registry
from touchline.jobs import commands, job, kinds
from touchline.jobs.definitions import apply, goals_of
from touchline.jobs.imports.importing import run_import
from touchline.jobs.intake.writer import Writer
from touchline.jobs.plan import plan_check, plan_infer, plan_template
from touchline.storage import schema

SEARCH = {"name": "Search", "channel": ["Paid Search", "Organic Search"]}
POINTS = [
    SEARCH,
    {"name": "Notes", "source": "小红书", "stage": "awareness", "owner": "content"},
    {"name": "Spring", "campaign": "2603_*"},
    {"name": "Till", "data_source": "POS"},
    {"name": "Website", "data_source": "web"},
    {"name": "Leaflet", "link": "spring26"},
    {"name": "Sign-up", "event": "Signed Up"},
    {"name": "Outdoor"},
]
EVENTS = [
    {"name": "Signed Up", "also": ["注册"], "owner": "growth"},
    {
        "name": "Order Completed",
        "conversion": True,
        "closed": True,
        "properties": {"order_id": {"type": "string", "required": True}},
    },
]


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setattr(clock, "now_us", lambda: T0 + 10 * DAY)
    made = build.workspace(tmp_path / "w")
    yield made
    made.close()


def planned(workspace, **more):
    documents = {"event": EVENTS, "touchpoint": POINTS} | more
    kinds.KINDS["apply"](Writer(workspace), {"documents": documents, "author": "t"}, print)


def commit(workspace):
    Writer(workspace).catch_up()


def asked(workspace, question, **args):
    return question(workspace, Registry(workspace), args)


def statuses(workspace, **args):
    found = asked(workspace, plan_check.touchpoints, **args)["touchpoints"]
    return {one["name"]: one["status"] for one in found}


def findings(workspace, **args):
    return asked(workspace, plan_check.check, **args)["findings"]


def visits(workspace):
    tracker = Tracker(workspace)
    tracker.send(
        page("p1", "https://shop.cn/?utm_source=xhs&utm_medium=kol&utm_campaign=2603_kol", at=T0),
        page("p2", "https://shop.cn/a", at=T0 + 1),
        at=T0 + 1,
    )
    tracker.send(track("s1", "注册", at=T0 + 9 * DAY), at=T0 + 9 * DAY, source="app")
    click = {"touchpoint": True, "code": "spring26", "label": 'a "code":"other" b'}
    tracker.send(
        track("l1", "Link Clicked", properties=click, at=T0 + 8 * DAY),
        at=T0 + 8 * DAY,
        source="links",
    )
    commit(workspace)


SEEN = {
    "Search": "planned",
    "Notes": "lost",
    "Spring": "lost",
    "Till": "planned",
    "Website": "lost",
    "Leaflet": "receiving",
    "Sign-up": "receiving",
    "Outdoor": "planned",
}


@pytest.mark.parametrize("is_planned_first", [True, False])
def test_a_touchpoint_is_seen_whether_it_was_on_the_map_before_or_not(workspace, is_planned_first):
    if is_planned_first:
        planned(workspace)
    visits(workspace)
    if not is_planned_first:
        planned(workspace)
    assert statuses(workspace) == SEEN
    assert statuses(workspace, days=30)["Notes"] == "receiving"
    lost = [f["touchpoint"] for f in findings(workspace) if f["finding"] == "touchpoint_lost"]
    assert sorted(lost) == ["Notes", "Spring", "Website"]
    assert [f["last_day"] for f in findings(workspace) if f["touchpoint"] == "Notes"] == [
        "2026-03-01"
    ]
    (sign_up, order) = asked(workspace, plan_check.touchpoints)["events"]
    assert (sign_up["status"], order["status"]) == ("receiving", "planned")
    assert (order["goals"], order["is_key"]) == (["default"], True)


def test_a_touchpoint_that_left_the_map_and_returns_has_missed_nothing(workspace):
    planned(workspace)
    planned(workspace, touchpoint=POINTS[:1])
    visits(workspace)
    planned(workspace)
    assert statuses(workspace) == SEEN


def test_a_touchpoint_is_known_by_every_spelling_of_a_label(workspace):
    page_of_red = page("p", "https://shop.cn/?utm_source=red-2026&utm_medium=x", at=T0 + 9 * DAY)
    Tracker(workspace).send(page_of_red, at=T0 + 9 * DAY)
    commit(workspace)
    planned(workspace)
    assert statuses(workspace)["Notes"] == "planned"
    planned(workspace, alias=[{"name": "小红书", "also": ["RED-2026"]}])
    assert statuses(workspace)["Notes"] == "receiving"
    planned(workspace, alias=[])
    assert statuses(workspace)["Notes"] == "planned"


def test_a_rebuild_looks_at_everything_again(workspace):
    planned(workspace)
    visits(workspace)
    workspace.state.write((sa.delete(schema.sighting), [{}]))
    kinds.KINDS["rebuild"](Writer(workspace), {}, lambda _: None)
    assert statuses(workspace) == SEEN


def test_what_is_set_up_and_silent_is_instrumented(workspace):
    planned(workspace)
    assert statuses(workspace)["Website"] == "instrumented"
    workspace.add_keys({"POS": "p" * 8}, ())
    assert statuses(workspace)["Till"] == "instrumented"
    row = {"code": "spring26", "target": "https://shop.cn/", "created_us": 0}
    workspace.state.write((sa.insert(schema.link), [row]))
    assert statuses(workspace)["Leaflet"] == "instrumented"


def test_a_bot_and_a_page_within_a_visit_are_no_sighting(workspace):
    planned(workspace)
    bot = page("b", "https://shop.cn/?utm_source=xhs", at=T0)
    bot["context"]["userAgent"] = "Googlebot/2.1 (+http://www.google.com/bot.html)"
    Tracker(workspace).send(bot)
    commit(workspace)
    assert statuses(workspace)["Notes"] == "planned"


def test_a_key_event_that_fell_silent_is_found(workspace):
    key = {"name": "Demo", "key": True}
    planned(workspace, event=[*EVENTS, key])
    tracker = Tracker(workspace)
    tracker.send(
        *(
            track(name, name, properties={"order_id": "o", "revenue": 1})
            for name in ("Demo", "Signed Up", "Order Completed")
        )
    )
    commit(workspace)
    lost = [f["event"] for f in findings(workspace) if f["finding"] == "event_lost"]
    assert lost == ["Order Completed", "Demo"]


def test_findings_say_what_came_how_often_and_what_was_meant(workspace):
    planned(workspace)
    tracker = Tracker(workspace)
    for day in (8, 9):
        at = T0 + day * DAY
        order = {"order_ID": "o"}
        tracker.send(
            track(f"a{day}", "order_completed", at=at),
            track(f"b{day}", "Order Completed", at=at, properties=order),
            track(f"c{day}", "Somethng Else", at=at),
            at=at,
        )
    commit(workspace)
    found = {(f["finding"], f["event"], f["property"]): f for f in findings(workspace)}
    unknown = found["unplanned_event", "order_completed", None]
    assert (unknown["count"], unknown["suggestion"]) == (2, "Order Completed")
    assert (unknown["first_day"], unknown["last_day"]) == ("2026-03-09", "2026-03-10")
    assert unknown["sources"] == ["web"]
    assert found["unplanned_event", "Somethng Else", None]["suggestion"] is None
    assert found["missing_property", "Order Completed", "order_id"]["count"] == 2
    assert found["unplanned_property", "Order Completed", "order_ID"]["suggestion"] == "order_id"
    assert found["conversion_without_value", "Order Completed", "revenue"]["count"] == 2
    assert asked(workspace, plan_check.check, language="zh")["findings"][0]["what"].endswith("。")
    assert [f for f in findings(workspace, days=1) if not f["finding"].endswith("_lost")] == []


def test_a_finding_that_the_plan_no_longer_makes_is_gone(workspace):
    planned(workspace)
    Tracker(workspace).send(
        track("a", "Demo", at=T0 + 9 * DAY),
        track("b", "Order Completed", at=T0 + 9 * DAY, properties={"x": 1, "revenue": 1}),
        at=T0 + 9 * DAY,
    )
    commit(workspace)
    assert {f["finding"] for f in findings(workspace)} == {
        "unplanned_event",
        "missing_property",
        "unplanned_property",
    }
    order = {"name": "Order Completed", "properties": {"order_id": {"type": "string"}}}
    apply(workspace, {"event": [EVENTS[0], order], "plan": {"ignore": ["Dem*"]}})
    assert findings(workspace) == []


def test_check_says_by_its_exit_code_whether_anything_is_found(workspace, capsys, monkeypatch):
    directory = str(workspace.dir)
    assert main(["plan", "check", directory]) == 0
    assert "no tracking plan" in capsys.readouterr().err
    planned(workspace)
    assert main(["plan", "check", directory, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []
    visits(workspace)
    assert main(["plan", "check", directory, "--format", "csv"]) == 1
    assert "touchpoint_lost" in capsys.readouterr().out
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert main(["plan", "map", directory]) == 0
    assert "已中断" in capsys.readouterr().out
    assert main(["plan", "check", directory, "--days", "0"]) == 2


def test_every_template_can_be_put_in_force_in_both_languages(workspace):
    for one in plan_template.templates():
        for language in ("en", "zh"):
            found = plan_template.template(one["name"], language)
            assert tomllib.loads(found["toml"]) == found["definitions"]
            apply(workspace, found["definitions"])
            held = asked_map(workspace)
            assert len(held) == one["touchpoints"]
            assert all(point["stage"] and point["owner"] for point in held)
            assert goals_of(workspace)[0].name == "default"


def test_a_template_is_begun_with_once(workspace, capsys):
    directory = str(workspace.dir)
    asked = ["plan", "new", directory, "--template", "beauty-retail", "--language", "zh"]
    assert main([*asked, "--print"]) == 0
    printed = tomllib.loads(capsys.readouterr().out)
    assert asked_map(workspace) == []
    assert main(asked) == 0
    assert [p["name"] for p in asked_map(workspace)] == [p["name"] for p in printed["touchpoint"]]
    assert main(asked) == 2


def test_the_api_begins_with_a_template_and_changes_the_plan(workspace, monkeypatch):
    monkeypatch.setattr(commands, "PATIENCE_S", 0.0)
    writer = Writer(workspace)
    run = {"apply": lambda args, progress: kinds.KINDS["apply"](writer, args, progress)}
    begun = commands.COMMANDS["begin_plan"](workspace, None, {"template": "saas", "language": "en"})
    assert job.run_next(workspace.state, run)
    told = commands.COMMANDS["job"](workspace, None, {"number": begun["job"]})
    assert sorted(told["result"]) == ["event", "plan", "touchpoint"]
    commands.COMMANDS["apply"](workspace, None, {"touchpoint": POINTS[:2]})
    assert job.run_next(workspace.state, run)
    assert [one["name"] for one in asked_map(workspace)] == ["Search", "Notes"]


def asked_map(workspace):
    return asked(workspace, plan_check.touchpoints)["touchpoints"]


def test_a_template_that_is_not_there_is_named(workspace):
    with pytest.raises(NotFound, match="saas"):
        plan_template.begin(workspace, "bank", "en")
    with pytest.raises(BadInput):
        plan_template.template("saas", "fr")


def test_what_a_file_has_in_columns_is_a_property_of_the_plan(workspace, tmp_path):
    path = tmp_path / "e.csv"
    row = "2026-03-10,Order Completed,u{0},o{0},{0},gold\n"
    head = "occurred_at,name,user_id,order_id,revenue,level\n"
    path.write_text(head + "".join(row.format(n) for n in range(20)))
    run_import(Writer(workspace), "events", path)
    commit(workspace)
    (order,) = tomllib.loads(asked(workspace, plan_infer.observed)["toml"])["event"]
    assert order["properties"] == {
        "order_id": {"type": "string", "required": True},
        "currency": {"type": "string", "required": True, "enum": ["CNY"]},
        "revenue": {"type": "number", "required": True},
        "level": {"type": "string", "required": True, "enum": ["gold"]},
    }


def test_what_an_event_of_monstrous_size_says_is_in_no_plan(workspace):
    tracker = Tracker(workspace)
    usual, monster = {"level": "gold"}, {"text": "x" * plan_infer.LARGEST}
    for n, properties in enumerate((usual, monster, {})):
        tracker.send(track(f"m{n}", "Signed Up", at=T0 + DAY, properties=properties))
    commit(workspace)
    found = asked(workspace, plan_infer.observed)
    assert [e["count"] for e in found["events"]] == [3]
    assert list(tomllib.loads(found["toml"])["event"][0]["properties"]) == ["level"]


def test_a_plan_is_made_of_what_came_in_and_fits_it(workspace):
    tracker = Tracker(workspace)
    for n in range(25):
        properties = {
            "order_id": f"o{n}",
            "revenue": n if n % 2 else n + 0.5,
            "level": ["gold", "silver"][n % 2],
            "email": f"a{n % 2}@b.cn",
            "gift": n % 3 == 0 or None,
        }
        tracker.send(
            track(f"m{n}", "Order Completed", at=T0 + DAY, properties=properties),
            track(f"e{n}", "Page Engaged", at=T0 + DAY),
        )
    tracker.send(track("x", 'Odd "name"\n', at=T0 + DAY, properties={"a": [1]}))
    commit(workspace)
    found = asked(workspace, plan_infer.observed)
    assert [(e["name"], e["count"]) for e in found["events"]] == [
        ("Order Completed", 25),
        ('Odd "name"', 1),
    ]
    plan = tomllib.loads(found["toml"])
    order = plan["event"][0]
    assert order["conversion"] is True
    assert order["properties"] == {
        "order_id": {"type": "string", "required": True},
        "revenue": {"type": "number", "required": True},
        "level": {"type": "string", "required": True, "enum": ["gold", "silver"]},
        "email": {"type": "string", "required": True},
        "gift": {"type": "boolean"},
    }
    planned(workspace, **plan, touchpoint=[])
    late = track("y", "Order Completed", at=T0 + 9 * DAY, properties=properties)
    tracker.send(late, at=T0 + 9 * DAY)
    commit(workspace)
    assert findings(workspace) == []
    assert asked(workspace, plan_infer.observed, days=1)["events"] == []
