"""An address → a QR code as SVG or PNG, with a line of text beneath it.

The text of an SVG stays text, in whatever font the viewer has. A PNG needs a font here (see `font`)
and Pillow, which is an extra; without a text it needs neither.
"""

import io
import unicodedata
from collections.abc import Iterator, Sequence

import segno
from msgspec import Struct
from segno.encoder import DataOverflowError

from touchline.collect.font import font_for
from touchline.errors import BadInput
from touchline.text import joined, tag

__all__ = ["ERRORS", "FORMATS", "Look", "png", "qr", "svg"]

ERRORS = ("L", "M", "Q", "H")
FORMATS = ("svg", "png")
MAX_LABEL = 60
LARGEST = 8192  # pixels of a side

# In modules, the squares a code is made of.
TEXT = 2.6  # height of a letter, unless the line is too long for it
GAP = 1.0
_FAMILIES = (
    "'PingFang SC','Microsoft YaHei','Noto Sans CJK SC','Source Han Sans SC',system-ui,sans-serif"
)


class Look(Struct, frozen=True, kw_only=True):
    """`scale`: pixels of a module. `border`: the quiet zone around, in modules; scanners want 4.
    `error`: how much may be covered or dirty: L 7 %, M 15 %, Q 25 %, H 30 %.
    """

    label: str = ""
    error: str = "M"
    border: int = 4
    scale: int = 8
    font: str | None = None


def qr(text: str, form: str, look: Look) -> bytes:
    """The file. Raises BadInput for a look that cannot be had."""
    _check(look)
    return (svg if form == "svg" else png)(text, look)


def svg(text: str, look: Look) -> bytes:
    rows = _matrix(text, look)
    side = len(rows) + 2 * look.border
    size, height = _line(look.label, side)
    whole = side + height
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {whole:g}" role="img"',
        f' width="{side * look.scale}" height="{whole * look.scale:g}">',
        tag("title", None, look.label or text),
        f'<rect width="{side}" height="{whole:g}" fill="#fff"/>',
        f'<path d="{"".join(_runs(rows, look.border))}" stroke="#000"/>',
    ]
    if look.label:
        # Fonts differ in width: what is wider than thought is drawn together, not cut off.
        wide = _width(look.label) * size
        parts.append(
            f'<text x="{side / 2:g}" y="{side + size * 0.5:g}" font-size="{size:g}" '
            f'font-family="{_FAMILIES}" text-anchor="middle" textLength="{wide:.2f}" '
            f'lengthAdjust="spacingAndGlyphs">{joined(look.label)}</text>'
        )
    return "".join([*parts, "</svg>\n"]).encode()


def png(text: str, look: Look) -> bytes:
    code = _made(text, look)
    out = io.BytesIO()
    code.save(out, kind="png", scale=look.scale, border=look.border)
    if not look.label:
        return out.getvalue()
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        raise BadInput("needs_pillow") from None
    with Image.open(out) as opened:
        drawn = opened.convert("L")
    side = drawn.width
    modules = side // look.scale
    size, height = _line(look.label, modules)
    font = font_for(look.label, max(8, round(size * look.scale)), look.font)
    whole = Image.new("L", (side, side + round(height * look.scale)), 255)
    whole.paste(drawn, (0, 0))
    pen = ImageDraw.Draw(whole)
    left, top, right, bottom = pen.textbbox((0, 0), look.label, font=font)
    line = Image.new("L", (max(1, round(right - left)), max(1, round(bottom - top))), 255)
    ImageDraw.Draw(line).text((-left, -top), look.label, font=font, fill=0)
    most = side - 2 * look.scale
    if line.width > most:
        line = line.resize((most, line.height))
    whole.paste(line, ((side - line.width) // 2, side - round(look.scale * size * 0.3)))
    done = io.BytesIO()
    whole.save(done, "PNG", optimize=True)
    return done.getvalue()


def _check(look: Look) -> None:
    faults = (
        ("error", look.error, look.error not in ERRORS, f"is none of {', '.join(ERRORS)}."),
        ("border", look.border, not 0 <= look.border <= 40, "is not between 0 and 40."),
        ("scale", look.scale, not 1 <= look.scale <= 100, "is not between 1 and 100."),
        (
            "label",
            look.label[:80],
            len(look.label) > MAX_LABEL or not look.label.isprintable(),
            f"must be one line of at most {MAX_LABEL} characters.",
        ),
    )
    for name, value, is_wrong, why in faults:
        if is_wrong:
            raise BadInput("bad_argument", name=name, value=value, why=why)


def _made(text: str, look: Look) -> segno.QRCode:
    try:
        code = segno.make_qr(text, error=look.error)
    except DataOverflowError:
        raise BadInput("qr_too_long") from None
    side = (code.symbol_size(1, look.border)[0]) * look.scale
    if side > LARGEST:
        why = f"makes it {side} pixels wide, at most {LARGEST}."
        raise BadInput("bad_argument", name="scale", value=look.scale, why=why)
    return code


def _matrix(text: str, look: Look) -> Sequence[bytes]:
    return [bytes(row) for row in _made(text, look).matrix]


def _runs(rows: Sequence[bytes], border: int) -> Iterator[str]:
    """Dark squares of each row, side by side in one stroke."""
    for y, row in enumerate(rows):
        start: int | None = None
        for x, is_dark in enumerate((*row, 0)):
            if is_dark and start is None:
                start = x
            elif not is_dark and start is not None:
                yield f"M{start + border} {y + border + 0.5}h{x - start}"
                start = None


def _line(label: str, side: int) -> tuple[float, float]:
    """(height of a letter, height of the line with its margins), in modules."""
    if not label:
        return 0.0, 0.0
    size = min(TEXT, (side - 2) / _width(label))
    return size, round(size + GAP, 2)


def _width(text: str) -> float:
    """Of a line in letters' heights: a Chinese character is as wide as it is high."""
    return sum(1.0 if unicodedata.east_asian_width(c) in "WF" else 0.58 for c in text)
