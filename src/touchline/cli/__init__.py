"""`touchline VERB [SUBVERB] DIR ARGS`: data on stdout, progress and notes on stderr.

Exit codes: 0 ok, 1 findings, 2 bad input, 3 busy, locked or disk full. Each verb is a file; what it
needs is imported when it runs, so that `--help` answers at once.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code and never lets an error out as a traceback."""
    from touchline.cli.parser import parser
    from touchline.errors import TouchlineError

    try:
        args = parser().parse_args(argv)
        _check_text(vars(args))
        return int(args.run(args) or 0)
    except TouchlineError as error:
        print(f"touchline: {error.text(language())}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _check_text(args: dict[str, Any]) -> None:
    """Paths may be any bytes; all else is text, or no database takes it."""
    from touchline.errors import BadInput

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
