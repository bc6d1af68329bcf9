"""Fresh rows → day files: any order of arrival ends in the same sessions, no row is seen twice."""

import datetime as dt
import threading
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import build
from build import DAY, HOUR, MINUTE, T0
from touchline.jobs.definitions import apply
from touchline.jobs.intake import settle as settling
from touchline.jobs.intake.settle import settle
from touchline.jobs.intake.store import Arrival, EventStore
from touchline.jobs.intake.writer import Writer
from touchline.jobs.rebuild import rebuild
from touchline.model import LABELS, Event, Flag, Identifier
from touchline.storage.table import day_of

MIDNIGHT = T0 + DAY  # the workspaces of these tests count days in UTC
CAMPAIGNS = (None, "spring", "autumn")
SESSION_COLUMNS = ("message_id", "session_id", "landing_page", "flags", *LABELS)


def visit(name, device, at, campaign=None, *, term=None, explicit=None):
    """A page view; with `campaign` it brings one, with `explicit` it has a channel of its own."""
    flags = int(Flag.IN_SESSION)
    labels = {"channel": "Direct"}
    if campaign:
        flags |= Flag.BRINGS_CAMPAIGN
        labels = {"channel": "Paid Search", "source_name": "google", "medium": "cpc"}
        labels |= {"campaign": campaign, "term": term}
    if explicit:
        flags |= Flag.EXPLICIT_CHANNEL
        labels |= {"channel": explicit, "source_name": explicit}
    else:
        flags |= Flag.CHANNEL_BY_RULE
    event = Event(
        source="web",
        message_id=name,
        type="page",
        name="page",
        ts_us=at,
        received_us=T0,
        identifiers=(Identifier("anonymous_id", device),),
        page_url=f"https://shop.cn/{name}",
        content_hash=name.encode().ljust(16),
        flags=int(flags),
        **labels,
    )
    return Arrival(event, {})


def rows_of(workspace, *columns):
    with workspace.view() as view:
        found = view.fetch(view.events()).select(list(columns or SESSION_COLUMNS)).to_pylist()
    return sorted(found, key=lambda row: row["message_id"])


def versions(workspace):
    return {name: table.snapshot().version for name, table in workspace.lake.tables.items()}


def told(workspace):
    """Rows with the name of their session's opener for its id, which differs by workspace."""
    rows = rows_of(workspace)
    openers = {r["session_id"]: r["message_id"] for r in rows if r["flags"] & Flag.OPENS_SESSION}
    return [row | {"session_id": openers[row["session_id"]]} for row in rows]


def sessions_of(workspace):
    """message_id → (the name of its session's opener, campaign)"""
    return {r["message_id"]: (r["session_id"], r["campaign"]) for r in told(workspace)}


def settled_in(path, *batches, ends_at_midnight=False):
    """A workspace whose batches were each stored and settled."""
    workspace = build.workspace(path)
    if ends_at_midnight:
        apply(workspace, {"site": {"sessions_end_at_midnight": True}})
    store = EventStore(workspace)
    for batch in batches:
        store.store(batch)
        settle(workspace)
    return workspace


@st.composite
def traffic(draw):
    """Page views of a few devices around two midnights; no device does two things at once."""
    found = []
    for device in range(draw(st.integers(3, 6))):
        at = MIDNIGHT - draw(st.integers(1, 26 * 60)) * MINUTE
        for step in range(draw(st.integers(4, 12))):
            campaign, term = draw(st.sampled_from(CAMPAIGNS)), draw(st.sampled_from("xy"))
            explicit = draw(st.sampled_from((None, None, "Store")))
            found.append((f"{device}-{step}", f"d{device}", at, campaign, term, explicit))
            at += draw(st.sampled_from((1, 10, 29, 30, 31, 200, 700))) * MINUTE
    return found


