"""Imported events about orders: of each order the newest version counts, once."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import build
from build import Tracker, track
from touchline import clock
from touchline.collect.importers.events import EventRow
from touchline.identity.people import Registry
from touchline.jobs import queries
from touchline.jobs.doctor import examine
from touchline.jobs.imports import importing
from touchline.jobs.imports.importing import run_import
from touchline.jobs.imports.orders import History, Orders, digest_of, order_key
from touchline.jobs.imports.versions import verdicts
from touchline.jobs.intake.writer import Writer
from touchline.model import Event

HEAD = ("occurred_at", "name", "user_id", "order_id", "revenue", "channel", "url")


class Shop:
    """A workspace under its lock that files are imported into."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.writer = Writer(workspace)
        self.files = 0

    def load(self, *rows, **options):
        """(stored, duplicate, updated, rejected)"""
        text = io.StringIO()
        writer = csv.DictWriter(text, HEAD)
        writer.writeheader()
        writer.writerows(rows)
        self.files += 1
        path = self.workspace.dir.parent / f"orders{self.files}.csv"
        path.write_text(text.getvalue(), "utf-8")
        found = run_import(self.writer, "events", path, **options)
        assert found["read"] == sum(list(found.values())[1:]) == len(rows)
        return tuple(found.values())[1:]

    def ask(self, name, **asked):
        return queries.QUERIES[name](self.workspace, Registry(self.workspace), asked)

    def worth(self, **asked):
        found = self.ask("attribution", models="linear", **asked)
        return found["conversions"], found["revenue"]

    def told(self):
        """(day, revenue) of the events that readers see."""
        found = sorted(clock_day(row) for row in map(read_json, self.ask("events")))
        assert examine(self.workspace)["findings"] == []
        return found


def on(day):
    return f"2026-03-0{day}"


def read_json(line):
    return build.msgspec.json.decode(line)


def clock_day(row):
    return int(row["timestamp"][8:10]), row["revenue"]


def order(revenue, day=1, order_id="O1", **more):
    row = {"occurred_at": on(day), "name": "Order Completed", "user_id": "ann"}
    return row | {"order_id": order_id, "revenue": revenue} | more


@pytest.fixture
def shop(tmp_path):
    workspace = build.workspace(tmp_path / "w")
    with workspace.write_lock():
        yield Shop(workspace)
    workspace.close()


def test_a_changed_order_is_updated_and_counts_once(shop):
    assert shop.load(order(100)) == (1, 0, 0, 0)
    assert shop.load(order(120)) == (0, 0, 1, 0)
    assert shop.load(order(120)) == (0, 1, 0, 0)
    assert (shop.worth(), shop.told()) == ((1, 12000), [(1, 12000)])
    shop.writer.catch_up()
    assert (shop.worth(), shop.told()) == ((1, 12000), [(1, 12000)])


def test_an_order_may_return_to_what_it_was(shop):
    shop.load(order(100))
    shop.load(order(120))
    assert shop.load(order(100)) == (0, 0, 1, 0)
    assert shop.worth() == (1, 10000)
    assert shop.load(order(120)) == (0, 0, 1, 0)
    assert shop.worth() == (1, 12000)


def test_a_file_that_tells_an_order_s_whole_history_changes_nothing_the_second_time(shop):
    history = [order(100), order(120), order(120), order(100)]
    assert shop.load(*history) == (1, 1, 2, 0)
    assert shop.load(*history) == (0, 4, 0, 0)
    assert shop.worth() == (1, 10000)
    assert shop.load(*history, order(90)) == (0, 4, 1, 0)
    assert shop.load(order(100), order(95)) == (0, 0, 2, 0)
    assert shop.worth() == (1, 9500)


def test_an_order_that_moves_to_another_day_is_on_that_day_alone(shop):
    shop.load(order(100, day=3), order(7, order_id="O2"))
    shop.writer.catch_up()
    for day in (5, 2):
        shop.load(order(100, day=day))
        for _ in range(2):
            assert shop.told() == sorted([(1, 700), (day, 10000)])
            assert shop.worth(**{"from": on(2)}) == (1, 10000)
            assert shop.worth(**{"from": on(3), "to": on(4)}) == (0, 0)
            shop.writer.catch_up()


def test_sources_tell_of_the_same_order(shop):
    assert shop.load(order(100), source="till") == (1, 0, 0, 0)
    assert shop.load(order(120), source="erp") == (0, 0, 1, 0)
    assert shop.load(order(120), source="till") == (0, 1, 0, 0)
    assert shop.load(order(100), source="till") == (0, 0, 1, 0)
    assert (shop.worth(), shop.told()) == ((1, 10000), [(1, 10000)])


def test_other_events_of_an_order_are_no_versions_of_it(shop):
    shipped = order(0, name="Order Shipped")
    assert shop.load(order(100), shipped) == (2, 0, 0, 0)
    assert shop.load(order(100), shipped) == (0, 2, 0, 0)
    assert len(shop.told()) == 2


def test_what_goes_back_comes_off_the_version_in_force_and_each_time_anew(shop):
    def back(amount, day):
        return order(amount, day, name="Order Refunded")

    shop.load(order(100), back(30, 2))
    assert shop.load(order(120)) == (0, 0, 1, 0)
    assert shop.worth() == (1, 9000)
    assert shop.load(back(30, 2), back(30, 2), back(20, 3), order(-5, 4)) == (2, 2, 0, 0)
    assert shop.worth() == (1, 6500)
    shop.load(back("", 5))
    assert shop.worth() == (1, 0)
    assert shop.load(order(120)) == (0, 1, 0, 0)


