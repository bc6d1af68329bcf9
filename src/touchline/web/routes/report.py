"""What each channel and campaign was worth."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from touchline.web.served import Admin, Served, streamed

router = APIRouter(prefix="/api/v1")


class Question(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    goal: str | None = Field(None, description="name of a goal; default the first")
    window: str | None = Field(None, description="such as 90d; default the goal's")
    start: str | None = Field(None, alias="from", description="first day of conversions")
    end: str | None = Field(None, alias="to", description="last day of conversions, inclusive")
    as_of: str | None = Field(None, description="the report as it was known on that day")


class Tuned(Question):
    half_life: str | None = Field(None, description="days of time_decay, or fitted")
    positions: str | None = Field(None, description="of position_based: first=0.5,last=0.5")
    weights: str | None = Field(None, description="of the model custom: first=0.5,lead=0.5")


class Asked(Tuned):
    models: str | None = Field(None, description="all, or names with commas")
    by: str | None = Field(None, description="channel, and any of campaign, content, stage ...")
    interval: float | None = Field(None, description="how sure each figure is, such as 0.95")
    replicates: int | None = Field(None, description="draw whole customers so often")


class Journeys(Question):
    by: str | None = Field(None, description="channel, and any of campaign, content, stage ...")
    top: int | None = Field(None, ge=1, le=1000, description="how many paths; default 20")


class Patterns(Question):
    show: str | None = Field(None, description="transitions, synergy, combinations or positions")
    order: int | None = Field(None, ge=1, le=99, description="transitions from so many channels")
    limit: int | None = Field(None, ge=1, description="combinations told one by one; default 100")


class Number(Tuned):
    model: str = Field(description="name of one model")
    channel: str | None = Field(None, description="of this label; empty for none")
    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    ad_group: str | None = None
    term: str | None = None
    content: str | None = None
    landing_page: str | None = None
    content_id: str | None = None
    stage: str | None = Field(None, description="visitor, lead or opportunity")
    limit: int | None = Field(None, ge=1, le=1000)


class Models(Tuned):
    models: str | None = Field(None, description="all, or names with commas")


class Situation(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    aim: str | None = Field(None, alias="for", description="budget, report, openers or closers")
    goal: str | None = Field(None, description="name of a goal; default the first")
    window: str | None = Field(None, description="how far back first touches are looked for")
    start: str | None = Field(None, alias="from", description="first day of conversions")
    end: str | None = Field(None, alias="to", description="last day of conversions, inclusive")
    cycle_days: float | None = Field(None, description="instead of what the workspace knows")
    conversions: int | None = None
    channels: int | None = None
    lift_tests: int | None = None
    has_stages: bool | None = Field(None, description="a CRM tells of leads and opportunities")


@router.get("/attribution/guide", summary="Which model to use, and why")
async def attribution_guide(here: Admin, asked: Annotated[Situation, Query()]) -> StreamingResponse:
    return await _answered(here, "attribution_guide", asked)


@router.get("/attribution", summary="Credit, revenue and cost of each channel, by model")
async def attribution(here: Admin, asked: Annotated[Asked, Query()]) -> StreamingResponse:
    return await _answered(here, "attribution", asked)


@router.get("/roles", summary="Who opens, helps and closes; how long it takes; paths and losses")
async def roles(here: Admin, asked: Annotated[Journeys, Query()]) -> StreamingResponse:
    return await _answered(here, "roles", asked)


@router.get("/patterns", summary="How channels follow, help and join each other")
async def patterns(here: Admin, asked: Annotated[Patterns, Query()]) -> StreamingResponse:
    return await _answered(here, "patterns", asked)


@router.get("/explain", summary="The conversions behind a number of a report")
async def explain_number(here: Admin, asked: Annotated[Number, Query()]) -> StreamingResponse:
    return await _answered(here, "explain_number", asked)


@router.get("/explain/{conversion:path}", summary="One conversion: its journey, and who got what")
async def explain(
    here: Admin, conversion: str, asked: Annotated[Models, Query()]
) -> StreamingResponse:
    return await _answered(here, "explain", asked, conversion=conversion)


@router.get("/models", summary="What each attribution model means, and when not to believe it")
async def models(here: Admin) -> StreamingResponse:
    return await streamed(here, "model_notes", {}, "application/json")


async def _answered(here: Served, name: str, asked: BaseModel, **more: str) -> StreamingResponse:
    """The answer to a question of this name, by what was asked; what was left open is left out."""
    args = asked.model_dump(by_alias=True, exclude_none=True)
    return await streamed(here, name, {**args, **more}, "application/json")
