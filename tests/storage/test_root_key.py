"""Another root key: what the old one wrapped is read throughout, and nothing after it is gone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.errors import BadInput
from touchline.storage import root_key
from touchline.storage.vault import Vault, unseal

NODE = b"n" * 16


@pytest.fixture
def folder(tmp_path):
    Vault.create(tmp_path / "secrets")
    return tmp_path / "secrets"


def old_kind(folder):
    """Secrets as they were before there was a payload key."""
    (folder / "payload.key").unlink()
    return Vault(folder)


def test_what_is_sealed_outlives_a_change_of_the_root_key(folder):
    vault = Vault(folder)
    sealed = vault.seal(b"payload", b"here")
    _, wrapped = vault.new_key(NODE)
    node = vault.node_id("email", "a@b.cn")
    vault.root.begin()
    anew = vault.wrapped_anew(NODE, wrapped)
    vault.root.end()
    for one in (vault, Vault(folder)):
        assert one.open(sealed, b"here") == b"payload"
        assert one.node_id("email", "a@b.cn") == node
        assert one.unwrap(NODE, anew)
        assert one.wrapped_anew(NODE, anew) is None
        with pytest.raises(BadInput, match="secrets"):
            one.unwrap(NODE, wrapped)
    assert sorted(path.name for path in folder.iterdir()) == ["payload.key", "pepper", "root.key"]


def test_secrets_without_a_payload_key_keep_what_they_sealed(folder):
    vault = old_kind(folder)
    sealed = vault.seal(b"payload", b"here")
    vault.root.begin()
    assert Vault(folder).open(sealed, b"here") == b"payload"
    vault.root.end()
    assert Vault(folder).open(sealed, b"here") == vault.open(sealed, b"here") == b"payload"


def test_another_process_wraps_with_the_key_of_now_and_reads_what_others_wrapped(folder):
    changing, other = Vault(folder), Vault(folder)
    key, wrapped = other.new_key(NODE)
    sealed = key.encrypt(b"0" * 12, b"clear", b"")
    changing.root.begin()
    own = other.new_key(NODE)[1]
    assert changing.wrapped_anew(NODE, own) is None
    anew = changing.wrapped_anew(NODE, wrapped)
    changing.root.end()
    assert unseal(other.unwrap(NODE, anew), b"0" * 12 + sealed, b"") == b"clear"


def test_a_change_that_was_cut_short_goes_on_wherever_it_was(folder, monkeypatch):
    """Killed at each write and each end of a file in turn."""
    for steps in range(1, 12):
        vault = Vault(folder)
        sealed = vault.seal(b"payload", b"here")
        wrapped = vault.new_key(NODE)[1]
        with monkeypatch.context() as patch:
            is_through = _dies_after(patch, steps)
            try:
                vault.root.begin()
                wrapped = vault.wrapped_anew(NODE, wrapped) or wrapped
                vault.root.end()
            except KeyboardInterrupt:
                is_through = False
        again = Vault(folder)
        assert again.open(sealed, b"here") == b"payload"
        again.unwrap(NODE, wrapped)
        if again.root.is_changing:
            again.root.begin()
            wrapped = again.wrapped_anew(NODE, wrapped) or wrapped
            again.root.end()
        assert Vault(folder).open(sealed, b"here") == b"payload"
        Vault(folder).unwrap(NODE, wrapped)
        if is_through:
            break
    assert is_through
    assert steps > 3


def _dies_after(patch, steps):
    left = [steps]

    def dying(run):
        def step(*args):
            left[0] -= 1
            if not left[0]:
                raise KeyboardInterrupt
            return run(*args)

        return step

    patch.setattr(root_key, "put", dying(root_key.put))
    patch.setattr(root_key, "destroyed", dying(root_key.destroyed))
    return True


def test_a_key_is_overwritten_before_it_goes(folder, tmp_path):
    before = (folder / "root.key").read_bytes()
    vault = Vault(folder)
    vault.root.begin()
    (tmp_path / "held").hardlink_to(folder / "root.old")
    vault.root.end()
    assert before != (tmp_path / "held").read_bytes() == bytes(32)


@given(st.binary(max_size=80))
def test_what_was_never_wrapped_is_refused(tmp_path_factory, wrapped):
    folder = tmp_path_factory.getbasetemp() / "root"
    Vault.create(folder)
    with pytest.raises(BadInput, match="secrets"):
        Vault(folder).unwrap(NODE, wrapped)


def test_keys_of_receipts_are_listed_when_they_are_no_longer_used(folder):
    vault = Vault(folder)
    first = vault.signing_keys()
    vault.change_signer()
    vault.change_signer()
    own, *past = vault.signing_keys()
    assert own.until is None
    assert [key.public_key for key in past][-1] == first[0].public_key
    assert len({key.public_key for key in (own, *past)}) == 3
    assert all(key.until for key in past)
