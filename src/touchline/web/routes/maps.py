"""The exports that an import recognises by their columns."""

from fastapi import APIRouter
from pydantic import BaseModel

from touchline.collect.importers.shipped import shipped
from touchline.web.served import Admin

router = APIRouter(prefix="/api/v1")


class Map(BaseModel):
    name: str
    kind: str
    title: dict[str, str]
    text: str


@router.get("/maps", summary="Maps of known exports, each with its text (TOML)")
async def maps(here: Admin) -> list[Map]:  # noqa: ARG001  # asked for by an admin alone
    return [
        Map(name=one.name, kind=one.kind, title=one.title, text=one.text)
        for one in shipped().values()
    ]
