"""A workspace: one folder that holds everything of one company, and nothing outside it.

    DIR/workspace.json   format number, id, currency, time zone, region: fixed at `init`
    DIR/log lake state.db secrets/   see `log`, `lake`, `schema`, `vault`

The process has no globals: two workspaces can be open side by side.
"""

import contextlib
import copy
import fcntl
import os
import secrets
import time
import zoneinfo
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Self

import msgspec

from touchline.errors import BadInput, Unavailable
from touchline.settings import Settings, load_settings
from touchline.storage import access_key, definition, schema, shown_keys
from touchline.storage.access_key import key_hash
from touchline.storage.disk import check_links, is_full, make_folder, put
from touchline.storage.engine import View
from touchline.storage.lake import Lake
from touchline.storage.principal import ADMIN, Principal
from touchline.storage.state import State
from touchline.storage.upgrade import upgrade
from touchline.storage.vault import Vault

__all__ = ["FORMAT", "Workspace", "key_hash"]

FORMAT = 3
ABOUT = "workspace.json"
UPGRADE_WAIT_S = 60.0


class About(msgspec.Struct, frozen=True):
    format: int
    id: str
    currency: str
    time_zone: str
    region: str


class Workspace:
    """An open workspace. Reads need no lock; bulk writes happen inside `write_lock`."""

    def __init__(self, directory: Path, about: About, settings: Settings) -> None:
        self.dir = directory
        self.id = about.id
        self.currency = about.currency
        self.time_zone = about.time_zone
        self.region = about.region
        self.settings = settings
        self.lake = Lake(directory / "lake")
        self.principal = ADMIN
        self.state = State.at(directory, settings.state_url)
        self.vault = Vault(secrets_folder(directory, settings))

    @classmethod
    def init(
        cls,
        directory: Path,
        *,
        currency: str = "CNY",
        time_zone: str = "Asia/Shanghai",
        region: str = "CN",
        write_keys: Mapping[str, str] | None = None,
        admin_keys: Sequence[str] = (),
    ) -> "Workspace":
        """Makes a workspace; `write_keys` maps source name to key.

        The about file is written last and by rename: a folder is a workspace entirely or not.
        """
        _check_zone(time_zone)
        if (directory / ABOUT).exists():
            raise BadInput("workspace_exists", path=directory)
        settings = load_settings(directory)
        try:
            make_folder(directory)
            with _locked(directory):
                if (directory / ABOUT).exists():  # another process was quicker
                    raise BadInput("workspace_exists", path=directory)
                Vault.create(secrets_folder(directory, settings))
                (directory / "log").mkdir(exist_ok=True)
                (directory / "spill").mkdir(exist_ok=True)
                about = About(FORMAT, secrets.token_hex(8), currency, time_zone, region)
                workspace = cls(directory, about, settings)
                workspace.lake.create()
                workspace.state.migrate()
                workspace.add_keys(write_keys or {}, admin_keys)
                _write_about(directory / ABOUT, about)
        except OSError as error:
            if is_full(error):
                raise Unavailable("disk_full", path=directory) from error
            raise BadInput("folder_unusable", path=directory, why=error.strerror) from error
        return workspace

    @classmethod
    def open(cls, directory: Path) -> "Workspace":
        """Raises BadInput when it is none, or a newer one; an older one is brought up first."""
        about = _read_about(directory)
        if about.format > FORMAT:
            raise BadInput("workspace_newer", path=directory, found=about.format, known=FORMAT)
        workspace = cls(directory, about, load_settings(directory))
        if about.format < FORMAT or workspace.lake.lacks_tables():
            workspace._upgrade()
        return workspace

    def _upgrade(self) -> None:
        with self.write_lock(UPGRADE_WAIT_S):
            about = _read_about(self.dir)  # another process may have been first

            def write_down(number: int) -> None:
                _write_about(self.dir / ABOUT, msgspec.structs.replace(about, format=number))

            upgrade(self, about.format, FORMAT, write_down)

    def close(self) -> None:
        self.state.close()

    def seen_by(self, principal: Principal) -> Self:
        """The same open workspace, of which only what the principal may see is read."""
        seen = copy.copy(self)
        seen.principal = principal
        seen.state = self.state.seen_by(principal)
        return seen

    def view(self, *tables: str, as_of_us: int | None = None) -> View:
        """The lake, or those tables of it: as it is now, or what of it was known by then."""
        return View(
            self.lake.files(*tables),
            self.settings,
            spill=self.dir / "spill",
            principal=self.principal,
            as_of_us=as_of_us,
            documents=lambda: definition.known(self.state, as_of_us),
        )

    @contextlib.contextmanager
    def write_lock(self, wait_s: float = 0.0) -> Generator[None]:
        """Only one process writes lake and State in bulk. Raises Unavailable when it is taken."""
        with _locked(self.dir, wait_s):
            yield

    def add_keys(self, write_keys: Mapping[str, str], admin_keys: Sequence[str]) -> None:
        rows = access_key.key_rows("write", write_keys.items())
        rows += access_key.key_rows("admin", [("admin", key) for key in admin_keys])
        self.state.write((self.state.upsert(schema.access_key), rows))
        shown_keys.keep(self.dir, write_keys)

    def shown_keys(self) -> dict[str, str]:
        """Write keys in clear by source, as far as they were given here and are still in force."""
        known = self.write_keys()
        kept = shown_keys.shown(self.dir)
        return {name: key for name, key in kept.items() if known.get(key_hash(key)) == name}

    def write_keys(self) -> dict[str, str]:
        """Hash of each write key in force -> the name of its source."""
        return access_key.write_keys(self.state)

    def write_aliases(self) -> Mapping[str, str]:
        """What other protocols call the site of a write key -> the hash of that key."""
        return access_key.write_aliases(self.state)

    def admin_scopes(self, key: str) -> frozenset[str]:
        """What this key may do as an admin's; empty when it is none."""
        return access_key.admin_scopes(self.state, key)


@contextlib.contextmanager
def _locked(directory: Path, wait_s: float = 0.0) -> Generator[None]:
    try:
        handle = os.open(directory / "write.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        if is_full(error):
            raise Unavailable("disk_full", path=directory) from error
        raise BadInput("folder_unusable", path=directory, why=error.strerror) from error
    deadline = time.monotonic() + wait_s
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise Unavailable("workspace_locked", path=directory) from None
                time.sleep(0.05)
        check_links(directory)  # it may have been moved to another file system
        yield
    finally:
        os.close(handle)


def secrets_folder(directory: Path, settings: Settings) -> Path:
    return Path(settings.secrets) if settings.secrets else directory / "secrets"


def _check_zone(name: str) -> None:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadInput("bad_time_zone", name=name) from error


def _read_about(directory: Path) -> About:
    try:
        return msgspec.json.decode((directory / ABOUT).read_bytes(), type=About)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BadInput("not_a_workspace", path=directory) from error


def _write_about(path: Path, about: About) -> None:
    put(path, msgspec.json.encode(about))
