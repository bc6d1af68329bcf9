"""A person on one page: what is computed of one is what is computed of all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import build
from build import DAY, T0, Rows
from touchline import clock
from touchline.errors import BadInput
from touchline.identity.people import Registry
from touchline.jobs.definitions import apply
from touchline.jobs.intake import filing
from touchline.jobs.intake.writer import Writer
from touchline.jobs.people.profile import export, facts_of_all, facts_of_one, profile
from touchline.journey.profile_spec import CALCULATIONS, FIELDS, profile_spec
from touchline.storage.principal import Principal

NOW = T0 + 100 * DAY
ANN, BOB = "user_id:ann", "email:bob"
TRAITS = [
    {"name": "bought_90d", "calculate": "count", "event": "Order Completed", "within": "90d"},
    {"name": "spent", "calculate": "sum", "goal": "default"},
    {"name": "largest", "calculate": "most", "goal": "default"},
    {"name": "first_order", "calculate": "first", "goal": "default"},
    {
        "name": "lipsticks",
        "calculate": "sum",
        "event": "Viewed",
        "of": "properties.n",
        "where": {"properties.category": ["lipstick", "口红"]},
    },
    {"name": "mean", "calculate": "average", "event": "Viewed", "of": "properties.n"},
    {"name": "categories", "calculate": "distinct", "event": "Viewed", "of": "properties.category"},
    {"name": "last_category", "calculate": "last", "event": "Viewed", "of": "properties.category"},
    {"name": "first_channel", "calculate": "first", "touches": True, "of": "channel"},
    {"name": "days", "calculate": "distinct", "event": "Viewed", "of": "day", "within": "240h"},
    {
        "name": "deals",
        "calculate": "count",
        "conversions": ["opportunity"],
        "where": {"stage": "won"},
    },
]


@pytest.fixture
def rows(workspace, monkeypatch):
    monkeypatch.setattr(clock, "now_us", lambda: NOW)
    return Rows(workspace)


def everything(workspace):
    """Of each person by name: what is computed for all, and for one after the other."""
    with workspace.view() as view:
        people = Registry(workspace).at(view)
        all_ = facts_of_all(workspace, view, people)
        at = {n: people.person_of([build.node(n)])[0] for n in (ANN, BOB)}
        persons = {name: person for name, person in at.items() if person is not None}
        one = {n: facts_of_one(workspace, view, people, p) for n, p in persons.items()}
        return {name: all_.of(person) for name, person in persons.items()}, one


def values(found):
    return {name: one["value"] for name, one in found["computed"].items()}


def viewed(rows, person, at, n, category):
    rows.event(person, at, "Viewed", properties=f'{{"n": {n}, "category": {category}}}')


def test_traits_are_computed_of_events_touches_goals_and_conversions(workspace, rows):
    rows.touch(ANN, T0, "Ads")
    rows.touch(ANN, T0 + DAY, "Mail")
    rows.order(ANN, T0 + DAY, "o1", revenue=30_000)
    rows.order(ANN, T0 + 50 * DAY, "o2", revenue=20_000)
    rows.refund("o2", T0 + 51 * DAY, revenue=5_000)
    viewed(rows, ANN, NOW - 3 * DAY, 2, '"lipstick"')
    viewed(rows, ANN, NOW - 3 * DAY + 1, '"1.5"', '"口红"')
    viewed(rows, ANN, NOW - 2 * DAY, "true", "7")
    viewed(rows, BOB, NOW + 1, 5, '"later than now"')
    rows.conversion("d1", ANN, T0, kind="opportunity", stage="won", amount=1)
    rows.conversion("d2", ANN, T0, kind="opportunity", stage="lost", amount=1)
    rows.commit()
    apply(workspace, {"computed_trait": TRAITS})
    found, one = everything(workspace)
    assert found == one
    assert values(found[ANN]) == {
        "bought_90d": 1,
        "spent": 45_001,
        "largest": 30_000,
        "first_order": "2026-03-01T00:00:00.000Z",
        "lipsticks": 3.5,
        "mean": 1.75,
        "categories": 3,
        "last_category": 7,
        "first_channel": "Ads",
        "days": 2,
        "deals": 1,
    }
    assert found[ANN]["computed"]["spent"]["type"] == "money"
    assert values(found[BOB])["lipsticks"] == 0
    assert values(found[BOB])["last_category"] is None


def test_stages_follow_touches_enquiries_leads_and_orders(workspace, rows):
    def stage(name=ANN):
        rows.commit()
        with workspace.view() as view:
            people = Registry(workspace).at(view)
            (person,) = people.person_of([build.node(name)])
            return facts_of_one(workspace, view, people, person)["stage"]["title"]["zh"]

    rows.event(ANN, T0, "page")
    rows.conversion("l1", BOB, T0, kind="lead", stage="new")
    assert (stage(), stage(BOB)) == ("认知", "兴趣")
    rows.event(ANN, T0, "Form Submitted")
    assert stage() == "兴趣"
    rows.order(ANN, T0, "o1")
    rows.order(ANN, T0, "o1", revenue=5)
    assert stage() == "购买"
    rows.conversion("o2", ANN, T0, kind="order", stage=None, amount=1)
    assert stage() == "忠诚"


def test_a_site_has_stages_of_its_own(workspace, rows):
    orders = {"name": "orders", "calculate": "count", "event": "Paid", "within": "30d"}
    stages = [
        {"name": "new", "any": [{"touches": 1}]},
        {"name": "vip", "any": [{"orders": 2, "touches": 1}]},
    ]
    apply(workspace, {"computed_trait": [orders], "member_stage": stages})
    rows.touch(ANN, T0, "Ads")
    for at in (NOW - 40 * DAY, NOW - DAY):
        rows.event(ANN, at, "Paid")
    rows.event(BOB, T0, "Paid")
    rows.commit()
    found, one = everything(workspace)
    assert found == one
    assert found[ANN]["stage"]["name"] == "new"
    assert found[BOB]["stage"] is None
    rows.event(ANN, NOW, "Paid")
    rows.commit()
    assert everything(workspace)[1][ANN]["stage"]["name"] == "vip"


def test_tickets_are_open_until_their_number_is_closed(workspace, rows):
    def say(name, at, number):
        rows.event(ANN, at, name, properties=f'{{"ticket_id": {number}}}')

    say("Ticket Created", T0, '"7"')
    say("工单创建", T0 + 1, "8")
    say("Ticket Created", T0 + 2, "null")
    say("Ticket Closed", T0 + 3, "7")
    say("Ticket Closed", T0 + 4, '"other"')
    rows.commit()
    found, one = everything(workspace)
    assert found == one
    assert [(t["ticket"], t["event"]) for t in one[ANN]["tickets"]] == [
        ("8", "工单创建"),
        (None, "Ticket Created"),
    ]
    say("Ticket Reopened", T0 + 5, "7")
    rows.commit()
    assert [t["ticket"] for t in everything(workspace)[1][ANN]["tickets"]] == ["8", None, "7"]


ROW = st.tuples(
    st.sampled_from([ANN, BOB]),
    st.integers(0, 99),
    st.sampled_from(["view", "order", "refund", "deal", "touch", "ticket"]),
    st.integers(0, 3),
)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    made = []

    def one():
        made.append(build.workspace(tmp_path_factory.mktemp("profile") / "w"))
        return made[-1]

    yield one
    for workspace in made:
        workspace.close()


@settings(max_examples=5, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=12), st.booleans())
def test_of_one_is_what_is_of_all(worlds, said, is_filed):
    workspace = worlds()
    made = Rows(workspace)
    apply(workspace, {"computed_trait": TRAITS})
    for person, day, what, n in said:
        at = T0 + day * DAY
        match what:
            case "view":
                viewed(made, person, at, n, f'"c{n}"')
            case "order":
                made.order(person, at, f"o{n}", revenue=n * 100)
            case "refund":
                made.refund(f"o{n}", at, revenue=n * 10)
            case "deal":
                made.conversion(f"o{n}", person, at, kind="opportunity", stage="won", amount=n)
            case "touch":
                made.touch(person, at, f"ch{n}", campaign=f"c{n}")
            case "ticket":
                made.event(person, at, ["Ticket Created", "Ticket Closed"][n % 2])
    made.commit()
    if is_filed:
        filing.build(workspace)
    found, one = everything(workspace)
    assert found == one


def test_the_page_has_all_of_it_and_the_export_says_the_same(workspace, load):
    load("people", "user_id,email,city,owner\nann,ann@shop.cn,上海,Li Na\n", source="crm")
    load("events", "message_id,occurred_at,name,user_id\nv1,2026-03-02,Form Submitted,ann\n")
    apply(
        workspace,
        {
            "profile": {"third_party": ["crm"]},
            "computed_trait": [{"name": "forms", "calculate": "count", "event": "Form Submitted"}],
        },
    )
    with workspace.view() as view:
        people = Registry(workspace).at(view)
        page = profile(workspace, view, people, 0, "zh")
        (line,) = export(workspace, view, people)
    assert page["traits"]["city"] == line["traits"]["city"] == "上海"
    assert page["traits_from"]["city"]["party"] == "third_party"
    assert (page["owner"]["owner"], page["owner"]["author"]) == (line["owner"], "crm")
    assert page["stage"]["name"] == line["stage"] == "interest"
    assert page["computed"]["forms"] == {"value": 1, "type": "integer"}
    assert line["computed"] == {"forms": 1}
    assert {row["purpose"] for row in page["consent"]} >= {"marketing"}
    assert page["tags"] == line["tags"] == page["tickets"] == []


def test_what_is_written_into_a_form_was_told_and_what_is_identified_was_not(workspace):
    form = build.track("f", "Form Submitted", properties={"form": "demo"})
    form["context"] = {"traits": {"name": "安"}}
    identify = {"type": "identify", "messageId": "i", "userId": "ann", "traits": {"city": "上海"}}
    build.Tracker(workspace).send(form, identify)
    with workspace.write_lock():
        Writer(workspace).catch_up()
    with workspace.view() as view:
        page = profile(workspace, view, Registry(workspace).at(view), 0)
    parties = {name: one["party"] for name, one in page["traits_from"].items()}
    assert parties == {"name": "zero_party", "city": "first_party"}


def test_a_role_sees_of_it_what_its_mask_leaves(workspace, rows):
    rows.order(ANN, T0, "o1")
    rows.commit()
    apply(workspace, {"computed_trait": TRAITS[:2]})
    masks = {"spent": "full", "tags": "hidden"}
    seen = workspace.seen_by(Principal(role="analyst", masks=masks))
    with seen.view() as view:
        page = profile(seen, view, Registry(seen).at(view), 0)
    assert page["computed"].keys() == {"spent"}
    assert (page["stage"], page["facts"], page["tags"], page["owner"]) == (None, {}, [], None)


def wrong(**trait):
    return {"computed_trait": [{"name": "x", "calculate": "count", **trait}]}


@pytest.mark.parametrize(
    ("documents", "why"),
    [
        (wrong(), "computed of one thing"),
        (wrong(event="a", touches=True), "computed of one thing"),
        (wrong(goal="no such"), "there is no goal no such"),
        (wrong(event="a", within="90 days"), "within is hours or days"),
        (wrong(event="a", within="99999d"), "within is hours or days"),
        (wrong(event="a", of="channel"), "count takes no of"),
        (wrong(event="a", calculate="sum"), "sum needs of"),
        (wrong(event="a", calculate="sum", of="channel"), "needs a number"),
        (wrong(event="a", calculate="sum", of="revenue"), "had from a goal"),
        (wrong(touches=True, calculate="last", of="properties.x"), "not known of touches"),
        (wrong(event="a", where={"colour": "red"}), "colour is not known"),
        (wrong(event="a", where={"at": "now"}), "for times there is within"),
        (wrong(event="a", where={"channel": []}), "a list without a value"),
        (wrong(event="a", median=True), "unknown field `median`"),
        (wrong(event=" "), "name of an event is empty"),
        ({"computed_trait": wrong(event="a")["computed_trait"] * 2}, "used twice"),
        ({"computed_trait": {"name": "x"}}, "write it as [[computed_trait]]"),
        (wrong(event="a", name="a\nb"), "a name is one line"),
        ({"member_stage": [{"name": "s", "any": [{"no": 1}]}]}, "no is no number"),
        ({"member_stage": [{"name": "s", "any": [{}]}]}, "a table of any is empty"),
        ({"ticket": [{"name": "t", "opened": ["a"], "closed": []}]}, "each need a name"),
        ({"ticket": [{"name": "t", "opened": ["a"], "closed": ["a"]}]}, "both opens and closes"),
    ],
)
def test_what_is_wrong_with_a_definition_is_told(workspace, documents, why):
    with pytest.raises(BadInput) as caught:
        apply(workspace, documents)
    assert caught.value.code == "bad_profile_table"
    assert why in str(caught.value)


def test_every_calculation_and_field_is_known():
    wanted = [
        {"name": f"{source} {calculate} {field}", "calculate": calculate, "of": field}
        | {
            "event": {"event": "a"},
            "touches": {"touches": True},
            "goal": {"goal": "g"},
            "conversions": {"conversions": ["lead"]},
        }[source]
        for source, fields in FIELDS.items()
        for field in fields
        for calculate in ("first", "last", "distinct")
    ]
    found = profile_spec({"computed_trait": wanted}, ["g"])
    assert {trait.source for trait in found.own} == FIELDS.keys()
    assert {trait.calculate for trait in found.own} < CALCULATIONS.keys()
