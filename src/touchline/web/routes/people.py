"""One person, and why two identifiers are one or two."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from touchline.web.served import Admin, streamed

router = APIRouter(prefix="/api/v1/people")
JSON = "application/json"


class Ends(BaseModel):
    model_config = ConfigDict(extra="forbid")

    a: str = Field(description="person_id, `type:value` or a value")
    b: str = Field(description="person_id, `type:value` or a value")
    language: Literal["en", "zh"] = Field("en", description="of texts")


@router.get("/why", summary="Why two identifiers are one person, or what keeps them apart")
async def why(here: Admin, asked: Annotated[Ends, Query()]) -> StreamingResponse:
    """The path of evidence; of two persons the limit, decision or shared value between them."""
    return await streamed(here, "why", asked.model_dump(), JSON)


class InLanguage(BaseModel):
    model_config = ConfigDict(extra="forbid")

    language: Literal["en", "zh"] = Field("en", description="of texts")


class Tagged(BaseModel):
    model_config = ConfigDict(extra="forbid")

    set: list[str] = Field([], description="tags to put on")
    unset: list[str] = Field([], description="tags to take off")
    author: str | None = Field(None, description="who says so; default the admin key")


class Owned(BaseModel):
    model_config = ConfigDict(extra="forbid")

    owner: str | None = Field(description="who looks after the person; null: nobody any more")
    author: str | None = Field(None, description="who says so; default the admin key")


@router.post("/{person:path}/tags", summary="Tags put on a person, or taken off")
async def tags(here: Admin, person: str, said: Tagged) -> StreamingResponse:
    """Kept on an identifier: a merge joins the tags of two, an unmerge gives each their own."""
    asked = {"person": person, "tags": said.set, "untag": said.unset, "author": said.author}
    return await streamed(here, "note_person", asked, JSON)


@router.put("/{person:path}/owner", summary="Who looks after a person")
async def owner(here: Admin, person: str, said: Owned) -> StreamingResponse:
    asked = {"person": person, "owner": said.owner or "", "author": said.author}
    return await streamed(here, "note_person", asked, JSON)


@router.get("/{person:path}", summary="One person: all that is known, on one page")
async def person(
    here: Admin, person: str, asked: Annotated[InLanguage, Query()]
) -> StreamingResponse:
    """Identifiers, traits and where they are from, computed traits, stage, tags, owner, open
    tickets, consent, accounts, decisions.
    """
    return await streamed(here, "person", {"person": person, **asked.model_dump()}, JSON)
