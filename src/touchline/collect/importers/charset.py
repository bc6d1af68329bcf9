"""FILE → text, whatever its encoding. The bytes are read once through before the first row.

So a torn gzip or a wrong encoding is told before anything is stored, and a UTF-8 file with three
broken lines loses those three only. GB18030 also covers GBK and GB2312, which people say and mean.
Undecodable bytes come out as lone surrogates: `SURROGATE` finds the lines that hold them.
"""

import codecs
import gzip
import io
import re
import zlib
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from touchline.errors import BadInput

__all__ = ["SURROGATE", "Charset", "detect", "open_bytes", "open_text"]

SURROGATE = re.compile("[\ud800-\udfff]")

GZIP = b"\x1f\x8b"
CHUNK = 1 << 20
PIECE = 1 << 16

# The longer mark first: UTF-32 begins like UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Charset(Struct, frozen=True):
    """`is_damaged`: some lines do not decode, so each line has to be looked at."""

    name: str
    is_damaged: bool = False

    @property
    def errors(self) -> str:
        return "replace" if self.name.startswith(("utf-16", "utf-32")) else "surrogateescape"


def open_bytes(path: Path) -> BinaryIO:
    """The file's bytes, unpacked when they are gzip."""
    try:
        raw = path.open("rb")
        if raw.read(2) != GZIP:
            raw.seek(0)
            return raw
        raw.close()
        return gzip.GzipFile(path)  # pyright: ignore[reportReturnType] # a BinaryIO in all but name
    except FileNotFoundError:
        raise BadInput("file_missing", path=path) from None
    except OSError as error:
        raise BadInput(
            "file_unreadable", path=path, format="a file", reason=error.strerror
        ) from None


def open_text(path: Path, charset: Charset) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        open_bytes(path), encoding=charset.name, errors=charset.errors, newline=""
    )


def detect(path: Path, named: str | None = None) -> Charset:
    """The encoding of a text file; `named` is what the map says, and then only checked to exist."""
    with open_bytes(path) as stream:
        try:
            head = stream.read(CHUNK)
            if named is not None:
                _drain(stream)
                return Charset(_known(named), is_damaged=True)
            charset = _by_mark(head) or _by_nul(head, path)
            if charset is not None:
                _drain(stream)
                return charset
            if _is_utf8(head, stream):
                return Charset("utf-8")
            stream.seek(0)
            return _by_lines(stream, path)
        except (EOFError, OSError, zlib.error) as error:
            raise BadInput(
                "file_unreadable", path=path, format="gzip", reason=str(error) or "it breaks off"
            ) from None


def _known(named: str) -> str:
    try:
        name = codecs.lookup(named).name
        "x".encode(name).decode(name)
    except (LookupError, UnicodeError, ValueError):
        raise BadInput("map_bad_encoding", value=named) from None
    # Whoever says gbk or gb2312 means the Chinese of today, which only gb18030 holds completely.
    return "gb18030" if name in {"gbk", "gb2312", "cp936"} else name


def _drain(stream: BinaryIO) -> None:
    while stream.read(CHUNK):
        pass


def _by_mark(head: bytes) -> Charset | None:
    for mark, name in _MARKS:
        if head.startswith(mark):
            return Charset(name, is_damaged=True)
    return None


def _by_nul(head: bytes, path: Path) -> Charset | None:
    """UTF-16 without a mark shows by zero bytes on one side; zero bytes all over are no text."""
    sample = head[: PIECE - PIECE % 2]
    if sample.count(0) * 20 < len(sample):
        return None
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if odd > 10 * even:
        return Charset("utf-16-le", is_damaged=True)
    if even > 10 * odd:
        return Charset("utf-16-be", is_damaged=True)
    raise BadInput("file_unreadable", path=path, format="text", reason="it is full of zero bytes")


def _is_utf8(head: bytes, stream: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    chunk = head
    try:
        while chunk:
            decoder.decode(chunk)
            chunk = stream.read(CHUNK)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _by_lines(stream: BinaryIO, path: Path) -> Charset:
    """Which encoding fits most lines. Only files that are not clean UTF-8 come here."""
    utf8 = utf8_bad = gb_bad = pairs = common = 0
    first_bad = 0
    for number, line in enumerate(iter(lambda: stream.readline(PIECE), b""), 1):
        if line.isascii():
            continue
        if _decodes(line, "utf-8"):
            utf8 += 1
        else:
            utf8_bad += 1
            first_bad = first_bad or number
        if _decodes(line, "gb18030"):
            every, usual = _pairs(line)
            pairs += every
            common += usual
        else:
            gb_bad += 1
    if utf8 > 10 * utf8_bad:
        return Charset("utf-8", is_damaged=True)
    # In real Chinese most characters are GB2312; Latin-1 text taken for GBK has almost none.
    if common * 2 > pairs and gb_bad * 20 <= utf8 + utf8_bad:
        return Charset("gb18030", is_damaged=gb_bad > 0)
    raise BadInput("encoding_unknown", path=path, line=first_bad)


def _decodes(line: bytes, name: str) -> bool:
    try:
        line.decode(name)
    except UnicodeDecodeError:
        return False
    return True


# A double byte of GBK, and within these the level-one characters and punctuation of GB2312.
_PAIR = re.compile(rb"[\x81-\xfe][\x40-\xfe]")
_COMMON = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")


def _pairs(line: bytes) -> tuple[int, int]:
    found = _PAIR.findall(line)
    return len(found), sum(1 for pair in found if _COMMON.match(pair))
