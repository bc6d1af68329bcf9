"""Who refuses is learnt from rows behind the last one, so rows become visible in their order."""

import threading

from touchline.model import Consent
from touchline.storage.consent import Refusals, written


def _refusals(nodes):
    return [
        Consent(
            act=b"%16d" % node,
            node=b"%16d" % node,
            purpose="analytics",
            is_granted=False,
            at_us=1,
            known_at_us=1,
        )
        for node in nodes
    ]


def test_rows_that_are_written_beside_a_long_import_are_visible_behind_it(state):
    refusals = Refusals(state, "analytics")
    refusals.now()
    beside = threading.Thread(target=state.write, args=written(state, _refusals([1000])))
    with state.engine.begin() as importing:
        for statement, rows in written(state, _refusals(range(300))):
            importing.execute(statement, rows)
        beside.start()
        beside.join(0.3)
        is_waiting = beside.is_alive()
        assert refusals.now()["analytics"] == frozenset()
    beside.join()
    assert is_waiting
    assert len(refusals.now()["analytics"]) == 301
