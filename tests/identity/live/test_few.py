"""A few rows are told without a query, and tell the same."""

import pytest

from build import T0
from touchline import clock
from touchline.identity.live import few, follow
from touchline.storage.lake import SETTLED


def told(lake, between, monkeypatch, is_few=True):
    monkeypatch.setattr(few, "MOST", 2_000 if is_few else -1)
    with lake.workspace.view() as view:
        assert (few.few_told(view, between) is not None) == is_few
        facts, rows = follow.told(view, between)
    ids = [facts.nodes.hi.tolist(), facts.nodes.lo.tolist()]
    names = list(zip(*ids, strict=True))
    app = [facts.apps[code] if code >= 0 else None for code in facts.nodes.app.tolist()]
    seen, rank = facts.nodes.first_seen_us.tolist(), facts.nodes.rank.tolist()
    pairs = zip(facts.a, facts.b, facts.kind, facts.day, strict=True)
    return (
        rows,
        dict(zip(names, zip(rank, app, seen, strict=True), strict=True)),
        sorted((names[a], names[b], int(kind), int(day)) for a, b, kind, day in pairs),
    )


@pytest.fixture
def filled(lake):
    later = {"at": T0 + 3 * clock.DAY_US}
    lake.put("events", "anonymous_id:c1 user_id:u1", ("anonymous_id:c1 email:e1 user_id:u1", later))
    lake.put("people", ("email:e1 phone:p1 user_id:u1", {"source": "crm", "at": None}))
    lake.put("conversions", "phone:p1 openid:o@B", ("openid:o@A phone:p1", later), "email:e2")
    lake.put("fresh", "user_id:u1 anonymous_id:c1", ("user_id:u1 anonymous_id:c1", later), "")
    return lake


@pytest.mark.parametrize("events", [(0, 99), (1, 8), (7, 8), (8, 9), (9, 9)])
@pytest.mark.parametrize("others", [(0, 99), (3, 5)])
def test_they_tell_what_a_query_tells(filled, monkeypatch, events, others):
    between = {"events": events, "conversions": others, "people": others}
    found = told(filled, between, monkeypatch)
    assert found == told(filled, between, monkeypatch, is_few=False)
    assert found[0] == {(0, 99): 5, (1, 8): 3, (7, 8): 1, (8, 9): 1, (9, 9): 0}[events] + (
        4 if others == (0, 99) else 2
    )


def test_rows_that_moved_to_day_files_are_told_once(filled, monkeypatch):
    lake = filled.workspace.lake
    fresh = list(lake.fresh.snapshot().read(lake.fresh.schema.names))
    for rows in fresh:
        kept = rows.filter([seq <= 8 for seq in rows["seq"].to_pylist()])
        for at in range(len(kept)):
            lake.events.commit(kept.slice(at, 1), offsets={SETTLED: 8})
    between = dict.fromkeys(("events", "conversions", "people"), (0, 99))
    found = told(filled, between, monkeypatch)
    assert found == told(filled, between, monkeypatch, is_few=False)
    assert found[0] == 9


def test_what_stands_in_large_files_is_for_a_query(filled, monkeypatch):
    monkeypatch.setattr(few, "READ", 1)
    between = dict.fromkeys(("events", "conversions", "people"), (0, 99))
    with filled.workspace.view() as view:
        assert few.few_told(view, between) is None
