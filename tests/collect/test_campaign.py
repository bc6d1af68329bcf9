"""A labelled list of arrivals (arrivals.csv) and what the list cannot say."""

import csv
import time
import tomllib
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from touchline.collect.campaign import Labels, origin_of, stated
from touchline.collect.channel import ChannelRules
from touchline.collect.site import Site
from touchline.collect.url import host_and_path, parameters, registrable, unquoted

SITE = Site(
    workspace="w",
    own_hosts=frozenset({"ours.cn"}),
    payment_hosts=frozenset({"pay.partner-bank.example"}),
)
FOLDER = Path(__file__).parent
TABLE = tomllib.loads((FOLDER / "arrivals.toml").read_text("utf-8"))
AGENTS = TABLE["agents"]
GA4 = msgspec.structs.replace(SITE, channels=ChannelRules.compile(by="ga4"))
# Of a thousand labels of ours some are matters of taste; that many of a hundred must be met. What
# GA4 says is no matter of taste.
RIGHT = 0.98


def _cases():
    with (FOLDER / "arrivals.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


CASES = _cases()


def _url(query):
    return "https://shop.example.com/" + (query if query.startswith("#") else f"?{query}")


def _arrive(case, site=SITE):
    return origin_of(
        site,
        page_url=_url(case["query"]),
        referrer=case["referrer"] or None,
        user_agent=AGENTS[case["agent"]] if case["agent"] else None,
    )


def _of(what):
    return [case for case in CASES if what in TABLE["class"][case["class"]]["of"].split()]


def _shown(wrong):
    return [
        f"{case['class']}: {case['query']} {case['referrer']} {case['agent']}: {said}"
        for case, said in wrong
    ]


def test_there_are_enough_labelled_cases_each_with_a_reason():
    assert len({(c["query"], c["referrer"], c["agent"]) for c in CASES}) == len(CASES) >= 1000
    assert len(_of("cn")) >= 300
    assert len(_of("ai")) >= 100
    assert {case["class"] for case in CASES} == TABLE["class"].keys()
    assert all(about["why"] for about in TABLE["class"].values())


def test_arrivals_get_the_labelled_source_and_channel():
    said = [(case, _arrive(case)) for case in CASES]
    wrong = [
        (case, (origin.source, origin.channel))
        for case, origin in said
        if (origin.source or "", origin.channel) != (case["source"], case["channel"])
    ]
    assert len(wrong) <= (1 - RIGHT) * len(CASES), _shown(wrong)


def test_arrivals_get_the_channel_of_ga4_in_its_mode():
    labelled = [case for case in CASES if case["ga4"]]
    said = [(case, _arrive(case, GA4).channel) for case in labelled]
    wrong = [(case, channel) for case, channel in said if channel != case["ga4"]]
    assert len(labelled) >= 1000
    assert not wrong, _shown(wrong)


def test_an_app_s_user_agent_names_a_source_but_brings_nothing():
    origin = origin_of(SITE, page_url=_url(""), user_agent=AGENTS["wechat"])
    assert (origin.source, origin.brings) == ("wechat", False)


def test_tags_click_ids_and_foreign_referrers_bring_a_campaign():
    def brings(query="", referrer=None):
        return origin_of(SITE, page_url=_url(query), referrer=referrer).brings

    assert brings("utm_campaign=x")
    assert brings("fbclid=x")
    assert brings(referrer="https://blog.somebody.dev/")
    assert not brings()
    assert not brings(referrer="https://ours.cn/")
    assert not brings(referrer="https://www.alipay.com/")


def test_all_labels_and_click_ids_are_kept():
    origin = origin_of(
        SITE,
        page_url=_url(
            "utm_source=xhs&utm_medium=CPC&utm_campaign=%E5%8F%8C11&utm_term=a+b"
            "&utm_content=c1&utm_adgroup=g&gclid=G1&ScCid=s&clickid=k"
        ),
        referrer="https://www.xiaohongshu.com/",
    )
    assert origin.campaign == "双11"
    assert (origin.medium, origin.term, origin.content, origin.ad_group) == (
        "cpc",
        "a b",
        "c1",
        "g",
    )
    assert origin.click_ids == {"gclid": "G1", "ScCid": "s", "clickid": "k"}
    assert origin.referrer_host == "xiaohongshu.com"


def test_the_caller_s_campaign_wins_over_the_link_one_label_at_a_time():
    labels = stated({"source": "newsletter", "name": "May", "medium": None, "term": ["x"]})
    assert labels == Labels(source="newsletter", campaign="May")
    url = _url("utm_source=a&utm_medium=email&utm_term=t")
    origin = origin_of(SITE, page_url=url, labels=labels)
    assert (origin.source, origin.medium, origin.campaign, origin.term) == (
        "newsletter",
        "email",
        "May",
        "t",
    )


def test_a_campaign_of_empty_words_says_nothing():
    assert stated({"source": "", "name": "null", "medium": "(not set)"}) is None
    assert stated({"name": {"a": 1}, "source": True}) is None


def test_two_sites_do_not_share_own_hosts():
    other = Site(workspace="v")
    assert not origin_of(SITE, page_url=_url(""), referrer="https://ours.cn/").brings
    assert origin_of(other, page_url=_url(""), referrer="https://ours.cn/").brings


def test_hosts_are_read_out_of_odd_urls():
    assert host_and_path("https://WWW.A.cn:80/x?y") == ("a.cn", "/x")
    assert host_and_path("//a.cn/x") == ("a.cn", "/x")
    assert host_and_path("https://u@b@a.cn./") == ("a.cn", "/")
    assert host_and_path("http://[2001:db8::1]:80/") == ("[2001:db8::1]", "/")
    for odd in (None, "", "a.cn", "mailto:a@b.cn", "https://", "https:///x", "https://a b/"):
        assert host_and_path(odd)[0] is None


def test_a_registered_domain_is_one_label_longer_under_country_second_levels():
    assert registrable("m.shop.example.com.cn") == "example.com.cn"
    assert registrable("a.b.example.co.uk") == "example.co.uk"
    assert registrable("a.b.example.com") == "example.com"
    assert registrable("10.0.0.1") == "10.0.0.1"


def test_values_in_gbk_are_read():
    assert unquoted("%B0%D9%B6%C8") == "百度"
    assert unquoted("%E7%99%BE%E5%BA%A6+x") == "百度 x"
    assert unquoted("%ff%fe%") == "\ufffd\ufffd%"


@given(st.text(max_size=300), st.text(max_size=100), st.text(max_size=100))
def test_no_url_referrer_or_agent_raises(url, referrer, agent):
    list(parameters(url))
    for page in (url, "https://a.cn/?utm_source=" + url):
        origin = origin_of(SITE, page_url=page, referrer="https://" + referrer, user_agent=agent)
        assert origin.channel


def test_long_queries_are_read_in_bounded_time():
    url = _url("&".join(f"p{i}=1" for i in range(200_000)) + "&utm_source=late")
    start = time.process_time()
    assert origin_of(SITE, page_url=url).source is None
    assert time.process_time() - start < 1
