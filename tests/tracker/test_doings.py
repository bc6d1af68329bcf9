"""What visitors do by themselves: routes, clicks, links, forms, reading."""

import pytest


def told(site, wanted):
    """(name, properties) of what is not a page view or its reading."""
    events = site.events(wanted)
    return [
        (e["name"], e["properties"]) for e in events if e["name"] not in ("page", "Page Engaged")
    ]


def views(site, wanted):
    return [e for e in site.events(wanted) if e["type"] == "page"]


def test_a_route_of_an_application_is_a_view(page, site):
    page.goto(site.url("/start"), referer="https://www.baidu.com/")
    page.evaluate("history.pushState({}, '', 'first'); document.title = 'Erste'")
    page.wait_for_timeout(150)
    page.evaluate("history.pushState({}, '', 'gone'); history.replaceState({}, '', 'second')")
    page.wait_for_timeout(150)
    page.evaluate("history.replaceState({scroll: 9}, '', location.href)")
    page.wait_for_timeout(150)
    page.go_back()
    page.wait_for_timeout(150)
    found = views(site, 7)
    assert [v["page_url"] for v in found] == [
        site.url(path) for path in ("/start", "/first", "/second", "/first")
    ]
    assert found[1]["page_title"] == "Erste"
    assert found[1]["context"]["page"]["referrer"] == site.url("/start")
    assert {v["referrer_host"] for v in found[1:]} == {None}


def test_routes_behind_a_hash_are_views_where_the_site_says_so(page, site):
    site.with_options(spa="hash")
    page.goto(site.url("/#/a"))
    page.evaluate("location.hash = '#/b'")
    page.wait_for_timeout(150)
    assert [v["page_url"] for v in views(site, 3)] == [site.url("/#/a"), site.url("/#/b")]


def test_a_hash_is_a_place_in_the_page_otherwise(page, site):
    page.goto(site.url("/"))
    page.evaluate("location.hash = '#b'; history.pushState(0, '', '#c')")
    page.wait_for_timeout(150)
    page.evaluate("touchline.track('End')")
    assert len(site.events(2)) == 2


def test_a_declared_click_is_the_event_it_declares(page, site):
    site.body = """<div data-touchline-event="Added to Cart" data-touchline-sku="0012"
      data-touchline-product-line="A7"><button id="b"><i>加入购物车</i></button></div>"""
    page.goto(site.url())
    page.click("#b i")
    assert told(site, 2) == [("Added to Cart", {"sku": "0012", "product_line": "A7"})]


def test_links_away_downloads_and_calls_are_told_and_steps_inside_are_not(page, site):
    site.body = """<a id="in" href="/x">in</a><a id="sub" href="http://m.shop.example/x">sub</a>
      <a id="out" href="http://partner.example/p?q=1#f">去 合作方</a>
      <a id="file" href="/docs/手册.PDF?x=1">手册</a><a id="tel" href="tel:+8657188888888">call</a>
      <script>addEventListener("click", (e) => e.preventDefault())</script>"""
    page.goto(site.url())
    for name in ("in", "sub", "out", "file", "tel"):
        page.click(f"#{name}")
    found = told(site, 4)
    assert [name for name, _ in found] == [
        "Outbound Link Clicked", "File Downloaded", "Contact Clicked",
    ]  # fmt: skip
    assert found[0][1] == {
        "url": "http://partner.example/p", "host": "partner.example", "text": "去 合作方",
    }  # fmt: skip
    assert found[1][1]["extension"] == "pdf"
    assert found[2][1] == {"kind": "phone"}


def test_any_click_is_told_where_the_site_says_so(page, site):
    site.with_options(clicks="true")
    site.body = """<button id="b">立即 咨询</button><button data-touchline-ignore id="no">x</button>
      <p id="p">text</p>"""
    page.goto(site.url())
    for name in ("b", "no", "p"):
        page.click(f"#{name}")
    page.evaluate("touchline.track('End')")
    assert told(site, 3) == [
        ("Element Clicked", {"element": "button", "id": "b", "text": "立即 咨询"}),
        ("End", {}),
    ]


FORM = """<form id="f" name="lead" onsubmit="return false"{more}>
  <input name="mail" type="email"{mark} value="li@example.com">
  <input name="tel" type="tel" value="13800138001"> <input name="friend_email" type="email"
  value="friend@example.com"> <input type="password" name="p" value="hunter2">
  <input name="card" autocomplete="cc-number" type="tel" value="4111111111111111">
  <textarea name="note">private words</textarea><button>发送</button></form>"""
SECRETS = ("hunter2", "4111111111111111", "private words", "friend@example.com")


def submit(page, site, *, mark="", more="", **options):
    site.with_options(**options)
    site.body = FORM.format(mark=mark, more=more)
    page.goto(site.url())
    page.click("#f button")
    page.evaluate("touchline.track('End')")
    events = site.events(3)
    words = b"".join(site.taken).decode()
    assert not [secret for secret in SECRETS if secret in words]
    return [e for e in events if e["type"] == "identify" or e["name"].startswith("Form")]


def clear(event):
    return {i["type"]: i["value"] for i in event["identifiers"] if i["type"] != "anonymous_id"}


def test_a_form_is_told_without_what_was_typed(page, site):
    (form,) = submit(page, site)
    assert form["properties"] == {"form_id": "f", "form_name": "lead"}


def test_a_marked_field_names_the_sender(page, site):
    named, _ = submit(page, site, mark=' data-touchline-identify="email"')
    assert clear(named) == {"email": "li@example.com"}


def test_fields_the_browser_knows_name_the_sender_where_the_site_says_so(page, site):
    named, _ = submit(page, site, forms="identify")
    assert clear(named) == {"email": "li@example.com", "phone": "+8613800138001"}


def test_a_form_names_nobody_without_consent(page, site):
    found = submit(
        page, site, mark=' data-touchline-identify="email"', forms="identify", consent="cookieless"
    )
    assert [e["type"] for e in found] == ["track"]


@pytest.mark.parametrize("state", ["", " checked"])
def test_a_box_of_the_form_may_be_the_consent(page, site, state):
    site.body = f"""<form id="f" onsubmit="return false"><input type="checkbox"{state}
      data-touchline-consent><input data-touchline-identify="phone" value="13800138001">
      <button>ok</button></form>"""
    page.goto(site.url())
    page.click("#f button")
    events = site.events(3 if state else 2)
    assert [e["type"] for e in events].count("identify") == (1 if state else 0)


def test_reading_is_told_when_the_page_is_left(page, site):
    page.goto(site.url("/a"))
    page.mouse.wheel(0, 1500)
    page.wait_for_timeout(1200)
    page.goto(site.url("/b"))
    engaged = next(e for e in site.events(3) if e["name"] == "Page Engaged")
    assert engaged["page_url"] == site.url("/a")
    said = engaged["properties"]
    assert 900 <= said["engaged_ms"] <= 20_000
    assert said["engaged_ms"] == said["engaged_total_ms"]
    assert 45 <= said["scroll_percent"] <= 70
