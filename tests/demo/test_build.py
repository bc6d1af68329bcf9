"""Playing the customer: definitions first, every file once, every batch under its key."""

import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.demo import Customer, build, simulate
from touchline.demo.build import stamped
from touchline.errors import BadInput


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("build") / "data"
    simulate(out, people=400, end=dt.date(2026, 6, 30))
    return out


class Recorder:
    def __init__(self) -> None:
        self.steps: list[tuple] = []

    def customer(self) -> Customer:
        return Customer(
            post=lambda body, source: self.steps.append(("post", source, body)),
            import_file=lambda *about: self.steps.append(("import", *about)),
            apply=lambda path: self.steps.append(("apply", path)),
        )


def test_everything_is_brought_in_once(data):
    recorder = Recorder()
    shares = []
    batches = build(data, recorder.customer(), progress=lambda share, what: shares.append(share))
    assert recorder.steps[0] == ("apply", data / "site.toml")
    imported = [step for step in recorder.steps if step[0] == "import"]
    files = {path for path in data.glob("*.csv") if path.name != "catalogue.csv"}
    assert {step[2] for step in imported} == files
    assert len(imported) == len(files)
    posted = [step for step in recorder.steps if step[0] == "post"]
    assert len(posted) == batches
    lines = sum(len(p.read_bytes().splitlines()) for p in (data / "web").glob("*.jsonl"))
    assert batches == lines
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0, abs=0.01)


def test_files_go_under_their_kind_with_their_map(data):
    recorder = Recorder()
    build(data, recorder.customer())
    about = {path.name: (kind, chart, source) for what, kind, path, chart, source in (
        step for step in recorder.steps if step[0] == "import")}  # fmt: skip
    assert about["costs_agency_xhs.csv"][1] == data / "costs_agency_xhs.map.toml"
    assert about["rates.csv"] == ("rates", None, "rates")
    assert about["people_members.csv"] == ("people", None, "members")
    assert about["events_wecom.csv"][0] == "events"
    # A revision replaces what it revises only under the same source, and after it.
    assert about["costs_qianchuan.csv"][2] == about["costs_qianchuan_revised.csv"][2]
    order = [step[2].name for step in recorder.steps if step[0] == "import"]
    assert order.index("costs_qianchuan.csv") < order.index("costs_qianchuan_revised.csv")


def test_only_late_phones_are_stamped_anew(data, monkeypatch):
    told = json.loads((data / "web" / "sources.json").read_text())
    now = dt.datetime.fromisoformat(told["sent_at"]) + dt.timedelta(days=40)
    monkeypatch.setattr("touchline.clock.now_us", lambda: int(now.timestamp()) * 1_000_000)
    recorder = Recorder()
    build(data, recorder.customer())
    written = {
        line for path in (data / "web").glob("*.jsonl") for line in path.read_bytes().splitlines()
    }
    late = [step[2] for step in recorder.steps if step[0] == "post" and step[2] not in written]
    assert len(late) == sum(
        len(path.read_bytes().splitlines()) for path in (data / "web").glob("*late*")
    )
    for body in late:
        for call in json.loads(body)["batch"]:
            off = dt.datetime.fromisoformat(call["sentAt"]) - now
            assert abs(off) <= dt.timedelta(hours=9)


@given(st.integers(-(10**14), 10**14))
def test_stamping_moves_every_clock_by_the_same(later_us):
    body = (
        b'{"batch":[{"sentAt":"2026-06-30T20:12:00.000Z"},{"sentAt":"2026-07-01T05:00:00.000Z"}]}'
    )
    first, second = (call["sentAt"] for call in json.loads(stamped(body, later_us))["batch"])
    gap = dt.datetime.fromisoformat(second) - dt.datetime.fromisoformat(first)
    assert gap == dt.timedelta(hours=8, minutes=48)


def test_a_folder_without_requests_is_refused(tmp_path):
    with pytest.raises(BadInput):
        build(tmp_path, Recorder().customer())
