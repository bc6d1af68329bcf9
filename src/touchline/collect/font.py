"""A text and a height → a font of this machine that draws all of it, for Pillow.

Machines have fonts in different places under different names, and few have Chinese ones: those
known to have are looked for first. The surprise: a font without a letter draws a box in its place,
so that is what is looked for.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from touchline.errors import BadInput

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

__all__ = ["font_for"]

FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "C:/Windows/Fonts",
)
# Name of the file, and which of the fonts in it writes Chinese as it is written in China.
KNOWN = {
    "NotoSansCJK-Regular.ttc": 2,
    "NotoSansCJKsc-Regular.otf": 0,
    "NotoSansSC-Regular.otf": 0,
    "NotoSansSC-Regular.ttf": 0,
    "SourceHanSansSC-Regular.otf": 0,
    "SourceHanSansCN-Regular.otf": 0,
    "wqy-microhei.ttc": 0,
    "wqy-zenhei.ttc": 0,
    "PingFang.ttc": 0,
    "Hiragino Sans GB.ttc": 0,
    "msyh.ttc": 0,
    "simhei.ttf": 0,
    "DroidSansFallbackFull.ttf": 0,
    "DejaVuSans.ttf": 0,
    "LiberationSans-Regular.ttf": 0,
    "Arial.ttf": 0,
}
_NOWHERE = "\U0010fffd"  # no font has this one


def font_for(text: str, height: int, own: str | None = None) -> "FreeTypeFont":
    """Raises BadInput("no_font") when none has every letter. `own`: a font file to be used."""
    from PIL import ImageFont

    if own and not Path(own).is_file():
        raise BadInput("file_missing", path=own)
    known = [(own, 0)] if own else _there()
    for path, index in known:
        try:
            font = ImageFont.truetype(path, height, index=index)
        except OSError:
            continue
        if own or _draws(font, text):
            return font
    plain = None if own or not text.isascii() else ImageFont.load_default(height)
    if isinstance(plain, ImageFont.FreeTypeFont):  # Pillow's own has Latin letters
        return plain
    raise BadInput("no_font", text=text)


@lru_cache(maxsize=1)
def _there() -> tuple[tuple[str, int], ...]:
    """Known fonts of this machine, in the order of KNOWN."""
    found = {path.name: str(path) for path in _files() if path.name in KNOWN}
    return tuple((found[name], index) for name, index in KNOWN.items() if name in found)


def _files() -> Iterator[Path]:
    for folder in FOLDERS:
        try:
            yield from Path(folder).expanduser().rglob("*.[to]t[cf]")
        except (OSError, RuntimeError):
            continue


def _draws(font: "FreeTypeFont", text: str) -> bool:
    box = _drawn(font, _NOWHERE)
    return all(char.isspace() or _drawn(font, char) != box for char in set(text))


def _drawn(font: "FreeTypeFont", char: str) -> bytes:
    from PIL import Image, ImageDraw

    paper = Image.new("L", (64, 64), 255)
    ImageDraw.Draw(paper).text((4, 4), char, font=font.font_variant(size=40), fill=0)
    return paper.tobytes()
