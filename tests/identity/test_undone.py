"""Two persons merged and taken apart again: every table, timeline and journey is what it was."""

import os

import pyarrow.parquet as pq
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from touchline.errors import TouchlineError
from touchline.identity.mirror import write_map
from touchline.jobs import queries
from touchline.jobs.intake.settle import settle
from touchline.jobs.people import identity
from touchline.model import Flag

AT = 1_772_323_200_000_000  # 2026-03-01
NAMES = [f"{kind}:{n}" for kind in ("user_id", "email", "anonymous_id") for n in range(4)]
sets = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)
visits = st.lists(
    st.tuples(sets, st.integers(0, 90), st.sampled_from(("Email", "Direct", "Paid Search"))),
    min_size=1,
    max_size=15,
)
couples = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda two: two[0] != two[1]),
    min_size=1,
    max_size=4,
)


@settings(
    max_examples=100 if os.environ.get("TOUCHLINE_LONG") else 3,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # an example costs seconds
)
@given(visits, st.lists(sets, max_size=4), couples)
def test_a_merge_and_its_opposite_leave_everything_as_it_was(
    lake_at, tmp_path_factory, visits, orders, couples
):
    site = lake_at(tmp_path_factory.mktemp("undone") / "w")
    site.put("events", *(visit(*one, number) for number, one in enumerate(visits)))
    site.put("fresh", *(visit(*one, 100 + number) for number, one in enumerate(visits[:3])))
    orders = [order(names, number) for number, names in enumerate(orders)]
    if orders:
        site.put("conversions", *orders)
    settle(site.workspace)
    before = told(site)
    assert before["timelines"]
    if any(touched(visits, names) for names, _ in orders):
        assert before["journeys"]
    for a, b in couples:
        try:
            decide(site, "merge", a, b)
        except TouchlineError:
            continue  # the same person already, or a limit forbids it
        assert told(site)["map"] != before["map"]
        decide(site, "unmerge", a, b)
        assert told(site) == before
        made = [one.id for one in identity.decided(site.workspace.state)][-2:]
        for number in reversed(made):
            decide(site, "undo", undoes=number)
        assert told(site) == before
    site.workspace.close()


def touched(visits, names):
    return any(set(names.split()) & set(visit[0]) for visit in visits)


def visit(names, hour, channel, number):
    more = {"at": AT + hour * 3_600_000_000, "channel": channel, "type": "page", "name": "page"}
    more |= {
        "message_id": f"m{number}",
        "source": "web",
        "received_us": AT,
        "flags": int(Flag.EXPLICIT_CHANNEL),
    }
    more |= {"event_id": b"%016d" % number, "click_ids": [], "bot": False}
    return " ".join(names), more


def order(names, number):
    more = {"conversion_id": f"c{number}", "kind": "order", "amount": 100 * (number + 1)}
    at = AT + 100 * 3_600_000_000
    return " ".join(names), {"at": at, "currency": "CNY", "source": "shop", **more}


def decide(site, kind, *names, **more):
    asked = {"kind": kind, "names": names, "reason": "a call", **more}
    return identity.decide(site.workspace, site.registry, asked)


def told(site):
    """All that is said of people."""
    workspace, registry = site.workspace, site.registry
    with workspace.view() as view:
        mark, people = registry.marked(view)
    write_map(workspace.lake, people, mark)
    tables = workspace.lake.mirrors
    ids = list(people.person_ids)
    return {
        **{name: rows_of(tables[name]) for name in ("map", "quarantine")},
        "people": sorted(queries.people(workspace, registry, {})),
        "timelines": [queries.timeline(workspace, registry, {"person": one}) for one in ids],
        "journeys": sorted(queries.credit_rows(workspace, registry, {"models": "linear"})),
    }


def rows_of(table):
    return [row for path in table.snapshot().files for row in pq.read_table(path).to_pylist()]
