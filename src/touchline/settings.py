"""How this installation runs: one frozen record from `DIR/settings.toml` and environment.

`TOUCHLINE_MEMORY_LIMIT=2GB` overrides `memory_limit`. What a marketer decides (goals, channel
rules) is not here: those are definitions inside the workspace.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from touchline.errors import BadInput

__all__ = ["Settings", "load_settings"]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`secrets` is the folder of pepper and root key (default DIR/secrets). `events_per_s`: what a
    source may send, 0 without limit. `public_url`: where visitors reach this server.
    `visitor_cookie`: a short link may set it, a form read it. `geo_db`: a .mmdb file that says
    where networks are.
    """

    secrets: str | None = None
    state_url: str | None = None
    memory_limit: str = "1GB"
    threads: int = 2
    keep_ip: bool = False
    log_days: int = 7
    commit_s: float = 1.0
    settle_s: float = 30.0
    tracker_path: str = "/t.js"
    events_per_s: int = 250_000
    reach: tuple[str, ...] | str = ()
    public_url: str | None = None
    visitor_cookie: bool = True
    geo_db: str | None = None

    @property
    def places(self) -> tuple[str, ...]:
        """Private hosts and folders that may be reached from here."""
        listed = self.reach.split(",") if isinstance(self.reach, str) else self.reach
        return tuple(place.strip() for place in listed)


def load_settings(directory: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Raises BadInput("bad_settings") naming the field that is wrong."""
    values: dict[str, Any] = {}
    path = directory / "settings.toml"
    try:
        if path.exists():
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        for field in Settings.__struct_fields__:
            override = environment.get(f"TOUCHLINE_{field.upper()}")
            if override is not None:
                values[field] = override
        return msgspec.convert(values, Settings, strict=False)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise BadInput("bad_settings", path=path, why=error) from error