@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # an example costs seconds
)
@given(traffic(), st.booleans(), st.data())
def test_any_order_and_batching_of_arrivals_ends_as_one_pass_in_order(
    tmp_path_factory, visits, ends_at_midnight, data
):
    cut = {"ends_at_midnight": ends_at_midnight}
    all_ = [visit(*v[:4], term=v[4], explicit=v[5]) for v in visits]
    ordered = sorted(all_, key=lambda arrival: arrival.event.ts_us)
    whole = settled_in(tmp_path_factory.mktemp("one") / "w", ordered, **cut)
    shuffled = [all_[at] for at in data.draw(st.permutations(range(len(all_))))]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(all_)), max_size=2)))
    batches = [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(all_)], strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settling, "ROWS_AT_ONCE", data.draw(st.sampled_from((1, 8, 10_000))))
        pieces = settled_in(tmp_path_factory.mktemp("some") / "w", *batches, **cut)
    assert told(pieces) == told(whole)
    with pieces.write_lock():
        rebuild(Writer(pieces), lambda _: None)
    assert told(pieces) == told(whole)
    whole.close()
    pieces.close()


def test_a_session_over_midnight_is_one_with_its_openers_labels(tmp_path):
    late, early = MIDNIGHT - 5 * MINUTE, MIDNIGHT + 5 * MINUTE
    workspace = settled_in(
        tmp_path / "w",
        [
            visit("a", "d", late, "spring", term="x"),
            visit("b", "d", late + MINUTE, explicit="Shop"),
        ],
        [visit("c", "d", early), visit("d", "d", early + MINUTE, "spring", term="y")],
    )
    assert {name: opener for name, (opener, _) in sessions_of(workspace).items()} == dict.fromkeys(
        "abcd", "a"
    )
    by_name = {row["message_id"]: row for row in rows_of(workspace)}
    assert [by_name[n]["term"] for n in "acd"] == ["x", "x", "y"]
    assert by_name["c"]["landing_page"] == "https://shop.cn/a"
    assert by_name["b"]["channel"] == "Shop"


def test_where_a_site_wants_it_a_session_ends_at_midnight_and_the_next_keeps_its_labels(tmp_path):
    visits = [
        visit("a", "d", MIDNIGHT - MINUTE, "spring", term="x"),
        visit("b", "d", MIDNIGHT),
        visit("c", "d", MIDNIGHT + MINUTE, "spring", term="y"),
    ]
    batches = [visits], [visits[:1], visits[1:]], [visits[2:], visits[:2]]
    for number, parts in enumerate(batches):
        workspace = settled_in(tmp_path / f"w{number}", *parts, ends_at_midnight=True)
        assert sessions_of(workspace) == {"a": ("a", "spring")} | dict.fromkeys(
            "bc", ("b", "spring")
        )
        found = {row["message_id"]: row for row in rows_of(workspace)}
        assert [found[name]["term"] for name in "abc"] == ["x", "x", "y"]
        assert found["c"]["landing_page"] == "https://shop.cn/b"
    apply(workspace, {"site": {}})
    with workspace.write_lock():
        rebuild(Writer(workspace), lambda _: None)
    assert {opener for opener, _ in sessions_of(workspace).values()} == {"a"}


def test_a_session_may_go_on_for_days(tmp_path):
    steps = [visit(f"{n:03}", "d", MIDNIGHT + n * 25 * MINUTE) for n in range(-4, 60)]
    first, second, third = steps[:4], steps[4:62], steps[62:]
    workspace = settled_in(tmp_path / "w", first, second, third)
    assert {opener for opener, _ in sessions_of(workspace).values()} == {"-04"}


def test_a_late_event_before_midnight_changes_the_session_of_the_day_after(tmp_path):
    after = [visit("b", "d", MIDNIGHT + 10 * MINUTE), visit("c", "d", MIDNIGHT + 20 * MINUTE)]
    workspace = settled_in(tmp_path / "w", after)
    assert sessions_of(workspace)["b"] == ("b", None)
    store = EventStore(workspace)
    store.store([visit("a", "d", MIDNIGHT - 10 * MINUTE, "spring")])
    settle(workspace)
    assert set(sessions_of(workspace).values()) == {("a", "spring")}
    starts = [r["message_id"] for r in rows_of(workspace) if r["flags"] & Flag.OPENS_SESSION]
    assert starts == ["a"]


