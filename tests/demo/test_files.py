"""The folder is one a customer could send: well-formed, bounded, reproducible, growing evenly."""

import ast
import datetime as dt
import hashlib
import json
import tomllib
from collections import Counter
from pathlib import Path

import pytest

import touchline.demo
from touchline.demo import simulate
from touchline.demo.channels import ALL
from touchline.demo.simulate import yesterday
from touchline.errors import BadInput

END = dt.date(2026, 11, 20)


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(path.relative_to(folder).as_posix().encode())
        found.update(path.read_bytes())
    return found.hexdigest()


def test_the_same_arguments_give_the_same_bytes(tmp_path):
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        simulate(tmp_path / name, people=600, seed=seed, end=END)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert digest(tmp_path / "a") != digest(tmp_path / "c")
    # Made again in place, nothing of the old world stays.
    simulate(tmp_path / "c", people=600, seed=5, end=END)
    assert digest(tmp_path / "c") == digest(tmp_path / "a")


def test_twice_the_people_are_twice_of_everything(tmp_path):
    found = []
    for people in (2_000, 4_000):
        summary = simulate(tmp_path / str(people), people=people, end=END)
        truth = json.loads((tmp_path / str(people) / "truth.json").read_text())["businesses"]
        with (tmp_path / str(people) / "costs_tencent.csv").open() as file:
            cost = sum(float(line.split(",")[2]) for line in list(file)[1:])
        found.append(
            {
                "events": summary.events,
                "orders": truth["china"]["totals"]["orders"],
                "revenue": truth["china"]["totals"]["revenue"],
                "leads": truth["pro"]["totals"]["leads"],
                "cost": cost,
            }
        )
    for key, small in found[0].items():
        assert found[1][key] / small == pytest.approx(2, rel=0.15), key


def test_a_small_world_ends_on_any_day(tmp_path):
    for number, end in enumerate((dt.date(2026, 2, 17), dt.date(2027, 8, 31))):
        summary = simulate(tmp_path / str(number), people=200, end=end)
        assert summary.last_day == end
        assert summary.events > 1_000


def test_the_window_ends_yesterday_in_shanghai(monkeypatch):
    moment = dt.datetime(2026, 11, 20, 16, 30, tzinfo=dt.UTC)  # already the 21st in Shanghai
    monkeypatch.setattr("touchline.clock.now_us", lambda: int(moment.timestamp() * 1_000_000))
    assert yesterday() == dt.date(2026, 11, 20)


def test_a_folder_of_something_else_stays_untouched(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(BadInput) as refused:
        simulate(tmp_path, people=200, end=END)
    assert refused.value.code == "demo_folder_taken"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_world_of_too_few_or_too_many_is_refused(tmp_path):
    for people in (0, 10**9):
        with pytest.raises(BadInput):
            simulate(tmp_path / "x", people=people, end=END)


def test_progress_runs_from_nothing_to_all(tmp_path):
    told = []
    simulate(tmp_path / "x", people=300, end=END, progress=lambda share, what: told.append(share))
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)


def test_batches_are_bounded_and_name_their_write_key(company):
    about = json.loads((company.out / "web" / "sources.json").read_text())
    assert set(about["files"].values()) == {"website", "miniprogram", "intl"}
    assert about["files"].keys() == {path.name for path in (company.out / "web").glob("*.jsonl")}
    for path in (company.out / "web").glob("*.jsonl"):
        for line in path.read_bytes().splitlines():
            assert len(line) <= 500_000
            assert 0 < len(json.loads(line)["batch"]) <= 500


def test_calls_follow_the_segment_specification(web):
    kinds = Counter(call["type"] for call in web)
    assert kinds.keys() == {"page", "screen", "track", "identify"}
    for call in web:
        assert len(call["messageId"]) == 32
        assert call.get("anonymousId") or call.get("userId")
        assert call["timestamp"].endswith("Z")
        assert call["type"] != "track" or call["event"]


def test_every_visit_begins_after_the_window_opened_and_before_it_shut(company, web):
    first = company.summary.first_day.isoformat()
    last = (company.summary.last_day + dt.timedelta(days=1)).isoformat()
    for call in web:
        if "sentAt" not in call and call["timestamp"] > "2020-02":
            assert (
                (dt.date.fromisoformat(first) - dt.timedelta(days=1)).isoformat()
                <= call["timestamp"]
                < last
            )


def test_channel_rules_lead_every_link_to_its_channel(company):
    """Rules are tried in order, as the company wrote them."""
    rules = tomllib.loads((company.out / "site.toml").read_text())["channel_rule"]
    for channel in ALL:
        if not (channel.source and channel.medium):
            continue
        campaign = f"2605_skin_日常_{channel.key}_x_a01"
        hit = next(
            rule
            for rule in rules
            if channel.source[-1] in _listed(rule["source"])
            and rule["medium"] == channel.medium
            and rule.get("campaign", {"matches": ""})["matches"] in campaign
        )
        assert hit["channel"] == channel.label


def _listed(value):
    return value if isinstance(value, list) else [value]


def test_offline_touches_name_their_channel(company):
    for path in company.out.glob("events_*.csv"):
        rows = company.rows(path.name)
        assert rows, path.name
        if path.name != "events_sms_sent.csv":
            assert all(row["channel"] for row in rows), path.name


def test_the_simulator_imports_nothing_of_the_product():
    allowed = ("touchline.demo", "touchline.clock", "touchline.errors", "touchline.model",
               "touchline.text")  # fmt: skip
    for path in Path(touchline.demo.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [f"{node.module}.{alias.name}" for alias in node.names]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for name in names:
                assert not name.startswith("touchline") or name.startswith(allowed), (path, name)
