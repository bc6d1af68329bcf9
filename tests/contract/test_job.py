"""Who adds a job unless it is there is alone with that, in either database."""

import threading

from touchline.jobs import job


def test_of_many_who_want_the_same_once_one_adds_it(state):
    begin, numbers = threading.Barrier(4), list[int]()
    asked = [{"a": 1, "b": 2}, {"b": 2, "a": 1}]

    def submit(n):
        begin.wait(10)
        numbers.append(job.submit(state, "x", asked[n % 2], is_once=True))

    threads = [threading.Thread(target=submit, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers) == 4
    assert set(numbers) == {job.open_one(state, "x", asked[0])}
    assert job.submit(state, "x", {"a": 1}, is_once=True) not in numbers
    assert job.submit(state, "y", asked[0], is_once=True) not in numbers
    while job.run_next(state, {"x": lambda *_: 1, "y": lambda *_: 1}):
        pass
    assert job.open_one(state, "x", asked[0]) is None
    assert job.submit(state, "x", asked[0], is_once=True) not in numbers
