"""Whatever text gets into a page, it stays text."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.text import Html, document, joined, tag

HOSTILE = st.text(max_size=40) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        '" onload="x',
        "'",
        "</title><b>",
        "&lt;",
        "]]>",
        "\x00<",
        "\ud83d",
    ]
)


class Reader(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts = [], []

    def handle_starttag(self, name, attributes):
        self.elements.append((name, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


def shown(text):
    return "".join(
        "\ufffd" if (c < " " and c not in "\t\n\r") or "\x7f" <= c <= "\x9f"
        or "\ud800" <= c <= "\udfff" or c in "\ufffe\uffff" else c for c in text
    )  # fmt: skip


@given(HOSTILE, HOSTILE)
def test_text_stays_text_and_a_value_stays_a_value(text, value):
    found = read(tag("p", {"title": value, "data-x": text}, text, tag("b", None, value)))
    assert found.elements == [("p", {"title": shown(value), "data-x": shown(text)}), ("b", {})]
    assert "".join(found.texts).replace("\r", "\n") == (shown(text) + shown(value)).replace(
        "\r", "\n"
    )


@given(HOSTILE, HOSTILE)
def test_a_page_has_the_elements_it_was_given_and_no_others(title, text):
    page = document("en", title, Html("body{margin:0}"), tag("p", None, text)).decode()
    names = [name for name, _ in read(page).elements]
    assert names == ["html", "head", "meta", "meta", "meta", "title", "style", "body", "p"]


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        " javascript:x",
        "data:text/html,x",
        "//evil.example",
        "/\\evil",
        "vbscript:x",
    ],
)
def test_an_address_that_could_run_or_lead_astray_is_left_out(address):
    assert tag("a", {"href": address}, "x") == "<a>x</a>"


@pytest.mark.parametrize(
    "address", ["https://a.example/?x=1&y=2", "/f/demo", "?a=1", "mailto:a@b.cn"]
)
def test_an_honest_address_is_kept(address):
    assert read(tag("a", {"href": address}, "x")).elements == [("a", {"href": address})]


@pytest.mark.parametrize("name", ["onclick", "style", "a b", "x>"])
def test_an_attribute_that_would_run_cannot_be_written(name):
    with pytest.raises(ValueError, match=re.escape(name)):
        tag("p", {name: "x"})


def test_text_cannot_be_put_where_it_would_be_a_program():
    with pytest.raises(ValueError, match="style"):
        tag("style", None, "</style>")


def test_attributes_that_say_nothing_are_left_out():
    assert tag("input", {"required": True, "checked": False, "value": None}) == "<input required>"
    assert joined("a<", tag("br")) == "a&lt;<br>"
