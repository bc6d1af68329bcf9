"""Rules that change are applied to what was stored before; what they do not change stays."""

import msgspec
import pytest

import build
from build import MINUTE, T0, Tracker, page
from collect.geofile import mmdb
from touchline.errors import BadInput
from touchline.identity.people import Registry
from touchline.jobs import queries
from touchline.jobs.definitions import apply, dump, read_file
from touchline.jobs.doctor import examine
from touchline.jobs.intake.writer import Writer
from touchline.jobs.rebuild import rebuild
from touchline.model import RawRequest
from touchline.storage.log import Log
from touchline.storage.workspace import Workspace

AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
WECHAT = AGENT + " MicroMessenger/8.0.49"
GPTBOT = "Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)"
SHOP = "https://shop.example/"
PLACE = {"country": {"iso_code": "CN"}, "city": {"names": {"en": "Hangzhou"}}}


def visit(name, url=SHOP, *, device=None, at=T0, referrer=None, agent=AGENT, **context):
    view = page(name, url, at=at, anonymousId=device or name)
    around = {"url": url} | ({"referrer": referrer} if referrer else {})
    return view | {"context": {"page": around, "userAgent": agent, **context}}


VISITS = (
    visit("tagged", SHOP + "?utm_source=xhs&utm_medium=cpc&utm_campaign=a&utm_content=t@x.cn"),
    visit("tongji", SHOP + "?hmsr=baidu&hmpl=plan"),
    visit("landing", SHOP + "?bd_vid=1", device="d"),
    visit("second", SHOP + "2", device="d", at=T0 + MINUTE, referrer=SHOP),
    visit("assistant", referrer="https://www.perplexity.ai/"),
    visit("mail", referrer="https://mail.qq.com/x"),
    visit("app", agent=WECHAT, ip="1.2.3.4"),
    visit("bot", agent=GPTBOT),
    visit("agreed", consent={"mode": "cookieless"}),
)


def stored(workspace):
    lines = queries.events(workspace, Registry(workspace), {})
    return {row["message_id"]: row for row in map(msgspec.json.decode, lines)}


def channels(workspace):
    return {name: row["channel"] for name, row in stored(workspace).items()}


def rebuilt(workspace):
    rebuild(Writer(workspace), lambda _: None)
    return workspace


def test_an_event_has_what_it_shows_and_its_consent(workspace):
    Tracker(workspace).send(*VISITS)
    Writer(workspace).catch_up()
    rows = stored(workspace)
    assert rows["app"]["context"]["touchline"]["app"] == "wechat"
    assert (rows["bot"]["bot"], rows["bot"]["context"]["touchline"]["bot"]) == (True, "ai")
    assert [rows[n]["consent"] for n in ("agreed", "app")] == ["cookieless", None]


def test_without_a_change_a_rebuild_changes_nothing(workspace):
    Tracker(workspace).send(*VISITS)
    Writer(workspace).catch_up()
    before = stored(workspace)
    assert stored(rebuilt(workspace)) == before


def test_ga4_s_mode_reads_history_again_and_back(workspace):
    Tracker(workspace).send(*VISITS)
    Writer(workspace).catch_up()
    ours = stored(workspace)
    assert apply(workspace, {"channel": {"mode": "ga4"}}) == ["channel"]
    assert channels(rebuilt(workspace)) == {
        "tagged": "Paid Other",
        "tongji": "Direct",
        "landing": "Direct",
        "second": "Direct",
        "assistant": "Referral",
        "mail": "Referral",
        "app": "Direct",
        "bot": "Direct",
        "agreed": "Direct",
    }
    apply(workspace, {"channel": {"mode": "extended"}})
    assert stored(rebuilt(workspace)) == ours


def test_a_later_own_host_brings_nobody_any_more(workspace):
    Tracker(workspace).send(visit("partner", referrer="https://partner.example/"))
    Writer(workspace).catch_up()
    assert channels(workspace) == {"partner": "Referral"}
    apply(workspace, {"site": {"own_hosts": ["partner.example"]}})
    assert channels(rebuilt(workspace)) == {"partner": "Direct"}


