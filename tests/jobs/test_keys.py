"""Keys made, given other names, and revoked."""

import datetime as dt

import msgspec
import pytest

from build import workspace as make
from touchline.errors import Ambiguous, BadInput, NotFound
from touchline.jobs.commands import COMMANDS
from touchline.jobs.keys import Wanted, create, keys, revoke
from touchline.storage.access_key import key_hash


@pytest.fixture
def shop(tmp_path):
    found = make(tmp_path / "w", write_keys={"web": "site-key"}, admin_keys=["boss"])
    yield found
    found.close()


def test_a_key_is_made_up_when_none_is_given_and_shown_once(shop):
    made = create(shop, Wanted())
    assert made["key"].startswith("tlw_")
    assert len(made["key"]) > 30
    assert shop.write_keys()[key_hash(made["key"])] == made["name"] == "key1"
    assert made["key"] not in msgspec.json.encode(keys(shop)).decode()
    assert create(shop, Wanted())["name"] == "key2"


def test_no_key_lies_in_state_as_it_is(shop):
    made = [create(shop, Wanted(kind=kind))["key"] for kind in ("write", "admin")]
    shop.close()
    stored = b"".join(path.read_bytes() for path in shop.dir.glob("state.db*"))
    for key in (*made, "boss", "site-key"):
        assert key.encode() not in stored


def test_an_admin_key_of_no_scope_has_all_and_one_with_scopes_has_those(shop):
    assert shop.admin_scopes("boss") == {"read", "write", "keys", "privacy"}
    create(shop, Wanted(kind="admin", value="looker", scopes=("read",)))
    assert shop.admin_scopes("looker") == {"read"}
    assert shop.admin_scopes("site-key") == frozenset()
    assert key_hash("boss") not in shop.write_keys()


def test_a_write_key_is_given_more_names_later(shop):
    create(shop, Wanted(value="site-key", aliases=("matomo:1", "plausible:Shop.example.com")))
    made = create(shop, Wanted(value="site-key", aliases=("ga4:G-X",)))
    assert made["name"] == "web"
    assert made["aliases"] == ["ga4:G-X", "matomo:1", "plausible:shop.example.com"]
    assert set(shop.write_aliases().values()) == {key_hash("site-key")}


def test_an_alias_goes_over_to_the_next_key_of_its_source_and_to_no_other(shop):
    create(shop, Wanted(value="site-key", aliases=("matomo:1",)))
    with pytest.raises(BadInput, match="belongs to the key of web"):
        create(shop, Wanted(name="app", aliases=("matomo:1",)))
    assert {key["name"] for key in keys(shop)} == {"admin", "web"}
    following = create(shop, Wanted(name="web", aliases=("matomo:1",)))
    assert shop.write_aliases() == {"matomo:1": key_hash(following["key"])}
    revoke(shop, following["id"])
    assert shop.write_aliases() == {}
    create(shop, Wanted(name="app", value="app-key", aliases=("matomo:1",)))
    assert shop.write_aliases() == {"matomo:1": key_hash("app-key")}


@pytest.mark.parametrize("named", ["site-key", "web", None])
def test_a_key_is_revoked_by_value_name_or_id_and_for_good(shop, named):
    named = named or next(key["id"] for key in keys(shop) if key["name"] == "web")
    ended = revoke(shop, named)
    assert dt.datetime.fromisoformat(ended["revoked_at"])
    assert shop.write_keys() == {}
    assert shop.shown_keys() == {}
    with pytest.raises(NotFound):
        revoke(shop, named)
    with pytest.raises(BadInput, match="revoked"):
        create(shop, Wanted(value="site-key"))


def test_a_revoked_admin_key_may_nothing(shop):
    revoke(shop, "boss")
    assert not shop.admin_scopes("boss")


def test_a_name_of_two_keys_names_neither(shop):
    create(shop, Wanted(name="web"))
    with pytest.raises(Ambiguous):
        revoke(shop, "web")


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(kind="root"),
        Wanted(kind="admin", aliases=("matomo:1",)),
        Wanted(scopes=("read",)),
        Wanted(kind="admin", scopes=("everything",)),
        Wanted(aliases=("matomo",)),
        Wanted(aliases=("matomo:",)),
        Wanted(aliases=("fax:1",)),
        Wanted(aliases=("matomo:1\n",)),
        Wanted(value=""),
        Wanted(value=" x"),
        Wanted(name="a\x1b[2J"),
        Wanted(name="x" * 201),
        Wanted(value="boss"),
        Wanted(value="site-key", name="app"),
        Wanted(kind="admin", value="boss", scopes=("read",)),
    ],
)
def test_what_cannot_be_a_key_changes_nothing(shop, wanted):
    before = keys(shop)
    with pytest.raises(BadInput):
        create(shop, wanted)
    assert keys(shop) == before


def test_the_worker_does_it_by_name(shop):
    made = COMMANDS["create_key"](
        shop, None, {"kind": "write", "name": "app", "aliases": ["umami:A-B"]}
    )
    assert made["aliases"] == ["umami:a-b"]
    assert COMMANDS["revoke_key"](shop, None, {"key": made["id"]})["name"] == "app"
    assert len(COMMANDS["keys"](shop, None, {})) == 3
