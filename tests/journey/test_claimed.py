"""Promotion codes and answers as touches: of which order, when, under which definition."""

import datetime as dt
import json

import pytest

import build
from build import DAY, HOUR, T0
from touchline.collect.makers.claim import Claim, claims, claims_in, is_claiming
from touchline.errors import BadInput
from touchline.jobs import definitions
from touchline.journey import claimed
from touchline.journey.goal import Goal
from touchline.journey.touchpoint import touches
from touchline.model import Flag

ANN, BEN = "user_id:ann", "user_id:ben"
CLAIMS = int(Flag.CLAIMS)
ANNA = {"code": "ANNA10", "channel": "KOL", "campaign": "spring"}
ANY_KOL = {"pattern": "kol-*", "channel": "KOL"}
RED = {
    "answer": "red",
    "label": {"en": "RED", "zh": "小红书"},
    "also": ["xhs"],
    "channel": "Social",
}


def apply(rows, **documents):
    definitions.apply(rows.workspace, documents)


def carrying(**properties):
    return {"flags": CLAIMS, "properties": json.dumps(properties, ensure_ascii=False)}


def points(rows):
    """(channel, campaign, message id, moment) of each touch, in time."""
    rows.commit()
    with rows.workspace.view() as view:
        found = view.fetch(touches(view, build.speakers(view, ANN, BEN)))
    listed = found.sort_by([("ts_us", "ascending"), ("seq", "ascending")]).to_pylist()
    return [(r["channel"], r["campaign"], r["message_id"], r["ts_us"]) for r in listed]


def credit(rows, model="last_touch", **asked):
    whole = rows.report(model, **asked).as_json()
    return {r["channel"]: r["conversions"] for r in whole["rows"] if r["conversions"]}, whole


def test_an_order_with_a_code_is_credited_to_what_the_code_stands_for(rows):
    apply(rows, promo_code=[ANNA])
    rows.session(ANN, T0, "Direct")
    rows.order(ANN, T0 + DAY, "A-1", **carrying(coupon="anna10"))
    found, whole = credit(rows)
    assert found == {"KOL": 1.0}
    assert whole["unattributed"]["no_touch"]["conversions"] == 0


CODED = {"properties": '{"优惠码": "ANNA10"}', "amount": 1000, "currency": "CNY"}


def test_a_code_of_an_order_that_names_nobody_is_a_touch_of_that_order_alone(rows):
    """A receipt of somebody unknown; the same code on another's order is another touch."""
    apply(rows, promo_code=[ANNA])
    rows.touch(ANN, T0, "Ads")
    rows.conversion("A-1", None, T0 + DAY, **CODED)
    rows.conversion("A-2", None, T0 + DAY, amount=1000, currency="CNY")
    rows.conversion("A-3", ANN, T0 + DAY, **CODED)
    found, whole = credit(rows, "linear")
    assert found == {"Ads": 0.5, "KOL": 1.5}
    assert whole["unattributed"]["no_touch"]["conversions"] == 1
    late, _ = credit(rows, "linear", goal=Goal("won", stages=("won",)))
    assert late == {}


def test_a_claim_of_a_company_s_deal_counts_beside_its_contacts_touches(rows):
    apply(rows, promo_code=[ANNA], reported_source=[RED])
    rows.touch(ANN, T0, "Webinar")
    rows.people(ANN, account_id="acme")
    answered = {"properties": '{"了解渠道": "小红书"}', "amount": 1000, "currency": "CNY"}
    rows.conversion("D-1", None, T0 + DAY, account_id="acme", **answered)
    rows.conversion("D-2", None, T0 + DAY, account_id="none", **answered)
    found, _ = credit(rows, "linear")
    assert found == {"Webinar": 0.5, "Social": 1.5}


def test_an_order_that_one_row_names_somebody_for_has_its_code_as_their_touch(rows):
    apply(rows, promo_code=[ANNA])
    rows.conversion("A-1", None, T0, **CODED)
    rows.conversion("A-1", ANN, T0, **CODED)
    rows.order(BEN, T0, "B-1")
    rows.conversion("B-1", None, T0 + HOUR, **CODED)
    found, whole = credit(rows, "linear")
    assert found == {"KOL": 2.0}
    assert whole["conversions"] == 2