def test_bots_may_be_counted_after_all(workspace):
    Tracker(workspace).send(visit("bot", agent=GPTBOT))
    Writer(workspace).catch_up()
    apply(workspace, {"bots": {"count": True}})
    row = stored(rebuilt(workspace))["bot"]
    assert (row["bot"], row["context"]["touchline"]["bot_name"]) == (False, "gptbot")


def test_mode_and_bots_are_checked_and_dumped(workspace, tmp_path):
    file = tmp_path / "site.toml"
    file.write_text('[channel]\nmode = "ga4"\n\n[bots]\npeople = ["kiosk"]\n')
    assert sorted(apply(workspace, read_file(file))) == ["bots", "channel"]
    assert 'mode = "ga4"' in dump(workspace)
    for wrong in ({"channel": {"mode": "ua"}}, {"channel": {"modus": "ga4"}}, {"channel": 1}):
        with pytest.raises(BadInput, match="mode"):
            apply(workspace, wrong)
    with pytest.raises(BadInput, match="bots"):
        apply(workspace, {"bots": {"count": "perhaps"}})


@pytest.fixture
def placed(tmp_path):
    """A workspace with a file of places beside it, and a writer of it."""
    build.workspace(tmp_path / "w").close()
    (tmp_path / "w/settings.toml").write_text('geo_db = "../places.mmdb"\n')
    made = Workspace.open(tmp_path / "w")
    yield made, tmp_path / "places.mmdb"
    made.close()


def places(workspace):
    return {
        name: row["context"]["touchline"].get("city") for name, row in stored(workspace).items()
    }


def geo_findings(workspace):
    found = examine(workspace, "zh")["findings"]
    return [one["what"] for one in found if one["check"] == "geo"]


def test_a_file_of_places_that_is_missing_or_damaged_is_a_finding_and_no_failure(placed):
    workspace, file = placed
    tracker, writer = Tracker(workspace), Writer(workspace)
    tracker.send(visit("missing", ip="1.2.3.4"))
    writer.catch_up()
    assert "不存在" in geo_findings(workspace)[0]
    file.write_bytes(b"not a file of places")
    tracker.send(visit("damaged", ip="1.2.3.4"))
    writer.catch_up()
    assert "重新下载" in geo_findings(workspace)[0]
    file.write_bytes(mmdb({"1.2.3.0/24": PLACE}))
    tracker.send(visit("there", ip="1.2.3.4"), visit("elsewhere", ip="9.9.9.9"))
    writer.catch_up()
    assert geo_findings(workspace) == []
    found = {"missing": None, "damaged": None, "there": "Hangzhou", "elsewhere": None}
    assert places(workspace) == found
    assert places(rebuilt(workspace)) == {**found, "missing": "Hangzhou", "damaged": "Hangzhou"}


def test_a_place_once_found_outlives_its_file(placed):
    workspace, file = placed
    file.write_bytes(mmdb({"1.2.3.0/24": PLACE}))
    Tracker(workspace).send(visit("there", ip="1.2.3.4"))
    Writer(workspace).catch_up()
    workspace.close()
    (workspace.dir / "settings.toml").write_text("")
    without = Workspace.open(workspace.dir)
    assert places(rebuilt(without)) == {"there": "Hangzhou"}
    without.close()


def test_a_browser_s_wishes_are_kept(workspace):
    body = msgspec.json.encode({"messageId": "m", "anonymousId": "a"})
    request = RawRequest(T0, "web", "/v1/page", body, bytes(16), AGENT, headers={"sec-gpc": "1"})
    log = Log.open(workspace.dir)
    log.append(msgspec.msgpack.encode(request)).result()
    log.close()
    Writer(workspace).catch_up()
    assert stored(rebuilt(workspace))["m"]["context"]["touchline"]["gpc"] is True
