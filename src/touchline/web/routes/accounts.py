"""Companies and households: who belongs together without being one person."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from touchline.web.served import MOST, Admin, streamed

router = APIRouter(prefix="/api/v1")
LINES = "application/x-ndjson"
JSON = "application/json"


class Some(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: int | None = Field(None, ge=1, le=MOST)


@router.get("/accounts", summary="Accounts, with their domains and how many people, as JSON lines")
async def accounts(here: Admin, asked: Annotated[Some, Query()]) -> StreamingResponse:
    """Those of most people first. An account of a domain alone is called by the domain."""
    return await streamed(here, "accounts", asked.model_dump(exclude_none=True), LINES)


@router.get("/accounts/{account:path}", summary="The people of an account")
async def account(here: Admin, account: str, asked: Annotated[Some, Query()]) -> StreamingResponse:
    """By its name or one of its domains; `by_row`, `by_domain`: what each belongs to it by."""
    told = {"account": account, **asked.model_dump(exclude_none=True)}
    return await streamed(here, "account", told, JSON)


@router.get("/households", summary="Households, as JSON lines; none unless [households] is on")
async def households(here: Admin, asked: Annotated[Some, Query()]) -> StreamingResponse:
    return await streamed(here, "households", asked.model_dump(exclude_none=True), LINES)