def test_a_definition_holds_for_history_and_is_gone_when_it_is_taken_back(rows):
    rows.order(ANN, T0, "A-1", message_id="m", **carrying(promo_code="ANNA10"))
    assert points(rows) == []
    apply(rows, promo_code=[ANNA])
    assert points(rows) == [("KOL", "spring", "m", T0)]
    apply(rows, promo_code=[])
    assert points(rows) == []


def test_one_code_on_one_order_is_one_touch_at_its_first_moment(rows):
    apply(rows, promo_code=[ANNA, {"code": "TWO", "channel": "Mail"}])
    late = T0 + 3 * HOUR
    rows.event(ANN, T0 + 2 * HOUR, "Checkout Started", order_id="A-1",
               **carrying(coupon="ANNA10", order_id="A-1"))  # fmt: skip
    rows.order(ANN, late, "A-1", **carrying(coupon=["ANNA10", "two"], order_id="A-1"))
    rows.conversion("A-1", ANN, T0 + HOUR, amount=500, currency="CNY",
                    properties=json.dumps({"优惠码": "ANNA10"}, ensure_ascii=False))  # fmt: skip
    assert [(channel, at) for channel, _, _, at in points(rows)] == [
        ("KOL", T0 + HOUR), ("Mail", T0 + HOUR),
    ]  # fmt: skip
    found, _ = credit(rows, "linear")
    assert found == {"KOL": 0.5, "Mail": 0.5}


def test_an_imported_order_alone_is_enough(rows):
    apply(rows, promo_code=[ANNA])
    rows.conversion("A-1", ANN, T0, amount=500, currency="CNY", properties='{"coupon":"ANNA10"}')
    rows.conversion("A-2", ANN, T0, amount=500, currency="CNY", properties='{"coupon":"OTHER"}')
    found, whole = credit(rows, by=("channel", "campaign"))
    assert found == {"KOL": 2.0}  # the second order is the same person's, and later
    assert [row["campaign"] for row in whole["rows"] if row["conversions"]] == ["spring"]


@pytest.mark.parametrize(
    ("day", "holds"), [("2026-02-28", False), ("2026-03-01", True), ("2026-03-02", False)]
)
def test_a_code_counts_on_its_days_only(rows, day, holds):
    only = dt.date(2026, 3, 1)
    apply(rows, promo_code=[{**ANNA, "from": only, "to": only}])
    at = T0 + DAY * (dt.date.fromisoformat(day) - only).days
    rows.order(ANN, at, "A-1", **carrying(coupon="ANNA10"))
    assert bool(points(rows)) == holds


def test_an_answer_is_a_touch_unless_its_event_has_a_channel(rows):
    apply(rows, reported_source=[RED])
    for text in ("小红书", " XHS ", "my aunt"):
        rows.event(ANN, T0, "Source Reported", **carrying(answer=text))
    both = CLAIMS | int(Flag.EXPLICIT_CHANNEL)
    rows.event(
        BEN, T0, "Source Reported", channel="Fair", **carrying(answer="red") | {"flags": both}
    )
    assert [channel for channel, *_ in points(rows)] == ["Social", "Social", "Fair"]


def test_the_answer_of_a_form_is_credited_with_the_lead_it_is(rows):
    apply(rows, reported_source=[RED])
    rows.event(ANN, T0, "Form Submitted", **carrying(reported_source="red"))
    found, _ = credit(rows, goal=Goal(name="leads", event="Form Submitted"))
    assert found == {"Social": 1.0}


def test_of_all_coupons_only_those_defined_are_kept(rows, monkeypatch):
    apply(rows, promo_code=[ANNA, ANY_KOL], reported_source=[RED])
    rows.order(ANN, T0, "A-1", **carrying(coupon=["WELCOME", "anna10"]))
    rows.order(ANN, T0, "A-2", **carrying(coupon="WELCOME"))
    rows.order(ANN, T0, "A-3", **carrying(reported_source="my aunt"))
    for order, coupon in (("B-1", "WELCOME"), ("B-2", "kol-7")):
        told = json.dumps({"coupon": coupon, "basket": "x" * 999})
        rows.conversion(order, ANN, T0, amount=1, currency="CNY", properties=told)
    kept = []
    begun = claimed._begun
    monkeypatch.setattr(
        claimed, "_begun", lambda view, told: kept.extend(told) or begun(view, told)
    )
    assert [channel for channel, *_ in points(rows)] == ["KOL", "KOL"]
    assert [(one.order, [claim.text for claim in one.claims]) for one in kept] == [
        ("A-1", ["anna10"]),
        ("B-2", ["kol-7"]),
    ]
    assert "basket" not in repr(kept)


