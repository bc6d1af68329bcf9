"""Secrets: node ids nobody can guess, and values only their own keys open."""

import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.errors import BadInput
from touchline.storage.vault import Vault, seal, unseal


@pytest.fixture
def folder(tmp_path):
    Vault.create(tmp_path / "secrets")
    return tmp_path / "secrets"


def test_secrets_are_for_the_owner_alone(folder):
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = sorted(folder.iterdir())
    assert [path.name for path in files] == ["payload.key", "pepper", "root.key"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert [len(path.read_bytes()) for path in files] == [60, 32, 32]


def test_creating_again_keeps_the_secrets(folder):
    before = [path.read_bytes() for path in sorted(folder.iterdir())]
    Vault.create(folder)
    assert [path.read_bytes() for path in sorted(folder.iterdir())] == before


def test_a_node_id_is_16_bytes_and_differs_by_type_value_and_pepper(folder, tmp_path):
    vault = Vault(folder)
    Vault.create(tmp_path / "other")
    ids = {
        vault.node_id("email", "a@b.cn"),
        vault.node_id("phone", "a@b.cn"),
        vault.node_id("email", "a@b.co"),
        Vault(tmp_path / "other").node_id("email", "a@b.cn"),
    }
    assert len(ids) == 4
    assert {len(node) for node in ids} == {16}
    assert Vault(folder).node_id("email", "a@b.cn") in ids


def test_type_and_value_cannot_be_shifted_into_each_other(folder):
    vault = Vault(folder)
    assert vault.node_id("user_id", "x") != vault.node_id("user_i", "dx")


def test_any_text_has_a_node_id(folder):
    assert len(Vault(folder).node_id("user_id", "\ud800 \0 王")) == 16


@given(st.binary(), st.binary())
def test_what_is_sealed_opens_in_its_own_place_only(tmp_path_factory, clear, place):
    folder = tmp_path_factory.getbasetemp() / "vault"
    Vault.create(folder)
    vault = Vault(folder)
    sealed = vault.seal(clear, place)
    assert vault.open(sealed, place) == clear
    assert clear == b"" or len(clear) < 4 or clear not in sealed
    assert vault.seal(clear, place) != sealed
    with pytest.raises(BadInput):
        vault.open(sealed, place + b"!")


def test_a_nodes_key_opens_that_nodes_values_only(folder):
    vault = Vault(folder)
    key, wrapped = vault.new_key(b"a" * 16)
    other, _ = vault.new_key(b"b" * 16)
    sealed = seal(key, b"ann@shop.cn", b"place")
    assert unseal(vault.unwrap(b"a" * 16, wrapped), sealed, b"place") == b"ann@shop.cn"
    with pytest.raises(BadInput) as caught:
        vault.unwrap(b"b" * 16, wrapped)
    assert caught.value.code == "wrong_secrets"
    with pytest.raises(BadInput):
        unseal(other, sealed, b"place")


def test_under_other_secrets_nothing_opens_and_the_remedy_is_said(folder, tmp_path):
    sealed = Vault(folder).seal(b"clear", b"place")
    Vault.create(tmp_path / "other")
    with pytest.raises(BadInput, match="secrets") as caught:
        Vault(tmp_path / "other").open(sealed, b"place")
    assert (caught.value.code, caught.value.exit_code) == ("wrong_secrets", 2)


@pytest.mark.parametrize("break_it", [lambda p: p.unlink(), lambda p: p.write_bytes(b"short")])
@pytest.mark.parametrize("name", ["pepper", "root.key"])
def test_missing_or_damaged_secrets_are_named_and_never_made_anew(folder, name, break_it):
    break_it(folder / name)
    with pytest.raises(BadInput, match=name) as caught:
        Vault(folder)
    assert caught.value.code == "secrets_missing"


def test_bytes_that_were_cut_are_no_value(folder):
    vault = Vault(folder)
    with pytest.raises(BadInput):
        vault.open(vault.seal(b"clear", b"")[:5], b"")
