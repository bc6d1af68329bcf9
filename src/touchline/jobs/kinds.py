"""Kinds of jobs: name → what runs it, with the writer of the process that may write."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from touchline.collect.blocked import renew
from touchline.collect.importers.file import open_file
from touchline.jobs import definitions
from touchline.jobs.imports.importing import import_opened
from touchline.jobs.imports.pull import pull
from touchline.jobs.intake.replay import replay
from touchline.jobs.intake.sightings import look_back
from touchline.jobs.intake.writer import Writer
from touchline.jobs.job import Progress
from touchline.jobs.people.matching import match
from touchline.jobs.privacy.consent import take
from touchline.jobs.privacy.erase import erase
from touchline.jobs.privacy.retention import retain
from touchline.jobs.privacy.rotate import rotate
from touchline.jobs.rebuild import rebuild
from touchline.storage.workspace import Workspace

__all__ = ["KINDS", "PULLS", "THOUGHTS", "Aside", "run_here"]

Kind = Callable[[Writer, dict[str, Any], Progress], Any]


def _import(writer: Writer, args: dict[str, Any], progress: Progress) -> Any:
    file = open_file(
        args["kind"],
        Path(args["path"]),
        writer.site,
        map_path=Path(args["map"]) if args.get("map") else None,
        source=args.get("source"),
        sheet=args.get("sheet"),
    )
    found = import_opened(writer, file, progress)
    table = file.table
    notes = {"map": file.map_name, "sheet": table.sheet, "alike": list(table.alike)}
    lines = {"unproven": file.unproven, "repeated": file.repeated}
    return {**found, "notes": {**notes, **lines}}


def _apply(writer: Writer, args: dict[str, Any], _progress: Progress) -> Any:
    workspace = writer.workspace
    changed = definitions.apply(workspace, args["documents"], args["author"])
    renew(workspace)
    look_back(workspace, definitions.planned_of(workspace).touchpoints)
    return changed


Aside = Callable[[Workspace, Any, dict[str, Any], Progress], Any]
# Jobs that wait for the world, and jobs that think for long: they hold the writer only while they
# write, and neither keeps the other waiting.
PULLS: dict[str, Aside] = {"pull": pull}
THOUGHTS: dict[str, Aside] = {"match": match}


def run_here(writer: Writer, kind: str, args: dict[str, Any], progress: Progress) -> Any:
    """A job of any kind, by whoever has the writer to himself."""
    if (aside := (PULLS | THOUGHTS).get(kind)) is not None:
        hold = lambda: contextlib.nullcontext(writer)  # noqa: E731  # a name would say less
        return aside(writer.workspace, hold, args, progress)
    return KINDS[kind](writer, args, progress)


KINDS: dict[str, Kind] = {
    "import": _import,
    "apply": _apply,
    "consent": lambda writer, args, _: take(writer, args),
    "rebuild": lambda writer, _, progress: rebuild(writer, progress),
    "replay": replay,
    "settle": lambda writer, *_: writer.settle(),
    "erase": erase,
    "rotate": rotate,
    "retain": retain,
}
