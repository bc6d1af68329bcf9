"""The person map in the lake: what is read there is what would have been computed, or nothing."""

import itertools
import random

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.identity import mirror, resolve
from touchline.identity.evidence import MANUAL, Decisions
from touchline.identity.mirror import Mark, forget, is_written, read_map, write_map, write_noted
from touchline.identity.person_map import PersonMap
from touchline.identity.rules import DEFAULT, Rules
from touchline.storage import definition, schema
from touchline.storage.lake import Lake
from touchline.storage.table import Table

NAMES = [f"{letter}{n}" for letter in "uwmkepxcd" for n in range(4)]
ROWS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True).map(tuple),
        st.integers(0, 12),
        st.sampled_from([1, 2]),
    ),
    max_size=60,
)
KIOSK = [f"user_id:u{n} device:kiosk" for n in range(6)]
NUMBERS = itertools.count(1)


def arrays(people):
    """Everything a map holds: equal maps are equal to the bit."""
    known, clusters = people.known, people.people
    found = [known.hi, known.lo, known.rank, known.first_seen_us, clusters.person, clusters.anchor]
    found += [clusters.quarantine.cause, clusters.quarantine.count]
    return [(array.dtype, array.tolist()) for array in found]


def kept(lake, view):
    """Writes what the registry finds; returns it and its mark."""
    mark, people = lake.registry.marked(view)
    write_map(lake.workspace.lake, people, mark)
    return mark, people


def stored(lake, name):
    """A mirror as another program reads it."""
    files = DeltaTable(str(lake.workspace.lake.root / name)).file_uris()
    return [row for path in files for row in pq.read_table(path, partitioning=None).to_pylist()]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return Lake(tmp_path_factory.mktemp("lake"))


@settings(max_examples=30, deadline=None)
@given(raw=ROWS, above=st.integers(1, 3))
def test_any_map_is_read_as_it_was_written(facts, tables, raw, above):
    rows = [facts.Row(*row) for row in raw]
    solved = facts.solve(rows, rules=Rules(quarantine_above=above))
    people = PersonMap.of(solved.evidence, solved.people)
    mark = Mark(next(NUMBERS), 0)
    write_map(tables, people, mark)
    found = read_map(tables, mark)
    assert found is not None
    assert arrays(found) == arrays(people)
    assert found.nodes.equals(people.nodes)
    assert list(found.person_ids) == list(people.person_ids)


def test_a_map_of_several_files_keeps_its_order(lake, monkeypatch):
    monkeypatch.setattr(mirror, "AT_ONCE", 7)
    lake.put("events", *(f"user_id:u{n} anonymous_id:c{n % 11}" for n in range(30)))
    with lake.workspace.view() as view:
        mark, people = kept(lake, view)
    found = read_map(lake.workspace.lake, mark)
    assert found is not None
    assert arrays(found) == arrays(people)
    assert len(lake.workspace.lake.mirrors["map"].snapshot().files) == 6


def test_what_an_operator_holds_back_has_no_count(facts, tables):
    held = Decisions(quarantined=(facts.node_id("c1"),))
    solved = facts.solve(facts.rows("u1 c1"), decisions=held)
    assert MANUAL == 0
    mark = Mark(next(NUMBERS), 0)
    people = PersonMap.of(solved.evidence, solved.people)
    write_map(tables, people, mark)
    found = read_map(tables, mark)
    assert found is not None
    assert arrays(found) == arrays(people)


def test_an_empty_lake_has_an_empty_map(lake):
    with lake.workspace.view() as view:
        mark, people = kept(lake, view)
    found = read_map(lake.workspace.lake, mark)
    assert found is not None
    assert arrays(found) == arrays(people)


def test_new_evidence_new_rules_and_a_new_resolver_ask_for_another_map(lake, monkeypatch):
    def number(*rules):
        return Mark.of(lake.workspace.lake.files(), *(rules or (DEFAULT,))).number

    seen = [number()]
    for table in ("events", "fresh", "conversions", "people"):
        lake.put(table, "user_id:u email:a@b.cn")
        seen.append(number())
    seen.append(number(Rules(quarantine_above=3)))
    seen.append(number(DEFAULT, Decisions(quarantined=(b"x" * 16,))))
    monkeypatch.setattr(mirror, "VERSION", mirror.VERSION + 1)
    seen.append(number())
    assert len(set(seen)) == len(seen)


