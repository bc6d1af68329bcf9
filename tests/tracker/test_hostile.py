"""Pages that are strict, broken or malicious: the tracker works or is silent, never harms them."""

import pytest

from tracker.pages import settled


def names(site, wanted):
    return [e["name"] for e in site.events(wanted)]


def test_a_page_with_a_strict_policy_is_tracked_without_inline_script(page, site):
    origin = f"http://shop.example:{site.port}"
    site.headers = {
        "content-security-policy": f"default-src 'none'; script-src {origin}; connect-src {origin};"
        " require-trusted-types-for 'script'; trusted-types 'none'"
    }
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(site.url())
    assert names(site, 1) == ["page"]
    page.goto("about:blank")
    assert names(site, 2) == ["page", "Page Engaged"]
    assert [text for text in complaints if "inline style" not in text] == []


def test_a_policy_that_forbids_sending_costs_the_page_nothing(page, site):
    site.headers = {"content-security-policy": "connect-src 'none'"}
    page.goto(site.url("/a"))
    page.evaluate("touchline.track('Held back')")
    settled(page, 1)
    assert site.taken == []
    site.headers = {}
    page.goto(site.url("/b"))
    assert "Held back" in names(site, 4)


BLOCKED = {
    "storage": "for (const name of ['localStorage', 'sessionStorage', 'indexedDB'])"
    " Object.defineProperty(window, name, {get() { throw new DOMException('no') }});",
    "cookies": "Object.defineProperty(document, 'cookie', {get() { throw new DOMException('no') },"
    " set() { throw new DOMException('no') }});",
    "full": "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaError') };",
}


@pytest.mark.parametrize("what", [*BLOCKED, "all"])
def test_without_storage_events_still_arrive(page, site, what):
    page.add_init_script("".join(BLOCKED.values()) if what == "all" else BLOCKED[what])
    page.goto(site.url())
    page.evaluate("touchline.identify('u-1'); touchline.track('Seen')")
    events = site.events(3)
    assert [e["name"] for e in events] == ["page", "identify", "Seen"]
    assert len({e["anonymous_id"] for e in events}) == 1
    assert events[-1]["user_id"] == "u-1"


def test_a_sandboxed_frame_is_tracked(page, site):
    site.pages["/outer"] = f'<iframe sandbox="allow-scripts" src="{site.url("/inner")}"></iframe>'
    page.goto(site.url("/outer"))
    assert names(site, 1) == ["page"]


POLLUTION = """
  for (const [key, value] of Object.entries({key: "evil", host: "http://evil.example",
      consent: "off", mode: "off", headers: {x: 1}, method: "GET", credentials: "include",
      once: true, passive: true, signal: null, toJSON() { return "evil" }, url: "evil",
      before() { return false }, timestamp: "evil", traits: {email: "evil@example.com"},
      page: false, anonymousId: "evil", messageId: "evil"}))
    Object.prototype[key] = value;
  Array.prototype.extra = function () {};
  String.prototype.toJSON = function () { return "evil" };
  Array.prototype.toJSON = function () { return "evil" };"""


def test_keys_on_object_prototype_break_nothing_and_are_not_told(page, site):
    page.add_init_script(POLLUTION)
    site.body = '<button id="b" data-touchline-event="Pressed">x</button>'
    page.goto(site.url())
    page.evaluate("touchline.identify('u-1', {name: '李'}); touchline.track('Safe', {a: [1, 'x']})")
    page.click("#b")
    page.click("#b")
    page.evaluate("history.pushState(0, '', 'next')")
    page.wait_for_timeout(150)
    events = site.events(7)
    assert [e["name"] for e in events] == [
        "page", "identify", "Safe", "Pressed", "Pressed", "Page Engaged", "page",
    ]  # fmt: skip
    assert events[2]["properties"] == {"a": [1, "x"]}
    assert "evil" not in b"".join(site.taken).decode()


def test_what_a_page_hands_in_reaches_no_prototype(page, site):
    page.goto(site.url())
    page.evaluate(
        """const bad = '"__proto__": {"polluted": 1},'
        + '"constructor": {"prototype": {"polluted": 1}}';
      touchline.track("Poison", JSON.parse(`{${bad}, "ok": 1}`),
        JSON.parse(`{${bad}, "context": {${bad}}}`));
      touchline.identify("u", JSON.parse(`{${bad}}`));"""
    )
    assert (
        page.evaluate("({}).polluted === undefined && touchline.user().traits().polluted") is None
    )
    assert site.events(3)[1]["properties"] == {"ok": 1}


def test_a_link_that_tries_to_pollute_is_only_an_address(page, site):
    page.goto(site.url("/?__proto__[polluted]=1&utm_source=__proto__&constructor=1"))
    assert names(site, 1) == ["page"]
    assert page.evaluate("({}).polluted === undefined")


def test_whatever_a_page_hands_in_nothing_is_thrown(page, site):
    page.goto(site.url())
    thrown = page.evaluate(
        """() => {
      const ring = {}; ring.ring = ring; ring.list = [ring];
      const odd = [null, undefined, NaN, "", "x", 1n, Symbol("s"), () => 1, [], {}, ring, window,
        document.body, new Proxy({}, {get() { throw 1 }, ownKeys() { throw 1 }}), new Date(NaN),
        {get boom() { throw 1 }}, {toString() { throw 1 }}, "\\ud800", "\\u0000", 1e999,
        new Map([[1, 2]]), "x".repeat(1e4), Object.create(null)];
      const thrown = [];
      for (const method of ("init load identify track page group alias reset user setAnonymousId" +
          " consent decorate ready flush").split(" "))
        for (const one of odd) for (const two of odd)
          try { touchline[method](one, two, one, two) } catch (oops) { thrown.push(method + oops) }
      return thrown.slice(0, 9);
    }"""
    )
    # A callback is the page's own code; `() => 1` does not throw.
    assert thrown == []


def test_only_one_name_is_added_to_the_page(page, site):
    head, site.tag = site.tag, ""
    page.goto(site.url("/without"))
    before = set(page.evaluate("Object.getOwnPropertyNames(window)"))
    site.tag = head
    page.goto(site.url("/with"))
    after = set(page.evaluate("Object.getOwnPropertyNames(window)"))
    assert after - before == {"touchline"}


def test_the_name_is_the_owners_to_choose(page, site):
    site.with_options(name="统计")
    page.goto(site.url())
    assert (
        page.evaluate("typeof window.touchline + typeof window['统计'].track")
        == "undefinedfunction"
    )
    assert names(site, 1) == ["page"]


def test_a_name_that_is_taken_is_left_alone(page, site):
    site.tag = "<script>var touchline = {theirs: 1}</script>" + site.tag
    page.goto(site.url())
    settled(page)
    assert page.evaluate("touchline.theirs") == 1
    assert site.taken == []


def test_a_script_included_twice_reports_once(page, site):
    site.tag *= 2
    page.goto(site.url())
    page.evaluate("touchline.track('End')")
    assert names(site, 2) == ["page", "End"]


def test_without_fetch_events_leave_by_beacon(page, site):
    page.add_init_script("delete window.fetch")
    page.goto(site.url())
    page.evaluate("touchline.track('Seen')")
    page.goto("about:blank")
    assert names(site, 3) == ["page", "Seen", "Page Engaged"]


def test_a_callback_that_throws_is_the_pages_own_error(context, site):
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(site.url())
    page.evaluate("void touchline.track('X', {}, {}, () => { throw new Error('mine') })")
    settled(page)
    assert names(site, 2) == ["page", "X"]
    assert errors == ["mine"]
