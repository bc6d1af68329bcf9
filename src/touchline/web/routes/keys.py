"""Keys of trackers and of people who administer. All of it needs the scope `keys`."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from touchline.errors import Forbidden
from touchline.storage.access_key import SCOPES
from touchline.web.served import KeyAdmin, Scopes, told

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


@router.delete("", summary="Revoke a key for good, within 10 s")
async def revoke(
    here: KeyAdmin, key: Annotated[str, Query(description="its id, or a name only it has")]
) -> Response:
    return await told(here, "revoke_key", {"key": key})
