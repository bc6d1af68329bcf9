"""What an erasure deletes leaves the files of the database, whichever it is."""

from pathlib import Path

import sqlalchemy as sa

from touchline.jobs.privacy import erase_state
from touchline.storage import schema
from touchline.storage.search import Wanted

NODES = [bytes([at]) * 16 for at in (201, 202)]


def _sealed(node):
    return b"wrapped-key-" + node, b"sealed-value-" + node


def _pages(state):
    """The bytes of all tables, as they lie on disk."""
    if state.engine.dialect.name == "sqlite":
        paths = Path(state.url.removeprefix("sqlite:///")).parent.glob("state.db*")
    else:
        with state.engine.connect() as connection:
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            alone.execute(sa.text("CHECKPOINT"))
        folder = Path(str(sa.make_url(state.url).query["host"]))
        paths = (folder / "data" / "base").rglob("*")
    return b"".join(path.read_bytes() for path in paths if path.is_file())


def test_keys_and_values_of_an_erased_identifier_are_on_no_page(state):
    rows = [
        {"node_id": node, "type": "email", "wrapped_key": key, "sealed_value": value}
        for node in NODES
        for key, value in [_sealed(node)]
    ]
    state.write((sa.insert(schema.node), rows))
    erase_state.tidy(state)
    assert all(one in _pages(state) for node in NODES for one in _sealed(node))
    erase_state.shred(state, Wanted(NODES[:1], []), [])
    erase_state.tidy(state)
    pages = _pages(state)
    assert not any(one in pages for one in _sealed(NODES[0]))
    assert all(one in pages for one in _sealed(NODES[1]))
