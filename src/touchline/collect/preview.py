"""Who asks for an address without a person having chosen it: robots, previews, scouts ahead.

Chat apps draw a card of a link before anybody reads it, browsers fetch pages that may be wanted
next, mail is looked through by scanners. None of these is a touch.
"""

import re
from collections.abc import Mapping

from touchline.collect.bots import is_bot

__all__ = ["HEADERS", "preview"]

# What of a request is looked at, beside the user agent.
HEADERS = (b"purpose", b"x-purpose", b"x-moz", b"sec-purpose", b"sec-fetch-dest")

# Programs that draw cards or look through mail, and do not call themselves bots.
_CARDS = re.compile(
    r"^(?:whatsapp|viber|snapchat|iframely|flipboardproxy|slack-imgproxy|google-pagerenderer)\b"
    r"|(?<![a-z])(?:larkurl|lark-?preview|cardyb|mastodon/|pleroma|misskey|lemmy/|virustotal|urlscan"
    r"|microsoft office existence discovery|ms-office|proofpoint|mimecast|barracuda|messagelabs"
    r"|trend ?micro|fireeye|googleimageproxy|yahoomailproxy)"
)
# Documents are what a person opens; a link in an `img` or a script of some page is not.
_OPENED = frozenset(("document", ""))


def preview(agent: str | None, headers: Mapping[str, str]) -> str | None:
    """Why this is no person's click: `prefetch`, `embedded`, `preview` or `bot`; None if it may be.

    Headers by lower-case name. What says nothing is taken for a person.
    """
    purposes = " ".join(headers.get(name.decode(), "") for name in HEADERS[:4]).lower()
    if "prefetch" in purposes or "preview" in purposes:
        return "prefetch"
    if headers.get("sec-fetch-dest", "").lower() not in _OPENED:
        return "embedded"
    if _CARDS.search((agent or "")[:1024].lower()):
        return "preview"
    return "bot" if is_bot(agent) else None
