"""Mirrors change no answer, are written when it is time, and never stand in anybody's way."""

import itertools
import json
import random
import time

import pytest

import build
from build import DAY, T0
from touchline.errors import Unavailable
from touchline.identity import people as people_module
from touchline.identity.mirror import is_written, read_map
from touchline.identity.people import Registry
from touchline.jobs import definitions, queries
from touchline.jobs.intake import load as load_module
from touchline.jobs.intake.load import Load
from touchline.jobs.intake.writer import Writer
from touchline.jobs.people import mirror
from touchline.jobs.people.mirror import KeepingRegistry, MirrorWriter, write_mirrors
from touchline.jobs.rebuild import rebuild
from touchline.jobs.worker import Worker
from touchline.storage.workspace import Workspace

NAMES = ("ann", "bob", "cai", "dan")


@pytest.fixture
def workspace(tmp_path):
    found = Workspace.init(tmp_path / "site", time_zone="UTC")
    yield found
    found.close()


@pytest.fixture
def writer(workspace):
    with workspace.write_lock():
        yield Writer(workspace)


def send(workspace, *calls):
    build.Tracker(workspace).send(*calls)


def calls(dice, start):
    """What some people and a shared tablet might do, as items of a batch."""
    for number in range(start, start + 25):
        about = {"messageId": f"m{number}", "timestamp": build.clock.iso(T0 + number * DAY // 9)}
        who = {"anonymousId": f"c{dice.randrange(9)}"}
        if dice.random() < 0.4:
            who["userId"] = dice.choice(NAMES) + str(dice.randrange(3))
        if dice.random() < 0.3:
            mail = f"{dice.choice(NAMES)}@shop.cn"
            yield about | who | {"type": "identify", "traits": {"email": mail, "age": number}}
        else:
            properties = {"channel": dice.choice(["Ads", "Mail"]), "revenue": 10, "currency": "CNY"}
            name = dice.choice(["Order Completed", "Ad"])
            yield about | who | {"type": "track", "event": name, "properties": properties}


def answers(workspace, registry):
    """All that is told of persons, now and as of an earlier day."""
    asked = {"models": "linear"}
    people = [json.loads(line) for line in queries.people(workspace, registry, {})]
    return {
        "people": people,
        "report": queries.attribution(workspace, registry, asked).as_json(),
        "then": queries.attribution(workspace, registry, asked | {"as_of": "2020-01-01"}).as_json(),
        "timelines": [
            queries.timeline(workspace, registry, {"person": found["person_id"]})
            for found in people[:2]
        ],
    }


def test_answers_with_and_without_a_mirror_are_the_same(workspace, writer, monkeypatch):
    dice = random.Random(3)
    for turn in range(2):
        send(workspace, *calls(dice, 100 * turn))
        writer.commit_once()
        if turn:
            writer.settle()
            definitions.apply(workspace, {"identity": {"quarantine_above": 2}}, "test")
        computed = Registry(workspace)
        without = answers(workspace, computed)
        assert not is_written(workspace.lake, computed.mark())
        write_mirrors(workspace, computed)
        with monkeypatch.context() as patch:
            map_of = people_module.person_map

            def only_then(view, *ruled, map_of=map_of):
                assert view.as_of_us is not None
                return map_of(view, *ruled)

            patch.setattr(people_module, "person_map", only_then)
            assert answers(workspace, Registry(workspace)) == without


def test_settling_leaves_a_mirror_in_force_and_rebuilding_makes_it_anew(workspace, writer):
    send(workspace, *calls(random.Random(1), 0))
    writer.commit_once()
    registry = Registry(workspace)
    write_mirrors(workspace, registry)
    writer.settle()
    assert is_written(workspace.lake, registry.mark())
    rebuild(writer, lambda _: None)
    assert not is_written(workspace.lake, registry.mark())
    write_mirrors(workspace, registry)
    assert is_written(workspace.lake, registry.mark())


def test_a_command_alone_keeps_the_map_it_computed(workspace):
    with workspace.write_lock():
        send(workspace, build.track("a", "Ad"))
        Writer(workspace).catch_up()
    registry = KeepingRegistry(workspace)
    with workspace.view() as view:
        mark, people = registry.marked(view)
    found = read_map(workspace.lake, mark)
    assert found is not None
    assert found.nodes.equals(people.nodes)


@pytest.mark.parametrize("error", [None, Unavailable("disk_full", path="x"), OSError(30, "ro")])
def test_a_map_that_cannot_be_kept_is_answered_all_the_same(workspace, monkeypatch, error):
    def fail(*_):
        raise error

    with workspace.write_lock():
        send(workspace, build.track("a", "Ad"))
        Writer(workspace).catch_up()
        if error is None:
            assert len(list(queries.people(workspace, KeepingRegistry(workspace), {}))) == 1
    if error is not None:
        monkeypatch.setattr(mirror, "write_map", fail)
        assert len(list(queries.people(workspace, KeepingRegistry(workspace), {}))) == 1
    assert not is_written(workspace.lake, Registry(workspace).mark())


@pytest.fixture
def timed(workspace, ticking, monkeypatch):
    """pass(seconds) lets them pass, a tenth at a time; returns how often mirrors were written."""
    written = []
    monkeypatch.setattr(mirror, "time", ticking)
    load = Load(0)
    monkeypatch.setattr(mirror, "write_mirrors", lambda *_: written.append(timed.cost()))
    due = MirrorWriter(workspace, Registry(workspace))

    def timed(seconds, during=lambda: None, *, is_loading=False):
        before = len(written)
        end = ticking.now + seconds
        while ticking.now < end:
            during()
            load.look(0, load_module.WAITING if is_loading else 0)
            due.write_when_due(load)
            ticking.now += 1.0
        return len(written) - before

    def takes(seconds):
        def cost():
            ticking.now += seconds

        timed.cost = cost

    timed.takes = takes
    takes(0.1)
    return timed


def changed(workspace):
    """Something was committed."""
    workspace.lake.fresh.commit(None, offsets={"log": time.monotonic_ns()})


def test_amid_a_load_mirrors_wait_for_its_end_or_for_long(timed, monkeypatch):
    news = itertools.count()
    monkeypatch.setattr(MirrorWriter, "_glance", lambda _: (next(news),))
    monkeypatch.setattr(mirror, "HELD_S", 90.0)
    assert timed(80, is_loading=True) == 0
    assert timed(12) == 1
    assert timed(120, is_loading=True) == 1


def test_mirrors_are_written_once_when_nothing_comes_in(workspace, timed):
    assert timed(4) == 0
    assert timed(4) == 1
    assert timed(100) == 0
    changed(workspace)
    assert timed(10) == 1
    definitions.apply(workspace, {"identity": {"quarantine_above": 2}}, "test")
    assert timed(10) == 1


def test_mirrors_are_written_once_a_minute_while_much_comes_in(workspace, timed):
    assert timed(30, lambda: changed(workspace)) == 0
    assert timed(140, lambda: changed(workspace)) == 2


def test_large_mirrors_take_a_tenth_of_the_time_at_most(workspace, timed):
    timed.takes(20.0)
    assert timed(8) == 1
    changed(workspace)
    assert timed(150) == 0
    assert timed(60) == 1


def test_a_failed_mirror_is_tried_again_in_a_minute(workspace, timed):
    def fail():
        raise Unavailable("disk_full", path="x")

    timed.cost = fail
    with pytest.raises(Unavailable):
        timed(10)
    timed.takes(0.1)
    assert timed(50) == 0
    assert timed(30) == 1


def test_a_running_worker_writes_the_mirrors(workspace, monkeypatch):
    monkeypatch.setattr(mirror, "QUIET_S", 0.2)
    monkeypatch.setattr(mirror, "LOOK_EVERY_S", 0.1)
    send(workspace, build.track("a", "Ad"))
    with workspace.write_lock():
        worker = Worker(workspace)
        worker.start()
        try:
            deadline = time.monotonic() + 30
            while worker.registry.mark().seq < 1 or not is_written(
                workspace.lake, worker.registry.mark()
            ):
                assert time.monotonic() < deadline
                time.sleep(0.1)
        finally:
            worker.stop()
    assert workspace.lake.mirrors["traits"].exists()
