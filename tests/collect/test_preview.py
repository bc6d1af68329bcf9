"""Which requests for a link are a person's."""

import pytest

from touchline.collect.preview import preview

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML)"


@pytest.mark.parametrize(
    "agent",
    [
        PHONE + " Mobile/15E148 MicroMessenger/8.0.50(0x18003233) NetType/WIFI Language/zh_CN",
        PHONE + " Mobile/15E148 wxwork/4.1.30 MicroMessenger/7.0.1 Language/zh",
        PHONE + " Mobile/15E148 Safari/604.1",
        PHONE + " Mobile/15E148 [FBAN/FBIOS;FBAV/450.0]",
        "Mozilla/5.0 (Linux; Android 14; M2102) AppleWebKit/537.36 DingTalk/7.0 AliApp(DingTalk/7)",
        "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML) Lark/7.1.2 LarkLocale/zh_CN",
        "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Snapchat/12.0 Mobile",
        None,
        "",
    ],
)
def test_people_are_people_in_whatever_app(agent):
    assert preview(agent, {}) is None
    assert preview(agent, {"sec-fetch-dest": "document"}) is None


@pytest.mark.parametrize(
    ("agent", "why"),
    [
        ("WhatsApp/2.23.20.0 A", "preview"),
        ("Viber/13.3.0", "preview"),
        ("Mozilla/5.0 (compatible; Snap URL Preview Service; bot; snapchat)", "bot"),
        ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "bot"),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "bot"),
        ("TelegramBot (like TwitterBot)", "bot"),
        ("Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", "bot"),
        ("LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient)", "bot"),
        ("Microsoft Office Existence Discovery", "preview"),
        ("http.rb/5.1.1 (Mastodon/4.2.1; +https://mastodon.social/)", "preview"),
        ("curl/8.5.0", "bot"),
        ("python-requests/2.32", "bot"),
    ],
)
def test_programs_that_look_are_named(agent, why):
    assert preview(agent, {}) == why


def test_what_a_browser_fetches_by_itself_is_no_click():
    assert preview(PHONE, {"sec-purpose": "prefetch;prerender"}) == "prefetch"
    assert preview(PHONE, {"purpose": "prefetch"}) == "prefetch"
    assert preview(PHONE, {"x-moz": "prefetch"}) == "prefetch"
    assert preview(PHONE, {"x-purpose": "preview"}) == "prefetch"
    for destination in ("image", "script", "iframe", "empty"):
        assert preview(PHONE, {"sec-fetch-dest": destination}) == "embedded"
