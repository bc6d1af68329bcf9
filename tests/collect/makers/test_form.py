"""Forms: the page, what is told beside a field, and what becomes of what somebody filled in."""

import json
from html.parser import HTMLParser
from urllib.parse import unquote_plus, urlencode

import msgspec
import pytest
from calls import RECEIVED
from hypothesis import given
from hypothesis import strategies as st

from touchline import clock
from touchline.collect.event import to_event
from touchline.collect.item import content, payload
from touchline.collect.makers.makers import makers
from touchline.collect.protocol import Answer, Verdict
from touchline.collect.protocols.form import FORM
from touchline.collect.reasons import REASONS
from touchline.collect.site import Site
from touchline.errors import BadInput, NotFound, Unavailable
from touchline.model import Event, Flag, Identifier, RawRequest

DEMO = {
    "name": "demo",
    "title": {"en": "Book a demo", "zh": "预约演示"},
    "field": [
        {"name": "who", "label": "Name", "personal": True},
        {"name": "mobile", "type": "phone", "label": {"zh": "手机"}, "required": True},
        {"name": "mail", "type": "email"},
        {"name": "size", "type": "choice", "choices": ["1-50", {"value": "51+"}]},
        {"name": "note", "type": "long_text"},
        {"name": "heard", "type": "source"},
        {"name": "offer", "type": "hidden", "value": "standard"},
        {"name": "agree", "type": "consent", "label": "You may call me.", "required": True},
        {"name": "news", "type": "consent", "label": "Send me news."},
    ],
}  # fmt: skip
RED = {"answer": "red", "label": {"en": "RED", "zh": "小红书"}, "channel": "Organic Social"}
FILLED = {"who": "王小姐", "mobile": "138 0013 8000", "size": "51+", "heard": "red", "agree": "yes"}


def site(**changes):
    documents = {"site": {"own_hosts": ["acme.cn"]}, "form": [{**DEMO, **changes}],
                 "reported_source": [RED]}  # fmt: skip
    made = makers(documents, lambda sealed, _: sealed)
    return Site(workspace="w", own_hosts=frozenset({"acme.cn"}), makers=made)


SITE = site()


