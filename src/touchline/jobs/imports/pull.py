"""One run of a source: its windows, oldest first, into the lake; how far it came is noted after.

    pull a window → import its rows → note the cursor → the next window

A kill between the last two costs nothing: the window is pulled again, and equal rows change
nothing. What surprises: windows that were pulled before are gathered and taken in together with the
first one that goes beyond them. An import compares what a source tells of a deal with the *end* of
what is stored, so a part that stops before the end would look as if the deal had gone back.
"""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec

from touchline import clock
from touchline.collect.connectors.definition import Source
from touchline.collect.connectors.extract import ROWS, Ask
from touchline.collect.connectors.window import ALL, Window, reached, shown, windows
from touchline.collect.importers.file import OpenFile
from touchline.collect.time import local_day
from touchline.errors import BadInput, TouchlineError
from touchline.jobs import arguments, schedule
from touchline.jobs.imports import runs
from touchline.jobs.imports.fetch import Fetch, fetching
from touchline.jobs.imports.importing import import_opened
from touchline.jobs.imports.pulled import Pulled, open_one, open_pulled
from touchline.jobs.imports.sources import source_named, with_credentials
from touchline.jobs.intake.writer import Writer
from touchline.jobs.job import Progress
from touchline.model import Reject
from touchline.storage.workspace import Workspace

__all__ = ["Hold", "preview", "pull", "sweep"]

SPOOL = "pull"
INBOX = "inbox"  # a folder of the workspace that needs no permission
SAMPLED = 200
SHOWN = 5
COUNTED = ("read", "stored", "duplicate", "updated", "rejected")

# The writer, for as long as something is written: whoever else writes waits.
Hold = Callable[[], AbstractContextManager[Writer]]


def pull(
    workspace: Workspace, hold: Hold, args: Mapping[str, Any], progress: Progress
) -> dict[str, Any]:
    """{"source", "read", "stored", …, "cursor"}. `args`: source, and from: pulled again from that
    day on.
    """
    source = source_named(workspace, args["source"])
    run = runs.begin(workspace.state, source.name)
    counts: Counter[str] = Counter()
    spool = workspace.dir.resolve() / SPOOL  # the process that pulls stands elsewhere
    shutil.rmtree(spool, ignore_errors=True)  # of a run that was killed
    spool.mkdir(mode=0o700)
    try:
        with fetching(spool) as fetch:
            own = _Run(workspace, hold, source, fetch, progress)
            own.counts = counts
            own.files(args) if source.kind == "filesystem" else own.windows(args)
    except TouchlineError as error:
        runs.end(workspace.state, run, counts, error)
        schedule.ended(workspace.state, f"source:{source.name}", error)
        raise
    except Exception:
        broken = TouchlineError("internal_error")
        runs.end(workspace.state, run, counts, broken)
        schedule.ended(workspace.state, f"source:{source.name}", broken)
        raise
    finally:
        shutil.rmtree(spool, ignore_errors=True)
    runs.end(workspace.state, run, counts, None)
    schedule.ended(workspace.state, f"source:{source.name}", None)
    found = {name: counts[name] for name in COUNTED}
    cursor = runs.cursor_of(workspace.state, source)
    return {"source": source.name, **found, "cursor": cursor_shown(workspace, source, cursor)}


