"""Errors → problem+json (RFC 9457) with Touchline's stable `code`, in the asker's language."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from touchline.errors import (
    Ambiguous,
    BadInput,
    Denied,
    Forbidden,
    NotFound,
    TouchlineError,
    Unavailable,
)

__all__ = ["install", "language_of", "problem"]

# The first class that fits decides.
_STATUS: tuple[tuple[type[TouchlineError], int], ...] = (
    (Forbidden, 403),
    (Denied, 401),
    (NotFound, 404),
    (Ambiguous, 409),
    (BadInput, 400),
    (Unavailable, 503),
    (TouchlineError, 500),
)


class ProblemResponse(JSONResponse):
    media_type = "application/problem+json"


def problem(request: Request, error: TouchlineError, status: int | None = None) -> JSONResponse:
    status = status or next(code for kind, code in _STATUS if isinstance(error, kind))
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": error.text(language_of(request)),
        "code": error.code,
    }
    headers: dict[str, str] = {}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    elif status == 503:
        headers["retry-after"] = "2"
    return ProblemResponse(body, status, headers)


def language_of(request: Request) -> str:
    """Which of the two languages of our messages the asker reads: "zh" or "en"."""
    return "zh" if request.headers.get("accept-language", "").lower().startswith("zh") else "en"


def install(app: FastAPI) -> None:
    """Every error of the app leaves as a problem, also those FastAPI finds by itself."""
    app.add_exception_handler(TouchlineError, _deliberate)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)


async def _deliberate(request: Request, error: Any) -> JSONResponse:
    return problem(request, error)


async def _invalid(request: Request, error: Any) -> JSONResponse:
    first = error.errors()[0]
    name = str(first["loc"][-1])
    given = first.get("input")
    value = (
        given if isinstance(given, int | float) else given[:80] if isinstance(given, str) else ""
    )
    why = f"is not accepted: {first['msg']}."
    return problem(request, BadInput("bad_argument", name=name, value=value, why=why))


async def _http(request: Request, error: Any) -> JSONResponse:
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "GET")
        answer = problem(request, BadInput("other_method", allowed=allowed), 405)
        answer.headers["allow"] = allowed
        return answer
    return problem(request, NotFound("no_such_address", path=request.url.path), error.status_code)


async def _unforeseen(request: Request, _error: Any) -> JSONResponse:
    return problem(request, TouchlineError("internal_error"))
