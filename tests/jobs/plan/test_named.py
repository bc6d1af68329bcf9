"""Names that visitors came with, against the rules."""

import pytest

from build import T0, Tracker, page
from build import workspace as make
from touchline import clock
from touchline.collect.naming import Naming
from touchline.errors import BadInput
from touchline.jobs import definitions
from touchline.jobs.intake.writer import Writer
from touchline.jobs.plan.named import named
from touchline.jobs.queries import QUERIES

RULES = {"case": "lower", "required": ["medium"], "sources": ["baidu"]}


@pytest.fixture
def shop(tmp_path, monkeypatch):
    made = make(tmp_path / "w")
    monkeypatch.setattr(clock, "now_us", lambda: T0 + clock.DAY_US)
    addresses = {
        "a": "https://shop.cn/?utm_source=Baidu&utm_medium=cpc",
        "b": "https://shop.cn/x?utm_source=Baidu&utm_medium=cpc",
        "c": "https://shop.cn/?utm_source=baidu&utm_medium=cpc&utm_campaign=%E6%98%A5",
        "d": "https://shop.cn/?utm_source=baidu",
        "e": "https://shop.cn/?gclid=1",
        "f": "https://shop.cn/?utm_source=&email=ann%40shop.cn",
    }
    Tracker(made).send(*(page(key, url, anonymousId=f"v-{key}") for key, url in addresses.items()))
    bot = {"userAgent": "curl/8", "page": {"url": "https://shop.cn/?utm_source=BOT"}}
    Tracker(made).send(page("g", "", anonymousId="v-g") | {"context": bot})
    with made.write_lock():
        Writer(made).commit_once()
        Writer(made).commit_once()
    yield made
    made.close()


def test_each_spelling_is_told_once_with_its_visits_and_an_example(shop):
    definitions.apply(shop, {"naming": RULES})
    found = named(shop, None, {})
    told = [
        (row["source"], row["medium"], row["visits"], [f["code"] for f in row["findings"]])
        for row in found["rows"]
    ]
    assert told == [("Baidu", "cpc", 2, ["unknown"]), ("baidu", None, 1, ["missing"])]
    assert found["rows"][0]["example"] == "https://shop.cn/?utm_source=Baidu&utm_medium=cpc"
    assert "baidu?" in found["rows"][0]["findings"][0]["zh"]
    assert found["has_rules"] is True


def test_without_rules_nothing_is_wrong_and_it_is_said_so(shop):
    assert QUERIES["named"](shop, None, {}) == {"rows": [], "days": 30, "has_rules": False}


def test_only_the_days_asked_for_are_looked_at(shop, monkeypatch):
    definitions.apply(shop, {"naming": RULES})
    monkeypatch.setattr(clock, "now_us", lambda: T0 + 3 * clock.DAY_US)
    assert named(shop, None, {"days": 2})["rows"] == []
    assert len(named(shop, None, {"days": "4"})["rows"]) == 2
    for days in ("soon", 0):
        with pytest.raises(BadInput, match="days"):
            named(shop, None, {"days": days})


def test_no_more_is_looked_at_than_is_shown(shop, monkeypatch):
    definitions.apply(shop, {"naming": RULES})
    looked = []
    findings = Naming.findings
    monkeypatch.setattr(Naming, "findings", lambda *a: looked.append(a) or findings(*a))
    monkeypatch.setattr("touchline.jobs.plan.named.LIMIT", 1)
    assert [row["source"] for row in named(shop, None, {})["rows"]] == ["Baidu"]
    assert len(looked) == 1
