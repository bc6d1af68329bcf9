"""What brought a visitor, as the page's tracker tells it and the collector reads it."""

import pytest

WECHAT = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.50(0x1800322c) NetType/WIFI"
)
DINGTALK = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120 Mobile DingTalk/7.5"


def first(site):
    return site.events()[0]


def test_chinese_campaign_labels_arrive(page, site):
    labels = "utm_source=xhs&utm_medium=cpc&utm_campaign=双11&utm_term=面霜&utm_content=a+b"
    page.goto(site.url(f"/?{labels}"))
    event = first(site)
    assert event["channel"] == "Paid Social"
    assert event["source_name"] == "xiaohongshu"
    assert (event["campaign"], event["term"], event["content"]) == ("双11", "面霜", "a b")
    assert event["context"]["campaign"] == {
        "source": "xhs", "medium": "cpc", "name": "双11", "term": "面霜", "content": "a b",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        *("gclid", "gbraid", "wbraid", "dclid", "fbclid", "msclkid", "ttclid", "twclid"),
        *("li_fat_id", "bd_vid", "qz_gdt", "gdt_vid"),
    ],
)
def test_a_click_id_is_kept(page, site, name):
    page.goto(site.url(f"/?{name}=abc.123"))
    assert first(site)["click_ids"] == {name: "abc.123"}


def test_what_a_script_cut_off_the_address_is_still_told(page, site):
    site.tag = (
        "<script>history.replaceState(0, '', location.pathname + '?page=2')</script>" + site.tag
    )
    page.goto(site.url("/?utm_source=weibo&token=secret&bd_vid=9"))
    event = first(site)
    assert event["page_url"] == site.url("/?page=2&utm_source=weibo&bd_vid=9")
    assert event["click_ids"] == {"bd_vid": "9"}


def test_a_fragment_is_told_only_where_it_tells_of_a_campaign(page, site):
    page.goto(site.url("/a#access_token=secret"))
    page.goto(site.url("/b#utm_source=weibo"))
    views = [e for e in site.events(3) if e["type"] == "page"]
    assert views[0]["page_url"] == site.url("/a")
    assert views[1]["page_url"] == site.url("/b#utm_source=weibo")
    assert views[1]["source_name"] == "weibo"


@pytest.mark.parametrize(("agent", "app"), [(WECHAT, "wechat"), (DINGTALK, "dingtalk")])
def test_the_app_a_page_is_read_in_is_told(chromium, site, agent, app):
    context = chromium.new_context(user_agent=agent)
    try:
        context.new_page().goto(site.url())
        event = first(site)
    finally:
        context.close()
    assert event["context"]["in_app"] == app
    assert event["source_name"] == app


def test_a_mini_program_is_told(chromium, site):
    context = chromium.new_context(user_agent=WECHAT + " miniProgram/wx12")
    try:
        context.new_page().goto(site.url())
        assert first(site)["context"]["mini_program"] is True
    finally:
        context.close()
