"""Short links in State: made once, found by their code, made for one person without showing it."""

import asyncio
import json

import msgspec
import pytest

from build import HOUR, MINUTE, T0, Tracker, page, track
from build import workspace as make
from touchline import clock
from touchline.collect.campaign import Labels
from touchline.collect.mail import Signer
from touchline.collect.nodes import clear_values
from touchline.collect.protocol import Guide
from touchline.collect.protocols.links import LINKS
from touchline.errors import BadInput, NotFound
from touchline.identity.people import Registry
from touchline.jobs import definitions
from touchline.jobs import links as links_module
from touchline.jobs.commands import COMMANDS
from touchline.jobs.intake.writer import Writer
from touchline.jobs.links import ALPHABET, Wanted, create, found, link, links, wanted_url
from touchline.jobs.qr import drawn
from touchline.jobs.queries import QUERIES, credit_rows
from touchline.model import Identifier, RawRequest
from touchline.storage import schema
from touchline.storage.log import Log

PAGE = "https://shop.cn/p"
SPRING = Wanted(target=PAGE, source="wechat", medium="kol", campaign="春季", label="门店")


@pytest.fixture
def shop(tmp_path):
    made = make(tmp_path / "w")
    yield made
    made.close()


def listed(shop, **args):
    return [json.loads(line) for line in links(shop, None, args)]


def test_a_link_is_found_as_it_was_made(shop):
    (made,) = create(shop, [SPRING])
    assert len(made["code"]) == 8
    assert set(made["code"]) <= set(ALPHABET)
    assert made["url"] is None
    assert made["path"] == f"/l/{made['code']}"
    assert made["leads_to"].startswith(PAGE + "?utm_source=wechat&utm_medium=kol&utm_campaign=%E6")
    (kept,) = found(shop, [made["code"], "nobody"]).values()
    assert kept.target == PAGE
    assert kept.labels == Labels(source="wechat", medium="kol", campaign="春季")
    assert kept.label == "门店"
    assert link(shop, made["code"].upper()) == made
    assert [{k: v for k, v in one.items() if k != "cursor"} for one in listed(shop)] == [made]


def test_a_link_of_one_person_is_longer_and_holds_no_value(shop):
    (made,) = create(shop, [Wanted(target=PAGE, person="email: Ann@Shop.cn ")])
    assert len(made["code"]) == 12
    assert made["has_person"] is True
    assert found(shop, [made["code"]])[made["code"]].person == Identifier("email", "ann@shop.cn")
    assert "ann@" not in msgspec.json.encode(made).decode().lower()
    shop.close()
    stored = b"".join(path.read_bytes() for path in shop.dir.glob("state.db*"))
    assert b"ann@shop.cn" not in stored.lower()


def test_who_was_erased_is_nobody(shop):
    (made,) = create(shop, [Wanted(target=PAGE, person="phone:13800138001")])
    with shop.state.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM node")
    assert found(shop, [made["code"]])[made["code"]].person is None


def test_a_code_is_taken_once_and_the_same_link_made_again_is_the_same(shop):
    wanted = msgspec.structs.replace(SPRING, code="Spring-26")
    (made,) = create(shop, [wanted])
    assert made["code"] == "spring-26"
    assert create(shop, [wanted]) == [made]
    for other in ({"target": "https://shop.cn/q"}, {"campaign": "x"}, {"person": "user_id:7"}):
        with pytest.raises(BadInput) as caught:
            create(shop, [msgspec.structs.replace(wanted, **other)])
        assert caught.value.code == "code_taken"
    assert len(listed(shop)) == 1


def test_many_are_made_or_none(shop):
    wanted = [Wanted(target=PAGE, person=f"user_id:u{n}") for n in range(50)]
    assert len({one["code"] for one in create(shop, wanted)}) == 50
    with pytest.raises(BadInput):
        create(shop, [SPRING, Wanted(target="javascript:alert(1)")])
    with pytest.raises(BadInput):
        create(shop, [Wanted(target=PAGE, code="aa"), Wanted(target=PAGE + "2", code="AA")])
    assert len(listed(shop)) == 50


