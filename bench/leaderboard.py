"""Every attribution model scored in every world of known truth, and the tables of the docs.

    python bench/leaderboard.py [--seeds 3] [--people 20000] [--worlds all] [--write]

The same as `touchline attribution leaderboard`, as Markdown. With --write the tables of
docs/guides/choose-a-model.md and docs/zh/choose-a-model.md are made anew; worlds of others need
`make peers`. Same arguments, same numbers: worlds, draws and fits all come from fixed seeds.
"""

import argparse
import re
import sys
import time
from pathlib import Path
from typing import Any

from touchline.cli.attribution import HEADINGS
from touchline.demo.worlds.leaderboard import PEOPLE, leaderboard, worlds_named
from touchline.demo.worlds.recipe import RECIPES

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {"en": DOCS / "guides/choose-a-model.md", "zh": DOCS / "zh/choose-a-model.md"}
PLACE = re.compile(r"<!-- begin leaderboard -->\n.*?<!-- end -->", re.DOTALL)
FIGURES = ("misallocated", "misallocated_revenue", "rank", "credited", "covered")
SHARES = {"misallocated", "misallocated_revenue", "covered"}
WORDS = {
    "en": (
        (
            "`python bench/leaderboard.py --seeds {seeds} --people {people} --write`; the first "
            "table is the mean over {count} worlds: {worlds}."
        ),
        "Misallocated, our worlds:",
        "Misallocated, worlds of others:",
    ),
    "zh": (
        (
            "由 `python bench/leaderboard.py --seeds {seeds} --people {people} --write` 生成;"
            "第一张表是 {count} 个模拟世界的平均:{worlds}。"
        ),
        "错配比例(我们的模拟世界):",
        "错配比例(第三方模拟世界):",
    ),
}


def markdown(whole: dict[str, Any], language: str) -> str:
    words, texts = HEADINGS[language], WORDS[language]
    names = [words.get(name, f"`{name}`") for name in whole["overall_of"]]
    source = texts[0].format(
        seeds=whole["seeds"],
        people=whole["people"],
        count=len(names),
        worlds=("、" if language == "zh" else ", ").join(names),
    )
    head = [words["model"], *(words[name] for name in FIGURES)]
    overall = [
        [f"`{row['model']}`", *(_cell(row[name], name in SHARES) for name in FIGURES)]
        for row in whole["overall"]
    ]
    parts = [source, "", *_table(head, overall)]
    worlds = list(dict.fromkeys(row["world"] for row in whole["rows"]))
    for title, mine in zip(
        texts[1:],
        ([w for w in worlds if w in RECIPES], [w for w in worlds if w not in RECIPES]),
        strict=True,
    ):
        if mine:
            parts += ["", title, "", *_matrix(whole, mine, language)]
    return "\n".join(parts)


def _matrix(whole: dict[str, Any], worlds: list[str], language: str) -> list[str]:
    words = HEADINGS[language]
    found = {(row["world"], row["model"]): row["misallocated"] for row in whole["rows"]}
    models = dict.fromkeys(row["model"] for row in (*whole["overall"], *whole["rows"]))
    rows = [
        [f"`{model}`", *(_cell(found.get((world, model)), True) for world in worlds)]
        for model in models
        if any((world, model) in found for world in worlds)
    ]
    return _table([words["model"], *(words.get(name, f"`{name}`") for name in worlds)], rows)


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def _cell(value: float | None, is_share: bool) -> str:
    if value is None:
        return "–"
    return f"{value:.0%}" if is_share else f"{value:.2f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--worlds", default="all")
    parser.add_argument("--write", action="store_true", help="make the tables of the docs anew")
    given = parser.parse_args()
    started = time.process_time()
    board = leaderboard(worlds_named(given.worlds), seeds=given.seeds, people=given.people)
    whole = board.as_json()
    print(markdown(whole, "en"))
    print(f"{time.process_time() - started:.0f} s of one core")
    for name, why in board.skipped:
        print(f"skipped: {name}: {why}", file=sys.stderr)
    for language, page in PAGES.items() if given.write else ():
        new = f"<!-- begin leaderboard -->\n{markdown(whole, language)}\n<!-- end -->"
        page.write_text(PLACE.sub(lambda _, new=new: new, page.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
