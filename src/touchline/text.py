"""Text → HTML and cells, in one place: whatever could be more than text is escaped on its way.

    tag("p", {"class": "note"}, "Tom & Ann")   →   <p class="note">Tom &amp; Ann</p>

What surprises: nobody escapes by hand. `Html` says that a text is HTML; only `tag`, `joined` and
constants of ours are. An address that is none of http, https, mailto, tel or a path of this host
leaves no attribute at all.
"""

import html
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["Html", "disarmed", "document", "joined", "tag"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_NAME = re.compile(r"[a-z][a-z0-9-]*", re.ASCII)
_EMPTY = frozenset(("br", "hr", "img", "input", "link", "meta"))
_RAW = frozenset(("script", "style"))  # their text is no HTML: an escape would change it
_ADDRESSES = frozenset(("href", "src", "action", "formaction", "poster"))
_SAFE = re.compile(r"(?:https?://|mailto:|tel:|/(?![/\\])|[?#])", re.IGNORECASE)
# Neither a NUL nor half a character nor a control character belongs in a page.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def disarmed(cell: Any) -> Any:
    """A cell of a sheet: what a spreadsheet would run as a formula has an apostrophe before it."""
    if isinstance(cell, str) and cell.lstrip().startswith(_FORMULA):
        return "'" + cell
    return cell


class Html(str):
    """Text that is HTML."""

    __slots__ = ()


def tag(name: str, attributes: Mapping[str, str | bool | None] | None = None, *inside: str) -> Html:
    """An element. An attribute that is None or False is left out; True has no value."""
    if not _NAME.fullmatch(name) or (name in _RAW and any(type(x) is not Html for x in inside)):
        raise ValueError(name)
    start = f"<{name}{''.join(_attributes(attributes or {}))}>"
    return Html(start if name in _EMPTY else f"{start}{joined(*inside)}</{name}>")


def joined(*parts: str) -> Html:
    """Parts one behind the other, those that are plain text escaped."""
    return Html("".join(part if type(part) is Html else _escaped(part) for part in parts))


def document(language: str, title: str, style: Html, *inside: str) -> bytes:
    """A whole page that needs nothing beside itself."""
    head = tag(
        "head",
        None,
        tag("meta", {"charset": "utf-8"}),
        tag("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        tag("meta", {"name": "robots", "content": "noindex"}),
        tag("title", None, title),
        tag("style", None, style),
    )
    whole = tag("html", {"lang": language}, head, tag("body", None, *inside))
    return b"<!doctype html>\n" + whole.encode()


def _attributes(attributes: Mapping[str, str | bool | None]) -> list[str]:
    found: list[str] = []
    for name, value in attributes.items():
        # A handler's value would be a program, a style's could load: we write neither.
        if not _NAME.fullmatch(name) or name.startswith("on") or name == "style":
            raise ValueError(name)
        if value is True:
            found.append(f" {name}")
        elif isinstance(value, str) and (name not in _ADDRESSES or _SAFE.match(value)):
            found.append(f' {name}="{_escaped(value)}"')
    return found


def _escaped(text: str) -> str:
    return html.escape(_UNSHOWABLE.sub("\ufffd", text), quote=True)
