"""The visitor's id goes over to another domain of the owner in a link, and to nobody else."""

from urllib.parse import urlsplit

import pytest

OTHER = "brand.example"


@pytest.fixture
def linked(page, site):
    site.with_options(domains=OTHER)
    site.body = f'<a id="a" href="{site.url("/there?a=%D6%D0#x", OTHER)}">there</a>'
    page.goto(site.url("/here"))
    return page


def views(site, wanted):
    return [e for e in site.events(wanted) if e["type"] == "page"]


def test_a_visitor_is_the_same_on_both_domains(linked, site):
    linked.click("#a")
    linked.wait_for_url("**/there**")
    here, there = views(site, 3)
    assert here["anonymous_id"] == there["anonymous_id"]
    assert there["page_url"] == site.url("/there?a=%D6%D0", OTHER)
    assert linked.url == site.url("/there?a=%D6%D0#x", OTHER), "the id is gone from the address"


def test_a_link_is_as_it_was_written_once_followed(linked, site):
    linked.evaluate("addEventListener('click', (e) => e.preventDefault())")
    assert "_tl=" in linked.evaluate("(document.links[0].click(), document.links[0].href)")
    linked.wait_for_timeout(400)
    assert "_tl=" not in linked.get_attribute("#a", "href")


def test_a_double_click_leaves_the_link_as_it_was_written(linked, site):
    written = linked.get_attribute("#a", "href")
    linked.evaluate("addEventListener('click', (e) => e.preventDefault())")
    click = "(document.links[0].click(), document.links[0].href)"
    assert linked.evaluate(click).count("_tl=") == 1
    linked.wait_for_timeout(120)
    assert linked.evaluate(click).count("_tl=") == 1
    linked.wait_for_timeout(500)
    assert linked.get_attribute("#a", "href") == written
    assert linked.evaluate(click).count("_tl=") == 1


def test_another_parameter_that_ends_alike_is_not_the_id(linked, site):
    linked.evaluate("addEventListener('click', (e) => e.preventDefault())")
    linked.evaluate("document.links[0].search = '?my_tl=1'")
    assert "&_tl=" in linked.evaluate("(document.links[0].click(), document.links[0].href)")


def carried(page, site):
    return page.evaluate(f"touchline.decorate('{site.url('/there', OTHER)}')")


def test_a_shared_link_merges_nobody_on_another_device(linked, chromium, site):
    address = carried(linked, site)
    assert "_tl=" in address
    friend = chromium.new_context(user_agent="Mozilla/5.0 (another device)", locale="zh-CN")
    try:
        page = friend.new_page()
        page.goto(address)
        here, there = views(site, 2)
        assert here["anonymous_id"] != there["anonymous_id"]
        assert "_tl" not in page.url
    finally:
        friend.close()


def test_a_link_kept_for_later_merges_nobody(linked, site):
    address = carried(linked, site)
    linked.context.clear_cookies()
    linked.clock.install()
    linked.clock.fast_forward(180_000)
    linked.goto(address)
    here, there = views(site, 3)
    assert here["anonymous_id"] != there["anonymous_id"]


def test_a_forged_link_is_not_believed(linked, site):
    address = carried(linked, site)
    own = linked.evaluate("touchline.user().anonymousId()")
    linked.goto(address.replace(own, "somebody-else-entirely"))
    assert views(site, 3)[-1]["anonymous_id"] != "somebody-else-entirely"


@pytest.mark.parametrize("mode", ["cookieless", "off"])
def test_nothing_is_carried_without_consent(linked, site, mode):
    linked.evaluate(f"touchline.consent('{mode}')")
    assert "_tl" not in carried(linked, site)
    linked.click("#a")
    linked.wait_for_url("**/there**")
    assert "_tl" not in linked.url


def test_other_hosts_get_nothing(page, site):
    site.with_options(domains=OTHER)
    site.body = f'<a id="a" href="{site.url("/x", "stranger.example")}">x</a>'
    page.goto(site.url("/here"))
    page.click("#a")
    page.wait_for_url("**/x")
    assert urlsplit(page.url).query == ""
