"""Cron lines as jobs: each once when due, made up for once, again sooner after a failure."""

import pytest
import sqlalchemy as sa

from touchline import clock
from touchline.errors import BadInput, NotFound, Unavailable
from touchline.jobs import job, schedule
from touchline.jobs.schedule import Line
from touchline.storage import schema
from touchline.storage.state import State

ZONE = "UTC"
HOUR = 3600 * clock.US
START = 500_000 * HOUR


@pytest.fixture
def state(tmp_path):
    made = State.at(tmp_path, None)
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def now(monkeypatch):
    at = [START + 60 * clock.US]
    monkeypatch.setattr(clock, "now_us", lambda: at[0])
    return at


def line(cron="0 * * * *", name="source:a"):
    return Line(name, cron, "pull", {"source": name[7:]})


def jobs(state):
    return [one["source"] for one in job.open_args(state, "pull")]


def test_what_is_due_becomes_a_job_once(state, now):
    lines = [line(), line(name="source:b", cron="30 * * * *")]
    schedule.tick(state, lines, ZONE)
    assert jobs(state) == []
    now[0] = START + HOUR
    schedule.tick(state, lines, ZONE)
    schedule.tick(state, lines, ZONE)
    assert jobs(state) == ["b", "a"] or jobs(state) == ["a", "b"]
    now[0] += 7 * HOUR  # nothing ran meanwhile, and the jobs of then are still there
    schedule.tick(state, lines, ZONE)
    assert len(jobs(state)) == 2
    while job.run_next(state, {"pull": lambda *_: None}):
        pass
    now[0] += 7 * HOUR
    schedule.tick(state, lines, ZONE)
    assert sorted(jobs(state)) == ["a", "b"]


def test_after_a_failure_it_is_due_again_soon_and_ever_later(state, now):
    schedule.tick(state, [line("0 0 * * *")], ZONE)
    pauses = []
    for _ in range(8):
        schedule.ended(state, "source:a", Unavailable("source_away", name="a", why="x"))
        pauses.append((schedule.due_of(state)["source:a"][0] - now[0]) / 60 / clock.US)
        with state.engine.begin() as connection:  # the next attempt by the line is far away
            far = sa.update(schema.schedule).values(due_us=now[0] + 100 * HOUR)
            connection.execute(far)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    schedule.ended(state, "source:a", None)
    assert schedule.due_of(state)["source:a"][1] == 0


def test_a_pause_that_was_asked_for_is_kept_to(state, now):
    schedule.tick(state, [line("0 0 1 1 *")], ZONE)
    away = Unavailable("source_away", name="a", why="HTTP 429", after=7200)
    schedule.ended(state, "source:a", away)
    assert schedule.due_of(state)["source:a"][0] == now[0] + 2 * HOUR


def test_jobs_that_ended_long_ago_are_forgotten(state, now):
    old = job.submit(state, "pull", {"source": "x"})
    job.submit(state, "pull", {"source": "y"})
    while job.run_next(state, {"pull": lambda *_: None}):
        pass
    schedule.tick(state, [line()], ZONE)
    now[0] += 31 * 24 * HOUR
    schedule.tick(state, [line()], ZONE)
    with pytest.raises(NotFound):
        job.told(state, old)
    assert jobs(state) == ["a"]


def test_what_somebody_must_mend_waits_for_its_line(state, now):
    schedule.tick(state, [line()], ZONE)
    before = schedule.due_of(state)["source:a"][0]
    schedule.ended(state, "source:a", BadInput("source_denied", name="a", why="x"))
    assert schedule.due_of(state)["source:a"] == (before, 1)
    schedule.ended(state, "source:unknown", None)


def test_a_changed_line_begins_anew_and_a_removed_one_is_gone(state, now):
    schedule.tick(state, [line(), line(name="source:b")], ZONE)
    schedule.tick(state, [line("30 * * * *")], ZONE)
    assert schedule.due_of(state) == {"source:a": (START + HOUR // 2, 0)}
