"""Explanations show whose conversion it is as far as a role may see it, and are written down."""

import json

import pytest

import build
from build import DAY, T0, Tracker, page, track
from touchline.errors import BadInput
from touchline.identity.people import Registry
from touchline.jobs.intake.writer import Writer
from touchline.jobs.queries import QUERIES
from touchline.storage import audit
from touchline.storage.principal import Principal

URL = "https://shop.cn/of/ann@shop.cn/?mail=ann@shop.cn"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    made = build.workspace(tmp_path_factory.mktemp("explain") / "w")
    about = {"email": "ann@shop.cn"}
    order = {"order_id": "o-1", "revenue": 10}
    with made.write_lock():
        Tracker(made).send(
            {"type": "identify", "messageId": "i", "userId": "ann", "traits": about},
            page("p", URL, userId="ann"),
            track("o", "Order Completed", at=T0 + DAY, userId="ann", properties=order),
            at=T0 + DAY,
        )
        Writer(made).catch_up()
        yield made
    made.close()


def ask(workspace, query, **args):
    return QUERIES[query](workspace, Registry(workspace), args)


def test_a_conversion_names_its_person_and_the_look_is_written_down(workspace):
    found = ask(workspace, "explain", conversion="o-1", models="linear")
    assert {"type": "email", "value": "ann@shop.cn"} in found["identifiers"]
    (touch,) = found["touches"]
    assert touch["landing_page"].startswith("https://shop.cn/of/email:")
    assert touch["role"] == "only"
    *_, last = audit.entries(workspace.state)
    assert last["action"] == "read.explain"
    told = last["about"]
    assert told == {"person": audit.reference(workspace.vault, found["person_id"])}


def test_a_role_sees_identifiers_masked_and_pages_without_what_names_somebody(workspace):
    masks = {"email": "partial", "landing_page": "partial"}
    seen = workspace.seen_by(Principal(role="analyst", masks=masks))
    found = ask(seen, "explain", conversion="o-1", models="linear")
    assert {"type": "email", "value": "a***@shop.cn"} in found["identifiers"]
    whole = [found, ask(seen, "attribution", by="landing_page", models="linear")]
    whole.append(ask(seen, "roles", by="landing_page"))
    assert "/email:" in json.dumps(ask(workspace, "roles", by="landing_page"))
    assert "/email:" not in json.dumps(whole, default=lambda one: one.as_json())
    assert "ann@shop.cn" not in json.dumps(whole, default=lambda one: one.as_json())
    assert "shop.cn/of/" in json.dumps(whole, default=lambda one: one.as_json())


def test_a_number_is_asked_of_one_model(workspace):
    found = ask(workspace, "explain_number", model="linear", landing_page="")
    assert (found["labels"], found["conversions"]) == ({"landing_page": None}, 0)
    for model in ("", "all", "linear,markov_1"):
        with pytest.raises(BadInput) as caught:
            ask(workspace, "explain_number", model=model)
        assert caught.value.code == "bad_argument"
    assert ask(workspace, "model_notes")["linear"]["zh"]["means"]
