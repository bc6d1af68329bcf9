"""What a customer may ask for: all that is stored of them, or its end. Needs scope `privacy`."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from touchline.web.served import PrivacyAdmin, told

router = APIRouter(prefix="/api/v1")


class Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str | None = Field(None, max_length=1000, description="such as a ticket; names nobody")


class Readmitted(Wish):
    identifier: str = Field(description="`type:value`")


@router.post("/people/{person:path}/export", summary="All that is stored of a person, as a ZIP")
async def export(here: PrivacyAdmin, person: str) -> Response:
    found = await here.worker.whole("export_person", {"person": person}, timeout_s=60.0)
    headers = {"content-disposition": 'attachment; filename="person.zip"'}
    return Response(found, media_type="application/zip", headers=headers)


@router.post("/people/{person:path}/erase", summary="Erase a person everywhere, with a receipt")
async def erase(
    here: PrivacyAdmin,
    person: str,
    wish: Wish | None = None,
    dry_run: Annotated[bool, Query(description="only tell what would go")] = False,
) -> Response:
    """They are shut out at once. The answer is the job, whose result is the receipt; if it takes
    long, ask `/api/v1/jobs/{number}` or `/api/v1/erasures/{request}`.
    """
    args = {"person": person, "reason": wish.reason if wish else None}
    return await told(here, "preview_erasure" if dry_run else "erase_person", args)


@router.get("/erasures", summary="Requests to be erased, and how far each has come")
async def listed(here: PrivacyAdmin) -> Response:
    return await told(here, "erasures")


@router.get("/erasures/{request}", summary="The receipt of an erasure")
async def receipt(here: PrivacyAdmin, request: Annotated[str, Path(max_length=32)]) -> Response:
    return await told(here, "receipt", {"request": request})


@router.post("/erasures/readmit", summary="Take an identifier in again, of somebody who agreed")
async def readmit(here: PrivacyAdmin, wish: Readmitted) -> Response:
    return await told(here, "readmit", wish.model_dump())


@router.get("/retention", summary="What is kept how long, and what has run out, in numbers")
async def retention(here: PrivacyAdmin) -> Response:
    return await told(here, "retention")


@router.post("/retention", summary="Take away now what has run out")
async def retain(here: PrivacyAdmin) -> Response:
    """The answer is the job; if it takes long, ask `/api/v1/jobs/{number}`."""
    return await told(here, "retain")
