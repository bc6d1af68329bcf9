"""Files into a workspace: what is stored, what is said of it, and what a second import changes."""

import json
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.errors import BadInput
from touchline.jobs.definitions import apply
from touchline.jobs.doctor import examine
from touchline.jobs.imports.importing import preview, run_import
from touchline.jobs.imports.versions import verdicts
from touchline.jobs.intake.writer import Writer
from touchline.journey.rate import Rates
from touchline.measure.cost import costs
from touchline.storage.workspace import Workspace


class Place:
    """A workspace under its lock, and files beside it."""

    def __init__(self, folder, workspace):
        self.folder = folder
        self.workspace = workspace
        self.writer = Writer(workspace)

    def load(self, kind, text, **options):
        """(stored, duplicate, updated, rejected)"""
        path = self.folder / "file.csv"
        path.write_text(text, "utf-8")
        found = run_import(self.writer, kind, path, **options)
        assert list(found) == ["read", "stored", "duplicate", "updated", "rejected"]
        assert found["read"] == sum(list(found.values())[1:])
        return tuple(found.values())[1:]

    def rows(self, name, *columns):
        self.writer.catch_up()
        with self.workspace.view() as view:
            table = view.events() if name == "events" else view.table(name)
            order = "batch" if name == "costs" else "seq"
            found = view.fetch(table.order_by(order)).select(list(columns)).to_pylist()
        return [tuple(row.values()) for row in found]

    def versions(self):
        return {n: t.snapshot().version for n, t in self.workspace.lake.tables.items()}

    def rejects(self):
        with sqlite3.connect(self.workspace.dir / "state.db") as state:
            return state.execute(
                "select kind, line, reason from reject order by kind, line"
            ).fetchall()


@pytest.fixture
def place(tmp_path):
    workspace = Workspace.init(tmp_path / "w", time_zone="Asia/Shanghai")
    with workspace.write_lock():
        yield Place(tmp_path, workspace)
    workspace.close()


FILES = {
    "events": """time,name,user_id,channel
2026-03-01,Visit,u1,门店
2026-03-01,Visit,u1,门店
x,Visit,u1,门店
""",
    "conversions": """order_id,date,amount,user_id
O1,2026-03-01,5,u1
,2026-03-01,6,u1
O2,x,5,u1
""",
    "costs": """date,date_to,channel,cost
2026-03-01,2026-03-07,A,100
2026-03-01,,A,5
合计,,,105
""",
    "people": """user_id,phone,level
u1,13800138001,gold
u2,13800138002,silver
,null,none
""",
    "rates": """date,from,to,rate
2026-03-01,USD,CNY,7.1
2026-03-01,EUR,CNY,7.9
2026-03-01,XXY,CNY,1
""",
}


@pytest.mark.parametrize("kind", FILES)
def test_importing_a_file_again_changes_nothing(place, kind):
    assert place.load(kind, FILES[kind]) == (2, 0, 0, 1)
    versions, rejects = place.versions(), place.rejects()
    assert [(k, line) for k, line, _ in rejects] == [(kind, 4)]
    assert place.load(kind, FILES[kind]) == (0, 2, 0, 1)
    assert place.rejects() == rejects
    # An empty commit of events is one that no row came with.
    assert {**place.versions(), "fresh": 0} == {**versions, "fresh": 0}
    assert examine(place.workspace)["findings"] == []


def test_an_id_with_other_content_is_a_conflict_with_its_line(place):
    header = "message_id,time,name,user_id,note\n"
    assert place.load("events", header + "m1,2026-03-01,Visit,u1,a\n") == (1, 0, 0, 0)
    other = (
        header + "m2,2026-03-01,Visit,u1,a\nm1,2026-03-01,Visit,u1,b\nm1,2026-03-01,Visit,u1,a\n"
    )
    assert place.load("events", other) == (1, 1, 0, 1)
    assert place.rejects() == [("events", 3, "id_conflict")]
    assert place.load("events", other) == (0, 2, 0, 1)
    assert place.rejects() == [("events", 3, "id_conflict")]
    assert len(place.rows("events", "message_id")) == 2
    assert examine(place.workspace)["findings"] == []


def test_sources_have_their_own_ids_and_the_file_s_name_says_nothing(place):
    text = "message_id,time,name,user_id\nm1,2026-03-01,Visit,u1\n"
    assert place.load("events", text, source="crm") == (1, 0, 0, 0)
    assert place.load("events", text) == (1, 0, 0, 0)
    assert {row[0] for row in place.rows("events", "source")} == {"crm", "events"}


DEAL = "conversion_id,occurred_at,stage,amount,crm_id\n"


