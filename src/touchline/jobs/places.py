"""The setting `geo_db` → its file, opened; opened anew when it is replaced by a newer one."""

from pathlib import Path

from touchline.collect.geo import Geo, stamp
from touchline.storage.workspace import Workspace

__all__ = ["Places", "geo_path"]


def geo_path(workspace: Workspace) -> Path | None:
    """Where the file is, from the workspace's folder on."""
    named = workspace.settings.geo_db
    return workspace.dir / named if named else None


class Places:
    """One workspace's file, looked at by whoever commits."""

    def __init__(self, workspace: Workspace) -> None:
        self._path = geo_path(workspace)
        self._stamp: tuple[int, int, int] | None = None
        self._geo: Geo | None = None

    def now(self) -> Geo | None:
        """The file as it is; the same object until it changes."""
        if self._path is None:
            return None
        found = stamp(self._path)
        if self._geo is None or found != self._stamp:
            self._stamp, self._geo = found, Geo(self._path)
        return self._geo
