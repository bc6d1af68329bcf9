"""A URL as a browser reports it → host, path and the few parameters asked for. Never raises.

Links of single-page apps keep their parameters behind `#`; old Chinese systems percent-encode GBK.
Both are read.
"""

import re
from collections.abc import Iterator
from itertools import islice
from urllib.parse import unquote_to_bytes

__all__ = ["fields", "host_and_path", "parameters", "registrable", "unquoted"]

MAX_URL = 8192
MAX_PARAMETERS = 256
MAX_FIELDS = 1024

_HEAD = re.compile(r"(?:[a-z][a-z0-9+.\-]*:)?//([^/?#\\]*)([^?#]*)", re.IGNORECASE)
_HOST = re.compile(r"[^\s/@\[\]<>\"']+|\[[0-9a-f:.]+\]")
_NUMERIC = re.compile(r"[0-9.]+|\[.*\]")

# Second levels under which countries sell names: the owner's name is one label further left.
_SECOND_LEVEL_WORDS = "com net org gov edu ac co or ne go gob mil gen ltd plc me in"
_SECOND_LEVEL = frozenset(_SECOND_LEVEL_WORDS.split())


def host_and_path(url: str | None) -> tuple[str | None, str]:
    """(host, path) of an absolute URL, else (None, ""). The host without user, port and `www.`."""
    head = _HEAD.match(url[:MAX_URL].strip()) if url else None
    if head is None:
        return None, ""
    host = head.group(1).rpartition("@")[2].lower()
    host = re.sub(r":\d*$", "", host).rstrip(".").removeprefix("www.")
    if not host or not _HOST.fullmatch(host):
        return None, ""
    return host, head.group(2)


def registrable(host: str) -> str:
    """The domain somebody registered: `m.shop.example.com.cn` → `example.com.cn`."""
    labels = host.split(".")
    if len(labels) <= 2 or _NUMERIC.fullmatch(host):
        return host
    keep = 3 if len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL else 2
    return ".".join(labels[-keep:])


def parameters(url: str) -> Iterator[tuple[str, str]]:
    """(name in lower case, value still quoted) of a URL's query, then of the one behind its `#`."""
    url = url[:MAX_URL]
    head, _, fragment = url.partition("#")
    query = head.partition("?")[2]
    hidden = fragment.partition("?")[2] or (fragment if "=" in fragment else "")
    for part in islice(f"{query}&{hidden}".split("&"), MAX_PARAMETERS):
        name, equals, value = part.partition("=")
        if equals and value:
            yield unquoted(name).lower(), value


def fields(text: bytes) -> dict[str, str]:
    """Names and values of a whole query or form, decoded; of a name that stands twice the first."""
    found: dict[str, str] = {}
    for part in text.split(b"&", MAX_FIELDS)[:MAX_FIELDS]:
        name, equals, value = part.partition(b"=")
        if equals:
            found.setdefault(_field(name), _field(value))
    return found


def _field(quoted: bytes) -> str:
    return _decoded(unquote_to_bytes(quoted.replace(b"+", b" "))).replace("\0", "\ufffd")


def unquoted(text: str) -> str:
    """Percent-decoded: UTF-8, else GB18030, else with marks where nothing fits."""
    if "%" not in text and "+" not in text:
        return text
    return _decoded(unquote_to_bytes(text.replace("+", " ")))


def _decoded(raw: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "replace")