def test_costs_rates_and_moved_rows_ask_for_no_other_map(lake):
    lake.put("fresh", "user_id:u anonymous_id:c", "user_id:v")
    before = Mark.of(lake.workspace.lake.files(), DEFAULT)
    fresh = lake.workspace.lake.fresh.snapshot()
    lake.seq = 0
    lake.put("events", "user_id:u anonymous_id:c", "user_id:v")
    lake.workspace.lake.events.commit(None, offsets={"settled": 2})
    assert Mark.of(lake.workspace.lake.files(), DEFAULT) == before
    lake.workspace.lake.fresh.commit(None, remove=fresh.files)
    assert Mark.of(lake.workspace.lake.files(), DEFAULT) == before
    assert before.seq == 2


def test_a_registry_takes_the_map_that_stands_in_the_lake_and_no_older_one(lake, monkeypatch):
    computed = []
    monkeypatch.setattr(lake.registry, "on_computed", lambda *found: computed.append(found))
    lake.put("events", *KIOSK, "user_id:u1 email:a@b.cn")
    with lake.workspace.view() as view:
        _, people = kept(lake, view)
    again = type(lake.registry)(lake.workspace)
    monkeypatch.setattr(again, "on_computed", lambda *found: computed.append(found))
    with lake.workspace.view() as view:
        assert arrays(again.at(view)) == arrays(people)
        assert len(computed) == 1
    lake.put("events", "user_id:new email:a@b.cn")
    with lake.workspace.view() as view:
        newer = again.at(view)
    assert len(computed) == 2
    assert arrays(newer) != arrays(people)


def test_a_map_as_of_a_day_is_computed(lake, monkeypatch):
    lake.put("events", "user_id:u email:a@b.cn")
    with lake.workspace.view() as view:
        kept(lake, view)
    monkeypatch.setattr("touchline.identity.people.read_map", lambda *_: pytest.fail("was read"))
    assert len(lake.people(as_of_us=1).known) == 0


def test_applied_rules_are_not_answered_from_the_map_of_the_old_ones(lake):
    lake.put("events", "user_id:u phone:+8613800000001", "phone:+8613800000001 email:a@b.cn")
    with lake.workspace.view() as view:
        kept(lake, view)
    rules = {"identity": {"quarantine_above": 1}}
    definition.save(lake.workspace.state, rules, "test")
    lake.put("events", "user_id:v phone:+8613800000001")
    held = lake.people().nodes.column("is_quarantined").to_pylist()
    assert sum(held) == 1


def test_other_programs_read_persons_and_why_a_value_is_held_back(lake):
    lake.put("events", *KIOSK, "user_id:u1 email:a@b.cn")
    lake.put("people", ("crm_id:k", {"at": None}))
    with lake.workspace.view() as view:
        _, people = kept(lake, view)
    rows = {row["node_id"]: row for row in stored(lake, "map")}
    assert len(rows) == 9
    mail, ann = rows[lake.node("email:a@b.cn")], rows[lake.node("user_id:u1")]
    assert mail["person_id"] == ann["person_id"] == people.person_ids[ann["person_ix"]]
    assert (mail["type"], mail["is_quarantined"]) == ("email", False)
    assert rows[lake.node("crm_id:k")]["first_seen_us"] is None
    assert sum(row["is_anchor"] for row in rows.values()) == len(people.people)
    (held,) = stored(lake, "quarantine")
    wanted = {"type": "device", "touched_type": "user_id", "touches": 6, "reason": "shared"}
    assert held == wanted | {"node_id": lake.node("device:kiosk")}


def test_traits_are_sealed_in_the_lake_too(lake):
    lake.trait("user_id:u", "nickname", "Ann of the shop")
    lake.trait("user_id:u", "city", "上海")
    lake.trait("user_id:v", "city", "北京")
    assert write_noted(lake.workspace) == ["traits"]
    rows = stored(lake, "traits")
    state = {
        (row.node_id, row.name, row.source): row
        for row in lake.workspace.state.read(schema.trait.select())
    }
    assert {(row["node_id"], row["name"], row["source"]) for row in rows} == state.keys()
    for row in rows:
        key = row["node_id"], row["name"], row["source"]
        assert row["sealed_value"] == state[key].sealed_value
        assert (row["party"], row["place"]) == ("first_party", 0)
    for path in (lake.workspace.lake.root / "traits").glob("*.parquet"):
        held = path.read_bytes()
        assert b"Ann" not in held
        assert "上海".encode() not in held


