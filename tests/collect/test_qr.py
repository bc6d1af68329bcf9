"""QR codes: the squares are those of the code, and the text beneath is what was given."""

import io
import os
import re
import xml.etree.ElementTree as ET

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from touchline.collect import font
from touchline.collect.qr import Look, qr
from touchline.errors import BadInput

HAS_CHINESE = any("CJK" in path or "wqy" in path for path, _ in font._there())
NEEDED = os.environ.get("TOUCHLINE_REQUIRE_FONT") == "1"  # then what needs one fails without it
needs_chinese = pytest.mark.skipif(
    not HAS_CHINESE and not NEEDED, reason="no font here has Chinese letters"
)
URL = "https://go.shop.cn/l/abcd2345"
SVG = "{http://www.w3.org/2000/svg}"


def matrix(text=URL, error="M"):
    return [list(row) for row in segno.make_qr(text, error=error).matrix]


def drawn_svg(data, border):
    """The squares of an SVG's path."""
    path = ET.fromstring(data).find(f"{SVG}path").attrib["d"]
    side = int(float(ET.fromstring(data).attrib["viewBox"].split()[2])) - 2 * border
    found = [[0] * side for _ in range(side)]
    for x, y, wide in re.findall(r"M(\d+) (\d+)\.5h(\d+)", path):
        for step in range(int(wide)):
            found[int(y) - border][int(x) - border + step] = 1
    return found


def drawn_png(data, border, scale, side):
    with Image.open(io.BytesIO(data)) as image:
        grey = image.convert("L")
    middle = [(border + n) * scale + scale // 2 for n in range(side)]
    return [[int(grey.getpixel((x, y)) < 128) for x in middle] for y in middle]


@needs_chinese
@pytest.mark.parametrize("error", ["L", "M", "Q", "H"])
@pytest.mark.parametrize("label", ["", "扫码领取 Spring"])
def test_the_squares_are_those_of_the_code(error, label):
    look = Look(error=error, label=label, border=2, scale=5)
    wanted = matrix(error=error)
    assert drawn_svg(qr(URL, "svg", look), 2) == wanted
    assert drawn_png(qr(URL, "png", look), 2, 5, len(wanted)) == wanted


@settings(max_examples=30)
@given(
    st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=60).filter(
        str.isprintable
    )
)
def test_any_line_of_text_stands_in_an_svg_as_text(label):
    root = ET.fromstring(qr(URL, "svg", Look(label=label)))
    text = root.find(f"{SVG}text")
    assert text.text == label
    width = float(root.attrib["viewBox"].split()[2])
    assert float(text.attrib["textLength"]) <= width
    assert root.find(f"{SVG}path").attrib["stroke"] == "#000"


@needs_chinese
def test_a_label_is_drawn_beneath_and_stays_on_the_paper():
    plain = Image.open(io.BytesIO(qr(URL, "png", Look())))
    for label in ("门店", "一" * 60, "x" * 60, "春季 Spring 2026"):
        image = Image.open(io.BytesIO(qr(URL, "png", Look(label=label))))
        assert image.width == plain.width
        below = image.convert("L").crop((0, plain.height - 8, image.width, image.height))
        ink = below.point(lambda value: 255 if value < 128 else 0).getbbox()
        assert ink is not None
        assert ink[0] > 0
        assert ink[2] < image.width
        assert ink[3] < below.height


def test_without_a_font_that_has_the_letters_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setattr(font, "_there", lambda: ())
    with pytest.raises(BadInput, match="fonts-noto-cjk"):
        qr(URL, "png", Look(label="门店"))
    assert qr(URL, "png", Look(label="Store")).startswith(b"\x89PNG")
    assert b"\xe9\x97\xa8" in qr(URL, "svg", Look(label="门店"))
    with pytest.raises(BadInput, match="fonts-noto-cjk"):
        qr(URL, "png", Look(label="门店", font=__file__))
    with pytest.raises(BadInput, match="no such file"):
        qr(URL, "png", Look(label="门店", font="/nowhere.ttf"))


def test_a_font_without_chinese_is_passed_over(monkeypatch):
    latin = [one for one in font._there() if "DejaVu" in one[0] or "Liberation" in one[0]]
    monkeypatch.setattr(font, "_there", lambda: tuple(latin))
    qr(URL, "png", Look(label="Store"))
    with pytest.raises(BadInput):
        qr(URL, "png", Look(label="门店"))


def test_a_png_without_text_needs_no_pillow(monkeypatch):
    import builtins

    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("PIL"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert qr(URL, "png", Look()).startswith(b"\x89PNG")
    with pytest.raises(BadInput, match=r"touchline\[qr\]"):
        qr(URL, "png", Look(label="x"))


@pytest.mark.parametrize(
    "look",
    [
        Look(error="X"),
        Look(border=-1),
        Look(border=99),
        Look(scale=0),
        Look(scale=101),
        Look(label="x" * 61),
        Look(label="a\nb"),
    ],
)
@pytest.mark.parametrize("form", ["svg", "png"])
def test_a_look_that_cannot_be_is_refused(look, form):
    with pytest.raises(BadInput):
        qr(URL, form, look)


def test_an_address_too_long_for_a_code_is_refused():
    with pytest.raises(BadInput, match="too long"):
        qr("https://shop.cn/" + "x" * 4000, "svg", Look())
    with pytest.raises(BadInput, match="scale"):
        qr("https://shop.cn/" + "x" * 1500, "png", Look(scale=100))


@pytest.mark.parametrize("text", ["https://shop.cn/\x01\x0b?a=1&b=<x>", "\ufffe"])
def test_an_svg_can_be_read_whatever_its_address_has_in_it(text):
    title = ET.fromstring(qr(text, "svg", Look())).find(f"{SVG}title")
    assert title is not None
    assert "\ufffd" in (title.text or "")
