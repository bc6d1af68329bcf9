"""A folder → the files in it, by dlt's filesystem source; each is read as an import reads it.

Only folders that the site's settings list (`reach`) are looked at, links followed. Where a time of
change stands in the list to the nanosecond, a file that was written twice in a second is seen.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from touchline.collect.connectors.definition import Source
from touchline.errors import BadInput
from touchline.net import Reach

__all__ = ["folder_files"]


def folder_files(source: Source, reach: Reach) -> Iterator[dict[str, Any]]:
    """{"path", "size", "changed_ns"} of each file."""
    folder = Path(source.folder or "")
    if not folder.is_absolute() or not reach.holds_path(folder):
        raise BadInput("folder_refused", path=folder)
    if not folder.is_dir():
        raise BadInput("file_missing", path=folder)
    from dlt.sources.filesystem import filesystem
    from fsspec import filesystem as opened

    listed = filesystem(bucket_url=str(folder), credentials=opened("file"), file_glob=source.files)
    for item in listed:
        path = folder / item["relative_path"]
        if path.is_file() and reach.holds_path(path):
            about = path.stat()
            yield {"path": str(path), "size": about.st_size, "changed_ns": about.st_mtime_ns}
