"""What a tracking plan says of events: the same whichever way one was made, and nobody is named."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.collect import segment
from touchline.collect.example import example_of
from touchline.collect.plan import Plan
from touchline.collect.plan_spec import is_automatic
from touchline.collect.property_check import PropertySpec, compiled
from touchline.collect.quick import Quick
from touchline.collect.site import Site
from touchline.errors import BadInput
from touchline.model import Event, Flag, RawRequest

SITE = Site(workspace="w")
T0 = 1_795_250_000_000_000

ORDER = {
    "name": "Order Completed",
    "also": ["order_completed", "下单成功"],
    "conversion": True,
    "properties": {
        "order_id": {"type": "string", "required": True, "maxLength": 40},
        "revenue": {"type": "number", "minimum": 0},
        "currency": {"type": "string", "enum": ["CNY", "USD"]},
        "coupon": {"type": ["string", "null"], "pattern": "^[A-Z0-9]+$"},
        "paid_at": {"type": "string", "format": "date-time"},
        "products": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "sku": {"type": "string", "required": True},
                    "quantity": {"type": "integer", "minimum": 1},
                },
            },
        },
    },
}


def plan(*events, **of_plan):
    found = Plan.compile({"plan": of_plan, "event": [ORDER, *events]}, {"Order Completed": None})
    assert found is not None
    return found


def event(name, properties, *, kind="track", revenue=None):
    return Event(
        source="web",
        message_id="m",
        type=kind,
        name=name,
        ts_us=T0,
        received_us=T0,
        properties=properties,
        revenue=revenue,
    )


def faults(made, name, **properties):
    judged = made.judge(event(name, properties, revenue=1))
    return [] if judged is None else [(f.property, f.reason) for f in judged.faults]


def test_an_event_as_planned_has_nothing_said_of_it():
    good = {"order_id": "o1", "revenue": 9.5, "currency": "CNY", "coupon": None, "more": [1]}
    for name in ("Order Completed", "order_completed", "下单成功"):
        assert plan().judge(event(name, good, revenue=950)) is None


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, [("order_id", "missing_property")]),
        ({"order_id": None}, [("order_id", "missing_property")]),
        ({"order_id": 7}, [("order_id", "wrong_type")]),
        ({"order_id": "x" * 41}, [("order_id", "out_of_range")]),
        ({"order_id": "o", "revenue": "9"}, [("revenue", "wrong_type")]),
        ({"order_id": "o", "revenue": True}, [("revenue", "wrong_type")]),
        ({"order_id": "o", "revenue": -1}, [("revenue", "out_of_range")]),
        ({"order_id": "o", "currency": "cny"}, [("currency", "not_in_list")]),
        ({"order_id": "o", "coupon": "a b"}, [("coupon", "wrong_format")]),
        ({"order_id": "o", "paid_at": "yesterday"}, [("paid_at", "wrong_format")]),
        ({"order_id": "o", "products": []}, [("products", "out_of_range")]),
        (
            {"order_id": "o", "products": [{"quantity": 0}, {"quantity": 0}, {"sku": "s"}]},
            [("products[].sku", "missing_property"), ("products[].quantity", "out_of_range")],
        ),
        ({"order_id": "o", "products": [3]}, [("products[]", "wrong_type")]),
    ],
)
def test_what_goes_against_the_plan_is_named_by_property_and_reason(properties, expected):
    assert faults(plan(), "Order Completed", **properties) == expected


def test_what_a_file_says_in_columns_of_its_own_is_there():
    made = plan({"name": "Visit", "properties": {"campaign": {"required": True}}})
    row = event("Order Completed", {}, revenue=950)
    told = msgspec.structs.replace(row, order_id="o1", currency="CNY")
    assert made.judge(told) is None
    judged = made.judge(msgspec.structs.replace(told, order_id="x" * 41, currency="JPY"))
    assert [(f.property, f.reason) for f in judged.faults] == [
        ("order_id", "out_of_range"),
        ("currency", "not_in_list"),
    ]
    labelled = msgspec.structs.replace(event("Visit", {}), campaign="c")
    assert made.judge(labelled) is not None
    explicit = msgspec.structs.replace(labelled, flags=int(Flag.EXPLICIT_CHANNEL))
    assert made.judge(explicit) is None


def test_only_track_events_can_be_unplanned():
    made = plan({"name": "Pricing", "type": "page"})
    assert faults(made, "Order Complete") == [("", "unplanned_event")]
    assert made.judge(event("any page", {}, kind="page")) is None
    assert made.judge(event("identify", {}, kind="identify")) is None


def test_events_that_trackers_send_by_themselves_come_beside_the_plan():
    made = plan(ignore=["debug *", "心跳"])
    for name in ("$autocapture", "Page Engaged", "debug 1", "心跳", "page_view"):
        assert made.judge(event(name, {})) is None
    assert faults(made, "debug") == [("", "unplanned_event")]
    assert faults(made, "a$b") == [("", "unplanned_event")]
    assert is_automatic("$pageview")
    assert not is_automatic("page_viewed")


def test_a_closed_event_has_no_other_properties():
    made = plan({"name": "Lead", "closed": True, "properties": {"form": {"type": "string"}}})
    assert faults(made, "Lead", form="x") == []
    assert faults(made, "Lead", form="x", extra=1) == [("extra", "unplanned_property")]


def test_strict_refuses_for_the_plan_or_for_an_event_alone():
    lenient, strict = plan(), plan({"name": "Free", "strict": False}, strict=True)
    one = plan({"name": "Lead", "strict": True, "properties": {"form": {"required": True}}})
    wrong = event("Order Completed", {}, revenue=1)
    assert lenient.judge(wrong).refusal is None
    assert strict.judge(wrong).refusal == "missing_property"
    assert strict.judge(event("Nobody Knows", {})).refusal == "unplanned_event"
    assert strict.judge(event("Free", {})) is None
    assert one.judge(event("Lead", {})).refusal == "missing_property"
    assert one.judge(wrong).refusal is None


def test_a_conversion_without_its_worth_is_counted_and_never_refused():
    strict = plan(strict=True)
    judged = strict.judge(event("Order Completed", {"order_id": "o"}))
    assert [(f.property, f.reason) for f in judged.faults] == [
        ("revenue", "conversion_without_value")
    ]
    assert judged.refusal is None
    by_property = Plan.compile({"event": [{"name": "Lead"}]}, {"Lead": "deal"})
    assert by_property.judge(event("Lead", {"deal": "1,200"})) is None
    assert [f.property for f in by_property.judge(event("Lead", {"deal": "much"})).faults] == [
        "deal"
    ]
    constant = Plan.compile({"event": [{"name": "Lead"}]}, {"Lead": 20})
    assert constant.judge(event("Lead", {})) is None


SURVEY = {
    "name": "Survey Answered",
    "kind": "survey",
    "trait": [
        {"name": "skin_type", "property": "answer", "when": {"question_id": "skin"}},
        {"name": "budget", "property": "answer", "when": {"question_id": "budget"}},
    ],
}


def test_an_answer_becomes_the_trait_that_the_plan_makes_of_it():
    made = plan(SURVEY)
    answer = {"survey_id": "s", "question_id": "skin", "answer": "油性"}
    assert made.judge(event("Survey Answered", answer)).traits == {"skin_type": "油性"}
    other = made.judge(event("Survey Answered", answer | {"question_id": "age"}))
    assert other is None
    wrong = made.judge(event("Survey Answered", answer | {"answer": {"a": 1}}))
    assert (wrong.traits, [f.reason for f in wrong.faults]) == ({}, ["wrong_type"])


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("nps", {"score": 9}, {"score": 11}),
        ("nps", {"score": 0, "comment": "好"}, {"score": "9"}),
        ("preference", {"preference": "channel", "value": ["sms"]}, {"preference": "channel"}),
        ("survey", {"survey_id": "s", "question_id": "q", "answer": 3}, {"answer": 3}),
    ],
)
def test_what_people_say_of_themselves_has_a_shipped_form(kind, good, bad):
    made = plan({"name": "Said", "kind": kind})
    assert faults(made, "Said", **good) == []
    assert faults(made, "Said", **bad) != []


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"event": [ORDER, ORDER]}, "used twice"),
        ({"event": [{"name": "x", "also": ["x "]}]}, "not the name"),
        ({"event": [{"name": "x", "propertys": {}}]}, "propertys"),
        ({"event": [{"name": "x", "properties": {"a": {"type": "text"}}}]}, "text"),
        ({"event": [{"name": "x", "properties": {"a": {"pattern": "("}}}]}, "regular"),
        ({"event": [{"name": "x", "properties": {"a": {"enum": []}}}]}, "empty"),
        ({"event": [{"name": "x", "properties": {"a": {"minimum": 2, "maximum": 1}}}]}, "least"),
        ({"event": {"name": "x"}}, r"\[\[event\]\]"),
        ({"event": [{"properties": {}}]}, "event 1"),
        ({"plan": {"strict": "yes"}, "event": [ORDER]}, r"\[plan\]"),
        ({"event": [SURVEY | {"trait": [{"name": "Mobile", "property": "answer"}]}]}, "identifier"),
        ({"event": [SURVEY | {"trait": [{"name": "t", "property": "gone"}]}]}, "no property"),
    ],
)
def test_what_is_wrong_in_a_plan_is_named(wrong, named):
    with pytest.raises(BadInput, match=named) as caught:
        Plan.compile(wrong)
    assert caught.value.code == "bad_plan"


def test_without_events_there_is_no_plan():
    assert Plan.compile({}) is None
    assert Plan.compile({"plan": {"strict": True}}) is None


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("revenue", "12.50", '"12.50"'),
        ("revenue", "¥12", '"¥99"'),
        ("vip", "true", '"true"'),
        ("level", "glod", '"glod"'),
        ("level", "张三", '"字字"'),
        ("note", "Zhang San 138 0013 8000", '"Aaaaa Aaa 999 9999 9999"'),
        ("note", "13800138000", '"99999999999"'),
        ("note", 13_800_138_000, "999…"),
        ("count", 12, "12"),
        ("phone", "12", None),
        ("traits.email", "x", None),
        ("emails[].email.value", 12, None),
        ("password", "hunter2", None),
        ("pin", 10**4000, "999…"),
        ("x", {"a": 1}, "{…}"),
        ("x", None, "null"),
        ("x", "a" * 100, '"' + "a" * 40 + '…"'),
    ],
)
def test_an_example_shows_what_is_wrong_and_names_nobody(path, value, shown):
    assert example_of(path, value, ["gold", "silver"]) == shown
    assert example_of(path, value, is_personal=True) is None


VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.text(max_size=9))
    | st.sampled_from(["CNY", "o1", "2026-11-21T08:00:00Z", 3.0, 2.5, -1]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["sku", "quantity", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = [*ORDER["properties"], "more", "answer"]
CALL = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["track", "page"]),
        "event": st.sampled_from(["Order Completed", "下单成功", "Unheard Of", "$x"]),
        "properties": st.dictionaries(st.sampled_from(NAMES), VALUE, max_size=6),
    }
)


@settings(max_examples=200, deadline=None)
@given(st.lists(CALL, min_size=1, max_size=3), st.booleans(), st.booleans())
def test_both_ways_to_an_event_are_judged_alike(calls, is_strict, is_closed):
    made = Plan.compile(
        {"plan": {"strict": is_strict}, "event": [ORDER | {"closed": is_closed}]},
        {"Order Completed": None},
    )
    items = [call | {"messageId": f"m{n}", "userId": "u"} for n, call in enumerate(calls)]
    body = json.dumps({"batch": items}).encode()
    request = RawRequest(T0, "web", "/v1/batch", body, b"r" * 16)
    batch = segment.read(request)
    long = [segment.to_event(i, request, None, SITE) for i in batch.items if i.reason is None]
    short = Quick(SITE).events(request)
    if short is not None:
        judged = [made.judge(one.event) for one in short]
        assert judged == [made.judge(one) for one in long]
        assert judged == [made.judge(one.event) for one in short]  # what was met before as well


@settings(max_examples=200, deadline=None)
@given(VALUE)
def test_any_value_can_be_checked_against_any_property(value):
    for name, spec in ORDER["properties"].items():
        check = compiled(name, msgspec.convert(spec, PropertySpec))
        assert all(fault.reason for fault in check.faults(value))


def test_a_page_named_like_a_conversion_is_none():
    page = {"name": "Order Completed", "type": "page", "properties": {"step": {"enum": [1]}}}
    made = plan(page)
    assert made.judge(event("Order Completed", {"step": 1}, kind="page")) is None
    wrong = made.judge(event("Order Completed", {"step": True}, kind="page"))
    assert [fault.reason for fault in wrong.faults] == ["not_in_list"]
