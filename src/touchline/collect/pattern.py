r"""Regular expressions that a site writes, matched by RE2 against what anybody may send: the time
grows with the length of the text and with nothing else.

What surprises: look-around and back references are refused, and \w, \d and \b know ASCII alone.
"""

import re
from collections.abc import Callable

import re2  # pyright: ignore[reportMissingTypeStubs]

__all__ = ["Matches", "full", "search"]

MAX_TEXT = 512  # characters of a value that are looked at
MAX_SIZE = 2_000  # steps of a compiled expression, each of which a character may cost

Matches = Callable[[str], bool]
_CODE_POINT = re.compile(r"((?<!\\)(?:\\\\)*)\\u([0-9a-fA-F]{4})")  # as JSON Schema writes it


def search(pattern: str, *, folds_case: bool = False) -> Matches:
    """Whether it matches somewhere. Raises ValueError that says, in both languages, why not."""
    return _matches(pattern, folds_case=folds_case)


def full(pattern: str) -> Matches:
    """Whether all of a text matches; of one that is cut that cannot be said, and it does not."""
    matches = _matches(rf"\A(?:{pattern})\z", folds_case=False, written=pattern)
    return lambda text: len(text) <= MAX_TEXT and matches(text)


def _matches(pattern: str, *, folds_case: bool, written: str | None = None) -> Matches:
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not folds_case
    shown = (pattern if written is None else written)[:80]
    try:
        ready = re2.compile(_CODE_POINT.sub(r"\1\\x{\2}", pattern).encode(), options)
    except (re2.error, UnicodeEncodeError) as error:
        told = error.args[0]
        why = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(error)
        raise ValueError(_refused(shown, why)) from None
    if ready.programsize > MAX_SIZE:
        raise ValueError(_refused(shown, "too large"))
    found = ready.search
    return lambda text: found(text[:MAX_TEXT].encode("utf-8", "replace")) is not None


def _refused(pattern: str, why: str) -> str:
    return (
        f"{pattern!r} is no regular expression of RE2 ({why}; it has no look-around) "
        "/ 不是 RE2 支持的正则表达式(不支持环视和反向引用)"
    )
