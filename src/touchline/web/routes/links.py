"""Short links and QR codes; what mails carry."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from touchline.web.served import MOST, Admin, streamed, told

router = APIRouter(prefix="/api/v1")
TYPES = {"svg": "image/svg+xml", "png": "image/png"}
HOST = Field(None, description="where visitors reach this server; default the setting public_url")


class Campaign(BaseModel):
    model_config = ConfigDict(extra="forbid")

    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    ad_group: str | None = None
    term: str | None = None
    content: str | None = None


class NewLink(Campaign):
    target: str = Field(description="where it leads: an http or https address")
    code: str | None = Field(None, description="made up by default")
    channel: str | None = Field(None, description="default: what the channel rules say")
    label: str | None = None
    owner: str | None = None
    expires: str | None = Field(None, description="a day, to its end, or an ISO moment")
    person: str | None = Field(None, description="`type:value`: whom alone it is for")


class Mail(BaseModel):
    model_config = ConfigDict(extra="forbid")

    message: str = Field(description="the sender's own id of the mail")
    person: str = Field(description="`type:value`: its reader")
    source: str | None = None
    medium: str = "email"
    campaign: str | None = None
    content: str | None = None
    targets: list[str] = Field([], max_length=100, description="where its links lead")


class Listed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    campaign: str | None = None
    source: str | None = None
    owner: str | None = None
    host: str | None = HOST
    limit: int | None = Field(None, ge=1, le=MOST)
    cursor: str | None = None


class Drawn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Literal["svg", "png"] = "svg"
    label: str | None = Field(None, description="a line of text beneath it")
    error: Literal["L", "M", "Q", "H"] = "M"
    border: int | None = Field(None, description="the quiet zone, in modules; default 4")
    scale: int | None = Field(None, description="pixels of a module; default 8")

    def args(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)


class DrawnLink(Drawn):
    host: str | None = HOST


class DrawnUrl(Drawn, Campaign):
    url: str


@router.get("/links", summary="Short links as JSON lines, the newest first")
async def listed(here: Admin, asked: Annotated[Listed, Query()]) -> StreamingResponse:
    return await streamed(here, "links", asked.model_dump(), "application/x-ndjson")


@router.post("/links", status_code=201, summary="Make a short link, or up to 1,000 at once")
async def create(
    here: Admin,
    wanted: NewLink | Annotated[list[NewLink], Field(min_length=1, max_length=1000)],
    host: Annotated[str | None, Query(description="as of the list")] = None,
    dry_run: Annotated[bool, Query(description="only show what would be made")] = False,
) -> Response:
    """All or none. Making the same link again answers with the one there is."""
    one = not isinstance(wanted, list)
    listed = [wanted] if isinstance(wanted, NewLink) else wanted
    args = {
        "links": [link.model_dump(exclude_none=True) for link in listed],
        "host": host,
        "is_trial": dry_run,
        "is_one": one,
    }
    return await told(here, "create_links", args, status=200 if dry_run else 201)


@router.get("/links/{code}", summary="One short link")
async def link(here: Admin, code: str, host: str | None = None) -> Response:
    return await told(here, "link", {"code": code, "host": host})


@router.get("/links/{code}/qr", summary="The QR code of a short link, as a file")
async def link_qr(
    here: Admin, code: str, asked: Annotated[DrawnLink, Query()]
) -> StreamingResponse:
    args = {**asked.args(), "code": code}
    return _as_file(await streamed(here, "qr", args, TYPES[asked.format]), code, asked.format)


@router.post("/mails", summary="Addresses to put into a mail, or into up to 1,000 at once")
async def sign_mails(
    here: Admin,
    wanted: Mail | Annotated[list[Mail], Field(min_length=1, max_length=1000)],
    host: Annotated[str | None, Query(description="as of the list")] = None,
) -> Response:
    """An image that tells of opening, and a link for each target, all signed. Nothing is sent."""
    listed = [wanted] if isinstance(wanted, Mail) else wanted
    args = {
        "mails": [mail.model_dump(exclude_none=True) for mail in listed],
        "host": host,
        "is_one": not isinstance(wanted, list),
    }
    return await told(here, "sign_mails", args)


@router.get("/naming", summary="Campaign names that visitors came with, against the naming rules")
async def naming(
    here: Admin, days: Annotated[int, Query(ge=1, le=3660, description="so many back")] = 30
) -> Response:
    return await told(here, "named", {"days": days})


@router.get("/qr", summary="The QR code of any address with its campaign, as a file")
async def url_qr(here: Admin, asked: Annotated[DrawnUrl, Query()]) -> StreamingResponse:
    made = await streamed(here, "qr", asked.args(), TYPES[asked.format])
    return _as_file(made, "qr", asked.format)


def _as_file(answer: StreamingResponse, name: str, form: str) -> StreamingResponse:
    """By the code's name, of which only what a file's name may hold."""
    safe = "".join(c for c in name if c.isascii() and (c.isalnum() or c in "-_"))
    answer.headers["content-disposition"] = f'attachment; filename="{safe or "qr"}.{form}"'
    return answer
