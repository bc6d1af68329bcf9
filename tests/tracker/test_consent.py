"""Consent, switchable at run time: `off` sends nothing, `cookieless` keeps nothing, `full` both."""

import json

import pytest

from tracker.pages import opened, settled


def kept(page):
    """Everything of ours on the device."""
    cookies = [c["name"] for c in page.context.cookies()]
    local = json.loads(page.evaluate("JSON.stringify(Object.keys(localStorage))"))
    session = page.evaluate("sessionStorage.length")
    return sorted({*cookies, *local}), session


WRITES = """window.written = [];
  const put = Storage.prototype.setItem;
  Storage.prototype.setItem = function (k, v) { written.push(k); put.call(this, k, v) };
  const own = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
  Object.defineProperty(document, "cookie", {get() { return own.get.call(document) },
    set(v) { written.push(v); own.set.call(document, v) }});"""


def test_off_sends_nothing_and_keeps_nothing(page, site):
    site.with_options(consent="off")
    page.goto(site.url())
    page.evaluate("touchline.track('No'); touchline.identify('u-1'); touchline.flush()")
    settled(page)
    page.goto(site.url("/b"))
    settled(page)
    assert site.taken == []
    assert kept(page) == ([], 0)
    assert page.evaluate("[touchline.consent(), touchline.user().anonymousId()]") == ["off", None]


def test_cookieless_writes_nothing_and_names_nobody(page, site):
    site.with_options(consent="cookieless", domains="other.example")
    page.add_init_script(WRITES)
    page.goto(site.url("/a"))
    page.evaluate(
        """touchline.identify('u-1', {email: 'a@b.cn'}); touchline.group('g');
      touchline.alias('u-1'); touchline.track('Yes', {}, {anonymousId: 'mine-mine-mine'})"""
    )
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<a id=o href=\"http://x.example\">x</a>')"
    )
    page.goto(site.url("/b"))
    settled(page)
    assert page.evaluate("written") == []
    assert kept(page) == ([], 0)
    events = site.events(4)
    assert {e["type"] for e in events} == {"page", "track"}
    assert {e["user_id"] for e in events} == {None}
    ids = [e["anonymous_id"] for e in events if e["type"] == "page"]
    assert len(set(ids)) == 2, "an id lasts no longer than its page"
    assert "mine-mine-mine" not in b"".join(site.taken).decode()
    assert {e["context"]["consent"]["mode"] for e in events} == {"cookieless"}


def test_consent_given_on_a_page_keeps_what_was_seen_of_it(page, site):
    site.with_options(consent="cookieless")
    page.goto(site.url("/?utm_source=weibo"))
    settled(page)
    page.evaluate("touchline.consent('full'); touchline.track('After')")
    view, after = site.events(2)
    assert view["anonymous_id"] == after["anonymous_id"]
    assert {"tl_consent", "tl_id"} <= set(kept(page)[0])


def test_consent_given_after_off_reports_the_page_then(page, site):
    site.with_options(consent="off")
    page.goto(site.url())
    page.evaluate("touchline.consent('full')")
    assert [e["type"] for e in site.events(1)] == ["page"]


def test_a_choice_holds_on_the_next_page(page, site):
    site.with_options(consent="cookieless")
    page.goto(site.url("/a"))
    page.evaluate("touchline.consent('full')")
    page.goto(site.url("/b"))
    assert page.evaluate("touchline.consent()") == "full"
    page.evaluate("touchline.consent('off')")
    page.goto(site.url("/c"))
    assert page.evaluate("touchline.consent()") == "off"
    assert kept(page)[0] == ["tl_consent"]


@pytest.mark.parametrize("mode", ["off", "cookieless"])
def test_consent_taken_back_deletes_ids_and_what_waited(page, site, mode):
    page.goto(site.url())
    site.events(1)
    site.illness = (503, {})
    page.evaluate("touchline.identify('u-1'); touchline.group('g'); touchline.track('Waiting')")
    settled(page)
    assert any(name.startswith("tl_q.") for name in kept(page)[0])
    old = page.evaluate("touchline.user().anonymousId()")
    page.evaluate(f"touchline.consent('{mode}')")
    site.illness = None
    page.evaluate("touchline.track('After'); touchline.flush()")
    settled(page, 3)
    assert kept(page)[0] == (["tl_consent"] if mode == "off" else [])
    later = [item for item in site.sent() if item["type"] != "page"]
    assert old not in json.dumps(later)
    assert [item["event"] for item in later] == ([] if mode == "off" else ["After"])


@pytest.mark.parametrize("mode", ["off", "cookieless"])
def test_consent_taken_back_in_one_tab_is_taken_back_in_all(context, page, site, mode):
    page.goto(site.url("/a"))
    other = opened(context)
    other.goto(site.url("/b"))
    page.evaluate(f"touchline.consent('{mode}')")
    other.wait_for_function(f"touchline.consent() === '{mode}'")
    assert "tl_id" not in kept(other)[0]


@pytest.mark.parametrize(
    ("signals", "expected"), [(None, "full"), ("cookieless", "cookieless"), ("off", "off")]
)
def test_signals_of_the_browser_are_heeded_where_the_site_says_so(page, site, signals, expected):
    page.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})")
    if signals:
        site.with_options(signals=signals)
    page.goto(site.url())
    assert page.evaluate("touchline.consent()") == expected
    page.evaluate("touchline.consent('full')")
    page.goto(site.url())
    assert page.evaluate("touchline.consent()") == "full", "the visitor's own word counts more"


def test_the_server_sets_the_cookie_where_it_is_on_the_site(page, site):
    site.tag = site.tag.replace(
        "data-key", f'data-host="http://t.shop.example:{site.port}" data-key'
    )
    with page.expect_response("**/v1/id") as found:
        page.goto(site.url(host="www.shop.example"))
    assert found.value.status == 204
    headers = found.value.headers_array()
    (cookie,) = [h["value"] for h in headers if h["name"].lower() == "set-cookie"]
    own = page.evaluate("touchline.user().anonymousId()")
    assert cookie.startswith(f"tl_id={own};")
    assert "Domain=shop.example" in cookie
    page.evaluate("touchline.consent('off')")
    assert "tl_id" not in kept(page)[0]


def test_an_id_that_is_already_there_is_kept(context, page, site):
    context.add_cookies(
        [{"name": "tl_id", "value": "from-the-server", "domain": ".shop.example", "path": "/"}]
    )
    page.goto(site.url())
    assert site.events()[0]["anonymous_id"] == "from-the-server"
