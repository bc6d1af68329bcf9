"""`touchline VERB [SUBVERB] DIR ARGS`: data on stdout, progress and notes on stderr.

Exit codes: 0 ok, 1 findings, 2 bad input, 3 busy, locked or disk full. Each verb is a file; what it
needs is imported when it runs, so that `--help` answers at once.
"""

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from touchline.errors import BadInput, TouchlineError, Unavailable

__all__ = ["language", "main", "refused"]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code and never lets an error out as a traceback."""
    # One that was closed (`>&-`) is None, and what is meant for stderr would go to stdout.
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    try:
        return _run(argv)
    except TouchlineError as error:
        return _told(error)
    except OSError as error:
        with contextlib.suppress(OSError):  # what stdout still holds, nobody takes
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return 0  # the reader of our output went away (`| head`): nothing is wrong
        return _told(refused(error))
    except KeyboardInterrupt:
        return 130


def _run(argv: Sequence[str] | None) -> int:
    from touchline.cli.parser import parser

    args = parser().parse_args(argv)
    _check_text(vars(args))
    code = int(args.run(args) or 0)
    sys.stdout.flush()  # here, where it can be told that it does not go through
    return code


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w")


def _told(error: TouchlineError) -> int:
    print(f"touchline: {error.text(language())}", file=sys.stderr)
    return error.exit_code


def refused(error: OSError, place: object = None) -> TouchlineError:
    """What the system refused to open or to write, in our words."""
    from touchline.storage.disk import is_full

    place = place or error.filename or "stdout"
    if is_full(error):
        return Unavailable("disk_full", path=place)
    return BadInput("folder_unusable", path=place, why=error.strerror or error)


def _check_text(args: dict[str, Any]) -> None:
    """Paths may be any bytes; all else is text, or no database takes it."""
    for name, value in args.items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and not text.isascii():
                try:
                    text.encode()
                except UnicodeEncodeError:
                    why = "is not UTF-8."
                    raise BadInput("bad_argument", name=name, value=text, why=why) from None


def language() -> str:
    """The language of messages: "zh" when the terminal speaks Chinese, else "en"."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name)
        if value:
            return "zh" if value.startswith("zh") else "en"
    return "en"
