"""An error of one process → bytes → the same error, raised in another.

Over the worker's socket, through a child's pipe to its supervisor, and in the job table. Parameters
that are no plain values go as text; a code that only the other end knows is an internal error.
"""

from typing import Any

import msgspec

from touchline.errors import (
    MESSAGES,
    Ambiguous,
    BadInput,
    Denied,
    Forbidden,
    NotFound,
    TooMany,
    TouchlineError,
    Unavailable,
)

__all__ = ["packed", "unpacked"]

_KINDS = {
    kind.__name__: kind
    for kind in (BadInput, NotFound, Ambiguous, Denied, Forbidden, Unavailable, TooMany)
}


class Failure(msgspec.Struct, frozen=True):
    kind: str
    code: str
    params: dict[str, Any]


def packed(error: TouchlineError) -> bytes:
    """One line of JSON."""
    params = {name: _plain(value) for name, value in error.params.items()}
    return msgspec.json.encode(Failure(type(error).__name__, error.code, params))


def unpacked(data: bytes | str) -> TouchlineError:
    told = msgspec.json.decode(data, type=Failure)
    if told.code not in MESSAGES:
        return TouchlineError("internal_error")
    return _KINDS.get(told.kind, TouchlineError)(told.code, **told.params)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else str(value)