def preview(workspace: Workspace, name: str) -> dict[str, Any]:
    """The first rows of what would be pulled now, and what would become of them. Stores nothing."""
    source = source_named(workspace, name)
    folder = workspace.dir.resolve() / f"{SPOOL}-{os.urandom(4).hex()}"
    folder.mkdir(mode=0o700)
    try:
        with fetching(folder) as fetch:
            return _previewed(_Run(workspace, _nobody, source, fetch, lambda _: None), folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(workspace: Workspace) -> None:
    """Takes away what a killed run left on the disk: rows in clear."""
    for folder in workspace.dir.glob(f"{SPOOL}*"):
        shutil.rmtree(folder, ignore_errors=True)


def cursor_shown(workspace: Workspace, source: Source, at: Any) -> Any:
    """How far a source was pulled, for people: a day, a time, a number; of a folder, its files."""
    if isinstance(at, dict):
        return len(at)
    return shown(at, source.type_of_cursor, workspace.time_zone)


class _Run:
    """A run in its course."""

    def __init__(
        self,
        workspace: Workspace,
        hold: Hold,
        source: Source,
        fetch: Fetch,
        progress: Progress,
    ) -> None:
        self.workspace = workspace
        self.source = source
        self._hold = hold
        self._progress = progress
        self.counts: Counter[str] = Counter()
        self._fetch = fetch
        self._asked, self._hidden = with_credentials(workspace, source)
        here = workspace.dir.resolve()
        self._spool = here / SPOOL
        if source.folder is not None:
            self._asked = msgspec.structs.replace(self._asked, folder=str(here / source.folder))
        self._reach = (*workspace.settings.places, str(here / INBOX))
        self._now_us = clock.now_us()

    def planned(self, args: Mapping[str, Any]) -> list[Window]:
        at = runs.cursor_of(self.workspace.state, self.source)
        asked_from = arguments.day(args.get("from"), "from")
        zone = self.workspace.time_zone
        return list(windows(self.source, at, self._now_us, zone, asked_from))

    def windows(self, args: Mapping[str, Any]) -> None:
        """Every window in turn; of what was pulled before, the whole at once."""
        planned = self.planned(args)
        known = runs.cursor_of(self.workspace.state, self.source)
        gathered: list[Pulled] = []
        for number, window in enumerate(planned):
            self._progress(number / len(planned))
            folder = self._spool / str(number)
            gathered.append(self.fetched(window, folder, (number, len(planned))))
            if window.end is None or known is None or window.end > known:
                self._take(gathered, window)
                gathered = []

    def fetched(
        self,
        window: Window,
        folder: Path,
        place: tuple[int, int] = (0, 1),
        limit: int | None = None,
    ) -> Pulled:
        number, total = place
        folder.mkdir(mode=0o700)
        ask = Ask(
            self._asked,
            str(folder),
            self.workspace.time_zone,
            window=window,
            until=self._until(),
            reach=self._reach,
            hidden=self._hidden,
            limit=limit,
        )
        # A window's rows are half of its work; how many there will be, nobody knows.
        return Pulled(
            folder,
            self._fetch(
                ask, lambda rows: self._progress((number + rows / (rows + 20_000) / 2) / total)
            ),
        )

    def files(self, args: Mapping[str, Any]) -> None:
        """Files that are new or changed, each by itself: a bad one does not cost its neighbours."""
        state, source = self.workspace.state, self.source
        listed = self.listed()
        known: dict[str, list[int]] = runs.cursor_of(state, source) or {}
        since = self._since(args)
        named = {item["path"]: [item["size"], item["changed_ns"]] for item in listed}
        known = {path: about for path, about in known.items() if path in named}
        wanted = [
            path
            for path, about in named.items()
            if known.get(path) != about or (since is not None and about[1] >= since)
        ]
        first_error: BadInput | None = None
        for number, path in enumerate(wanted):
            self._progress(number / len(wanted))
            try:
                self._take_file(Path(path))
            except BadInput as error:
                if error.code == "job_cancelled":
                    raise
                first_error = first_error or error
                continue
            known[path] = named[path]
            runs.set_cursor(state, source, known)
        runs.set_cursor(state, source, known)
        if first_error is not None:
            raise first_error

    def listed(self, limit: int | None = None) -> list[dict[str, Any]]:
        """The folder's files, oldest first."""
        pulled = self.fetched(ALL, self._spool / "list", limit=limit)
        with (pulled.folder / ROWS).open("rb") as lines:
            found = [msgspec.json.decode(line) for line in lines]
        return sorted(found, key=lambda item: (item["changed_ns"], item["path"]))

    def _since(self, args: Mapping[str, Any]) -> int | None:
        if not args.get("from"):
            return None
        return arguments.moment(args["from"], "from", self.workspace.time_zone) * 1000

    def _take(self, gathered: Sequence[Pulled], window: Window) -> None:
        """The rows into the lake, then the cursor: never the other way round."""
        with self._hold() as writer:
            if any(one.taken.rows or one.taken.unread for one in gathered):
                self._store(writer, open_pulled(self.source, gathered, writer.site))
            latest = max(
                (o.taken.latest for o in gathered if o.taken.latest is not None), default=None
            )
            at = reached(self.source, window, latest, self._now_us, self.workspace.time_zone)
            self._note(at)
        for one in gathered:
            shutil.rmtree(one.folder, ignore_errors=True)

    def _take_file(self, path: Path) -> None:
        with self._hold() as writer:
            self._store(writer, open_one(self.source, path, writer.site))

    def _store(self, writer: Writer, file: OpenFile) -> None:
        self.counts.update(import_opened(writer, file, lambda _: None))

    def _note(self, at: int | None) -> None:
        """A cursor never goes back: what lies before it is known."""
        if self.source.cursor is None or at is None:
            return
        before = runs.cursor_of(self.workspace.state, self.source)
        runs.set_cursor(
            self.workspace.state, self.source, at if before is None else max(at, before)
        )

    def _until(self) -> int | None:
        """What an API is told as the end of a window that has none."""
        kind = self.source.type_of_cursor
        if kind == "number":
            return None
        return (
            self._now_us
            if kind == "time"
            else local_day(self._now_us, self.workspace.time_zone) + 1
        )


def _previewed(run: _Run, folder: Path) -> dict[str, Any]:
    source = run.source
    if source.kind == "filesystem":
        raise BadInput("bad_source", name=source.name, why="a folder's files: use import --dry-run")
    pulled = run.fetched(run.planned({})[-1], folder / "rows", limit=SAMPLED)
    columns: list[dict[str, str]] = []
    reasons: Counter[str] = Counter()
    read = 0
    if pulled.taken.rows:
        from touchline.jobs.definitions import site_of

        file = open_pulled(source, [pulled], site_of(run.workspace))
        columns = [msgspec.to_builtins(one) for one in file.plan.assignments]
        for row in file.rows():
            read += 1
            if isinstance(row, Reject):
                reasons[row.reason] += 1
    return {
        "source": source.name,
        "read": read,
        "rejected": reasons.total(),
        "reasons": dict(reasons),
        "columns": columns,
    }


def _nobody() -> AbstractContextManager[Writer]:
    raise TouchlineError("internal_error")
