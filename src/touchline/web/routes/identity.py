"""Who is one person: decided by hand, by rules, and what came of it."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from touchline.web.served import MOST, Admin, Served, streamed

router = APIRouter(prefix="/api/v1")
LINES = "application/x-ndjson"
JSON = "application/json"


class Why(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    reason: str = Field(description="one line, for whoever reads it later")
    author: str | None = Field(None, description="who decided; default the admin key")
    dry_run: bool = Field(False, description="only tell what it would change")


class Other(Why):
    other: str = Field(alias="with", description="person_id, `type:value` or a value")


class Value(Why):
    value: str = Field(description="`type:value` or a value")


class Listed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Literal["shared", "by_hand", "staff", "pattern"] | None = None
    limit: int | None = Field(None, ge=1, le=MOST)


class Since(BaseModel):
    model_config = ConfigDict(extra="forbid")

    after: int | None = Field(None, ge=0, le=MOST, description="`number` of the last one known")
    limit: int | None = Field(None, ge=1, le=MOST)


async def _decided(here: Served, kind: str, said: Why, **about: Any) -> StreamingResponse:
    asked = {"kind": kind, "reason": said.reason, "author": said.author, **about}
    return await streamed(here, "decide", {**asked, "is_trial": said.dry_run}, JSON)


@router.post("/people/{person:path}/merge", summary="Two persons are one, as far as limits allow")
async def merge(here: Admin, person: str, said: Other) -> StreamingResponse:
    """Tells who goes into whom, and who keeps which person_id."""
    return await _decided(here, "merge", said, names=[person, said.other])


@router.post("/people/{person:path}/unmerge", summary="Two values are not one person's")
async def unmerge(here: Admin, person: str, said: Other) -> StreamingResponse:
    """A person_id of before a merge means what was that person's."""
    return await _decided(here, "unmerge", said, names=[person, said.other])


@router.get("/identity/rules", summary="The rules in force, each with where it is from")
async def rules(here: Admin) -> StreamingResponse:
    return await streamed(here, "identity_rules", {}, JSON)


@router.post("/identity/dry-run", summary="What another [identity] document would change")
async def dry_run(here: Admin, documents: dict[str, Any]) -> StreamingResponse:
    """The body is as of `PUT /api/v1/definitions`: `{"identity": {…}}`. Nothing is changed."""
    return await streamed(here, "identity_dry_run", documents, JSON)


@router.get("/identity/quarantine", summary="Values that join nobody, as JSON lines")
async def quarantine(here: Admin, asked: Annotated[Listed, Query()]) -> StreamingResponse:
    return await streamed(here, "quarantine", asked.model_dump(exclude_none=True), LINES)


@router.post("/identity/block", summary="A value joins nobody, whatever it touches")
async def block(here: Admin, said: Value) -> StreamingResponse:
    return await _decided(here, "block", said, names=[said.value])


@router.post("/identity/unblock", summary="A value joins people, however much it touches")
async def unblock(here: Admin, said: Value) -> StreamingResponse:
    return await _decided(here, "unblock", said, names=[said.value])


@router.get("/identity/decisions", summary="All that was decided by hand, as JSON lines")
async def decisions(here: Admin) -> StreamingResponse:
    """The newest first; `is_in_force`: neither undone nor replaced by a later one."""
    return await streamed(here, "decisions", {}, LINES)


@router.post("/identity/decisions/{number}/undo", summary="A decision was never made")
async def undo(here: Admin, number: Annotated[int, Path(le=MOST)], said: Why) -> StreamingResponse:
    return await _decided(here, "undo", said, undoes=number)


@router.get("/identity/changes", summary="Persons merged, split and renamed, as JSON lines")
async def changes(here: Admin, asked: Annotated[Since, Query()]) -> StreamingResponse:
    """The oldest first. Ask again with `after` for those since."""
    return await streamed(here, "person_changes", asked.model_dump(exclude_none=True), LINES)
