"""Packs a workspace as this version writes it into storage/formats/N.tar.xz, its answers beside it.

Run it when a format is released (`.venv/bin/python tests/formats.py`). The files stay in the
repository for ever, so that every later version proves that it still reads them.
"""

import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import build
from touchline.identity.people import Registry
from touchline.jobs import definitions, queries
from touchline.jobs.doctor import examine
from touchline.jobs.imports.importing import run_import
from touchline.jobs.intake.writer import Writer
from touchline.storage.workspace import FORMAT, Workspace

KEPT = Path(__file__).parent / "storage" / "formats"
MODELS = (
    "first_touch,last_touch,last_non_direct,linear,time_decay,position_based,"
    "markov_1,markov_2,markov_3,shapley,shapley_rate"
)
FILES = {
    "people": "user_id,email,name\nann,ann@shop.cn,安\n",
    "costs": "date,channel,campaign,cost,currency\n2026-03-01,Ads,spring,12.50,USD\n",
    "rates": "date,from,to,rate\n2026-01-01,USD,CNY,7\n",
    "conversions": "conversion_id,occurred_at,stage,amount,email\n"
    "d1,2026-03-05,won,1000,ann@shop.cn\n"
    "d2,2026-03-05,lost,9,ann@shop.cn\n",
    "events": "message_id,occurred_at,name,email,channel\nv1,2026-03-02,Visit,ann@shop.cn,Store\n",
}


def answers(workspace: Workspace) -> dict[str, Any]:
    """What is asked of a workspace of any format."""
    registry = Registry(workspace)
    asked = {"by": "campaign", "models": MODELS}

    def lines(query: queries.Query) -> list[Any]:
        return [json.loads(line) for line in query(workspace, registry, {})]

    return {
        "events": lines(queries.events),
        "rejects": lines(queries.rejects),
        "people": lines(queries.people),
        "attribution": queries.QUERIES["attribution"](workspace, registry, asked),
        "definitions": definitions.dump(workspace),
        "doctor": examine(workspace),
    }


def make(folder: Path) -> Workspace:
    """A small workspace with a row of everything, some of them settled and some fresh."""
    workspace = build._init(folder)
    tracker = build.Tracker(workspace)
    ad = build.track("a", "Ad", properties={"channel": "Ads", "campaign": "spring"})
    traits = {"email": "ann@shop.cn", "name": "安"}
    identify = {"type": "identify", "messageId": "i", "userId": "ann", "traits": traits}
    with workspace.write_lock():
        writer = Writer(workspace)
        definitions.apply(workspace, {"goal": [{"name": "deals", "stages": ["won"]}]}, "test")
        tracker.send(ad, identify, {"type": "track", "messageId": "bad", "userId": "ann"})
        for kind, text in FILES.items():
            path = folder.parent / f"{kind}.csv"
            path.write_text(text, encoding="utf-8")
            run_import(writer, kind, path)
        writer.catch_up()
        url = "https://shop.cn/?utm_source=google&utm_medium=cpc&email=ann%40shop.cn"
        tracker.send(build.page("p", url, at=build.T0 + build.DAY, userId="ann"))
        writer.commit_once()
    return workspace


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        workspace = make(Path(folder) / "w")
        told = json.dumps(answers(workspace), ensure_ascii=False, indent=1, sort_keys=True)
        workspace.close()
        KEPT.mkdir(exist_ok=True)
        (KEPT / f"{FORMAT}.json").write_text(told + "\n", encoding="utf-8")
        with tarfile.open(KEPT / f"{FORMAT}.tar.xz", "w:xz") as archive:
            archive.add(Path(folder) / "w", "w")


if __name__ == "__main__":
    main()
