"""A report as of a moment: the same for ever, whatever comes late and in which order."""

from functools import partial

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import build
from build import DAY, MINUTE, T0, Tracker, page, track
from touchline import clock
from touchline.identity.people import Registry
from touchline.jobs import queries
from touchline.jobs.definitions import apply
from touchline.jobs.imports.importing import run_import
from touchline.jobs.intake.writer import Writer
from touchline.jobs.rebuild import rebuild

SHOP = "https://shop.cn/"
WECHAT = "Mozilla/5.0 (Linux; Android 13) Mobile MicroMessenger/8.0.40"
BY = "channel,campaign,landing_page"
MIDNIGHT = T0 + DAY


def visit(name, at, campaign=None, *, device="d1", agent=None, click=None):
    tags = f"?utm_source=google&utm_medium=cpc&utm_campaign={campaign}" if campaign else ""
    properties = {"channel": click, "touchpoint": True} if click else {}
    made = page(name, f"{SHOP}{name}{tags}", at=at, anonymousId=device)
    if click:
        made |= {"type": "track", "event": "Click", "properties": properties}
    if agent:
        made["context"]["userAgent"] = agent
    return made


def order(name, at, device="d1"):
    paid = {"revenue": 100, "currency": "CNY", "order_id": name}
    return track(name, "Order Completed", at=at, properties=paid) | {
        "userId": None,
        "anonymousId": device,
    }


class Site:
    """A workspace to which things come in some order."""

    def __init__(self, path):
        self.workspace = build.workspace(path)
        self.tracker = Tracker(self.workspace)

    def take(self, *calls, settles=True):
        """Returns a moment at which all this is known."""
        self.tracker.send(*calls)
        writer = Writer(self.workspace)
        while writer.commit_once():
            pass
        if settles:
            writer.settle()
        return clock.now_us()

    def asked(self, moment=None):
        args = {"models": "linear,last_touch", "by": BY}
        if moment is not None:
            args["as_of"] = clock.iso(moment)
        found = queries.attribution(self.workspace, Registry(self.workspace), args)
        return msgspec.to_builtins(found.as_json())

    def rows(self, moment):
        return {
            (row["channel"], row["campaign"]): row["conversions"]
            for row in self.asked(moment)["rows"]
            if row["model"] == "linear"
        }


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path / "w")
    yield made
    made.workspace.close()


def test_an_event_that_comes_late_changes_no_report_of_before(site):
    then = site.take(visit("b", T0 + 10 * MINUTE, "spring"), order("o", T0 + 60 * MINUTE))
    assert site.rows(then) == {("Paid Search", "spring"): 1.0}
    now = site.take(visit("a", T0, "spring"))
    assert site.rows(then) == {("Paid Search", "spring"): 1.0}
    assert site.asked(now) == site.asked()


def test_sessions_that_end_at_midnight_since_then_change_no_report_of_before(site):
    """What opens a session now and has the labels of the one before opened one then, too."""
    then = site.take(visit("b", MIDNIGHT + 5 * MINUTE), order("o", MIDNIGHT + 60 * MINUTE))
    before = site.asked(then)
    apply(site.workspace, {"site": {"sessions_end_at_midnight": True}})
    site.take(visit("a", MIDNIGHT - 5 * MINUTE, "spring"))
    assert site.asked(then) == before


def test_what_took_over_the_labels_of_a_late_event_has_its_own_again(site):
    """It came without a campaign, from an app that its browser names."""
    then = site.take(visit("b", T0 + 10 * MINUTE, agent=WECHAT), order("o", T0 + 60 * MINUTE))
    before = site.asked(then)
    site.take(visit("a", T0, "spring"))
    assert site.asked(then) == before
    assert site.rows(None) == {("Paid Search", "spring"): 1.0}


def test_a_file_s_row_without_a_campaign_was_direct_before_a_late_one(site):
    """It has no context to be read from again."""
    head = "occurred_at,type,name,anonymous_id,url,source,medium,campaign\n"
    site.take(order("o", T0 + 60 * MINUTE))

    def load(name, line):
        path = site.workspace.dir.parent / name
        path.write_text(head + line, "utf-8")
        with site.workspace.write_lock():
            writer = Writer(site.workspace)
            run_import(writer, "events", path)
            writer.catch_up()
        return clock.now_us()

    then = load("b.csv", "2026-03-01T00:10:00Z,page,page,d1,https://shop.cn/b,,,\n")
    assert site.rows(then) == {("Direct", None): 1.0}
    load("a.csv", "2026-03-01T00:00:00Z,page,page,d1,https://shop.cn/a,google,cpc,spring\n")
    assert site.rows(then) == {("Direct", None): 1.0}
    assert site.rows(None) == {("Paid Search", "spring"): 1.0}


def test_traffic_that_comes_in_its_order_is_read_as_it_is_stored(site, monkeypatch):
    then = site.take(visit("a", T0, "spring"), order("o", T0 + 60 * MINUTE))
    site.take(visit("b", T0 + 10 * MINUTE), visit("c", T0, device="d2"))
    monkeypatch.setattr("touchline.jobs.known_then.assign_sessions", None)
    assert site.rows(then) == {("Paid Search", "spring"): 1.0}


