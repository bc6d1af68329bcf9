"""`touchline channel explain`: the channel, what named the source, and the rule."""

import json

import pytest

from touchline.cli import main
from touchline.jobs import definitions
from touchline.storage.workspace import Workspace

WECHAT = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Mobile MicroMessenger/8.0.49"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("channel") / "shop"
    workspace = Workspace.init(folder, write_keys={"web": "site-key"})
    rule = {"channel": "达人", "source": "xhs", "medium": "kol", "reason": "合同写明的达人投放"}
    definitions.apply(workspace, {"channel_rule": [rule], "bots": {"bots": ["ShopWatch"]}})
    workspace.close()
    return folder


@pytest.fixture
def explain(shop, capsys):
    def explain(*args):
        assert main(["channel", "explain", str(shop), *args, "--format", "json"]) == 0
        return json.loads(capsys.readouterr().out)

    return explain


def test_the_rule_that_decides_is_told_with_its_reason(explain):
    told = explain("--url", "https://s.cn/?utm_source=百度&utm_medium=cpc&utm_campaign=c")
    assert (told["channel"], told["mode"]) == ("Paid Search", "extended")
    assert (told["source"], told["medium"], told["campaign"]) == ("baidu", "cpc", "c")
    assert told["told_by"]["what"] == "tag"
    assert told["rule"]["of"] == "extended"
    assert told["rule"]["conditions"]["source"] == {"kind": "search"}
    assert told["rule"]["en"]
    assert told["rule"]["zh"]
    assert told["opens_session"]


def test_a_site_s_own_rule_is_told_as_its_own(explain):
    told = explain("--url", "https://s.cn/?utm_source=小红书&utm_medium=kol")
    assert told["channel"] == "达人"
    assert (told["rule"]["of"], told["rule"]["number"]) == ("site", 1)
    assert told["rule"]["zh"] == "合同写明的达人投放"


def test_ga4_s_mode_may_be_asked_for_without_being_in_force(explain):
    asked = ("--referrer", "https://www.perplexity.ai/")
    assert explain(*asked)["channel"] == "AI Assistant"
    told = explain(*asked, "--mode", "ga4")
    assert (told["channel"], told["rule"]["of"]) == ("Referral", "ga4")


def test_an_app_a_click_id_and_nothing_are_told_apart(explain):
    app = explain("--user-agent", WECHAT)
    assert (app["told_by"]["what"], app["source"], app["opens_session"]) == ("app", "wechat", False)
    assert app["client"]["app"] == "wechat"
    assert explain("--url", "https://s.cn/?bd_vid=1")["told_by"]["what"] == "click_id"
    nothing = explain()
    assert (nothing["channel"], nothing["told_by"]["what"]) == ("Direct", None)
    unknown = explain("--url", "https://s.cn/?utm_source=zz&utm_medium=qq")
    assert (unknown["channel"], unknown["rule"]["of"]) == ("Unassigned", None)


def test_a_bot_is_named_with_its_reason(explain):
    told = explain("--user-agent", "Mozilla/5.0 (compatible; GPTBot/1.2)")
    assert told["bot"]["kind"] == "ai"
    assert explain("--user-agent", WECHAT + " ShopWatch/2")["bot"]["kind"] == "own"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en_GB.UTF-8", ("channel", "Display", "rule 3 of Touchline", "kind search")),
        ("zh_CN.UTF-8", ("渠道", "Touchline 的第 3 条规则", "展示广告", "链接标签")),
    ],
)
def test_people_read_it_in_their_language(shop, capsys, monkeypatch, language, words):
    monkeypatch.setenv("LC_ALL", language)
    url = "https://s.cn/?utm_source=baidu&utm_medium=cpm"
    assert main(["channel", "explain", str(shop), "--url", url, "--user-agent", WECHAT]) == 0
    printed = capsys.readouterr().out
    assert all(word in printed for word in words), printed
    assert "Android" in printed