def test_a_deal_moves_through_its_stages_by_new_versions(place):
    lead, won = "D1,2026-01-01,lead,100,C1\n", "D1,2026-05-01,won,120,C1\n"
    assert place.load("conversions", DEAL + lead) == (1, 0, 0, 0)
    assert place.load("conversions", DEAL + won) == (0, 0, 1, 0)
    assert place.load("conversions", DEAL + won) == (0, 1, 0, 0)
    # Not the version in force: what was true once is said anew.
    assert place.load("conversions", DEAL + lead) == (0, 0, 1, 0)
    stages = place.rows("conversions", "stage", "amount", "seq")
    assert stages == [("lead", 10000, 1), ("won", 12000, 2), ("lead", 10000, 3)]


def test_a_file_with_the_whole_history_changes_nothing_the_second_time(place):
    history = DEAL + "".join(
        f"D1,2026-0{n}-01,{s},1,C1\n" for n, s in enumerate(("a", "b", "a"), 1)
    )
    assert place.load("conversions", history) == (1, 0, 2, 0)
    assert place.load("conversions", history) == (0, 3, 0, 0)
    assert place.load("conversions", history + "D1,2026-09-01,won,1,C1\n") == (0, 3, 1, 0)


def test_conversions_hold_nodes_not_names(place):
    text = (
        "order_id,date,amount,phone,email,备注,联系人手机\n"
        "O1,2026-03-01,5,13800138001,ann@example.com,来自 bob@example.com,\n"
    )
    place.load("conversions", text)
    ((nodes, properties, day),) = place.rows("conversions", "node_ids", "properties", "local_day")
    assert [node["type"] for node in nodes] == ["email", "phone"]
    assert day.isoformat() == "2026-03-01"
    assert json.loads(properties)
    raw = b"".join(path.read_bytes() for path in (place.folder / "w").rglob("*") if path.is_file())
    assert b"13800138001" not in raw
    assert b"ann@example.com" not in raw


COSTS = "date,channel,source,campaign,cost\n"


def cost_rows(place):
    rows = place.rows("costs", "day", "channel", "source_name", "campaign", "cost", "batch")
    return [(day.day, *rest) for day, *rest in rows]


def test_revised_spend_replaces_the_day_of_its_channel_and_source_column(place):
    first = (
        COSTS
        + "2026-03-01,A,s,c1,1\n2026-03-01,A,s,c2,2\n2026-03-01,A,y,c1,3\n2026-03-02,A,s,c1,4\n"
    )
    assert place.load("costs", first) == (4, 0, 0, 0)
    revised = COSTS + "2026-03-01,A,s,c1,1\n2026-03-01,A,s,c3,9\n"
    assert place.load("costs", revised) == (1, 1, 0, 0)
    assert cost_rows(place)[4:] == [(1, "A", "s", "c1", 100, 2), (1, "A", "s", "c3", 900, 2)]
    assert place.load("costs", revised) == (0, 2, 0, 0)
    # c2 is gone from what is in force, so naming it again makes a new batch.
    assert place.load("costs", first) == (1, 3, 0, 0)
    assert {row[-1] for row in cost_rows(place)} == {1, 2, 3}


def test_costs_of_another_source_stand_beside_the_first(place):
    row = COSTS + "2026-03-01,A,s,c1,1\n"
    assert place.load("costs", row, source="agency") == (1, 0, 0, 0)
    assert place.load("costs", row, source="platform") == (1, 0, 0, 0)


RULED = "date,source,medium,campaign,cost\n"


def rule(place, channel, **match):
    apply(place.workspace, {"channel_rule": [{"channel": channel} | match]})


def spent(place, *labels):
    with place.workspace.view() as view:
        return costs(view, labels, Rates.of(view, "CNY"))


def test_costs_whose_channel_the_rules_named_are_replaced_under_other_rules(place):
    first = RULED + "2026-03-01,baidu,cpc,a,1\n2026-03-01,baidu,cpc,b,2\n2026-03-02,baidu,cpc,a,4\n"
    assert place.load("costs", first) == (3, 0, 0, 0)
    assert spent(place, "channel") == {("Paid Search",): 700}
    rule(place, "Brand", campaign="a")
    day = RULED + "2026-03-01,baidu,cpc,a,1\n"
    assert place.load("costs", day) == (0, 0, 1, 0)
    assert place.load("costs", day) == (0, 1, 0, 0)
    # b and the other day are not spoken of, so they stay as they were.
    assert spent(place, "channel", "campaign") == {
        ("Brand", "a"): 100,
        ("Paid Search", "b"): 200,
        ("Paid Search", "a"): 400,
    }
    assert place.load("costs", first) == (0, 2, 1, 0)
    assert place.load("costs", first) == (0, 3, 0, 0)
    assert spent(place, "channel") == {("Brand",): 500, ("Paid Search",): 200}
    rule(place, "All", source="baidu")
    assert place.load("costs", first) == (0, 0, 3, 0)
    assert spent(place, "channel") == {("All",): 700}
    rule(place, "Brand", campaign="a")
    assert place.load("costs", first) == (0, 0, 3, 0)
    assert spent(place, "channel") == {("Brand",): 500, ("Paid Search",): 200}