def test_of_two_who_want_a_code_at_once_one_gets_it(shop, monkeypatch):
    wanted = Wanted(target=PAGE, code="spring")
    real = links_module._kept
    looks = []

    def late(workspace, codes):
        """Between our look and our writing another link is made."""
        found = real(workspace, codes)
        looks.append(found)
        if len(looks) == 1:
            create(workspace, [Wanted(target=PAGE + "/other", code="spring")])
        return found

    monkeypatch.setattr(links_module, "_kept", late)
    with pytest.raises(BadInput, match="other"):
        create(shop, [wanted])
    assert [one["target"] for one in listed(shop)] == [PAGE + "/other"]


def test_a_trial_makes_nothing(shop):
    wanted = Wanted(target=PAGE, code="trial", person="user_id:7")
    (shown,) = create(shop, [wanted], host="go.shop.cn", is_trial=True)
    assert shown["url"] == "https://go.shop.cn/l/trial"
    assert listed(shop) == []
    assert shop.state.read(schema.node.select()) == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"target": "shop.cn"}, "bad_url"),
        ({"code": "a"}, "bad_code"),
        ({"code": "a/b"}, "bad_code"),
        ({"code": "夏"}, "bad_code"),
        ({"code": "-ab"}, "bad_code"),
        ({"code": "x" * 65}, "bad_code"),
        ({"person": "ann@shop.cn"}, "bad_person"),
        ({"person": "email:nobody"}, "bad_person"),
        ({"person": "anonymous_id:a1b2c3d4"}, "bad_person"),
        ({"expires": "soon"}, "bad_argument"),
        ({"label": "x" * 201}, "bad_argument"),
        ({"owner": "a\nb"}, "bad_argument"),
        ({"target": PAGE + "?utm_source=a", "source": "b"}, "labels_differ"),
    ],
)
def test_what_cannot_be_a_link_is_refused(shop, given, code):
    with pytest.raises(BadInput) as caught:
        create(shop, [msgspec.structs.replace(Wanted(target=PAGE), **given)])
    assert caught.value.code == code
    assert listed(shop) == []


def test_a_day_is_good_to_its_end(shop):
    (made,) = create(shop, [Wanted(target=PAGE, expires="2026-12-31")])
    assert made["expires_at"] == "2026-12-31T23:59:59.999999Z"
    (moment,) = create(shop, [Wanted(target=PAGE, expires="2026-12-31T08:00:00Z")])
    assert moment["expires_at"] == "2026-12-31T08:00:00.000Z"


