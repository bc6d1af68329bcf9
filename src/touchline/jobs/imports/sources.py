"""Sources as the command line and the API know them: added, listed, with their secrets.

Definitions hold references; secrets lie sealed in State and are opened for a run only. Neither a
dump nor a list shows one. Asking a source for rows is `pull`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from touchline import clock
from touchline.collect.connectors.definition import Source, sources
from touchline.collect.connectors.reference import references, resolved
from touchline.collect.connectors.window import shown
from touchline.errors import BadInput, NotFound
from touchline.jobs import definitions, job, schedule
from touchline.jobs.imports import runs
from touchline.jobs.schedule import Line
from touchline.storage import definition, schema
from touchline.storage.workspace import Workspace

__all__ = ["add", "listed", "logged", "remove", "schedules", "source_named", "with_credentials"]

MAX_SECRET = 10_000
RUNS_SHOWN = 50
_secret = schema.secret


def source_named(workspace: Workspace, name: str) -> Source:
    held = _held(workspace)
    found = next((source for source in held if source.name == name), None)
    if found is None:
        known = ", ".join(source.name for source in held) or "–"
        raise NotFound("no_such_source", name=name, known=known)
    return found


def add(workspace: Workspace, documents: Any, secrets: Mapping[str, str], author: str) -> list[str]:
    """Adds sources, or puts them in the place of those of the same name; returns their names.

    Secrets are sealed first: a source without its secret would fail at its first run.
    """
    added = sources(documents)
    if not added:
        raise BadInput("bad_source", name="source", why="there is none in it: write [[source]]")
    known = {row.name for row in workspace.state.read(sa.select(_secret.c.name))} | set(secrets)
    for source in added:
        for kind, name in references(msgspec.to_builtins(source)):
            if kind == "secret" and name not in known:
                raise BadInput("source_secret_missing", reference=f"secret:{name}")
    _keep(workspace, secrets)
    names = [source.name for source in added]
    held = definition.current(workspace.state).get("source", [])
    rest = [one for one in held if one.get("name") not in names]
    own = [_without_nothing(msgspec.to_builtins(source)) for source in added]
    definitions.apply(workspace, {"source": [*rest, *own]}, author)
    return names


def remove(workspace: Workspace, name: str, author: str) -> None:
    """Ends a source; what it brought stays. Added again, it begins anew."""
    source_named(workspace, name)
    held = definition.current(workspace.state).get("source", [])
    rest = [one for one in held if one.get("name") != name]
    definitions.apply(workspace, {"source": rest}, author)
    runs.forget(workspace.state, name)


def schedules(workspace: Workspace) -> list[Line]:
    """When which source is pulled."""
    return [
        Line(f"source:{source.name}", source.schedule, "pull", {"source": source.name})
        for source in _held(workspace)
        if source.schedule and source.is_enabled
    ]


def with_credentials(workspace: Workspace, source: Source) -> tuple[Source, tuple[str, ...]]:
    """The source ready to be asked, and the values that no message may show."""

    def opened(name: str) -> str | None:
        rows = workspace.state.read(sa.select(_secret).where(_secret.c.name == name))
        if not rows:
            return None
        return workspace.vault.open(rows[0].sealed_value, _place(name)).decode()

    plain = msgspec.to_builtins(source)
    ready = resolved(plain, opened)
    hidden = tuple(_changed(plain, ready))
    return msgspec.convert(ready, Source), hidden


def listed(workspace: Workspace, args: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every source: what it yields, how far it is, how its last run went, when the next comes."""
    last = runs.latest(workspace.state, args.get("language") or "en")
    due = schedule.due_of(workspace.state)
    working = job.open_args(workspace.state, "pull")
    return [
        _told(workspace, source, last.get(source.name), due.get(f"source:{source.name}"), working)
        for source in _held(workspace)
    ]


def logged(workspace: Workspace, args: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The runs of one source, newest first."""
    source = source_named(workspace, args["source"])
    limit = int(args.get("limit") or RUNS_SHOWN)
    found = runs.of_source(workspace.state, source.name, args.get("language") or "en", limit)
    for run in found:
        for name in ("cursor_before", "cursor_after"):
            if source.kind != "filesystem":
                run[name] = shown(run[name], source.type_of_cursor, workspace.time_zone)
    return found


def _told(
    workspace: Workspace,
    source: Source,
    last: dict[str, Any] | None,
    due: tuple[int | None, int] | None,
    working: list[dict[str, Any]],
) -> dict[str, Any]:
    at = runs.cursor_of(workspace.state, source)
    is_files = source.kind == "filesystem"
    return {
        "name": source.name,
        "kind": source.kind,
        "yields": source.yields,
        "status": _status(source, last, working),
        "cursor": len(at or ()) if is_files else _cursor(workspace, source, at),
        "schedule": source.schedule,
        "next_at": None if due is None or due[0] is None else clock.iso(due[0]),
        "failures": 0 if due is None else due[1],
        "secrets": sorted(
            {f"{kind}:{name}" for kind, name in references(msgspec.to_builtins(source))}
        ),
        "last_run": last,
    }


def _cursor(workspace: Workspace, source: Source, at: Any) -> str | None:
    return shown(at, source.type_of_cursor, workspace.time_zone)


def _status(source: Source, last: dict[str, Any] | None, working: list[dict[str, Any]]) -> str:
    """running, disabled, new, interrupted, stopped, failed or ok."""
    if any(args.get("source") == source.name for args in working):
        return "running"
    if not source.is_enabled:
        return "disabled"
    if last is None:
        return "new"
    if last["finished_at"] is None:
        return "interrupted"  # or pulled by a command at this moment, without a server
    if last["error"]:
        return "stopped" if last["error"]["code"] == "job_cancelled" else "failed"
    return "ok"


def _held(workspace: Workspace) -> tuple[Source, ...]:
    return sources(definition.current(workspace.state).get("source", []))


def _keep(workspace: Workspace, secrets: Mapping[str, str]) -> None:
    rows: list[dict[str, Any]] = []
    for name, value in secrets.items():
        if not value or len(value) > MAX_SECRET or any(ord(char) < 32 for char in value):
            why = "must be one line."
            raise BadInput("bad_argument", name=f"secret {name}", value="***", why=why)
        sealed = workspace.vault.seal(value.encode(), _place(name))
        rows.append({"name": name, "sealed_value": sealed, "known_at_us": clock.now_us()})
    workspace.state.write((workspace.state.upsert(_secret, newest_by="known_at_us"), rows))


def _without_nothing(value: Any) -> Any:
    """As TOML can hold it, which knows no null."""
    if isinstance(value, dict):
        return {key: _without_nothing(of) for key, of in value.items() if of is not None}
    if isinstance(value, list):
        return [_without_nothing(of) for of in value if of is not None]
    return value


def _place(name: str) -> bytes:
    return b"secret|" + name.encode()


def _changed(before: Any, after: Any) -> list[str]:
    """Texts that stand where a reference stood."""
    if isinstance(before, dict):
        return [text for key in before for text in _changed(before[key], after[key])]
    if isinstance(before, list):
        pairs = zip(before, after, strict=True)
        return [text for old, new in pairs for text in _changed(old, new)]
    return [after] if before != after else []
