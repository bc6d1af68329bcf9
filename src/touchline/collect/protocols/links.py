"""GET /l/{code}: a short link → the page it stands for, and a touch of whoever followed it."""

import msgspec

from touchline import clock
from touchline.collect.link import CODE
from touchline.collect.notice import language, notice
from touchline.collect.protocol import Guide, Led, Protocol, Route
from touchline.collect.visit import Lead, followed, read, refuse
from touchline.errors import Unavailable
from touchline.model import RawRequest

__all__ = ["LINKS"]

PREFIX = "/l/"
SOURCE = "links"


async def _lead(request: RawRequest, guide: Guide) -> Led:
    speaks = language(request.headers.get("accept-language", ""))
    code = request.path.removeprefix(PREFIX).lower()
    try:
        link = await guide.link(code) if CODE.fullmatch(code) else None
    except Unavailable:
        return Led(notice(503, speaks))
    if link is None:
        return Led(notice(404, speaks))
    if link.expires_us is not None and link.expires_us < clock.now_us():
        return Led(notice(410, speaks))
    about = {"code": link.code, "label": link.label, "channel": link.channel}
    lead = Lead("Link Clicked", link.target, link.labels, link.person, about)
    return followed(msgspec.structs.replace(request, source=SOURCE), lead, guide)


LINKS = Protocol(
    name="links",
    routes=(Route(PREFIX + "{}", ("GET", "HEAD")),),
    read=read,
    refuse=refuse,
    names_visitors="day",
    leads=_lead,
)