def test_a_small_day_stays_in_one_file(tmp_path):
    workspace = settled_in(tmp_path / "w", [visit("a", "d", T0)], [visit("b", "e", T0)])
    assert len(workspace.lake.events.snapshot().files) == 1


def test_no_more_days_are_tidied_at_once_than_a_round_may_take(tmp_path, monkeypatch):
    """An import over years touches every day there is."""
    days = [[visit(f"{n}", f"d{n}", T0 + n * DAY)] for n in range(5)]
    workspace = settled_in(tmp_path / "w", *days)
    monkeypatch.setattr(settling, "ROWS_TIDIED", 2)
    EventStore(workspace).store([visit(f"x{n}", f"e{n}", T0 + n * DAY) for n in range(5)])
    settle(workspace)
    counts = Counter(day_of(path) for path in workspace.lake.events.snapshot().files)
    assert sorted(counts.values()) == [1, 1, 2, 2, 2]
    assert len(rows_of(workspace)) == 10


def test_of_large_days_only_those_that_change_are_rewritten(tmp_path, monkeypatch):
    monkeypatch.setattr(settling, "SMALL_DAY", 0)
    workspace = settled_in(tmp_path / "w", [visit("a", "d", T0), visit("b", "d", T0 + 2 * DAY)])
    before = set(workspace.lake.events.snapshot().files)
    EventStore(workspace).store([visit("c", "e", T0), visit("d", "d", T0 + 2 * DAY + HOUR)])
    settle(workspace)
    after = set(workspace.lake.events.snapshot().files)
    assert {day_of(path) for path in before - after} == {dt.date(2026, 3, 3)}
    assert {day_of(path) for path in after - before} == {dt.date(2026, 3, 1), dt.date(2026, 3, 3)}


def test_a_day_in_too_many_files_becomes_one(tmp_path, monkeypatch):
    monkeypatch.setattr(settling, "SMALL_DAY", 0)
    monkeypatch.setattr(settling, "FILES_A_DAY", 2)
    batches = [[visit(f"{n}", f"d{n}", T0)] for n in range(3)]
    workspace = settled_in(tmp_path / "w", *batches)
    assert len(workspace.lake.events.snapshot().files) == 1
    assert len(rows_of(workspace)) == len(batches)


def test_a_large_day_has_few_files_however_often_it_grows(tmp_path, monkeypatch):
    """It is taken some devices at a time, and each round brings other ones."""
    monkeypatch.setattr(settling, "ROWS_AT_ONCE", 4)
    monkeypatch.setattr(settling, "SMALL_DAY", 0)
    monkeypatch.setattr(settling, "FILES_A_DAY", 3)
    rounds = [
        [visit(f"{k}-{n}", f"d{k}-{n}", T0 + k * HOUR + n) for n in range(30)] for k in range(7)
    ]
    workspace = build.workspace(tmp_path / "w")
    counts = []
    for visits in rounds:
        EventStore(workspace).store(visits)
        settle(workspace)
        counts.append(len(workspace.lake.events.snapshot().files))
    assert counts == [1, 2, 3, 1, 2, 3, 1]
    assert len(rows_of(workspace)) == 7 * 30


def test_of_days_too_large_for_a_round_one_is_tidied_all_the_same(tmp_path, monkeypatch):
    for name, value in {"SMALL_DAY": 0, "FILES_A_DAY": 2, "ROWS_TIDIED": 1}.items():
        monkeypatch.setattr(settling, name, value)
    batches = [[visit(f"{n}-{k}", f"d{n}{k}", T0 + k * DAY) for k in range(2)] for n in range(3)]
    workspace = settled_in(tmp_path / "w", *batches)
    counts = Counter(day_of(path) for path in workspace.lake.events.snapshot().files)
    assert sorted(counts.values()) == [1, 3]
    assert len(rows_of(workspace)) == 6


