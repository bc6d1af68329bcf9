"""A folder is a workspace entirely or not; an older one is brought up, a newer one refused."""

import errno
import json
import os
import stat
import subprocess
import sys

import pytest

import build
from touchline.errors import BadInput, Unavailable
from touchline.storage import schema, upgrade
from touchline.storage import workspace as workspace_module
from touchline.storage.disk import check_links
from touchline.storage.lake import Lake
from touchline.storage.workspace import FORMAT, Workspace, key_hash


@pytest.fixture
def directory(tmp_path):
    build.workspace(tmp_path / "w").close()
    return tmp_path / "w"


def about(directory):
    return json.loads((directory / "workspace.json").read_bytes())


def rewrite(directory, **fields):
    (directory / "workspace.json").write_text(json.dumps(about(directory) | fields))


def test_what_is_fixed_at_init_is_there_when_it_is_opened(tmp_path):
    made = Workspace.init(tmp_path / "w", currency="SGD", time_zone="Asia/Singapore", region="SG")
    opened = Workspace.open(tmp_path / "w")
    for name in ("id", "currency", "time_zone", "region"):
        assert getattr(opened, name) == getattr(made, name)
    assert (opened.currency, opened.time_zone, opened.region) == ("SGD", "Asia/Singapore", "SG")
    assert about(tmp_path / "w")["format"] == FORMAT
    made.close()
    opened.close()


def test_the_defaults_are_those_of_the_contract(tmp_path):
    made = Workspace.init(tmp_path / "w")
    assert (made.currency, made.time_zone, made.region) == ("CNY", "Asia/Shanghai", "CN")
    made.close()


def test_two_workspaces_share_nothing(tmp_path):
    a, b = Workspace.init(tmp_path / "a"), Workspace.init(tmp_path / "b")
    assert a.id != b.id
    assert a.vault.node_id("email", "x") != b.vault.node_id("email", "x")
    build.Rows(a).touch("user_id:ann", build.T0, "Ads")
    with a.view() as one, b.view() as other:
        assert one.fetch(one.events()).num_rows == other.fetch(other.events()).num_rows == 0
    a.close()
    b.close()


def test_a_folder_is_no_workspace_until_it_is_whole(tmp_path, monkeypatch):
    def full(_lake):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "create", full)
        with pytest.raises(Unavailable) as caught:
            Workspace.init(tmp_path / "w")
    assert caught.value.code == "disk_full"
    with pytest.raises(BadInput) as caught:
        Workspace.open(tmp_path / "w")
    assert caught.value.code == "not_a_workspace"
    Workspace.init(tmp_path / "w").close()
    Workspace.open(tmp_path / "w").close()


def test_of_two_who_make_one_at_once_one_does(tmp_path, monkeypatch):
    create, told = Lake.create, []

    def create_beside_another(lake):
        with pytest.raises(Unavailable) as caught:
            Workspace.init(tmp_path / "w")
        told.append(caught.value.code)
        create(lake)

    monkeypatch.setattr(Lake, "create", create_beside_another)
    Workspace.init(tmp_path / "w").close()
    assert told == ["workspace_locked"]


def test_a_workspace_is_not_made_twice(directory):
    before = (directory / "workspace.json").read_bytes()
    with pytest.raises(BadInput) as caught:
        Workspace.init(directory)
    assert caught.value.code == "workspace_exists"
    assert (directory / "workspace.json").read_bytes() == before


def test_a_time_zone_that_is_none_is_refused_before_anything_is_made(tmp_path):
    for name in ("Asia/Nowhere", "", "../etc/passwd", "/etc/localtime"):
        with pytest.raises(BadInput) as caught:
            Workspace.init(tmp_path / "w", time_zone=name)
        assert caught.value.code == "bad_time_zone"
    assert not (tmp_path / "w").exists()


def test_a_folder_that_cannot_be_one_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput) as caught:
        Workspace.init(tmp_path / "file")
    assert caught.value.code == "folder_unusable"