def request(body=b"", query="", path="/f/demo", **headers):
    if isinstance(body, dict):
        body = urlencode(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named |= {"host": "t.acme.cn", "x-forwarded-proto": "https"} | named
    agent = "Mozilla/5.0 (X11)"
    return RawRequest(RECEIVED, "", path, body, b"r" * 16, agent, query=query, headers=named)


class Page(HTMLParser):
    """What a reader of the page has before them, and what its form would send."""

    def __init__(self, body):
        super().__init__(convert_charrefs=True)
        self.fields, self.wrong, self.text, self._in = {}, [], "", None
        self.feed(body.decode())

    def handle_starttag(self, name, attributes):
        own = dict(attributes)
        self._in = (name, own)
        if name in ("input", "textarea", "select"):
            if own.get("type") != "checkbox" or "checked" in own:
                self.fields[own["name"]] = own.get("value", "")
            self._select = own.get("name")
        if name == "option" and "selected" in own:
            self.fields[self._select] = own["value"]

    def handle_endtag(self, name):
        self._in = None

    def handle_data(self, data):
        if self._in and self._in[0] == "textarea":
            self.fields[self._in[1]["name"]] = data.removeprefix("\n")
        if self._in and self._in[1].get("class") == "wrong":
            self.wrong.append(data)
        self.text += data


def shown(query="", where=SITE, **headers):
    answer = FORM.defined.show(request(query=query, **headers), where)
    assert answer.status == 200
    return Page(answer.body)


def sent(body, where=SITE, **headers):
    """What a submission is answered with at once, or the item it becomes."""
    told = FORM.defined.admit(request(body, **headers), where)
    if isinstance(told, Answer):
        return told
    assert (told.source, told.headers) == ("demo", {})
    return FORM.defined.read(told, where).items[-1]


def event(body, where=SITE, **headers):
    item = sent(body, where, **headers)
    assert item.reason is None, item.reason
    return to_event(item, request(), None, where)


def test_what_is_filled_in_becomes_one_event_of_somebody_known():
    page = shown(
        "utm_source=baidu&utm_medium=cpc&bd_vid=x1&offer=spring", referer="https://www.baidu.com/"
    )
    lead = event({**page.fields, **FILLED, "_at": "1"})
    assert (lead.name, lead.type) == ("Form Submitted", "track")
    assert lead.identifiers[1:] == (Identifier("phone", "+8613800138000"),)
    assert lead.identifiers[0].type == "anonymous_id"
    assert (lead.channel, lead.source_name, lead.click_ids) == (
        "Paid Search",
        "baidu",
        {"bd_vid": "x1"},
    )
    assert lead.flags & Flag.IN_SESSION
    assert lead.page_url.startswith("https://t.acme.cn/f/demo?utm_source=baidu")
    assert lead.properties == {
        "form": "demo",
        "size": "51+",
        "reported_source": "red",
        "offer": "spring",
    }
    assert lead.traits["who"] == "王小姐"
    assert lead.consent == "full"
    assert lead.context["consent"] == {
        "mode": "full", "form": "demo", "fields": {"agree": True, "news": False},
    }  # fmt: skip


def test_the_referrer_of_the_page_counts_and_not_the_page_itself():
    page = shown(referer="https://www.zhihu.com/question/1")
    lead = event({**page.fields, **FILLED, "_at": "1"}, referer="https://t.acme.cn/f/demo")
    assert lead.referrer_host == "zhihu.com"


def test_without_consent_nothing_that_names_a_person_is_even_logged():
    optional = [{**f, "required": False} for f in DEMO["field"]]
    where = site(field=optional)
    body = {**FILLED, "news": "yes"}
    body.pop("agree")
    told = FORM.defined.admit(request(body), where)
    kept = unquote_plus(told.body.decode())
    assert FILLED["mobile"] not in kept
    assert FILLED["who"] not in kept
    item = FORM.defined.read(told, where).items[-1]
    lead = to_event(item, told, None, where)
    assert [i.type for i in lead.identifiers] == ["anonymous_id"]
    assert lead.traits == {}
    assert lead.consent == lead.context["consent"]["mode"] == "cookieless"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(language):
    typed = {
        **FILLED,
        "mobile": "12345",
        "mail": 'a"b<',
        "note": "\n<b>第一行</b>\n第二行",
        "size": "7",
    }
    typed.pop("agree")
    answer = sent(typed, accept_language=f"{language}-XX")
    assert answer.status == 422
    page = Page(answer.body)
    assert len(page.wrong) == 5  # one above all, four beside
    assert any(("号码" if language == "zh" else "number") in text for text in page.wrong)
    for name in ("who", "mobile", "mail", "heard"):
        assert page.fields[name] == typed[name]
    assert page.fields["note"] == typed["note"].strip()
    assert "agree" not in page.fields


def test_the_same_submission_twice_is_one_and_a_corrected_one_another():
    page = shown().fields
    one, two, other = (
        sent({**page, **FILLED, **more, "_at": "1"}) for more in ({}, {}, {"note": "x"})
    )
    assert one.message_id == two.message_id != other.message_id


def test_a_visitor_that_the_tracker_knows_stays_the_same():
    lead = event(FILLED, cookie="a=b; tl_id=11111111-aaaa-4bbb-8ccc-222222222222")
    assert lead.identifiers[0].value == "11111111-aaaa-4bbb-8ccc-222222222222"


@pytest.mark.parametrize(
    "said",
    [{"cookie": "tl_consent=off"}, {"dnt": "1"}, {"sec_gpc": "1"}],
)
def test_a_visitor_who_is_not_to_be_known_is_a_new_one(said):
    cookie = "; ".join(filter(None, (said.get("cookie"), "tl_id=11111111-aaaa")))
    lead = event(FILLED, **{**said, "cookie": cookie})
    assert lead.identifiers[0].value.startswith("form-")


def test_a_site_that_keeps_no_visitors_takes_none_from_a_cookie():
    where = msgspec.structs.replace(SITE, keeps_visitors=False)
    lead = event(FILLED, where, cookie="tl_id=11111111-aaaa")
    assert lead.identifiers[0].value.startswith("form-")


@pytest.mark.parametrize("way", ["json", "query", "parts"])
def test_all_ways_of_sending_say_the_same(way):
    plain = event(FILLED)
    if way == "json":
        body = json.dumps({**FILLED, "agree": True}).encode()
    elif way == "query":
        body = urlencode({**FILLED, "unknown": "x"}).encode()
    else:
        line = "--xYz"
        body = "".join(
            f'{line}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'
            for k, v in FILLED.items()
        )
        body += (
            f'{line}\r\nContent-Disposition: form-data; name="cv"; filename="a.pdf"\r\n\r\n%PDF\r\n'
        )
        body = f"{body}{line}--\r\n".encode()
    same = event(body)
    assert (same.identifiers[1:], same.properties) == (plain.identifiers[1:], plain.properties)


@pytest.mark.parametrize(
    "more", [{"website_url": "https://spam"}, {"_at": str(clock.now_us() // 1000 + 10**9)}]
)
def test_a_program_is_thanked_and_its_submission_kept_apart(more):
    item = sent({**FILLED, **more})
    assert item.reason == "form_trap"
    again = {k: v for k, v in json.loads(payload(item)).items() if k != "trap"}
    back = FORM.defined.read(request(json.dumps(again).encode()), SITE).items[-1]
    assert back.reason is None
    answer = FORM.defined.answer(
        request({**FILLED, **more}), [Verdict("x", "rejected", "form_trap")], SITE
    )
    assert answer.status == 200


def viewed(body, where=SITE, **headers):
    """The event of the page's opening, if there is one."""
    told = FORM.defined.admit(request(body, **headers), where)
    items = FORM.defined.read(told, where).items[:-1]
    return [to_event(item, told, None, where) for item in items]


def test_the_opening_of_the_page_is_the_touch_and_not_what_is_counted():
    page = shown("utm_source=baidu&utm_medium=cpc").fields
    seen_ms = RECEIVED // 1000 - 60_000
    (opened,) = viewed({**page, **FILLED, "_at": str(seen_ms)})
    assert (opened.name, opened.ts_us) == ("Form Viewed", seen_ms * 1000)
    assert (opened.channel, opened.flags & Flag.IN_SESSION) == ("Paid Search", Flag.IN_SESSION)
    assert [i.type for i in opened.identifiers] == ["anonymous_id"]
    assert opened.identifiers[0] == event({**page, **FILLED, "_at": "1"}).identifiers[0]
    (opened,) = viewed(FILLED)
    assert opened.ts_us == RECEIVED


@pytest.mark.parametrize("at", ["", "1"])
def test_a_page_that_says_no_time_is_opened_once_however_often_it_is_sent(at):
    def items(received_us):
        asked = request({**FILLED, "_id": "0123456789", "_at": at})
        told = FORM.defined.admit(msgspec.structs.replace(asked, received_us=received_us), SITE)
        return [(x.message_id, content(x.data)) for x in FORM.defined.read(told, SITE).items]

    assert items(RECEIVED) == items(RECEIVED + 7 * clock.US)


def test_on_a_page_of_the_sites_own_the_tracker_tells_of_the_visit():
    known = {"cookie": "tl_id=11111111-aaaa-4bbb-8ccc-222222222222"}
    own = {**FILLED, "_page": "https://www.acme.cn/demo"}
    assert viewed(own, **known) == []
    assert len(viewed({**FILLED, "_page": "https://t.acme.cn/f/demo?utm_source=x"}, **known)) == 1
    assert len(viewed(own)) == 1


def test_a_form_of_its_own_channel_makes_a_touch_of_that_channel():
    where = site(labels={"channel": "Trade fair", "campaign": "expo 2026"}, event="Signed In")
    lead = event(FILLED, where)
    assert (lead.name, lead.campaign, lead.flags & Flag.EXPLICIT_CHANNEL) == (
        "Signed In",
        "expo 2026",
        0,
    )
    (opened,) = viewed(FILLED, where)
    assert (opened.channel, opened.campaign) == ("Trade fair", "expo 2026")
    assert opened.flags & Flag.EXPLICIT_CHANNEL


def test_a_program_that_sends_json_gets_json():
    asked = request(json.dumps({**FILLED, "mobile": "1"}).encode(), accept="application/json")
    told = FORM.defined.admit(asked, SITE)
    assert told.status == 422
    assert list(json.loads(told.body)["fields"]) == ["mobile"]
    asked = request(json.dumps(FILLED).encode(), accept="*/*")
    done = FORM.defined.answer(asked, [Verdict("m", "stored")], SITE)
    assert json.loads(done.body)["results"][0]["status"] == "stored"


def test_thanks_or_a_page_of_the_sites_own():
    done = FORM.defined.answer(request(FILLED, accept_language="zh-CN"), [], SITE)
    assert (done.status, "已收到" in done.body.decode()) == (200, True)
    where = site(redirect="https://www.acme.cn/thanks")
    done = FORM.defined.answer(request(FILLED), [], where)
    assert (done.status, dict(done.headers)[b"location"]) == (303, b"https://www.acme.cn/thanks")
    assert (
        b"form-action 'self' https://www.acme.cn;" in dict(done.headers)[b"content-security-policy"]
    )


def test_a_page_loads_nothing_and_runs_nothing():
    answer = FORM.defined.show(request(), SITE)
    policy = dict(answer.headers)[b"content-security-policy"].decode()
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'self' https://acme.cn https://*.acme.cn" in policy
    assert b"<script" not in answer.body


NAMES = [*(field["name"] for field in DEMO["field"]), "_page", "_id", "_at"]


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=30)), st.text(max_size=20))
def test_whatever_is_typed_stays_text(values, host):
    told = FORM.defined.admit(request(values, host=host, referer=host), SITE)
    if isinstance(told, Answer):
        assert set(Page(told.body).fields) >= {"mobile", "note"}
        return
    for item in FORM.defined.read(told, SITE).items:
        assert item.reason is None or item.reason in REASONS
        if item.reason is None:
            assert isinstance(to_event(item, told, None, SITE), Event)


@given(
    st.binary(max_size=200)
    | st.sampled_from([b"--", b"--\r\n", b"{", b"[1]", b"\x1f\x8b", b"=&=&"])
)
def test_no_body_is_an_exception(body):
    try:
        told = FORM.defined.admit(request(body), SITE)
    except BadInput:
        return
    if not isinstance(told, Answer):
        msgspec.json.encode(FORM.defined.read(told, SITE).items[-1].data)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"name": "De mo"}, "a-z"),
        ({"field": []}, "form.field"),
        ({"field": [{"name": "a"}, {"name": "a"}]}, "same name"),
        ({"field": [{"name": "m", "type": "phone"}]}, "consent"),
        ({"field": [{"name": "m", "personal": True}]}, "consent"),
        ({"field": [{"name": "_id"}]}, "letter"),
        ({"field": [{"name": "channel"}]}, "meaning"),
        ({"field": [{"name": "website_url"}]}, "meaning"),
        ({"field": [{"name": "a", "type": "choice"}]}, "choices"),
        ({"field": [{"name": "a", "choices": ["b"]}]}, "choice"),
        ({"field": [{"name": "a", "type": "hidden", "required": True}]}, "hidden"),
        ({"redirect": "https://evil.example/"}, "own_hosts"),
        ({"redirect": "https://evil.example\\@acme.cn/"}, "own_hosts"),
        ({"redirect": "//acme.cn"}, "own_hosts"),
        ({"labels": {"colour": "red"}}, "colour"),
        ({"event": " "}, "event"),
        ({"titel": "x"}, "titel"),
    ],
)
def test_a_form_that_cannot_work_is_refused_with_its_reason(change, why):
    with pytest.raises(BadInput, match=why) as caught:
        site(**change)
    assert caught.value.code == "bad_form"


def test_the_question_needs_answers_to_choose_from():
    with pytest.raises(BadInput, match="reported_source"):
        makers({"form": [DEMO]}, lambda sealed, _: sealed)


def test_what_cannot_be_taken_is_said_on_a_page():
    told = FORM.refuse(Unavailable("disk_full", path="/secret"))
    assert (told.status, dict(told.headers)[b"retry-after"]) == (503, b"1")
    assert told.content_type.startswith(b"text/html")
    assert b"/secret" not in told.body
    assert FORM.refuse(NotFound("no_such_form", name="<b>")).status == 404


def test_a_form_that_nobody_defined_is_not_found():
    with pytest.raises(NotFound):
        FORM.defined.show(request(path="/f/none"), SITE)
