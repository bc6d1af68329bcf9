"""What was received: events, rejects, and one person's timeline."""

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from touchline.web.served import MOST, Admin, streamed, told

router = APIRouter(prefix="/api/v1")
LINES = "application/x-ndjson"


class Paging(BaseModel):
    """Filters are exact about their names: a misspelt one must not return everything."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    message_id_prefix: str | None = None
    start: str | None = Field(None, alias="from", description="inclusive: day or ISO moment")
    end: str | None = Field(None, alias="to", description="exclusive: day or ISO moment")
    limit: int | None = Field(None, ge=1, le=MOST)
    cursor: str | None = Field(None, description="`cursor` of the last line of the page before")
    person: str | None = Field(None, description="person_id, `type:value` or a value")

    def args(self) -> dict[str, object]:
        return self.model_dump(by_alias=True, exclude_none=True)


class Audited(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    action: str | None = None
    actor: str | None = None
    person: str | None = Field(None, description="person_id, `type:value` or a value")
    start: str | None = Field(None, alias="from", description="inclusive: day or ISO moment")
    end: str | None = Field(None, alias="to", description="exclusive: day or ISO moment")
    limit: int | None = Field(None, ge=1, le=MOST)
    cursor: int | None = Field(None, ge=1, le=MOST, description="`number` of the last line before")


class Rejects(Paging):
    reason: str | None = None
    source: str | None = None
    kind: Literal["events", "costs", "conversions", "people", "rates", "aggregates"] | None = None
    status: Literal["open", "replayed", "all"] | None = Field(None, description="default open")


class Replay(BaseModel):
    """Which rejects: by id, by reason, by source, or all."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    ids: list[str] | None = Field(None, max_length=10_000, description="`reject_id`")
    reason: str | None = None
    source: str | None = None
    is_all: bool | None = Field(None, alias="all")
    edits: dict[str, Any] | None = Field(
        None, max_length=1_000, description="`reject_id` → what shall stand in the payload's place"
    )


class Hours(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    source: str | None = None
    start: str | None = Field(None, alias="from", description="inclusive: day or ISO moment")
    end: str | None = Field(None, alias="to", description="exclusive: day or ISO moment")


@router.get("/events", summary="Events as JSON lines, by arrival")
async def events(here: Admin, paging: Annotated[Paging, Query()]) -> StreamingResponse:
    return await streamed(here, "events", paging.args(), LINES)


@router.get("/audit", summary="Who did and who saw what, as JSON lines")
async def audit(here: Admin, asked: Annotated[Audited, Query()]) -> StreamingResponse:
    args = asked.model_dump(by_alias=True, exclude_none=True)
    return await streamed(here, "audit", args, LINES)


@router.get("/aggregates", summary="Touches that name nobody, a row a period, as JSON lines")
async def aggregates(here: Admin) -> StreamingResponse:
    return await streamed(here, "aggregates", {}, LINES)


@router.get("/rejects", summary="What could not be stored, and why, as JSON lines")
async def rejects(here: Admin, asked: Annotated[Rejects, Query()]) -> StreamingResponse:
    return await streamed(here, "rejects", asked.args(), LINES)


@router.post("/rejects/replay", summary="Store rejects after all, as they are or corrected")
async def replay(here: Admin, wanted: Replay) -> Response:
    """What became of them; of many, the number of the job that is at it."""
    args = wanted.model_dump(exclude_none=True, by_alias=True)
    if wanted.edits:  # as text: what the collector takes, such as a number without end, goes too
        args["edits"] = {name: json.dumps(new).encode() for name, new in wanted.edits.items()}
    return await told(here, "replay", args)


@router.get("/intake", summary="What was received and what became of it, by source and hour")
async def intake(here: Admin, asked: Annotated[Hours, Query()]) -> StreamingResponse:
    args = asked.model_dump(by_alias=True, exclude_none=True)
    return await streamed(here, "intake", args, "application/json")


@router.get("/jobs/{number}", summary="How far a job is, or what came of it")
async def job(here: Admin, number: Annotated[int, Path(le=MOST)]) -> Response:
    return await told(here, "job", {"number": number})


@router.get("/people/{person:path}/timeline", summary="One person and all that happened to them")
async def timeline(here: Admin, person: str) -> StreamingResponse:
    return await streamed(here, "timeline", {"person": person}, "application/json")
