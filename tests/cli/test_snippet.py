"""`touchline snippet`: the right key, the right address, nothing that breaks out of the tag."""

import pytest

from touchline.cli import main
from touchline.storage.workspace import Workspace


@pytest.fixture
def shop(tmp_path):
    keys = {"app": "app-key", "web": "site-key"}
    Workspace.init(tmp_path / "shop", write_keys=keys, admin_keys=["admin-key"]).close()
    return tmp_path / "shop"


def test_a_page_reports_as_web_unless_another_source_is_asked_for(shop, capsys):
    assert main(["snippet", str(shop)]) == 0
    printed = capsys.readouterr().out
    assert printed == (
        '<script async src="http://127.0.0.1:8700/t.js" data-key="site-key"></script>\n'
    )
    assert main(["snippet", str(shop), "--source", "app"]) == 0
    assert 'data-key="app-key"' in capsys.readouterr().out


def test_host_and_path_are_the_owners(shop, capsys):
    (shop / "settings.toml").write_text('tracker_path = "/assets/site.js"\n')
    assert main(["snippet", str(shop), "--host", "t.example.com/"]) == 0
    assert 'src="https://t.example.com/assets/site.js"' in capsys.readouterr().out


def test_a_page_that_calls_early_gets_a_stub_before_the_script(shop, capsys):
    assert main(["snippet", str(shop), "--calls"]) == 0
    stub, tag = capsys.readouterr().out.splitlines()
    assert '"touchline"' in stub
    assert tag.startswith("<script async")


def test_a_key_that_is_given_is_checked(shop, capsys):
    assert main(["snippet", str(shop), "--key", "app-key"]) == 0
    assert main(["snippet", str(shop), "--key", "wrong"]) == 2
    assert main(["snippet", str(shop), "--key", "app-key", "--source", "web"]) == 2
    assert main(["snippet", str(shop), "--key", "admin-key"]) == 2
    capsys.readouterr()


def test_a_key_that_is_not_known_in_clear_must_be_given(shop, capsys):
    (shop / "write-keys.json").unlink()
    assert main(["snippet", str(shop)]) == 2
    assert "--key" in capsys.readouterr().err
    (shop / "write-keys.json").write_text("nonsense")
    assert main(["snippet", str(shop), "--source", "web"]) == 2
    assert main(["snippet", str(shop), "--key", "site-key"]) == 0


def test_what_is_kept_in_clear_is_for_the_owner_alone_and_has_no_admin_key(shop):
    kept = shop / "write-keys.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "admin-key" not in kept.read_text()


def test_a_key_cannot_break_out_of_its_attribute(tmp_path, capsys):
    Workspace.init(tmp_path / "s", write_keys={"web": '"><script>x'}).close()
    assert main(["snippet", str(tmp_path / "s")]) == 0
    assert 'data-key="&quot;&gt;&lt;script&gt;x"></script>' in capsys.readouterr().out
