"""GET /health: 200 only when this process group receives, commits and answers."""

from typing import Literal

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from touchline.errors import Unavailable
from touchline.web.served import Served, served

router = APIRouter()


class Health(BaseModel):
    status: Literal["ok", "unavailable"]
    roles: dict[str, str]
    behind_bytes: int | None = None


@router.get("/health", summary="Whether everything runs", responses={503: {"model": Health}})
async def health(request: Request, response: Response) -> Health:
    """Each role is "ok" or the code of what is wrong; `behind_bytes` waits to be committed."""
    here = served(request)
    roles = {name: problem() or "ok" for name, problem in here.problems.items()}
    behind = None
    if here.needs_worker:
        roles["worker"], behind = await _worker(here)
    is_up = all(state == "ok" for state in roles.values())
    response.status_code = 200 if is_up else 503
    return Health(status="ok" if is_up else "unavailable", roles=roles, behind_bytes=behind)


async def _worker(here: Served) -> tuple[str, int | None]:
    try:
        found = msgspec.json.decode(await here.worker.whole("ping", timeout_s=2.0))
    except Unavailable as error:
        return error.code, None
    return found["problem"] or "ok", max(0, found["log_end"] - found["committed"])
