"""A decision judged from rows nearby gives everybody as they are computed from all rows."""

import os

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from touchline.identity.around.nearby import judged, judged_nearby
from touchline.identity.change import Differences
from touchline.identity.decisions import Decision, decided, record, supposing
from touchline.identity.person_map import PersonMap

NAMES = [f"{kind}:{n}" for kind in ("user_id", "email", "anonymous_id") for n in range(6)]
rows = st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True), max_size=25)
pairs = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda p: p[0] != p[1])
acts = st.lists(st.tuples(st.sampled_from(("merge", "unmerge", "undo")), pairs), max_size=6)


@settings(
    max_examples=200 if os.environ.get("TOUCHLINE_LONG") else 4,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(rows, rows, acts)
def test_who_is_judged_nearby_is_who_is_judged_among_all(
    lake_at, tmp_path_factory, events, people, told
):
    lake = lake_at(tmp_path_factory.mktemp("nearby") / "w")
    if events:
        lake.put("events", *(" ".join(row) for row in events))
    if people:
        lake.put("people", *(" ".join(row) for row in people))
    with lake.workspace.view() as view:
        for kind, about in told:
            made = decided(lake.workspace.state)
            nodes = tuple(lake.node(name) for name in about)
            undoes = made[-1].id if kind == "undo" and made else None
            if kind == "undo" and undoes is None:
                continue
            one = Decision(2**62, kind, *(nodes if undoes is None else (None, None)), undoes,
                           "li", "why", 0)  # fmt: skip
            before = lake.registry.at(view)
            near = nodes if undoes is None else concerned(made)
            rules, now = lake.registry.ruled(view)
            then = supposing(now, [*made, one])
            mine = judged(lake.registry, view, before, (rules, now, then), near).people
            evidence, found = lake.registry.supposed(view, decisions=then)
            is_alike(mine, PersonMap.of(evidence, found))
            record(lake.workspace.state, kind, author="li", reason="why",
                   **({"about": nodes} if undoes is None else {"undoes": undoes}))  # fmt: skip
            lake.registry.keep(view, mine, (rules, then))
    lake.workspace.close()


def concerned(made):
    one = made[-1]
    while one.undoes is not None:
        one = next(other for other in made if other.id == one.undoes)
    return one.a, one.b


def is_alike(mine, theirs):
    for name in ("person", "anchor"):
        assert np.array_equal(getattr(mine.people, name), getattr(theirs.people, name))
    for name in ("cause", "count"):
        pair = (getattr(one.people.quarantine, name) for one in (mine, theirs))
        assert np.array_equal(*pair)


def test_two_that_nobody_else_hangs_on_are_judged_alone(lake):
    lake.put("events", "user_id:a anonymous_id:x", "user_id:b anonymous_id:y", "user_id:c")
    about = lake.node("anonymous_id:x"), lake.node("anonymous_id:y")
    with lake.workspace.view() as view:
        before = lake.registry.at(view)
        rules, now = lake.registry.ruled(view)
        then = type(now)(apart=(about,))
        found = judged_nearby(view, before, rules, (now, then), about)
        assert len(found.evidence) == 4
        assert not any(Differences(before, found.people).counts.values())


def test_the_rows_of_two_that_are_no_longer_merged_by_hand_count_again(lake):
    lake.put("events", *(f"user_id:{n} anonymous_id:x" for n in range(6)))
    about = lake.node("user_id:0"), lake.node("anonymous_id:x")
    record(lake.workspace.state, "merge", about=about, author="li", reason="hers")
    with lake.workspace.view() as view:
        before = lake.registry.at(view)
        rules, now = lake.registry.ruled(view)
        assert not before.people.quarantine.held.any()
        assert judged_nearby(view, before, rules, (now, type(now)()), about) is None
        after = judged(lake.registry, view, before, (rules, now, type(now)()), about).people
        assert after.people.quarantine.held.sum() == 1
