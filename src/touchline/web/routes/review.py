"""Who may be one person though no identifier says so: matched, seen, accepted, rejected."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from touchline.web.served import MOST, Admin, streamed, told

router = APIRouter(prefix="/api/v1/identity")


class Match(BaseModel):
    model_config = ConfigDict(extra="forbid")

    threshold: float | None = Field(
        None, ge=0.5, le=1, description="what is likelier joins people by itself; default 0.999"
    )
    dry_run: bool = Field(False, description="count only, keep nothing")


class Listed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    status: Literal["open", "sure", "accepted", "rejected", "all"] | None = Field(
        None, description="default open"
    )
    limit: int | None = Field(None, ge=1, le=MOST, description="default 100")


class Verdict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(description="one line, for whoever reads it later")
    author: str | None = Field(None, description="who decided; default the admin key")


@router.post("/match", summary="Compare all records anew")
async def match(here: Admin, wanted: Match) -> Response:
    """What came of it; when it takes long, the number of the job that is at it."""
    return await told(here, "match", {"threshold": wanted.threshold, "is_trial": wanted.dry_run})


@router.get("/review", summary="Suggestions, the most likely first, as JSON lines")
async def review(here: Admin, asked: Annotated[Listed, Query()]) -> StreamingResponse:
    """Both sides in clear, and in bits what speaks for and (below 0) against one person."""
    args = asked.model_dump(exclude_none=True)
    return await streamed(here, "review", args, "application/x-ndjson")


@router.post("/review/{number}/{verdict}", summary="Accept or reject a suggestion")
async def answer(
    here: Admin,
    number: Annotated[int, Path(le=MOST)],
    verdict: Literal["accept", "reject"],
    said: Verdict,
) -> StreamingResponse:
    """A decision like any other, which can be undone."""
    args = {"number": number, "verdict": verdict, **said.model_dump()}
    return await streamed(here, "answer_suggestion", args, "application/json")
