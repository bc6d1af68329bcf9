"""Kinds of jobs: name → what runs it, with the writer of the process that may write."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from touchline.jobs import definitions
from touchline.jobs.job import Progress
from touchline.jobs.rebuild import rebuild
from touchline.jobs.writer import Writer

__all__ = ["KINDS"]

Kind = Callable[[Writer, dict[str, Any], Progress], Any]


def _import(writer: Writer, args: dict[str, Any], progress: Progress) -> Any:
    from touchline.jobs.importing import run_import

    map_path = args.get("map")
    return run_import(
        writer,
        args["kind"],
        Path(args["path"]),
        map_path=Path(map_path) if map_path else None,
        source=args.get("source"),
        progress=progress,
    )


def _apply(writer: Writer, args: dict[str, Any], _progress: Progress) -> Any:
    return definitions.apply(writer.workspace, args["documents"], args["author"])


def _rebuild(writer: Writer, _args: dict[str, Any], progress: Progress) -> Any:
    return rebuild(writer, progress)


def _replay(writer: Writer, args: dict[str, Any], progress: Progress) -> Any:
    from touchline.jobs.replay import replay

    return replay(writer, args, progress)


def _settle(writer: Writer, args: dict[str, Any], progress: Progress) -> Any:  # noqa: ARG001
    return writer.settle()


KINDS: dict[str, Kind] = {
    "import": _import,
    "apply": _apply,
    "rebuild": _rebuild,
    "replay": _replay,
    "settle": _settle,
}