def test_a_tracked_order_is_a_version_too_and_stays_an_event(shop):
    def sent(message_id, revenue):
        properties = {"order_id": "O1", "revenue": revenue}
        Tracker(shop.workspace).send(track(message_id, "Order Completed", properties=properties))
        shop.writer.catch_up()

    sent("m1", 100)
    assert shop.load(order(120)) == (0, 0, 1, 0)
    assert shop.load(order(120)) == (0, 1, 0, 0)
    assert shop.worth() == (1, 12000)
    sent("m2", 130)
    assert shop.worth() == (1, 13000)
    assert shop.load(order(120)) == (0, 0, 1, 0)
    assert shop.worth() == (1, 12000)
    assert [revenue for _, revenue in shop.told()] == [10000, 12000, 13000]


def test_an_order_with_a_channel_is_one_touch_however_often_it_changed(shop):
    visit = {"channel": "Store", "order_id": "O1"}
    later = order(5, day=3, order_id="O2")
    shop.load(order(100) | visit, later)
    one = credit(shop)
    assert one == {"Store": 1}
    shop.load(order(120) | visit)
    shop.load(order(130) | visit | {"channel": "Pop-up"})
    assert credit(shop) == {"Pop-up": 1}


def test_the_visit_that_an_order_opened_stays_when_the_order_changes(shop):
    opener = {"url": "https://shop.cn/?utm_source=letter&utm_medium=email"}
    later = order(5, day=3, order_id="O2")
    shop.load(order(100) | opener, later)
    shop.writer.catch_up()
    assert credit(shop) == {"Email": 1}
    for day in (1, 2):
        shop.load(order(110 + shop.files, day=day) | opener)
        shop.writer.catch_up()
        assert credit(shop) == {"Email": 1}


def credit(shop):
    """Conversions that each channel led to."""
    found = shop.ask("attribution", models="linear")
    return {row["channel"]: row["conversions"] for row in found["rows"]}


def test_a_report_as_of_an_earlier_day_knows_the_version_of_then(shop, monkeypatch):
    day = clock.to_us(build.dt.datetime(2026, 4, 1, tzinfo=build.dt.UTC))
    for number, revenue in enumerate((100, 120)):
        monkeypatch.setattr(clock, "now_us", lambda n=number: day + n * clock.DAY_US)
        shop.load(order(revenue, channel="Store"))
    assert shop.worth(as_of="2026-04-01") == (1, 10000)
    assert shop.worth(as_of="2026-04-02") == (1, 12000)


def test_an_import_that_was_killed_is_ended_by_running_it_again(shop, monkeypatch):
    monkeypatch.setattr(importing, "CHUNK", 2)
    history = [order(revenue) for revenue in (100, 120, 100, 130, 100)]

    def stop(*_):
        raise KeyboardInterrupt

    for step in ("_to_lake", "_to_state", "_to_state"):
        monkeypatch.setattr(shop.writer.store, step, stop)
        with pytest.raises(KeyboardInterrupt):
            shop.load(*history)
        shop.writer = Writer(shop.workspace)  # what a new process does first
    assert shop.load(*history) == (0, 4, 1, 0)
    assert shop.load(*history) == (0, 5, 0, 0)
    assert (shop.worth(), shop.told()) == ((1, 10000), [(1, 10000)])


VERSIONS = st.tuples(st.sampled_from("AB"), st.integers(1, 3), st.integers(1, 3))


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(files=st.lists(st.lists(VERSIONS, max_size=5), min_size=1, max_size=4))
def test_of_any_versions_split_into_any_files_the_last_of_an_order_counts_once(
    tmp_path_factory, files
):
    workspace = build.workspace(tmp_path_factory.mktemp("shop") / "w")
    with workspace.write_lock():
        shop = Shop(workspace)
        last = {}
        for number, versions in enumerate(files):
            rows = [order(revenue, day, name) for name, revenue, day in versions]
            counts = shop.load(*rows)
            last |= {name: (day, revenue * 100) for name, revenue, day in versions}
            assert sum(counts[:3]) == len(rows)
            assert shop.load(*rows) == (0, len(rows), 0, 0)
            if number % 2:
                shop.writer.catch_up()
        assert shop.worth() == (len(last), sum(revenue for _, revenue in last.values()))
        assert shop.told() == sorted(last.values())
    workspace.close()


def event(name, content):
    row = Event(
        source="till",
        message_id="",
        type="track",
        name="Order Completed",
        ts_us=0,
        received_us=0,
        order_id=name,
        content_hash=bytes([content]) * 16,
    )
    return EventRow(0, b"", row)


PAIRS = st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 2)), max_size=12)


@given(PAIRS, PAIRS)
def test_row_by_row_an_order_s_versions_are_told_as_those_of_a_whole_file(before, arriving):
    held = {}
    for name, content in before:
        if held.setdefault(name, [])[-1:] != [content]:
            held[name].append(content)
    history = History(
        (order_key(row.event), digest_of(row.event.content_hash))
        for name, contents in held.items()
        for row in (event(name, content) for content in contents)
    )
    orders = Orders("events", history)
    told = [found for pair in arriving for found in orders.add(event(*pair))] + list(orders.rest())
    is_new, counts = verdicts(arriving, held)
    fates = [fate for _, fate in told]
    assert [fates.count(fate) for fate in ("stored", "duplicate", "updated")] == [
        counts.stored,
        counts.duplicate,
        counts.updated,
    ]
    for name in "AB":
        new = [
            content for (n, content), new in zip(arriving, is_new, strict=True) if new and n == name
        ]
        mine = [
            row.event for row, fate in told if fate != "duplicate" and row.event.order_id == name
        ]
        assert [row.content_hash[0] for row in mine] == new
        assert len({row.message_id for row in mine}) == len(mine)
