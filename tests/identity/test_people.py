import numpy as np
import pytest

from touchline import clock
from touchline.identity import sources
from touchline.identity.companies import account_members
from touchline.identity.evidence import NEVER_US
from touchline.identity.sources import evidence_of
from touchline.identity.speaker import with_person
from touchline.storage import definition

DAY = clock.DAY_US
T0 = 1_772_323_200_000_000


def test_pairs_of_every_kind_of_row_make_people(lake):
    lake.put("events", "user_id:u anonymous_id:c")
    lake.put("fresh", "user_id:u phone:+8613800000001")
    lake.put("conversions", ("phone:+8613800000001 crm_id:k", {"conversion_id": "d1"}))
    lake.put("people", "crm_id:k email:a@b.cn")
    people = lake.people()
    names = ["user_id:u", "anonymous_id:c", "phone:+8613800000001", "crm_id:k", "email:a@b.cn"]
    assert lake.same(people, names)
    assert len(people.people) == 1


def test_an_empty_lake_has_nobody(lake):
    people = lake.people()
    assert people.nodes.num_rows == 0
    assert list(people.person_ids) == []
    assert people.somebody() == []


def test_strength_is_days_seen_and_first_seen_is_event_time(lake):
    rows = [("user_id:u anonymous_id:c", {"at": T0 + day * DAY}) for day in (2, 1, 2, 5)]
    lake.put("events", *rows)
    with lake.workspace.view() as view:
        evidence = evidence_of(view)
    assert evidence.days.tolist() == [3]
    assert evidence.first_seen_us.tolist() == [T0 + DAY] * 2


def test_many_rows_are_read_a_share_of_the_identifiers_at_a_time(lake, monkeypatch):
    for day in range(3):
        rows = [f"user_id:u{n} anonymous_id:c{n} device:d{n % 7}" for n in range(0, 40, 1 + day)]
        lake.put("events", *((row, {"at": T0 + day * DAY}) for row in rows))
    at_once = lake.people()
    fetched = []
    with lake.workspace.view() as view:
        monkeypatch.setattr(sources, "ROWS_AT_ONCE", 30)
        monkeypatch.setattr(
            view, "fetch", lambda asked: fetched.append(fetch(asked)) or fetched[-1]
        )
        fetch = type(view).fetch.__get__(view)
        evidence = evidence_of(view)
    sizes = [part.num_rows for part in fetched]
    assert len(sizes) == 2 * 4
    assert sum(sizes[:4]) == len(evidence.hi) == 87
    assert min(sizes) > 0
    assert lake.people().nodes.equals(at_once.nodes)


def test_a_row_without_a_date_joins_but_is_no_sighting(lake):
    lake.put("people", ("user_id:u email:a@b.cn", {"at": None}))
    listed = lake.people()
    assert set(listed.known.first_seen_us.tolist()) == {NEVER_US}
    lake.put("events", "email:a@b.cn")
    assert lake.people().node_of_id(listed.person_ids[0]) == listed.people.anchor[0]


def test_openids_are_told_apart_by_app(lake):
    lake.put("events", "unionid:w openid:a@mini", "unionid:w openid:b@shop", "openid:b@shop")
    assert lake.same(lake.people(), ["openid:a", "openid:b"])
    lake.put("events", "unionid:w openid:c@shop", "unionid:w openid:d")
    people = lake.people()
    assert not lake.same(people, ["openid:b", "openid:c"])
    assert lake.same(people, ["openid:d", "unionid:w"])


def test_the_map_is_a_table_to_join(lake):
    lake.put("events", *(f"user_id:u{n} device:kiosk" for n in range(6)))
    nodes = lake.people().nodes
    assert nodes.column_names == ["node_id", "node_person_ix", "is_quarantined", "is_shared_device"]
    held = {row["node_id"] for row in nodes.to_pylist() if row["is_quarantined"]}
    assert held == {lake.node("device:kiosk")}


def test_a_shared_value_is_a_cluster_of_its_own_but_nobody(lake):
    lake.put("events", *(f"user_id:u{n} device:kiosk" for n in range(6)), "device:kiosk")
    people = lake.people()
    (kiosk,) = people.person_of([lake.node("device:kiosk")])
    assert people.is_quarantined(kiosk)
    assert kiosk not in people.somebody()
    assert len(people.somebody()) == 6


