"""Tokens in mails: read back as they were made, and no other way."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.collect.mail import CLICK, OPEN, Mailed, Signer, proxy
from touchline.errors import BadInput

KEY = bytes(range(32))
SIGNER = Signer(KEY)
NODE = b"n" * 16
MAILED = Mailed("m-1", NODE, "spring", "crm", "hero", "https://shop.cn/p?a=1")
TEXT = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def click(mailed=MAILED, signer=SIGNER):
    return signer.click_path(mailed).removeprefix("/c/")


@given(st.text(st.characters(exclude_categories=["Cs"])), st.binary(max_size=16), TEXT, TEXT, TEXT)
def test_what_goes_in_comes_out(message, node, campaign, source, content):
    mailed = Mailed(message, node, campaign, source, content, "https://shop.cn/")
    assert SIGNER.read(CLICK, click(mailed)) == mailed
    opened = SIGNER.open_path(mailed).removeprefix("/o/").removesuffix(".gif")
    assert SIGNER.read(OPEN, opened) == Mailed(message, node, campaign, source, content)


def test_a_token_is_for_one_purpose_and_one_key():
    assert SIGNER.read(OPEN, click()) is None
    assert Signer(b"other" * 8).read(CLICK, click()) is None


def test_no_changed_letter_and_no_cut_is_read():
    token = click()
    for place in range(len(token)):
        for letter in "Ab9_-":
            if letter != token[place]:
                assert SIGNER.read(CLICK, token[:place] + letter + token[place + 1 :]) is None
        assert SIGNER.read(CLICK, token[:place]) is None
        assert SIGNER.read(CLICK, token[place + 1 :]) is None
    for more in ("A", "=", "==", "%3D", " ", ".gif", "é", "\ud800"):
        assert SIGNER.read(CLICK, token + more) is None


@given(st.binary(max_size=200) | st.binary(max_size=40).map(lambda rest: b"\x01" + rest))
def test_what_nobody_signed_is_not_read(raw):
    assert SIGNER.read(CLICK, base64.urlsafe_b64encode(raw).rstrip(b"=").decode()) is None


@given(st.text(max_size=100))
def test_any_text_is_no_token(text):
    assert SIGNER.read(CLICK, text) is None
    assert SIGNER.read(OPEN, text) is None


@pytest.mark.parametrize("target", [None, "", "javascript:alert(1)", "//evil.cn", "x" * 9000])
def test_a_link_leads_to_a_web_address_or_is_not_made(target):
    with pytest.raises(BadInput) as caught:
        SIGNER.click_path(Mailed("m", NODE, target=target))
    assert caught.value.code == "bad_url"


def test_too_much_is_not_signed():
    with pytest.raises(BadInput):
        SIGNER.click_path(Mailed("m" * 9000, NODE, target="https://shop.cn/"))


def test_the_recipient_is_no_address_and_the_token_fits_a_path():
    token = click()
    assert b"@" not in base64.urlsafe_b64decode(token + "==")
    assert token.replace("-", "a").replace("_", "a").isalnum()


def test_machines_that_fetch_images_for_readers_are_known():
    gmail = (
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
    )
    assert proxy(gmail) == ("gmail", False)
    assert proxy("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy") == ("yahoo", False)
    assert proxy("Mozilla/5.0") == ("apple", True)
    for agent in ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)", "", None):
        assert proxy(agent) == (None, False)
