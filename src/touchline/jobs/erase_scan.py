"""What an erasure must have left nowhere → how often each place still holds it: 0, or it is told.

Looked through are the database, every table and mirror of the lake as rows, what is left of the raw
log and of rejects as they are read, and the bytes of every file of the workspace but its secrets.
Looked for are node ids (as bytes, hex and base64), the person id, and clear values that can only be
this person's; shorter ones ("ann", "42") stand in too much that is not about anybody.
"""

from collections import Counter
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

from msgspec import Struct

from touchline.collect.site import Site
from touchline.jobs import erase_state
from touchline.jobs.erase_plan import Plan, Reader, distinctive
from touchline.storage.audit import canonical
from touchline.storage.lake import LOG
from touchline.storage.search import in_bytes, in_rows
from touchline.storage.workspace import Workspace, secrets_folder

__all__ = ["Scan", "scan"]

IN_USE = (".sock", ".lock")


class Scan(Struct, frozen=True):
    """`places` → hits; `files`, `size`, `rows`: how much was looked through; `values`: clear values
    looked for, `short`: those that were too short for it.
    """

    places: dict[str, int]
    files: int
    size: int
    rows: int
    values: int
    short: int

    @property
    def hits(self) -> int:
        return sum(self.places.values())

    def told(self) -> dict[str, Any]:
        found = {name: getattr(self, name) for name in self.__struct_fields__}
        found["hits"] = self.hits
        return found | {"hash": blake2b(canonical(found), digest_size=32).hexdigest()}


def scan(
    workspace: Workspace, site: Site, plan: Plan, progress: Callable[[], None] = lambda: None
) -> Scan:
    """Looks everywhere. `progress` is called between the places."""
    places: Counter[str] = Counter()
    for name, hits in erase_state.count(workspace.state, plan.wanted, everywhere=True).items():
        places[f"state.{name}"] = hits
    rows = 0
    for name, table in workspace.lake.all.items():
        progress()
        if table.exists():
            snapshot = table.snapshot()
            rows += snapshot.rows
            found = in_rows(snapshot.files, table.schema, plan.wanted, workspace.settings)
            places[f"lake.{name}"] = len(found)
    progress()
    reader = Reader(workspace, site, plan)
    places["log"] = sum(1 for _ in reader.frames(0, workspace.state.mark(LOG)))
    places["rejects"] = sum(1 for _ in reader.rejects())
    files = size = 0
    for path, hits in in_bytes(_files(workspace), plan.wanted):
        files, size = files + 1, size + path.stat().st_size
        places[f"files.{_folder(workspace, path)}"] += hits
        if files % 100 == 0:
            progress()
    values = sum(distinctive(value) for _, value in plan.clear)
    return Scan(dict(sorted(places.items())), files, size, rows, values, len(plan.clear) - values)


def _files(workspace: Workspace) -> list[Path]:
    """Every file of the workspace that may hold anything but keys."""
    secrets = secrets_folder(workspace.dir, workspace.settings)
    return sorted(
        path
        for path in workspace.dir.rglob("*")
        if path.is_file() and secrets not in path.parents and path.suffix not in IN_USE
    )


def _folder(workspace: Workspace, path: Path) -> str:
    """The first part of a file's name, and of the lake its table."""
    parts = path.relative_to(workspace.dir).parts
    return "/".join(parts[:2]) if parts[0] == "lake" else parts[0]
