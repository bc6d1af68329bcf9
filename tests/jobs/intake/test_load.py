"""A load is told from traffic by how much comes at once, and holds nothing up for ever."""

from itertools import pairwise

import pytest

from touchline.jobs.intake.load import (
    LONG_S,
    LONGEST_S,
    PATIENCE_S,
    ROWS,
    SPAN_S,
    WAITING,
    Chore,
    Load,
)


def seconds_held(ticking, load, rows_a_second, seconds, seq=0):
    """How many of them a chore that has just been done would wait."""
    held = 0
    for second in range(seconds):
        ticking.now += 1
        load.look(seq + rows_a_second * (1 + second), 0)
        held += load.holds(ticking.now)
    return held


def test_traffic_is_no_load(ticking):
    assert seconds_held(ticking, Load(0), ROWS // 20, 600) == 0


def test_rows_that_come_at_once_are_one_whatever_way_they_come(ticking):
    load = Load(500)
    assert seconds_held(ticking, load, ROWS // 4, 60, seq=500) >= 56
    ticking.now += SPAN_S
    assert not load.holds(ticking.now)


def test_so_is_a_log_that_is_far_ahead_of_the_rows(ticking):
    load = Load(0)
    load.look(0, WAITING - 1)
    assert not load.holds(ticking.now)
    load.look(0, WAITING)
    assert load.holds(ticking.now)
    assert not load.holds(ticking.now - PATIENCE_S)  # is due for too long
    assert load.holds(ticking.now - PATIENCE_S, 2 * PATIENCE_S)


def test_a_chore_rests_longer_than_it_works_and_no_longer_than_two_minutes(ticking):
    took = [1.0, 5.0, 60.0, 0.0]
    done = []

    def work():
        done.append(ticking.now)
        ticking.now += took[len(done) - 1]

    chore = Chore(Load(0), rest=9.0)
    while len(done) < 4:
        ticking.now += 1
        chore.do_when_due(work, 5.0)
    apart = [later - earlier for earlier, later in pairwise(done)]
    assert apart == [1 + 9, 5 + 45, 60 + LONGEST_S]


def test_a_chore_that_fails_is_due_again(ticking):
    chore = Chore(Load(0), rest=9.0)
    ticking.now += 5
    with pytest.raises(ZeroDivisionError):
        chore.do_when_due(lambda: 1 / 0, 5.0)
    done = []
    chore.do_when_due(lambda: done.append(1), 5.0)
    assert done


def test_chores_give_way_to_the_question_that_follows_a_long_job(ticking):
    load = Load(0)
    load.note_job(LONG_S / 2)
    assert not load.holds(ticking.now)
    load.note_job(60.0)
    ticking.now += SPAN_S - 1
    assert load.holds(ticking.now)
    ticking.now += 1
    assert not load.holds(ticking.now)


def test_chores_wait_for_questions_to_end_and_not_for_ever(ticking):
    load = Load(0)
    with load.asked():
        with load.asked():
            assert load.holds(ticking.now)
        assert load.holds(ticking.now)
        assert not load.holds(ticking.now - PATIENCE_S)
        assert not load.holds(ticking.now - PATIENCE_S, 2 * PATIENCE_S)  # that long for a load only
    assert not load.holds(ticking.now)
