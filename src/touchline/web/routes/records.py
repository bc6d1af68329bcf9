"""What was received: events, rejects, and one person's timeline."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from touchline.web.served import Admin, streamed

router = APIRouter(prefix="/api/v1")
LINES = "application/x-ndjson"


class Paging(BaseModel):
    """Filters are exact about their names: a misspelt one must not return everything."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    message_id_prefix: str | None = None
    start: str | None = Field(None, alias="from", description="inclusive: day or ISO moment")
    end: str | None = Field(None, alias="to", description="exclusive: day or ISO moment")
    limit: int | None = Field(None, ge=1)
    cursor: str | None = Field(None, description="`cursor` of the last line of the page before")
    person: str | None = Field(None, description="person_id, `type:value` or a value")

    def args(self) -> dict[str, object]:
        return self.model_dump(by_alias=True, exclude_none=True)


@router.get("/events", summary="Events as JSON lines, by arrival")
async def events(here: Admin, paging: Annotated[Paging, Query()]) -> StreamingResponse:
    return await streamed(here, "events", paging.args(), LINES)


@router.get("/rejects", summary="What could not be stored, and why, as JSON lines")
async def rejects(here: Admin, paging: Annotated[Paging, Query()]) -> StreamingResponse:
    return await streamed(here, "rejects", paging.args(), LINES)


@router.get("/people/{person:path}/timeline", summary="One person and all that happened to them")
async def timeline(here: Admin, person: str) -> StreamingResponse:
    return await streamed(here, "timeline", {"person": person}, "application/json")
