"""Identifiers → node ids; clear values sealed in State, once, and opened again."""

import json

import pytest
import sqlalchemy as sa

import build
from build import T0
from touchline.collect import nodes as nodes_module
from touchline.collect.nodes import NodeBook, Trait, clear_traits, clear_values
from touchline.errors import BadInput
from touchline.model import Identifier
from touchline.storage import schema
from touchline.storage.vault import Vault
from touchline.storage.workspace import Workspace

EMAIL, PHONE = Identifier("email", "ann@shop.cn"), Identifier("phone", "+8613800138000")
OPENID = Identifier("openid", "o-1", "app1")


@pytest.fixture
def workspace(tmp_path):
    made = build.workspace(tmp_path / "w")
    yield made
    made.close()


def count(workspace, table):
    return workspace.state.read(sa.select(sa.func.count()).select_from(table))[0][0]


def test_a_rows_nodes_come_strongest_first_and_each_once(workspace):
    book = NodeBook(workspace)
    user = Identifier("user_id", "u")
    found = book.ids([Identifier("device", "d"), PHONE, EMAIL, OPENID, PHONE, user])
    assert [node["type"] for node in found] == ["user_id", "email", "phone", "openid", "device"]
    assert [node["app"] for node in found] == [None, None, None, "app1", None]
    assert {len(node["id"]) for node in found} == {16}


def test_the_app_of_an_openid_is_no_part_of_its_node(workspace):
    book = NodeBook(workspace)
    other = Identifier("openid", "o-1", "app2")
    assert book.node_id(OPENID) == book.node_id(other)


def test_values_come_back_in_clear_and_are_stored_sealed(workspace):
    book = NodeBook(workspace)
    ids = [node["id"] for node in book.ids([EMAIL, PHONE])]
    assert clear_values(workspace, ids) == {}
    book.save()
    assert clear_values(workspace, ids) == {ids[0]: EMAIL, ids[1]: PHONE}
    for row in workspace.state.read(sa.select(schema.node)):
        assert b"ann@shop.cn" not in row.sealed_value
        assert b"1380013" not in row.sealed_value
    keys = {row.wrapped_key for row in workspace.state.read(sa.select(schema.node))}
    assert len(keys) == 2, "a data key for each node"


def test_saving_again_and_by_another_writer_changes_nothing(workspace):
    for _ in range(2):
        book = NodeBook(workspace)
        (node,) = book.ids([EMAIL])
        book.save()
        book.save()
    assert count(workspace, schema.node) == 1
    assert clear_values(workspace, [node["id"]]) == {node["id"]: EMAIL}


def test_a_book_that_forgets_still_saves_what_it_meets(workspace, monkeypatch):
    monkeypatch.setattr(nodes_module, "REMEMBERED", 2)
    book = NodeBook(workspace)
    for n in range(7):
        book.ids([Identifier("user_id", f"u{n}")])
        book.save()
    assert count(workspace, schema.node) == 7


def test_a_token_stands_for_its_node_and_the_value_is_kept(workspace):
    book = NodeBook(workspace)
    token = book.token("email", "ann@shop.cn")
    book.save()
    kind, _, hexed = token.partition(":")
    assert kind == "email"
    assert clear_values(workspace, [bytes.fromhex(hexed)])[bytes.fromhex(hexed)] == EMAIL


def test_of_a_trait_the_latest_value_stays_in_any_order(workspace):
    book = NodeBook(workspace)
    (node,) = (n["id"] for n in book.ids([EMAIL]))

    def trait(value, at, name="姓名"):
        return Trait(node, name, value, at, "web")

    book.save([trait("new", T0 + 5), trait("old", T0), trait([1, {"a": None}], T0, "tags")])
    book.save([trait("older", T0 + 4)])
    found = clear_traits(workspace, [node])[node]
    assert {t.name: t.value for t in found} == {"姓名": "new", "tags": [1, {"a": None}]}
    book.save([trait("newest", T0 + 6)])
    assert trait("newest", T0 + 6) in clear_traits(workspace, [node])[node]
    for row in workspace.state.read(sa.select(schema.trait)):
        assert b"new" not in row.sealed_value


def test_of_each_source_a_value_is_kept_and_what_was_told_beside_what_was_seen(workspace):
    book = NodeBook(workspace)
    (node,) = (n["id"] for n in book.ids([EMAIL]))
    said = [
        Trait(node, "city", "杭州", T0, "web"),
        Trait(node, "city", "上海", T0 + 1, "crm"),
        Trait(node, "city", "苏州", T0 - 1, "web", is_told=True),
    ]
    book.save([*said, Trait(node, "city", "北京", T0 - 9, "web")])
    assert sorted(clear_traits(workspace, [node])[node], key=str) == sorted(said, key=str)


def test_an_erased_node_has_neither_value_nor_traits(workspace):
    book = NodeBook(workspace)
    (node,) = (n["id"] for n in book.ids([EMAIL]))
    book.save([Trait(node, "name", "Ann", T0, "web")])
    with workspace.state.engine.begin() as connection:
        connection.execute(sa.delete(schema.node))
    assert clear_values(workspace, [node]) == {}
    assert clear_traits(workspace, [node]) == {}


def test_under_other_secrets_values_stay_closed(workspace, tmp_path):
    book = NodeBook(workspace)
    (node,) = (n["id"] for n in book.ids([EMAIL]))
    book.save()
    workspace.vault = Vault(_other(tmp_path))
    with pytest.raises(BadInput) as caught:
        clear_values(workspace, [node])
    assert caught.value.code == "wrong_secrets"


def _other(tmp_path):
    Vault.create(tmp_path / "other")
    return tmp_path / "other"


def test_any_text_is_kept(workspace):
    book = NodeBook(workspace)
    odd = Identifier("user_id", "王\t\u202e\x00 🙂")
    (node,) = (n["id"] for n in book.ids([odd]))
    book.save()
    reopened = Workspace.open(workspace.dir)
    assert clear_values(reopened, [node])[node] == odd
    assert json.dumps(odd.value)
    reopened.close()
