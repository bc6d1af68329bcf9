"""Whose an event of a shared device is: of who was logged in at that moment, else of nobody."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from touchline.identity.login import LASTS_US, NOBODY, owners, stays
from touchline.identity.speaker import with_person

HOUR = 3_600_000_000
AT = 1_772_323_200_000_000  # 2026-03-01
KIOSK = "anonymous_id:kiosk"
moments = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 30), st.integers(-1, 2)), max_size=20
)


@given(moments)
def test_owners_are_looked_up_as_they_are_joined(told):
    arrays = [np.array([m[k] for m in told], np.int64) for k in range(3)]
    found = stays(arrays[0], arrays[1] * HOUR, arrays[2])
    assume(len(found.device))  # without any there is no table
    table = pa.table(
        {
            "stay_device": pa.array([b"%d" % n for n in found.device], pa.binary()),
            "stay_from_us": found.from_us,
            "stay_until_us": found.until_us,
            "stay_person_ix": found.person,
        }
    )
    asked = [(device, hour) for device in range(3) for hour in range(45)]
    names = pa.array([b"%d" % device for device, _ in asked], pa.binary())
    mine = owners(table, names, np.array([hour * HOUR for _, hour in asked], np.int64))
    assert mine.tolist() == [owner(found, device, hour * HOUR) for device, hour in asked]


def owner(found, device, at_us):
    inside = (found.device == device) & (found.from_us <= at_us) & (at_us < found.until_us)
    (places,) = np.nonzero(inside)
    assert len(places) <= 1
    return int(found.person[places[0]]) if len(places) else NOBODY


@given(moments, st.randoms())
def test_a_device_is_of_who_came_last_whatever_order_it_was_heard_in(told, random):
    told = [(device, hour * HOUR, person) for device, hour, person in told]
    arrays = [np.array(column, np.int64) for column in zip(*told, strict=True)] or [
        np.empty(0, np.int64)
    ] * 3
    found = stays(*arrays)
    for device in (0, 1):
        for hour in range(45):
            before = [m for m in told if m[0] == device and m[1] <= hour * HOUR]
            last = max(before, key=lambda m: m[1:], default=(device, 0, NOBODY))
            is_over = hour * HOUR >= last[1] + LASTS_US
            assert owner(found, device, hour * HOUR) == (NOBODY if is_over else last[2])
    random.shuffle(told)
    again = (
        stays(*(np.array(column, np.int64) for column in zip(*told, strict=True)))
        if told
        else found
    )
    assert all(np.array_equal(a, b) for a, b in zip(found, again, strict=True))


def event(names, hour, name="page", **more):
    return names, {"at": AT + hour * HOUR, "name": name, "type": "track"} | more


@pytest.fixture
def kiosk(lake):
    """Eight people on eight days: a device that is nobody's."""
    lake.put("events", *(event(f"user_id:u{n} {KIOSK}", -100 - 24 * n) for n in range(8)))
    return lake


def whose(lake, **options):
    """Names of who is on the kiosk's events without a user, by hour."""
    with lake.workspace.view(**options) as view:
        people = lake.registry.at(view)
        rows = with_person(view.events("seq", "ts_us", "node_ids"), people.speakers(view))
        rows = view.fetch(rows.filter(rows.ts_us >= AT).order_by("ts_us", "seq")).to_pylist()
        named = [f"user_id:u{n}" for n in range(8)] + [KIOSK]
        name = dict(zip(people.person_of([lake.node(one) for one in named]), named, strict=True))
        return [
            ((row["ts_us"] - AT) // HOUR, name[row["person_ix"]].partition(":")[2])
            for row in rows
            if len(row["node_ids"]) == 1
        ]


def test_events_after_a_login_are_theirs_until_a_logout_or_the_next_login(kiosk):
    kiosk.put(
        "events",
        event(KIOSK, 0),
        event(f"user_id:u1 {KIOSK}", 1),
        event(KIOSK, 1),
        event(KIOSK, 2),
        event(f"user_id:u2 {KIOSK}", 3),
        event(KIOSK, 4),
        event(f"user_id:u2 {KIOSK}", 5, "Logged Out"),
        event(KIOSK, 6),
        event(f"user_id:u3 {KIOSK}", 7),
        event(KIOSK, 18),
        event(KIOSK, 19),
    )
    assert whose(kiosk) == [
        (0, "kiosk"), (1, "u1"), (2, "u1"), (4, "u2"), (6, "kiosk"), (18, "u3"), (19, "kiosk"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["logout", "User Signed-Out", "退出登录", "$logout"])
def test_a_logout_needs_no_user(kiosk, name):
    kiosk.put("events", event(f"user_id:u1 {KIOSK}", 1), event(KIOSK, 2, name), event(KIOSK, 3))
    assert whose(kiosk)[-1] == (3, "kiosk")


def test_a_login_that_comes_in_late_finds_its_place_and_is_not_known_before(kiosk):
    kiosk.put("events", event(KIOSK, 2))
    assert whose(kiosk) == [(2, "kiosk")]
    late = AT + 90 * 24 * HOUR
    kiosk.put("events", event(f"user_id:u5 {KIOSK}", 1, known_at_us=late))
    assert whose(kiosk) == [(2, "u5")]
    assert whose(kiosk, as_of_us=late - 1) == [(2, "kiosk")]


def test_a_robot_logs_nobody_in(kiosk):
    kiosk.put("events", event(f"user_id:u1 {KIOSK}", 1, bot=True), event(KIOSK, 2))
    assert whose(kiosk) == [(2, "kiosk")]


def test_an_own_cookie_on_a_shared_device_speaks_for_itself(kiosk):
    kiosk.put("events", event(f"user_id:u1 {KIOSK}", 1), event(f"anonymous_id:own {KIOSK}", 2))
    with kiosk.workspace.view() as view:
        people = kiosk.registry.at(view)
        rows = with_person(view.events("seq", "ts_us", "node_ids"), people.speakers(view))
        (found,) = view.fetch(rows.filter(rows.ts_us == AT + 2 * HOUR))["person_ix"].to_pylist()
        assert [found] == people.person_of([kiosk.node("anonymous_id:own")])


def test_without_a_shared_device_nothing_is_looked_for(lake):
    lake.put("events", event("user_id:u1 anonymous_id:c", 1))
    with lake.workspace.view() as view:
        assert lake.registry.at(view).stays(view) is None
