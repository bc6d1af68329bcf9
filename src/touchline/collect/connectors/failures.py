"""What went wrong in an API, a database or dlt → one of our errors, with what to do.

dlt wraps what its sources raise, so the chain of causes is walked to what was raised first. Texts
of others may repeat a request: credentials are blotted out, and only one line is kept.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import exc

from touchline.collect.connectors.definition import Source
from touchline.errors import BadInput, TouchlineError, Unavailable

__all__ = ["in_words"]

SHOWN = 200
_DENIED = ("28P01", "28000", "42501", "password authentication failed", "Access denied")


def in_words(source: Source, error: BaseException, hidden: Sequence[str] = ()) -> TouchlineError:
    """The error to show for whatever was raised while rows were pulled. `hidden`: credentials."""
    chain = list(_causes(error))
    for found in chain:
        if isinstance(found, TouchlineError):
            return found
    words = _Words(source, hidden)
    for found in chain:
        known = words.of(found)
        if known is not None:
            return known
    return BadInput("source_failed", name=source.name, why=words.line(chain[-1]))


class _Words:
    """Errors of one source in our words."""

    def __init__(self, source: Source, hidden: Sequence[str]) -> None:
        self._source = source
        self._name = source.name
        self._hidden = hidden

    def of(self, error: BaseException) -> TouchlineError | None:
        response: Any = getattr(error, "response", None)
        if response is not None and hasattr(response, "status_code"):
            return self._answer(response)
        if isinstance(error, ModuleNotFoundError):
            module = (error.name or "?").partition(".")[0]
            return BadInput("extra_missing", extra="connectors" if module == "dlt" else module)
        if isinstance(error, exc.SQLAlchemyError):
            return self._database(error)
        if type(error).__name__ == "JSONDecodeError":
            return BadInput("source_not_json", name=self._name)
        return None

    def line(self, error: BaseException) -> str:
        """The first line of what is said, or what kind of error it is."""
        lines = str(error).strip().splitlines()
        return self._clean(lines[0] if lines else "") or type(error).__name__

    def _answer(self, response: Any) -> TouchlineError:
        status = int(response.status_code)
        if status in (401, 403):
            return BadInput("source_denied", name=self._name, why=f"HTTP {status}")
        if status in (408, 429) or status >= 500:
            wait = str(response.headers.get("Retry-After", ""))
            after = int(wait) if wait.isdecimal() and len(wait) < 6 else None
            return Unavailable("source_away", name=self._name, why=f"HTTP {status}", after=after)
        told = self._clean(_message(response.text)) or "–"
        return BadInput("source_refused", name=self._name, status=status, why=told)

    def _database(self, error: exc.SQLAlchemyError) -> TouchlineError:
        if isinstance(error, exc.NoSuchTableError):
            return BadInput("source_no_table", name=self._name, table=self._source.table)
        own = getattr(error, "orig", None) or error
        told, why = f"{getattr(own, 'sqlstate', '')} {own}", self.line(own)
        if any(word in told for word in _DENIED):
            return BadInput("source_denied", name=self._name, why=why)
        if isinstance(error, exc.OperationalError | exc.InterfaceError):
            return Unavailable("source_away", name=self._name, why=why)
        return BadInput("source_failed", name=self._name, why=why)

    def _clean(self, text: str) -> str:
        for secret in self._hidden:
            text = text.replace(secret, "***")
        return "".join(char if char.isprintable() else " " for char in text)[:SHOWN]


def _message(text: str) -> str:
    """What an API says is wrong, from the usual places of its answer."""
    try:
        told = msgspec.json.decode(text[:100_000])
    except (msgspec.DecodeError, RecursionError):
        return ""
    for _ in range(3):
        if isinstance(told, dict):
            told = next((told[n] for n in ("error", "message", "msg", "detail") if n in told), "")
    return told if isinstance(told, str) else ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or at.__context__
