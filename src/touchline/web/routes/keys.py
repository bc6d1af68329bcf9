"""Keys of trackers and of people who administer. All of it needs the scope `keys`."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from touchline.errors import Forbidden
from touchline.storage.access_key import SCOPES
from touchline.web.served import Admin, KeyAdmin, Scopes, told

router = APIRouter(prefix="/api/v1/keys")


class NewKey(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["write", "admin"] = "write"
    value: str | None = Field(None, description="the key itself; one is made up by default")
    name: str | None = Field(None, description="of a write key: the source of what it sends")
    aliases: list[str] = Field([], max_length=100, description="such as matomo:1")
    scopes: list[Literal["read", "write", "keys", "privacy"]] = Field(
        [], description="of an admin key; none named is all"
    )


class Rotation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    what: Literal["root", "signing"]
    reason: str | None = Field(None, max_length=1000, description="why, for the audit log")


@router.get("", summary="Every key there ever was, none by its value")
async def listed(here: KeyAdmin) -> Response:
    return await told(here, "keys")


@router.post("", status_code=201, summary="Make a key, or give one more aliases")
async def create(here: KeyAdmin, held: Scopes, wanted: NewKey) -> Response:
    """The answer is the only place where the key's value is ever shown."""
    if wanted.kind == "admin":
        # Nobody makes a key that may do more than the key it is made with.
        for scope in wanted.scopes or SCOPES:
            if scope not in held:
                raise Forbidden("out_of_scope", scope=scope)
    return await told(here, "create_key", wanted.model_dump(exclude_none=True), status=201)


@router.post("/rotate", summary="Change the root key, or the key that signs receipts")
async def rotate(here: KeyAdmin, wish: Rotation) -> Response:
    """The answer is the job; if it takes long, ask `/api/v1/jobs/{number}`."""
    return await told(here, "rotate_key", wish.model_dump())


@router.get("/receipts", summary="The public keys of receipts, past ones too")
async def receipts(here: Admin) -> Response:
    return await told(here, "receipt_keys")


@router.delete("", summary="Revoke a key for good, within 10 s")
async def revoke(
    here: KeyAdmin, key: Annotated[str, Query(description="its id, or a name only it has")]
) -> Response:
    return await told(here, "revoke_key", {"key": key})