def test_traits_are_written_again_only_when_one_came(lake, monkeypatch):
    monkeypatch.setattr(mirror, "TRAITS_AT_ONCE", 2)
    for n in range(5):
        lake.trait("user_id:u", f"t{n}", n)
    assert write_noted(lake.workspace) == ["traits"]
    assert not write_noted(lake.workspace)
    assert len(stored(lake, "traits")) == 5
    lake.trait("user_id:u", "t1", 9, ts_us=2**60)
    lake.trait("user_id:v", "t1", 9)
    assert write_noted(lake.workspace) == ["traits"]
    assert len(stored(lake, "traits")) == 6


def test_rows_that_did_not_change_are_not_written_again(lake):
    lake.put("events", "user_id:u email:a@b.cn", "user_id:v")
    with lake.workspace.view() as view:
        kept(lake, view)
    files = lake.workspace.lake.mirrors["map"].snapshot().files
    lake.put("events", "user_id:u email:a@b.cn")
    with lake.workspace.view() as view:
        mark, _ = kept(lake, view)
    assert lake.workspace.lake.mirrors["map"].snapshot().files == files
    assert is_written(lake.workspace.lake, mark)
    lake.put("events", "user_id:w")
    with lake.workspace.view() as view:
        kept(lake, view)
    assert lake.workspace.lake.mirrors["map"].snapshot().files != files


@pytest.mark.parametrize("damage", ["gone", "cut", "forgotten"])
def test_a_damaged_mirror_is_no_answer(lake, damage):
    lake.put("events", "user_id:u email:a@b.cn")
    with lake.workspace.view() as view:
        mark, people = kept(lake, view)
        (path,) = (lake.workspace.lake.root / "map").glob("*.parquet")
        if damage == "gone":
            path.unlink()
        elif damage == "cut":
            path.write_bytes(path.read_bytes()[:100])
        else:
            forget(lake.workspace.lake)
        assert read_map(lake.workspace.lake, mark) is None
        if damage == "cut":
            forget(lake.workspace.lake)
        assert not is_written(lake.workspace.lake, mark)
        kept(lake, view)
    found = read_map(lake.workspace.lake, mark)
    assert found is not None
    assert arrays(found) == arrays(people)


class Killed(BaseException):
    """Nothing catches it: the process is gone."""


STEPS = ("create", "_write", "_transact", "_name", "_confirm", "sweep")


def test_a_writer_killed_at_any_step_leaves_the_right_map_or_none(lake, monkeypatch):
    lake.put("events", *KIOSK)
    with lake.workspace.view() as view:
        old_mark, old = lake.registry.marked(view)
    is_begun = False
    for die_at in itertools.count():
        steps = itertools.count()

        def dying(step, *args, _steps=steps, _die_at=die_at, **options):
            if next(_steps) == _die_at:
                raise Killed
            found = step(*args, **options)
            if next(_steps) == _die_at:
                raise Killed
            return found

        lake.put("events", f"user_id:u1 anonymous_id:c{die_at}")
        with lake.workspace.view() as view, monkeypatch.context() as patch:
            mark, people = lake.registry.marked(view)
            for name in STEPS:
                step = getattr(Table, name)
                patch.setattr(Table, name, lambda *a, _s=step, **k: dying(_s, *a, **k))
            try:
                write_map(lake.workspace.lake, people, mark)
                is_done = True
            except Killed:
                is_done = False
        found = read_map(lake.workspace.lake, mark)
        assert found is None or arrays(found) == arrays(people)
        before = read_map(lake.workspace.lake, old_mark)
        assert before is None or arrays(before) == arrays(old)
        is_begun = is_begun or found is not None
        if is_done:
            assert found is not None
            break
        old_mark, old = mark, people
    assert is_begun
    assert die_at > 10


def test_the_resolvers_number_goes_with_what_it_computes(facts):
    """If this fails, people differ from before: raise resolve.VERSION, then this digest."""
    dice = random.Random(7)
    rows = [
        facts.Row(tuple(sorted({NAMES[int(dice.random() * 36)] for _ in range(3)})), n % 9)
        for n in range(200)
    ]
    digest = mirror._hash(facts.solve(rows).bytes())
    assert (resolve.VERSION, digest) == (2, 2933689787168494940)
