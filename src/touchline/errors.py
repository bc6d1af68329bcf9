"""Every error Touchline raises on purpose.

TouchlineError                what happened + what to do, under a stable code, in two languages
├── BadInput        exit 2    what was given cannot be used: a file, an argument, a request body
│   ├── NotFound              what was named does not exist
│   ├── Ambiguous             what was named is more than one thing: HTTP 409
│   └── Denied                the key is unknown
│       └── Forbidden         the key is known and may not do this: HTTP 403
└── Unavailable     exit 3    try again: locked, busy, disk full
    └── TooMany               you send more than you may: HTTP 429, `after` how many seconds

An error is raised by its code; the words stand in one table, so the
web app, the command line and the API say the same thing:

    raise BadInput("file_missing", path="orders.csv")
"""

from typing import Any, ClassVar

from touchline.messages import MESSAGES
from touchline.messages.details import in_chinese

__all__ = [
    "MESSAGES",
    "Ambiguous",
    "BadInput",
    "Denied",
    "Forbidden",
    "NotFound",
    "TooMany",
    "TouchlineError",
    "Unavailable",
]


class TouchlineError(Exception):
    """Base of all deliberate errors. `code` is stable; `params` fill the message's blanks."""

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, **params: Any) -> None:
        self.code = code
        self.params = params
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """The message in one language: "en" or "zh"."""
        en, zh = MESSAGES[self.code]
        if language != "zh":
            return en.format(**self.params)
        why = self.params.get("why")
        more = {"why": in_chinese(why)} if isinstance(why, str) else {}
        return zh.format(**self.params | more)


class BadInput(TouchlineError):
    exit_code = 2


class NotFound(BadInput):
    pass


class Ambiguous(BadInput):
    pass


class Denied(BadInput):
    pass


class Forbidden(Denied):
    pass


class Unavailable(TouchlineError):
    exit_code = 3


class TooMany(Unavailable):
    pass