def test_a_channel_that_the_file_named_stays_whatever_the_rules_say(place):
    named = COSTS + "2026-03-01,Paid Search,baidu,a,1\n"
    assert place.load("costs", named) == (1, 0, 0, 0)
    rule(place, "Brand", campaign="a")
    assert place.load("costs", RULED + "2026-03-01,baidu,cpc,a,2\n") == (1, 0, 0, 0)
    assert spent(place, "channel") == {("Paid Search",): 100, ("Brand",): 200}


@settings(max_examples=8, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Brand", "Other", None]),
            st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 9)), min_size=1, max_size=3),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_the_rules_were_the_last_import_of_a_day_is_what_it_cost(tmp_path_factory, told):
    folder = tmp_path_factory.mktemp("costs")
    workspace = Workspace.init(folder / "w")
    with workspace.write_lock():
        place = Place(folder, workspace)
        for channel, rows in told:
            if channel is not None:
                rule(place, channel, source="baidu")
            text = RULED + "".join(f"2026-03-01,baidu,cpc,{name},{cost}\n" for name, cost in rows)
            place.load("costs", text)
            assert place.load("costs", text) == (0, len(rows), 0, 0)
            assert sum(spent(place, "channel").values()) == 100 * sum(cost for _, cost in rows)
    workspace.close()


def test_a_row_over_a_week_is_one_row_of_the_account(place):
    header = "date,date_to,channel,cost\n"
    assert place.load("costs", header + "2026-03-01,2026-03-07,A,100\n") == (1, 0, 0, 0)
    assert place.load("costs", header + "2026-03-01,2026-03-08,A,100\n") == (1, 0, 0, 0)
    assert place.load("costs", header + "2026-03-01,2026-03-08,A,101\n") == (0, 0, 1, 0)


def test_people_get_new_versions_by_their_strongest_identifier(place):
    header = "user_id,phone,level\n"
    assert place.load("people", header + "u1,13800138001,gold\nu1,13800138001,gold\n") == (
        1,
        1,
        0,
        0,
    )
    assert place.load("people", header + "u1,13800138002,gold\n") == (0, 0, 1, 0)
    assert len(place.rows("people", "content_hash")) == 2


def test_a_corrected_rate_is_a_new_version(place):
    header = "date,from,to,rate\n"
    assert place.load("rates", header + "2026-03-01,USD,CNY,7.10\n") == (1, 0, 0, 0)
    assert place.load("rates", header + "2026-03-01,USD,CNY,7.1\n") == (0, 1, 0, 0)
    assert place.load("rates", header + "2026-03-01,USD,CNY,7.2\n") == (0, 0, 1, 0)


def test_what_cannot_be_read_leaves_nothing_behind(place):
    before = place.versions()
    for kind, text in {
        "events": '[{"time": "2026-03-01", "name": "Visit", "user_id": "u1"}, {"time": ',
        "costs": "who,knows\n1,2\n",
        "conversions": "",
    }.items():
        with pytest.raises(BadInput):
            place.load(kind, text)
    with pytest.raises(BadInput, match="--source"):
        place.load("costs", FILES["costs"], source="\n")
    assert (place.versions(), place.rejects()) == (before, [])


def test_a_preview_stores_nothing_and_shows_the_guesses(place):
    path = place.folder / "file.csv"
    path.write_text(FILES["costs"].replace("channel", "渠道"), "utf-8")
    before = place.versions()
    found = preview(place.writer.site, "costs", path)
    assert [(c.column, c.field, c.how) for c in found.columns] == [
        ("date", "date", "name"),
        ("date_to", "date_to", "name"),
        ("渠道", "channel", "guess"),
        ("cost", "cost", "name"),
    ]
    assert (found.read, found.rejected, found.rejects) == (
        3,
        1,
        [{"line": 4, "reason": "total_row"}],
    )
    assert (place.versions(), place.rejects()) == (before, [])


def test_progress_ends_at_one(place):
    shares = []
    rows = "".join(f"2026-03-01,Visit,u{n}\n" for n in range(6000))
    place.load("events", "time,name,user_id\n" + rows, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) >= 2


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=12),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=12),
)
def test_what_was_just_stored_is_all_duplicate_the_next_time(before, arriving):
    held = {}
    for rows in (before, arriving):
        is_new, found = verdicts(rows, held)
        assert sum(is_new) == found.stored + found.updated
        assert len(rows) == sum(is_new) + found.duplicate
        for (key, digest), new in zip(rows, is_new, strict=True):
            if new:
                held.setdefault(key, []).append(digest)
        for key in {key for key, _ in rows}:
            assert held[key][-1] == [digest for k, digest in rows if k == key][-1]
        assert verdicts(rows, held)[1].duplicate == len(rows)
