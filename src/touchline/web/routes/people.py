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


@router.get("/{person:path}", summary="One person: identifiers, traits, accounts, decisions")
async def person(here: Admin, person: str) -> StreamingResponse:
    return await streamed(here, "person", {"person": person}, JSON)
