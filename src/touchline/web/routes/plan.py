"""The tracking plan beside what came in. It is put in force like any definition."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from touchline.web.served import Admin, streamed, told

router = APIRouter(prefix="/api/v1/plan")
JSON = "application/json"

Language = Annotated[Literal["en", "zh"], Query(description="of texts")]


class Days(BaseModel):
    model_config = ConfigDict(extra="forbid")

    days: int | None = Field(None, ge=1, le=3660, description="how many days back, today included")


class Checked(Days):
    language: Literal["en", "zh"] = "en"


class Begun(BaseModel):
    model_config = ConfigDict(extra="forbid")

    template: str
    language: Literal["en", "zh"] = "en"


@router.get("", summary="The events of the plan and the map of touchpoints, each with its status")
async def plan(here: Admin, asked: Annotated[Days, Query()]) -> StreamingResponse:
    return await streamed(here, "plan", asked.model_dump(), JSON)


@router.get("/check", summary="What goes against the plan, and touchpoints that fell silent")
async def check(here: Admin, asked: Annotated[Checked, Query()]) -> StreamingResponse:
    return await streamed(here, "plan_check", asked.model_dump(), JSON)


@router.get("/observed", summary="The events that came in, and a plan that describes them")
async def observed(here: Admin, asked: Annotated[Days, Query()]) -> StreamingResponse:
    return await streamed(here, "plan_observed", asked.model_dump(), JSON)


@router.get("/templates", summary="Plans to begin with, one a business")
async def templates(here: Admin) -> StreamingResponse:
    return await streamed(here, "plan_templates", {}, JSON)


@router.get("/templates/{name}", summary="One of them, as TOML and as JSON")
async def template(here: Admin, name: str, language: Language = "en") -> StreamingResponse:
    return await streamed(here, "plan_template", {"name": name, "language": language}, JSON)


@router.post("/new", summary="Begin with a template, where there is no plan yet")
async def begin(here: Admin, wanted: Begun) -> Response:
    return await told(here, "begin_plan", wanted.model_dump())
