"""Outside systems whose rows are pulled: added, run, watched."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from touchline.web.problem import language_of
from touchline.web.served import MOST, Admin, told

router = APIRouter(prefix="/api/v1")


class NewSources(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sources: list[dict[str, Any]] = Field(
        min_length=1, max_length=100, description="as [[source]] of the definitions"
    )
    secrets: dict[str, str] = Field(
        {}, max_length=100, description="name → value, for `secret:NAME`; shown nowhere"
    )


class Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    start: str | None = Field(None, alias="from", description="pull again from this day on")


@router.get("/sources", summary="Every source: how far it is, how its last run went, the next")
async def listed(here: Admin, request: Request) -> Response:
    return await told(here, "sources", {"language": language_of(request)})


@router.post("/sources", status_code=201, summary="Add sources, or replace those of the same name")
async def add(here: Admin, wanted: NewSources) -> Response:
    return await told(here, "add_sources", {**wanted.model_dump(), "author": "api"}, status=201)


@router.delete("/sources/{name:path}", summary="Remove a source; what it brought stays")
async def remove(here: Admin, name: str) -> Response:
    return await told(here, "remove_source", {"source": name, "author": "api"})


@router.post("/sources/{name:path}/run", status_code=202, summary="Pull now, in the background")
async def run(here: Admin, name: str, wanted: Wanted | None = None) -> Response:
    """The job that does it: ask for it at `/api/v1/jobs/{number}`."""
    asked = {} if wanted is None else wanted.model_dump(by_alias=True, exclude_none=True)
    return await told(here, "run_source", {"source": name, **asked}, status=202)


@router.post(
    "/sources/{name:path}/preview", summary="The first rows, and what would become of them"
)
async def preview(here: Admin, name: str) -> Response:
    """Nothing is stored."""
    return await told(here, "preview_source", {"source": name})


@router.get("/sources/{name:path}/runs", summary="The runs of a source, newest first")
async def runs(
    here: Admin, request: Request, name: str, limit: Annotated[int, Query(ge=1, le=1000)] = 50
) -> Response:
    asked = {"source": name, "limit": limit, "language": language_of(request)}
    return await told(here, "source_runs", asked)


@router.delete("/jobs/{number}", summary="Cancel a job at its next step")
async def cancel(here: Admin, number: Annotated[int, Path(le=MOST)]) -> Response:
    """What it has stored stays."""
    return await told(here, "cancel_job", {"number": number})