def test_a_rebuild_by_other_rules_is_told_of_and_one_by_the_same_is_not(site):
    then = site.take(visit("a", T0, "spring"), order("o", T0 + 60 * MINUTE))
    rebuild(Writer(site.workspace), lambda _: None)
    args = {"models": "linear", "as_of": clock.iso(then)}
    asked = partial(queries.attribution, site.workspace, Registry(site.workspace))
    assert asked(args).notes == []
    apply(site.workspace, {"channel_rule": [{"channel": "Spring Ads", "campaign": "spring"}]})
    rebuild(Writer(site.workspace), lambda _: None)
    ((code, params),) = asked(args).notes
    assert (code, set(params)) == ("labels_rebuilt", {"day"})
    assert asked({**args, "as_of": clock.iso(clock.now_us())}).notes == []
    behind = {"model": "linear", "channel": "Spring Ads"}
    for name, more in {"roles": {}, "patterns": {}, "explain_number": behind}.items():
        ask = partial(queries.QUERIES[name], site.workspace, Registry(site.workspace))
        (note,) = ask({**args, **more})["notes"]
        assert (note["code"], params["day"] in note["zh"]) == (code, True)
        assert "notes" not in ask({**args, **more, "as_of": None})


def test_a_rebuild_by_rules_that_were_new_on_the_day_is_told_of_once_it_has_read_older_rows(site):
    """Rows stand under the rules they came in by, until a rebuild."""
    rules = [{"channel": "Spring Ads", "campaign": "spring"}]
    apply(site.workspace, {"channel_rule": [{"channel": "Ads", "campaign": "spring"}]})
    early = site.take(visit("a", T0, "spring"), order("o", T0 + 60 * MINUTE))
    apply(site.workspace, {"channel_rule": rules})
    then = clock.now_us()

    def told(moment):
        args = {"models": "linear", "as_of": clock.iso(moment)}
        found = queries.attribution(site.workspace, Registry(site.workspace), args)
        return [row.labels["channel"] for row in found.rows], [code for code, _ in found.notes]

    assert told(then) == (["Ads"], [])
    rebuild(Writer(site.workspace), lambda _: None)
    later = clock.now_us()
    assert told(early) == told(then) == (["Spring Ads"], ["labels_rebuilt"])
    assert told(later) == (["Spring Ads"], [])
    rebuild(Writer(site.workspace), lambda _: None)
    assert told(later) == (["Spring Ads"], [])  # it was by the same rules
    assert told(then) == (["Spring Ads"], ["labels_rebuilt"])


def test_rules_that_were_there_before_the_first_row_are_not_told_of(site):
    apply(site.workspace, {"channel_rule": [{"channel": "Ads", "campaign": "spring"}]})
    then = site.take(visit("a", T0, "spring"), order("o", T0 + 60 * MINUTE))
    rebuild(Writer(site.workspace), lambda _: None)
    args = {"models": "linear", "as_of": clock.iso(then)}
    assert queries.attribution(site.workspace, Registry(site.workspace), args).notes == []


@st.composite
def traffic(draw):
    """Calls of two devices around a midnight, with orders among them."""
    found = []
    for device in ("d1", "d2"):
        at = MIDNIGHT - draw(st.integers(1, 120)) * MINUTE
        for step in range(draw(st.integers(2, 5))):
            name = f"{device}-{step}"
            found.append(
                visit(
                    name,
                    at,
                    draw(st.sampled_from((None, None, "spring", "autumn"))),
                    device=device,
                    agent=draw(st.sampled_from((None, WECHAT))),
                    click=draw(st.sampled_from((None, None, None, "Store"))),
                )
            )
            at += draw(st.sampled_from((1, 10, 29, 30, 31, 200))) * MINUTE
            if draw(st.booleans()):
                found.append(order(f"o-{name}", at, device))
    return found


@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # an example costs seconds
)
@given(traffic(), st.booleans(), st.booleans(), st.data())
def test_any_order_of_arrival_leaves_each_report_as_it_was(
    tmp_path_factory, monkeypatch, calls, ends_at_midnight, settles, data
):
    monkeypatch.setattr("touchline.jobs.known_then.ROWS_AT_ONCE", 4)
    site = Site(tmp_path_factory.mktemp("any") / "w")
    if ends_at_midnight:
        apply(site.workspace, {"site": {"sessions_end_at_midnight": True}})
    shuffled = [calls[at] for at in data.draw(st.permutations(range(len(calls))))]
    cuts = sorted(data.draw(st.sets(st.integers(1, len(calls)), min_size=1, max_size=3)))
    remembered = {}
    for start, end in zip([0, *cuts], [*cuts, len(calls)], strict=True):
        if start == end:
            continue
        moment = site.take(*shuffled[start:end], settles=settles)
        remembered[moment] = site.asked(moment)
        if settles:
            assert remembered[moment] == site.asked()
    Writer(site.workspace).catch_up()
    for moment, before in remembered.items():
        assert site.asked(moment) == before
    site.workspace.close()


LATER = {"channel_rule": [{"channel": "Wx", "source": "wechat"}]}


@pytest.mark.parametrize("comes", [T0 - 600 * MINUTE, T0, T0 + 90 * MINUTE])
@pytest.mark.parametrize("settles", [False, True])
def test_rules_that_came_after_a_row_never_read_it_again(site, comes, settles):
    """Neither where a late event takes its session over, nor hours before, nor while it waits."""
    site.take(visit("b", T0 + 10 * MINUTE, agent=WECHAT), order("o", T0 + 60 * MINUTE))
    apply(site.workspace, LATER)
    then = clock.now_us()
    before = site.rows(then)
    site.take(visit("a", comes), settles=settles)
    assert site.rows(then) == before == {("Organic Social", None): 1.0}


def test_rows_are_read_by_the_rules_of_the_rebuild_that_read_them_last(site):
    site.take(visit("b", T0 + 10 * MINUTE, agent=WECHAT), order("o", T0 + 60 * MINUTE))
    apply(site.workspace, LATER)
    rebuild(Writer(site.workspace), lambda _: None)
    then = clock.now_us()
    site.take(visit("a", T0))
    assert site.rows(then) == {("Wx", None): 1.0}
