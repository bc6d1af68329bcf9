"""What a sent mail asks for: `/o/{token}.gif` when it is opened, `/c/{token}` when it is followed.

An open is an event and no touch. Mail services fetch images through machines of their own: those
are named, and of those that fetch before anybody looks (Apple's) the open says so. The token of an
image that is not ours is answered with an image all the same, that of a link with a page.
"""

import msgspec

from touchline.collect.mail import CLICK, OPEN, proxy
from touchline.collect.notice import language, notice
from touchline.collect.preview import preview
from touchline.collect.protocol import Guide, Led, Protocol, Route, gif
from touchline.collect.visit import Lead, followed, item_of, logged, named, read, refuse
from touchline.collect.visitor import visitor_of
from touchline.errors import Unavailable
from touchline.model import Identifier, RawRequest

__all__ = ["CLICKS", "OPENS"]

SOURCE = "email"
_O, _C, _GIF = "/o/", "/c/", ".gif"


async def _open(request: RawRequest, guide: Guide) -> Led:
    token = request.path.removeprefix(_O).removesuffix(_GIF)
    mailed = guide.signer.read(OPEN, token)
    if mailed is None:
        return Led(gif())
    by, is_early = proxy(request.user_agent)
    # A proxy's address and program are not the reader's.
    seen = msgspec.structs.replace(
        request,
        source=SOURCE,
        user_agent=None if by else request.user_agent,
        ip=None if by else request.ip,
    )
    headers = {k: v for k, v in request.headers.items() if k != "sec-fetch-dest"}
    why = None if by else preview(request.user_agent, headers)
    about = {
        "email_id": mailed.message,
        **{name: getattr(mailed, name) for name in ("campaign", "source", "medium", "content")},
        "proxy": by,
        "is_prefetch": True if is_early or why else None,
    }
    item = item_of(seen, "Email Opened", visitor_of(seen, SOURCE), about, {})
    return Led(gif(), logged(seen, named(item, await _recipient(guide, mailed.recipient))))


async def _click(request: RawRequest, guide: Guide) -> Led:
    mailed = guide.signer.read(CLICK, request.path.removeprefix(_C))
    if mailed is None or mailed.target is None:
        return Led(notice(404, language(request.headers.get("accept-language", ""))))
    person = await _recipient(guide, mailed.recipient)
    about = {"email_id": mailed.message}
    lead = Lead("Email Link Clicked", mailed.target, mailed.labels, person, about)
    return followed(msgspec.structs.replace(request, source=SOURCE), lead, guide)


async def _recipient(guide: Guide, node: bytes) -> Identifier | None:
    """Nobody is kept waiting for, or sent away over, a name that cannot be looked up now."""
    try:
        return await guide.identifier(node)
    except Unavailable:
        return None


OPENS = Protocol(
    name="email_opens",
    routes=(Route(f"{_O}{{}}{_GIF}", ("GET", "HEAD")),),
    read=read,
    refuse=lambda _: gif(),
    names_visitors="day",
    leads=_open,
)
CLICKS = Protocol(
    name="email_clicks",
    routes=(Route(f"{_C}{{}}", ("GET", "HEAD")),),
    read=read,
    refuse=refuse,
    names_visitors="day",
    leads=_click,
)
