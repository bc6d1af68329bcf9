"""Which channel a visit gets, and which rule says so."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from touchline.web.served import Admin, told

router = APIRouter(prefix="/api/v1/channel")


class Visit(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: str | None = Field(None, description="address of the page")
    referrer: str | None = Field(None, description="where the link to it was")
    user_agent: str | None = Field(None, description="the visitor's browser")
    mode: Literal["extended", "ga4"] | None = Field(None, description="default: that in force")


@router.get("/explain", summary="The channel of a visit, and the rule that decides")
async def explain(here: Admin, visit: Annotated[Visit, Query()]) -> Response:
    return await told(here, "channel_explain", visit.model_dump(exclude_none=True))
