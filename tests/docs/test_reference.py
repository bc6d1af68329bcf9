"""The reference has all that the code has and nothing else; pages keep their promises of size."""

import argparse
import re
from pathlib import Path

import pytest

import reference
from touchline.cli.parser import parser
from touchline.jobs.definitions import KINDS
from touchline.settings import Settings
from touchline.web.app import api
from touchline.web.collector import PATHS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FRONT = [
    ROOT / name for name in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md")
]
PAGES = [*FRONT, *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^ *(?:touchline|make|curl|\. )\b[^\n]*", re.MULTILINE)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", reference.pages(), ids=name)
def test_tables_that_repeat_code_are_as_the_code(page):
    assert read(page) == reference.renewed(read(page)), "run: make docs"


def verbs() -> dict[str, argparse.ArgumentParser]:
    (found,) = (a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    return dict(found.choices)


Group = argparse._SubParsersAction


def inner(made: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The verbs of a verb."""
    return [of for a in made._actions if isinstance(a, Group) for of in a.choices.values()]


def sections(page: str) -> dict[str, str]:
    """Verb -> the part of cli.md that is about it."""
    found: dict[str, str] = {}
    for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        for verb in re.findall(r"`touchline ([a-z-]+)", part.splitlines()[0]):
            found[verb] = part
    return found


@pytest.mark.parametrize("verb", verbs())
def test_every_verb_and_option_is_in_the_reference(verb):
    part = sections(read(DOCS / "reference/cli.md"))[verb]
    actions = [a for made in (verbs()[verb], *inner(verbs()[verb])) for a in made._actions]
    options = {o for a in actions for o in a.option_strings if o.startswith("--")}
    assert set(re.findall(r"--[a-z][a-z-]+", part)) == options - {"--help"}
    choices = {c for a in actions if not isinstance(a, Group) for c in a.choices or ()}
    assert all(f"`{choice}`" in part for choice in choices)
    assert all(
        f"touchline {verb} {name}" in part
        for a in actions
        if isinstance(a, Group)
        for name in a.choices
    )


def test_the_reference_has_no_verb_of_its_own():
    assert set(sections(read(DOCS / "reference/cli.md"))) == set(verbs())


def test_every_kind_of_definition_is_in_the_reference():
    titles = re.findall(r"^## `\[+(\w+)\]+`", read(DOCS / "reference/definitions.md"), re.MULTILINE)
    assert set(titles) == set(KINDS)


def test_every_reason_that_a_row_is_given_is_explained():
    given = re.compile(r'BadRow\("(\w+)"\)|an_id\([^\n]*, "(\w+)"\)|"(bad_\w+)"\)')
    for path in (ROOT / "src/touchline/collect").rglob("*.py"):
        codes = {code for found in given.findall(read(path)) for code in found if code}
        assert codes - reference.known_reasons().keys() - reference.MESSAGES.keys() == set()


def test_every_reason_of_a_commit_is_explained():
    given = re.compile(r'\breason ?= ?"(\w+)"')
    codes = {
        code
        for path in (ROOT / "src/touchline/jobs").rglob("*.py")
        for code in given.findall(read(path))
    }
    assert codes >= {"id_conflict", "unreadable_body", "no_definition", "internal_error"}
    assert codes <= reference.known_reasons().keys()


def test_every_setting_is_in_the_guide():
    part = read(DOCS / "guides/operate.md").partition("## Settings")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE) == list(Settings.__struct_fields__)


def test_every_address_is_in_the_reference():
    page = read(DOCS / "reference/http.md")
    assert set(re.findall(r"`(/(?:beacon/)?v1/\w+(?:/\w+)?)`", page)) == PATHS
    paths = api(None).openapi()["paths"]  # type: ignore[arg-type]  # the list needs no site
    asked = {
        f"{method.upper()} {path.replace(':path', '')}" for path in paths for method in paths[path]
    }
    headings = "\n".join(re.findall(r"^#+ (`[A-Z]+ /.*)$", page, re.MULTILINE))
    assert set(re.findall(r"`([A-Z]+ [^`]+)`", headings)) == asked


def test_every_parameter_of_a_question_is_in_the_reference():
    page = read(DOCS / "reference/http.md")
    for methods in api(None).openapi()["paths"].values():  # type: ignore[arg-type]
        for parameter in (p for of in methods.values() for p in of.get("parameters", ())):
            assert f"`{parameter['name']}`" in page or f"{{{parameter['name']}}}" in page


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    text = FENCE.sub("", read(page))
    for link in LINK.findall(text):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(read(target)), link


def anchors(text: str) -> set[str]:
    """The anchors that a forge gives to headings, and those written out."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    return made | set(re.findall(r'<a id="([^"]+)">', text))


@pytest.mark.parametrize("page", FRONT[:2], ids=name)
def test_a_readme_is_read_in_two_minutes(page):
    assert 40 <= len(read(page).splitlines()) <= 120


def test_decisions_are_short_and_listed():
    index = read(DOCS / "decisions/README.md")
    for page in sorted((DOCS / "decisions").glob("0*.md")):
        assert len(read(page).splitlines()) <= 40, page.name
        assert f"]({page.name})" in index


def commands(page: Path) -> list[str]:
    """The commands of a page's blocks."""
    return [
        " ".join(c.split()) for block in FENCE.findall(read(page)) for c in COMMAND.findall(block)
    ]


def test_both_languages_show_the_same_commands():
    assert commands(ROOT / "README.md") == commands(ROOT / "README.zh-CN.md")
    assert commands(DOCS / "quickstart.md") == commands(DOCS / "zh/quickstart.md")


def test_commands_of_the_readme_are_run_in_the_quickstart():
    run = commands(DOCS / "quickstart.md")
    shown = [c for c in commands(ROOT / "README.md") if not c.startswith("make ")]
    assert [c for c in shown if c not in run] == []
