"""What verbs are built with: a parser that speaks the language of the terminal, verbs, groups."""

import argparse
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from touchline.cli import language
from touchline.errors import BadInput

__all__ = ["FORMATS", "Parser", "Run", "folder", "group", "said", "verb", "verb_in"]

FORMATS = ("table", "json", "csv")
Run = Callable[[argparse.Namespace], int | None]


def said(text: str) -> str:
    """A text of this module in the language of the terminal."""
    if language() != "zh":
        return text
    from touchline.cli.chinese import HELP

    return HELP.get(text, text)


class Parser(argparse.ArgumentParser):
    """Errors are one line with a remedy, exit 2."""

    def add_argument(self, *names: Any, **options: Any) -> argparse.Action:
        if "help" in options:
            options["help"] = said(options["help"])
        return super().add_argument(*names, **options)

    def format_help(self) -> str:
        text = super().format_help()
        if language() == "zh":
            from touchline.cli.chinese import PARTS

            for part, chinese in PARTS.items():
                text = text.replace(part, chinese)
        return text

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}. See: {self.prog} --help\n")


def folder(text: str) -> Path:
    """A workspace: the lake is reached by a name in UTF-8, and no name is not this folder."""
    if not text:
        raise BadInput("folder_unusable", path="''", why="it has no name")
    try:
        str(Path(text).absolute()).encode()
    except UnicodeEncodeError:
        raise BadInput("folder_unusable", path=repr(text), why="its name is not UTF-8") from None
    return Path(text)


def verb(verbs: Any, name: str, text: str, module: str) -> argparse.ArgumentParser:
    made = verbs.add_parser(name, help=said(text), description=said(text))
    made.set_defaults(run=_later(module))
    return made


def verb_in(verbs: Any, name: str, text: str, module: str) -> argparse.ArgumentParser:
    """A verb whose first argument is a workspace's folder."""
    made = verb(verbs, name, text, module)
    made.add_argument("dir", type=folder, metavar="DIR")
    return made


def group(verbs: Any, name: str, text: str) -> Any:
    """A verb that has verbs of its own."""
    made = verbs.add_parser(name, help=said(text), description=said(text))
    return made.add_subparsers(metavar="VERB", required=True, dest="verb")


def _later(module: str) -> Run:
    def run(args: argparse.Namespace) -> int | None:
        return importlib.import_module(f"touchline.cli.{module}").run(args)

    return run
