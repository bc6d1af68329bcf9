"""What every route of one workspace's API needs: the worker to ask, and who may ask.

Kept on the app itself, so several workspaces can be served side by side.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from touchline.collect.preference_link import PreferenceSigner
from touchline.errors import Denied, Forbidden
from touchline.jobs.rpc import WorkerClient
from touchline.storage.access_key import key_hash
from touchline.web.keys import Keys

__all__ = [
    "ANSWER_S",
    "MOST",
    "Admin",
    "KeyAdmin",
    "PrivacyAdmin",
    "Scopes",
    "Served",
    "served",
    "streamed",
    "told",
]

ANSWER_S = 60.0
MOST = 2**63 - 1  # no database counts further

_bearer = HTTPBearer(auto_error=False, description="An admin key")


@dataclass(frozen=True)
class Served:
    """The workspace behind the routes. `problems`: each role of this process -> what is wrong with
    it, as a code, or None. `signer`: knows links to preferences from others.
    """

    worker: WorkerClient
    keys: Keys
    needs_worker: bool = True
    problems: Mapping[str, Callable[[], str | None]] = field(default_factory=dict)
    signer: PreferenceSigner | None = None


def served(request: Request) -> Served:
    return request.app.state.served


async def _scopes(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> frozenset[str]:
    """What the sender may do."""
    scopes = await served(request).keys.scopes(given.credentials) if given else None
    if given is None or not scopes:
        raise Denied("wrong_admin_key")
    request.state.actor = f"key:{key_hash(given.credentials)[:12]}"  # as `keys list` names it
    return scopes


Scopes = Annotated[frozenset[str], Depends(_scopes)]


async def _admin(request: Request, scopes: Scopes) -> Served:
    """Asking needs the scope `read`, everything else `write`."""
    return _allowed(request, scopes, "read" if request.method in ("GET", "HEAD") else "write")


async def _key_admin(request: Request, scopes: Scopes) -> Served:
    return _allowed(request, scopes, "keys")


async def _privacy_admin(request: Request, scopes: Scopes) -> Served:
    return _allowed(request, scopes, "privacy")


def _allowed(request: Request, scopes: frozenset[str], needed: str) -> Served:
    if needed not in scopes:
        raise Forbidden("out_of_scope", scope=needed)
    here = served(request)
    return replace(here, worker=here.worker.acting(request.state.actor))


Admin = Annotated[Served, Depends(_admin)]
KeyAdmin = Annotated[Served, Depends(_key_admin)]
PrivacyAdmin = Annotated[Served, Depends(_privacy_admin)]


async def told(
    here: Served, name: str, args: dict[str, Any] | None = None, *, status: int = 200
) -> Response:
    """The worker's answer to a command, in one piece."""
    found = await here.worker.whole(name, args, timeout_s=ANSWER_S)
    return Response(found, status, media_type="application/json")


async def streamed(
    here: Served, name: str, args: dict[str, Any], media_type: str
) -> StreamingResponse:
    """The worker's answer as it comes; an error before the first chunk is still a problem."""
    chunks = here.worker.ask(name, {key: v for key, v in args.items() if v is not None})
    first = await anext(chunks, b"")

    async def body() -> AsyncIterator[bytes]:
        try:
            yield first
            async for chunk in chunks:
                yield chunk
        finally:
            await chunks.aclose()

    return StreamingResponse(body(), media_type=media_type)
