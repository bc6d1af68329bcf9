"""Addresses of links: which are taken, what is added to them, and that nothing else is."""

from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.collect.campaign import Labels, label_text
from touchline.collect.link import address, checked_url, labels_from
from touchline.errors import BadInput

NAMES = st.text(min_size=1, max_size=40).map(label_text).filter(bool)


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("https://shop.cn", "https://shop.cn/"),
        ("  HTTPS://Shop.CN:8443/A?b=C#d ", "https://shop.cn:8443/A?b=C#d"),
        ("http://例子.中国/夏?q=天", "http://xn--fsqu00a.xn--fiqs8s/%E5%A4%8F?q=%E5%A4%A9"),
        ("https://shop.cn/%C4%E3?a=%20+", "https://shop.cn/%C4%E3?a=%20+"),
        ("https://shop.cn/a b", "https://shop.cn/a%20b"),
        ("https://shop.cn/#/goods?id=1", "https://shop.cn/#/goods?id=1"),
        ("http://[::1]:8700/x", "http://[::1]:8700/x"),
        ("http://localhost/", "http://localhost/"),
    ],
)
def test_an_address_is_kept_in_ascii_and_means_the_same(given_, kept):
    assert checked_url(given_) == kept
    assert checked_url(kept) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "shop.cn",
        "//shop.cn/a",
        "/a",
        "https:shop.cn",
        "https:///a",
        "https://",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://shop.cn/",
        "weixin://dl/business",
        "https://shop.cn@evil.cn/",
        "https://user:pw@shop.cn/",
        "https://shop.cn\\@evil.cn/",
        "https:\\\\shop.cn",
        "https://shop.cn/\r\nSet-Cookie: a=b",
        "https://shop.cn/a\tb",
        "https://shop.cn:port/",
        "https://shop.cn:99999/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://-shop.cn/",
        "https://shop..cn/",
        "https://shop.cn/\ud800",
        "https://shop.cn/" + "x" * 5000,
        "https://" + "a" * 64 + ".cn/",
    ],
)
def test_what_is_no_web_address_is_refused(text):
    with pytest.raises(BadInput) as caught:
        checked_url(text)
    assert caught.value.code == "bad_url"


@given(st.text(max_size=80), st.sampled_from(["", "https://", "http://shop.cn/", "//", "\\\\"]))
def test_a_taken_address_is_an_absolute_one_that_a_header_can_hold(text, start):
    try:
        kept = checked_url(start + text)
    except BadInput:
        return
    assert kept.isascii()
    assert kept.isprintable()
    assert " " not in kept
    assert urlsplit(kept).scheme in ("http", "https")
    assert urlsplit(kept).hostname
    assert urlsplit(kept).username is None
    assert checked_url(kept) == kept


@given(NAMES, NAMES, st.sampled_from(["", "?a=1", "?a=1#top", "#/x?y=2", "?"]))
def test_the_page_reads_the_labels_as_they_were_said(source, campaign, rest):
    target = checked_url(f"https://shop.cn/p{rest}")
    to = address(target, Labels(source=source, campaign=campaign))
    assert labels_from({}, to) == Labels(source=source, campaign=campaign)
    assert urlsplit(to).fragment == urlsplit(target).fragment
    assert set(parse_qsl(urlsplit(target).query)) <= set(parse_qsl(urlsplit(to).query))


@given(st.text(max_size=200), st.text("a=&?#%;/\\:@utm_source", max_size=60))
def test_no_query_of_a_click_changes_where_it_leads_or_what_is_said(raw, marks):
    target, labels = "https://shop.cn/p?a=1#top", Labels(source="wechat", medium="kol")
    for query in (raw.encode().decode("latin-1"), marks):
        to = address(target, labels, query)
        assert to.isascii()
        assert to.isprintable()
        assert to.startswith("https://shop.cn/p?a=1&utm_source=wechat&utm_medium=kol")
        assert to.endswith("#top")
        assert to.count("#") == 1
        said = labels_from({}, to)
        assert (said.source, said.medium) == ("wechat", "kol")


def test_what_a_click_brings_goes_on_to_the_page_once():
    target = "https://shop.cn/p?gclid=own"
    to = address(target, Labels(source="s"), "gclid=other&bd_vid=b1&utm_source=x&utm_term=t&empty=")
    assert to == "https://shop.cn/p?gclid=own&utm_source=s&bd_vid=b1&utm_term=t"
    chinese = quote("夏天").encode().decode("latin-1")
    assert address("https://shop.cn/", Labels(), f"q={chinese}") == f"https://shop.cn/?q={chinese}"
    raw = "夏".encode().decode("latin-1")
    assert address("https://shop.cn/", Labels(), f"q={raw}") == "https://shop.cn/?q=%E5%A4%8F"


def test_a_page_that_says_its_campaign_keeps_it():
    target = "https://shop.cn/?utm_source=weibo&utm_campaign=spring"
    labels = labels_from({"medium": "kol"}, target)
    assert labels == Labels(source="weibo", medium="kol", campaign="spring")
    assert address(target, labels) == f"{target}&utm_medium=kol"
    assert labels_from({"source": "weibo"}, target).source == "weibo"
    with pytest.raises(BadInput, match="utm_source=weibo"):
        labels_from({"source": "wechat"}, target)