def test_bots_refunds_and_products_claim_nothing(rows):
    apply(rows, promo_code=[ANNA])
    rows.order(ANN, T0, "A-1", bot=True, **carrying(coupon="ANNA10"))
    rows.refund("A-2", T0, **carrying(coupon="ANNA10", order_id="A-2"))
    rows.event(ANN, T0, "Product Viewed", **carrying(coupon="ANNA10"))
    assert points(rows) == []


def test_labels_of_a_claim_have_their_one_name(rows):
    apply(rows, promo_code=[{**ANNA, "source": "xhs", "medium": "CPC"}],
          alias=[{"name": "达人", "also": ["KOL"]}])  # fmt: skip
    rows.event(ANN, T0, "Code Entered", **carrying(promo_code="ANNA10"))
    rows.commit()
    with rows.workspace.view() as view:
        (row,) = view.fetch(touches(view, build.speakers(view, ANN))).to_pylist()
    assert (row["channel"], row["source_name"], row["medium"]) == ("达人", "xiaohongshu", "cpc")


def test_codes_are_found_in_every_way_they_are_written():
    assert claims_in("x", {"promo_code": "A1,b2；Ｃ３"}) == [
        Claim("code", "a1"), Claim("code", "b2"), Claim("code", "c3"),
    ]  # fmt: skip
    assert claims_in("Coupon Applied", {"coupon": 77}) == [Claim("code", "77")]
    assert claims_in("", {"优惠券码": "a"}, is_order=True) == [Claim("code", "a")]
    assert claims_in("Cart Viewed", {"coupon": "a"}) == []
    for odd in (None, True, {}, [[]], 1.5, "", " , "):
        assert claims_in("x", {"promo_code": odd, "reported_source": odd}) in (
            [],
            [Claim("answer", ",")],
        )
    assert is_claiming({"口令": b"x"})
    assert not is_claiming({"a": 1})


def test_of_several_codes_that_fit_the_first_decides():
    known = claims({"promo_code": [{"code": "KOL-ANNA", "channel": "One"}, ANY_KOL,
                                   {"code": "kol-ben", "channel": "Two"}]})  # fmt: skip
    day = dt.date(2026, 3, 1)
    channels = [known.meaning(Claim("code", c), day) for c in ("kol-anna", "kol-ben", "kol-", "ko")]
    assert [row and row["channel"] for row in channels] == ["One", "KOL", "KOL", None]


@pytest.mark.parametrize(
    "wrong",
    [
        {"promo_code": [{"channel": "x"}]},
        {"promo_code": [{"channel": "x", "code": "a", "pattern": "b*"}]},
        {"promo_code": [{"channel": "x", "pattern": "b"}]},
        {"promo_code": [{"channel": "x", "pattern": "*a*b*c*"}]},
        {"promo_code": [{"channel": " ", "code": "a"}]},
        {"promo_code": [{"code": "a"}]},
        {"promo_code": [{**ANNA, "from": "2026-03-02", "to": "2026-03-01"}]},
        {"promo_code": {"code": "a"}},
        {"reported_source": [{"answer": "", "channel": "x"}]},
        {"reported_source": [RED, RED]},
    ],
)
def test_a_definition_that_cannot_work_is_refused(rows, wrong):
    with pytest.raises(BadInput) as caught:
        definitions.apply(rows.workspace, wrong)
    assert caught.value.code == "bad_claim"


def test_two_claims_of_one_order_stand_in_the_order_of_their_names(rows):
    """They came at one moment: which is first must not be an accident of the engine's."""
    apply(rows, promo_code=[ANNA], reported_source=[RED])
    said = '{"优惠码": "ANNA10", "了解渠道": "小红书"}'
    for number in range(2_000):
        who = f"user_id:p{number}"
        rows.conversion(f"A-{number}", who, T0, properties=said, amount=1000, currency="CNY")
    for goal in (None, Goal("all", stages=("",), direct="last_resort")):
        asked = {} if goal is None else {"goal": goal}
        found, _ = credit(rows, "first_touch", **asked)
        assert found == {"KOL": 2_000.0, "Social": 0.0} or found == {"KOL": 2_000.0}
