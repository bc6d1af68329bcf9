"""Lift tests: what marketing was found to cause, and which test would teach most."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from touchline.web.served import Admin, streamed, told

router = APIRouter(prefix="/api/v1")
GROUP = "people and conversions, such as `20000:340`"


class NewTest(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    name: str = Field(description="what it is called; one of the same name is replaced")
    channel: str
    campaign: str | None = Field(None, description="the one campaign that was tested")
    start: str = Field(alias="from", description="its first day")
    end: str = Field(alias="to", description="its last day")
    kind: Literal["geo", "user", "time"] = "geo"
    goal: str | None = Field(None, description="default the first")
    metric: Literal["conversions", "revenue"] = "conversions"
    effect: float | None = Field(None, description="what it caused; money in major units")
    error: float | None = Field(None, description="the standard error of the effect")
    low: float | None = Field(None, description="instead: lower bound of 95 %")
    high: float | None = Field(None, description="instead: upper bound of 95 %")
    treated: str | None = Field(None, description=f"instead, of those reached: {GROUP}")
    control: str | None = Field(None, description=f"of those held out: {GROUP}")
    share: float = Field(1.0, description="how much of the channel the test saw")


class Next(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    goal: str | None = Field(None, description="name of a goal; default the first")
    window: str | None = Field(None, description="such as 90d; default the goal's")
    start: str | None = Field(None, alias="from", description="first day of conversions")
    end: str | None = Field(None, alias="to", description="last day of conversions, inclusive")
    error: float | None = Field(None, description="of the test to come, as a part; default 0.15")
    campaigns: bool = Field(False, description="tests of campaigns as well")


@router.get("/lift", summary="Lift tests as JSON lines, the latest first")
async def listed(
    here: Admin,
    as_of: Annotated[str | None, Query(description="those known on that day")] = None,
) -> StreamingResponse:
    return await streamed(here, "lift_tests", {"as_of": as_of}, "application/x-ndjson")


@router.post("/lift", status_code=201, summary="Enter what a lift test found, or replace it")
async def add(here: Admin, wanted: NewTest) -> Response:
    return await told(here, "add_lift", wanted.model_dump(exclude_none=True), status=201)


@router.get("/lift/next", summary="Which lift test would teach most")
async def upcoming(here: Admin, asked: Annotated[Next, Query()]) -> StreamingResponse:
    args: dict[str, Any] = asked.model_dump(by_alias=True, exclude_none=True)
    return await streamed(here, "next_lift", args, "application/json")


@router.delete("/lift/{name:path}", summary="Take a lift test back")
async def remove(here: Admin, name: str) -> Response:
    """Reports as of a day before still know it."""
    return await told(here, "remove_lift", {"name": name})