def test_links_are_listed_newest_first_by_campaign_and_page_by_page(shop, monkeypatch):
    for number in range(5):
        monkeypatch.setattr(clock, "now_us", lambda at=number // 2: at)
        create(shop, [Wanted(target=PAGE, code=f"c{number}", campaign=f"k{number % 2}", owner="o")])
    codes = [one["code"] for one in listed(shop)]
    assert codes == ["c4", "c2", "c3", "c0", "c1"]
    assert [one["code"] for one in listed(shop, campaign="k1")] == ["c3", "c1"]
    assert [one["code"] for one in listed(shop, owner="nobody")] == []
    paged, cursor = [], None
    while page := listed(shop, limit=2, cursor=cursor):
        paged += [one["code"] for one in page]
        cursor = page[-1]["cursor"]
    assert paged == codes
    with pytest.raises(BadInput):
        listed(shop, cursor="yesterday")


def test_names_are_held_to_the_rules_of_the_site(shop):
    rules = {"naming": {"required": ["source"], "case": "lower", "sources": ["wechat"]}}
    assert definitions.apply(shop, rules) == ["naming"]
    assert "[naming]" in definitions.dump(shop)
    with pytest.raises(BadInput) as caught:
        create(shop, [Wanted(target=PAGE, source="wechta")])
    assert "wechat?" in caught.value.text("zh")
    (made,) = create(shop, [Wanted(target=PAGE + "?utm_source=wechat", campaign="a")])
    assert made["source"] == "wechat"
    with pytest.raises(BadInput) as caught:
        definitions.apply(shop, {"naming": {"shape": "round"}})
    assert caught.value.code == "bad_naming"


def test_the_public_address_is_a_setting_or_said(shop, tmp_path):
    (shop.dir / "settings.toml").write_text('public_url = "https://go.shop.cn/"\n')
    again = type(shop).open(shop.dir)
    (made,) = create(again, [SPRING])
    assert made["url"] == f"https://go.shop.cn{made['path']}"
    assert (
        link(again, made["code"], host="http://x.cn:81")["url"] == f"http://x.cn:81{made['path']}"
    )
    with pytest.raises(BadInput):
        link(again, made["code"], host="javascript:x")
    again.close()


def test_a_code_is_drawn_and_an_address_too(shop):
    create(shop, [msgspec.structs.replace(SPRING, code="spring")])
    asked = {"code": "spring", "host": "go.shop.cn", "label": "门店"}
    (svg,) = drawn(shop, None, asked)
    assert "门店" in svg.decode()
    (png,) = QUERIES["qr"](shop, None, {**asked, "label": "Store", "format": "png"})
    assert png.startswith(b"\x89PNG")
    assert b"".join(drawn(shop, None, {"url": PAGE, "source": "poster"})).startswith(b"<svg")
    for wrong, code in (
        ({"code": "spring"}, "no_public_url"),
        ({"code": "nobody", "host": "go.shop.cn"}, "no_such_link"),
        ({"url": "shop.cn"}, "bad_url"),
        ({}, "bad_url"),
        ({**asked, "format": "pdf"}, "bad_argument"),
    ):
        with pytest.raises(BadInput) as caught:
            list(drawn(shop, None, wrong))
        assert caught.value.code == code
    assert wanted_url(shop, Wanted(target=PAGE, source="poster")) == PAGE + "?utm_source=poster"


def test_the_worker_does_it_by_name(shop):
    args = {"links": [{"target": PAGE, "code": "one"}], "is_trial": False, "is_one": True}
    made = COMMANDS["create_links"](shop, None, args)
    assert made["code"] == "one"
    assert COMMANDS["link"](shop, None, {"code": "one"}) == made
    assert len(COMMANDS["create_links"](shop, None, {**args, "is_one": False})) == 1
    assert len(list(QUERIES["links"](shop, None, {}))) == 1
    with pytest.raises(NotFound):
        COMMANDS["link"](shop, None, {"code": "two"})


def test_a_click_and_the_visit_it_leads_to_are_one_touch(shop):
    (made,) = create(shop, [msgspec.structs.replace(SPRING, person="email:ann@shop.cn")])
    request = RawRequest(
        T0, "", made["path"], b"", b"r" * 16, "Mozilla/5.0 (iPhone)", query="gclid=1"
    )
    led = asyncio.run(LINKS.leads(request, guide(shop)))
    headers = dict(led.answer.headers)
    device = headers[b"set-cookie"].decode().partition(";")[0].removeprefix("tl_id=")
    with Log.open(shop.dir) as log:
        log.append(msgspec.msgpack.encode(led.request)).result()
    landing = headers[b"location"].decode()
    for number, url in enumerate((landing, "https://shop.cn/cart")):
        at = T0 + (number + 1) * MINUTE
        call = page(f"p{number}", url, at=at, anonymousId=device)
        Tracker(shop).send(call, at=at)
    order = track(
        "o1", "Order Completed", at=T0 + HOUR, properties={"revenue": 1, "order_id": "o1"}
    )
    Tracker(shop).send({**order, "userId": None, "anonymousId": device}, at=T0 + HOUR)
    with shop.write_lock():
        Writer(shop).catch_up()
    lines = [json.loads(line) for line in credit_rows(shop, Registry(shop), {"models": "linear"})]
    assert [(one["source"], one["campaign"], one["credit"]) for one in lines] == [
        ("wechat", "春季", 1.0)
    ]


def guide(shop):
    async def one(code):
        return found(shop, [code]).get(code)

    async def who(node):
        return clear_values(shop, [node]).get(node)

    return Guide(one, who, Signer(b"k" * 32))
