"""What each channel and campaign was worth."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from touchline.web.served import Admin, streamed

router = APIRouter(prefix="/api/v1")


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    goal: str | None = Field(None, description="name of a goal; default the first")
    models: str | None = Field(None, description="all, or names with commas")
    by: str | None = Field(None, description="channel[,campaign[,ad_group|term|content]]")
    window: str | None = Field(None, description="such as 90d")
    start: str | None = Field(None, alias="from", description="first day of conversions")
    end: str | None = Field(None, alias="to", description="last day of conversions, inclusive")
    as_of: str | None = Field(None, description="the report as it was known on that day")


@router.get("/attribution", summary="Credit, revenue and cost of each channel, by model")
async def attribution(here: Admin, asked: Annotated[Asked, Query()]) -> StreamingResponse:
    args = asked.model_dump(by_alias=True, exclude_none=True)
    return await streamed(here, "attribution", args, "application/json")