def test_the_strongest_value_that_is_not_shared_speaks(lake):
    lake.put("people", *(f"crm_id:k{n} email:null@x.cn" for n in range(6)))
    lake.put("events", "email:null@x.cn anonymous_id:c", "email:null@x.cn", "crm_id:k1 device:d")
    people = lake.people()
    with lake.workspace.view() as view:
        rows = view.fetch(with_person(view.events(), people.speakers(view)).order_by("seq"))
    wanted = ["anonymous_id:c", "email:null@x.cn", "crm_id:k1"]
    assert rows["person_ix"].to_pylist() == people.person_of([lake.node(n) for n in wanted])


def test_a_map_is_kept_until_the_evidence_or_the_rules_change(lake):
    lake.put("events", "user_id:u phone:+8613800000001", "user_id:u phone:+8613800000002")
    first = lake.people()
    assert lake.people() is first
    lake.workspace.lake.rates.commit(None, offsets={"seq": 1})
    assert lake.people() is first
    definition.save(lake.workspace.state, {"identity": {"limits": {"phone": 1}}}, "test")
    strict = lake.people()
    assert len(strict.people) == 2
    lake.put("fresh", "user_id:v")
    assert len(lake.people().people) == 3


def test_as_of_uses_what_was_known_then(lake):
    lake.put("events", ("user_id:u email:a@b.cn", {"known_at_us": T0}))
    lake.put("people", ("email:a@b.cn crm_id:k", {"known_at_us": T0 + DAY}))
    assert len(lake.people(as_of_us=T0).known) == 2
    assert lake.same(lake.people(), ["user_id:u", "crm_id:k"])


def test_settled_and_fresh_rows_give_the_same_people(lake):
    rows = ["user_id:u anonymous_id:c", "anonymous_id:c email:a@b.cn", "user_id:v anonymous_id:c"]
    lake.put("fresh", *rows)
    fresh = lake.people()
    lake.put("events", *rows)
    lake.workspace.lake.events.commit(None, offsets={"settled": 3})
    settled = lake.people()
    assert settled is not fresh
    assert settled.nodes.equals(fresh.nodes)
    assert list(settled.person_ids) == list(fresh.person_ids)


def test_the_engine_counts_as_the_plain_builder_does(lake, facts):
    """The Ibis expressions against the reference: raw sightings, one by one."""
    kinds = {letter: kind for letter, kind in facts.LETTERS.items() if letter != "o"}
    rng = np.random.default_rng(4)
    rows = []
    for _ in range(300):
        names = {f"{rng.choice(list(kinds))}{rng.integers(6)}" for _ in range(rng.integers(1, 5))}
        rows.append(facts.Row(tuple(sorted(names)), int(rng.integers(9))))
    text = [" ".join(f"{kinds[name[0]]}:{name}" for name in row.names) for row in rows]
    lake.put("events", *((t, {"at": row.day * DAY}) for t, row in zip(text, rows, strict=True)))
    with lake.workspace.view() as view:
        found = evidence_of(view)
    wanted = facts.gathered(rows, node_id=lambda name: lake.node(f"{kinds[name[0]]}:{name}"))
    for name in ("hi", "lo", "rank", "app", "a", "b", "kind", "days"):
        assert getattr(found, name).tobytes() == getattr(wanted, name).tobytes(), name
    assert found.first_seen_us.tolist() == (wanted.first_seen_us * DAY).tolist()


@pytest.mark.parametrize("table", ["events", "fresh", "conversions", "people"])
def test_who_stands_beside_an_account_is_its_contact(lake, table):
    lake.put(table, ("user_id:u email:a@b.cn", {"account_id": "acme"}), "user_id:v")
    lake.put("events", ("email:a@b.cn", {"account_id": "acme", "known_at_us": T0 + DAY}))
    lake.put("conversions", ("crm_id:k", {"account_id": "zeta", "known_at_us": T0 + DAY}))
    people = lake.people()
    person, other = people.person_of([lake.node("user_id:u"), lake.node("crm_id:k")])
    with lake.workspace.view() as view:
        found = account_members(view, people).to_pylist()
    with lake.workspace.view(as_of_us=T0) as view:
        before = account_members(view, people).to_pylist()
    acme = {"account_id": "acme", "person_ix": person}
    assert sorted(found, key=str) == [acme, {"account_id": "zeta", "person_ix": other}]
    assert before == [acme]


def test_no_account_no_contacts(lake):
    lake.put("events", "user_id:u")
    with lake.workspace.view() as view:
        assert account_members(view, lake.people()).num_rows == 0