def test_a_full_disk_does_not_keep_a_writer_from_starting(directory, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "full")

    found = Workspace.open(directory)
    for name in ("link", "open"):
        with monkeypatch.context() as patch, found.write_lock():
            patch.setattr(os, name, full)
            check_links(directory)
    found.close()


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_hard_links_is_refused_at_once(tmp_path, monkeypatch, code):
    """As SMB and exFAT answer: when the workspace is made, and when one was moved there."""
    moved = Workspace.init(tmp_path / "moved")

    def link(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(BadInput) as caught:
        Workspace.init(tmp_path / "w")
    assert caught.value.code == "no_hard_links"
    assert [path.name for path in (tmp_path / "w").iterdir()] == ["write.lock"]
    with pytest.raises(BadInput) as caught, moved.write_lock():
        pass
    assert caught.value.code == "no_hard_links"
    monkeypatch.undo()
    with moved.write_lock():  # the lock was let go
        assert not list(moved.dir.glob(".probe*"))
    moved.close()


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", b'{"format": "x"}'])
def test_what_is_no_workspace_is_said(tmp_path, content):
    (tmp_path / "workspace.json").write_bytes(content)
    with pytest.raises(BadInput, match="touchline init") as caught:
        Workspace.open(tmp_path)
    assert caught.value.code == "not_a_workspace"


def test_secrets_may_live_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("TOUCHLINE_SECRETS", str(tmp_path / "safe"))
    made = Workspace.init(tmp_path / "w")
    assert not (tmp_path / "w" / "secrets").exists()
    assert stat.S_IMODE((tmp_path / "safe" / "pepper").stat().st_mode) == 0o600
    made.close()
    monkeypatch.delenv("TOUCHLINE_SECRETS")
    with pytest.raises(BadInput) as caught:
        Workspace.open(tmp_path / "w")
    assert caught.value.code == "secrets_missing"


# Keys


def test_keys_are_kept_as_hashes_under_their_sources_name(directory):
    opened = Workspace.open(directory)
    assert opened.write_keys() == {key_hash("w" * 8): "web"}
    assert opened.admin_scopes("a" * 8)
    assert not opened.admin_scopes("w" * 8)
    assert not opened.admin_scopes("")
    opened.add_keys({"app": "secret-key-1"}, ["secret-key-2"])
    assert set(opened.write_keys().values()) == {"web", "app"}
    assert opened.admin_scopes("secret-key-2")
    opened.close()
    state = b"".join(path.read_bytes() for path in directory.glob("state.db*"))
    assert b"secret-key" not in state


# The write lock


HOLD = """
import sys, time
from pathlib import Path
from touchline.storage.workspace import Workspace
with Workspace.open(Path(sys.argv[1])).write_lock():
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_process_writes_and_the_others_are_told(directory):
    command = [sys.executable, "-c", HOLD, str(directory)]
    opened = Workspace.open(directory)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Unavailable, match="Try again") as caught, opened.write_lock(0.1):
            pass
        assert (caught.value.code, caught.value.exit_code) == ("workspace_locked", 3)
        holder.kill()
    with opened.write_lock(5.0):  # a killed holder leaves no lock behind
        pass
    opened.close()


def test_the_lock_is_free_after_an_error(directory):
    opened = Workspace.open(directory)
    with pytest.raises(ZeroDivisionError), opened.write_lock():
        raise ZeroDivisionError
    with opened.write_lock():
        pass
    opened.close()


# Formats


def test_a_newer_format_is_refused_and_left_alone(directory):
    rewrite(directory, format=FORMAT + 1)
    with pytest.raises(BadInput, match="Upgrade") as caught:
        Workspace.open(directory)
    assert (caught.value.code, caught.value.exit_code) == ("workspace_newer", 2)
    assert about(directory)["format"] == FORMAT + 1


@pytest.fixture
def future(monkeypatch):
    """A Touchline two formats ahead; yields what its steps did."""
    done = []
    monkeypatch.setattr(workspace_module, "FORMAT", FORMAT + 2)
    monkeypatch.setattr(
        upgrade, "STEPS", {FORMAT + n: lambda w, n=n: done.append((n, w.dir)) for n in (0, 1)}
    )
    return done


def test_an_older_format_is_brought_up_once_step_by_step(directory, future):
    opened = Workspace.open(directory)
    assert future == [(0, directory), (1, directory)]
    assert about(directory)["format"] == FORMAT + 2
    assert opened.write_keys()
    opened.close()
    Workspace.open(directory).close()
    assert len(future) == 2


def test_an_upgrade_that_was_cut_short_goes_on_where_it_stopped(directory, future, monkeypatch):
    steps = dict(upgrade.STEPS)
    monkeypatch.setitem(upgrade.STEPS, FORMAT + 1, lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Workspace.open(directory)
    assert about(directory)["format"] == FORMAT + 1
    monkeypatch.setitem(upgrade.STEPS, FORMAT + 1, steps[FORMAT + 1])
    Workspace.open(directory).close()
    assert [n for n, _ in future] == [0, 1]


def test_an_upgrade_waits_for_who_is_writing(directory, future, monkeypatch):
    monkeypatch.setattr(workspace_module, "UPGRADE_WAIT_S", 0.1)
    with monkeypatch.context() as patch:
        patch.setattr(workspace_module, "FORMAT", FORMAT)
        older = Workspace.open(directory)
    with older.write_lock(), pytest.raises(Unavailable) as caught:
        Workspace.open(directory)
    assert caught.value.code == "workspace_locked"
    assert future == []
    older.close()


def test_an_upgrade_brings_the_tables_of_state_up(directory, future):
    opened = Workspace.open(directory)
    with opened.state.engine.begin() as connection:
        connection.exec_driver_sql("delete from alembic_version")
        schema.metadata.drop_all(connection)
    opened.close()
    rewrite(directory, format=FORMAT)
    again = Workspace.open(directory)
    assert again.write_keys() == {}
    again.close()
