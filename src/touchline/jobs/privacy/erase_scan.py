"""What an erasure must have left nowhere → how often each place still holds it: 0, or it is told.

Looked through are the database, every table and mirror of the lake as rows, what is left of the raw
log and of rejects as they are read, and the bytes of every file of the workspace but its secrets.
Looked for are node ids (as bytes, hex and base64), the person's ids, and clear values that can only
be this person's; shorter ones ("ann", "42") stand in too much that is not about anybody.

What surprises: names of the site's own (of events, sources, campaigns …) are left as they are, so
where a word of theirs stands in one it is no hit, but told as `left`.
"""

from collections import Counter
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

from msgspec import Struct

from touchline.collect.site import Site
from touchline.jobs.privacy import erase_state
from touchline.jobs.privacy.erase_map import Fate
from touchline.jobs.privacy.erase_plan import Plan, Reader, names_in_lake, searched
from touchline.jobs.privacy.erase_words import forms
from touchline.storage.audit import canonical
from touchline.storage.frames import log_folder, segments
from touchline.storage.search import Wanted, in_bytes, in_rows
from touchline.storage.workspace import Workspace, secrets_folder

__all__ = ["Scan", "scan"]

IN_USE = (".sock", ".lock")


class Scan(Struct, frozen=True):
    """`places` → hits; `files`, `size`, `rows`: how much was looked through; `values`: clear values
    looked for, `short`: those that were too short for it, `common`: those that are names of the
    site's own. `left`: names of the site's own that hold a word of theirs → rows.
    """

    places: dict[str, int]
    left: dict[str, int]
    files: int
    size: int
    rows: int
    values: int
    short: int
    common: int

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
    """Looks everywhere; of the log, as far as the plan goes: what came since is refused when it is
    read. `progress` is called between the places.
    """
    places: Counter[str] = Counter()
    wanted = plan.wanted
    state = workspace.state
    for counts in (*erase_state.found(state, wanted), erase_state.held(state, wanted)):
        for name, hits in counts.items():
            places[f"state.{name}"] += hits
    rows = 0
    for name, table in workspace.lake.all.items():
        progress()
        if table.exists():
            snapshot = table.snapshot()
            rows += snapshot.rows
            shape = searched(table.schema)
            places[f"lake.{name}"] = len(in_rows(snapshot.files, shape, wanted, workspace.settings))
    progress()
    left, words = _left(workspace, wanted)
    reader = Reader(workspace, site, plan)
    places["log"] = sum(1 for _ in reader.frames(0, plan.log_end))
    places["rejects"] = sum(1 for _ in reader.rejects())
    files = size = 0
    rest = Wanted(
        wanted.nodes,
        [word for word in wanted.texts if word.lower() not in words],
        [word for word in wanted.chosen if word.lower() not in words],
    )
    for path, hits in in_bytes(_files(workspace, plan.log_end), rest):
        files, size = files + 1, size + path.stat().st_size
        places[f"files.{_folder(workspace, path)}"] += hits
        if files % 100 == 0:
            progress()
    told = [one for one in plan.clear if one not in plan.common]
    values = sum(bool(forms(*one)) for one in told)
    short, common = len(told) - values, len(plan.common)
    return Scan(dict(sorted(places.items())), left, files, size, rows, values, short, common)


def _left(workspace: Workspace, wanted: Wanted) -> tuple[dict[str, int], set[str]]:
    """Names that hold a word of theirs, by place; and the words that they hold."""
    signs = [form.lower() for form in (*wanted.ids, *wanted.texts, *wanted.chosen)]
    held = [(f"lake.{name}", rows) for name, rows in names_in_lake(workspace, signs)]
    for name, fate, rows in erase_state.names(workspace.state, signs):
        held += [(f"state.{name}", rows)] if fate is Fate.NAME else []
    left: Counter[str] = Counter()
    words: set[str] = set()
    for place, texts in held:
        for text, rows in texts.items():
            left[place] += rows
            words.update(sign for sign in signs if sign in text.lower())
    return dict(sorted(left.items())), words


def _files(workspace: Workspace, log_end: int) -> dict[Path, int | None]:
    """Every file of the workspace that may hold anything but keys; of the log, up to which byte."""
    secrets = secrets_folder(workspace.dir, workspace.settings)
    bases = {path: base for base, path in segments(log_folder(workspace.dir))}
    paths = sorted(
        path
        for path in workspace.dir.rglob("*")
        if path.is_file() and secrets not in path.parents and path.suffix not in IN_USE
    )
    return {path: max(log_end - bases[path], 0) if path in bases else None for path in paths}


def _folder(workspace: Workspace, path: Path) -> str:
    """The first part of a file's name, and of the lake its table."""
    parts = path.relative_to(workspace.dir).parts
    return "/".join(parts[:2]) if parts[0] == "lake" else parts[0]