def test_many_rows_move_some_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(settling, "ROWS_AT_ONCE", 3)
    workspace = build.workspace(tmp_path / "w")
    store = EventStore(workspace)
    for n in range(4):
        store.store([visit(f"{n}-{k}", "d", T0 + n * HOUR + k) for k in range(2)])
    assert settle(workspace) == 8
    files = workspace.lake.files()
    assert files.tables["fresh"].rows == 0
    assert files.settled_seq == 8
    assert len(rows_of(workspace)) == 8


def test_settling_nothing_writes_nothing(tmp_path):
    workspace = settled_in(tmp_path / "w", [visit("a", "d", T0)])
    before = {name: table.snapshot().version for name, table in workspace.lake.tables.items()}
    assert settle(workspace) == 0
    after = {name: table.snapshot().version for name, table in workspace.lake.tables.items()}
    assert after == before


def test_rows_without_page_or_campaign_have_no_session(tmp_path):
    workspace = build.workspace(tmp_path / "w")
    bare = Event(
        source="web",
        message_id="a",
        type="track",
        name="Paid",
        ts_us=T0,
        received_us=T0,
        identifiers=(Identifier("user_id", "ann"),),
        content_hash=b"0" * 16,
    )
    EventStore(workspace).store([Arrival(bare, {}), visit("b", "d", T0)])
    settle(workspace)
    bare_row, page_row = rows_of(workspace)
    assert (bare_row["session_id"], bare_row["flags"]) == (None, 0)
    assert page_row["session_id"] is not None


class Stop(Exception):
    """A power cut."""


@pytest.mark.parametrize("moment", ["before the day files", "between days and fresh"])
def test_each_row_is_seen_once_whenever_settling_stops(tmp_path, monkeypatch, moment):
    workspace = build.workspace(tmp_path / "w")
    store = EventStore(workspace)
    store.store([visit(f"{n}", "d", T0 + n * HOUR) for n in range(5)])
    table = workspace.lake.events if moment.startswith("before") else workspace.lake.fresh

    def stop(*_args, **_options):
        raise Stop

    with monkeypatch.context() as patch:
        patch.setattr(table, "commit", stop)
        with pytest.raises(Stop):
            settle(workspace)
    assert [r["message_id"] for r in rows_of(workspace)] == list("01234")
    settle(workspace)
    assert [r["message_id"] for r in rows_of(workspace)] == list("01234")
    assert workspace.lake.files().tables["fresh"].rows == 0


def test_a_reader_sees_each_row_once_while_rows_move(tmp_path):
    """Readers hold views over files that settling replaces and sweeps."""
    workspace = build.workspace(tmp_path / "w")
    store = EventStore(workspace)
    stored = 0
    done = threading.Event()
    wrong = []

    def read():
        while not done.is_set():
            low = stored
            with workspace.view() as view:
                ids = view.fetch(view.events("message_id")).column(0).to_pylist()
            if len(ids) != len(set(ids)) or not low <= len(ids):
                wrong.append((low, len(ids), len(set(ids))))

    reader = threading.Thread(target=read)
    reader.start()
    for n in range(6):
        store.store([visit(f"{n}-{k}", f"d{k}", T0 + n * MINUTE + k) for k in range(20)])
        stored += 20
        if n % 2:
            settle(workspace)
    done.set()
    reader.join()
    assert not wrong
    assert len(rows_of(workspace)) == stored


def test_files_stay_for_readers_that_hold_an_older_view(tmp_path):
    workspace = settled_in(tmp_path / "w", [visit("a", "d", T0)])
    with workspace.view() as view:
        EventStore(workspace).store([visit("b", "d", T0 + MINUTE)])
        settle(workspace)
        assert view.fetch(view.events("message_id")).column(0).to_pylist() == ["a"]
