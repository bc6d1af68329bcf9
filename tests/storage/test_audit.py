"""The audit log: a chain that any change breaks, and that writers at once do not fork."""

import subprocess
import sys

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

import build
from touchline.storage import audit, schema
from touchline.storage.audit import Entry
from touchline.storage.principal import ADMIN, Principal
from touchline.storage.state import State

ABOUT = st.dictionaries(
    st.text(max_size=5), st.text(max_size=5) | st.integers(-(2**63), 2**63 - 1), max_size=3
)
ENTRIES = st.builds(Entry, st.text(max_size=9), st.text(max_size=9), ABOUT, st.none() | st.text())

WRITER = """
import sys
from touchline.storage import audit
from touchline.storage.audit import Entry
from touchline.storage.state import State
state = State(sys.argv[1])
for number in range(20):
    audit.write(state, Entry("tried", sys.argv[2], {"number": number}))
"""


@pytest.fixture
def state(tmp_path):
    made = build.workspace(tmp_path / "w")
    yield made.state
    made.close()


def add(state, *names):
    for name in names:
        audit.write(state, Entry(name, "ann", {"what": name}))


def change(state, statement):
    with state.engine.begin() as connection:
        connection.execute(statement)


@settings(max_examples=50, deadline=None)
@given(made=st.lists(ENTRIES, max_size=4))
def test_whatever_is_written_is_whole_and_read_as_it_was_written(made):
    state = State("sqlite://")
    schema.metadata.create_all(state.engine, tables=[schema.audit, schema.mark])
    for entry in made:
        audit.write(state, entry)
    assert audit.broken(state) is None
    told = [(e["action"], e["actor"], e["about"]) for e in audit.entries(state)]
    assert told == [(e.action, e.actor, e.about) for e in made]
    state.close()


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        (sa.update(schema.audit).where(schema.audit.c.id == 2).values(actor="bob"), 2),
        (sa.update(schema.audit).where(schema.audit.c.id == 3).values(reason="none"), 3),
        (sa.update(schema.audit).where(schema.audit.c.id == 1).values(at_us=1), 1),
        (sa.delete(schema.audit).where(schema.audit.c.id == 2), 2),
        (sa.delete(schema.audit).where(schema.audit.c.id >= 3), 3),
        (sa.update(schema.audit).where(schema.audit.c.id == 4).values(id=9), 4),
    ],
)
def test_what_was_changed_or_taken_out_is_found(state, statement, number):
    add(state, "a", "b", "c", "d")
    assert audit.broken(state) is None
    change(state, statement)
    assert audit.broken(state) == number


def test_writers_of_several_processes_make_one_chain(state):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, state.url, name]) for name in "abcd"]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]
    assert audit.head(state)[0] == 80
    assert audit.broken(state) is None
    for name in "abcd":
        mine = [e["about"]["number"] for e in audit.entries(state) if e["actor"] == name]
        assert mine == list(range(20))


def test_what_is_done_and_the_row_that_says_so_are_written_together(state):
    taken = (sa.insert(schema.mark), [{"name": "x", "value": 1}])
    audit.write(state, Entry("first", "ann"), taken)
    with pytest.raises(sa.exc.IntegrityError):
        audit.write(state, Entry("again", "ann"), taken)
    assert [entry["action"] for entry in audit.entries(state)] == ["first"]


def test_an_actor_is_the_key_that_asked_or_who_runs_the_command():
    assert audit.actor_of(Principal(name="key:0123")) == "key:0123"
    assert audit.actor_of(ADMIN).startswith("local")
    assert Principal(name="key:0123") == ADMIN
