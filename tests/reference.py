"""Code → the tables of docs/reference that repeat it. Run by `make docs`; a test compares.

A table stands between `<!-- begin NAME -->` and `<!-- end -->`; the words around it are ours.
"""

import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

from touchline.collect import identifiers
from touchline.collect import reasons as of_events
from touchline.collect.importers import reasons as of_files
from touchline.collect.importers.fields import KINDS
from touchline.collect.importers.shipped import shipped
from touchline.errors import MESSAGES
from touchline.journey.profile_spec import CALCULATIONS, FIELDS

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src/touchline"
PLACE = re.compile(r"<!-- begin ([\w-]+) -->\n.*?<!-- end -->", re.DOTALL)
RAISED = re.compile(
    r"\b(BadInput|NotFound|Ambiguous|Denied|Forbidden|Unavailable|TooMany|TouchlineError)"
    r"\(\s*\"(\w+)\""
)
# Class of an error -> (exit code of a command, status of an answer).
ANSWERS = {
    "BadInput": (2, 400),
    "NotFound": (2, 404),
    "Ambiguous": (2, 409),
    "Denied": (2, 401),
    "Forbidden": (2, 403),
    "Unavailable": (3, 503),
    "TooMany": (3, 429),
    "TouchlineError": (1, 500),
}
# Answered by hand, beside the rule of their class.
STATUS = {"body_too_large": 413, "too_slow": 408, "method_not_allowed": 405, "other_method": 405}


def errors() -> str:
    kinds = dict(sorted(_raised()))
    lines = ["| code | exit | HTTP | English | 中文 |", "|---|---|---|---|---|"]
    for code, texts in sorted(MESSAGES.items()):
        leave, status = ANSWERS[kinds.get(code, "BadInput")]
        cells = [f"`{code}`", str(leave), str(STATUS.get(code, status)), *map(_cell, texts)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _raised() -> Iterator[tuple[str, str]]:
    for path in SOURCE.rglob("*.py"):
        if path.name != "errors.py":
            for kind, code in RAISED.findall(path.read_text(encoding="utf-8")):
                yield code, kind


def reasons() -> str:
    lines = ["| reason | English | 中文 |", "|---|---|---|"]
    for code, texts in sorted(known_reasons().items()):
        lines.append(f"| `{code}` | {' | '.join(map(_cell, texts))} |")
    return "\n".join(lines)


def known_reasons() -> dict[str, tuple[str, str]]:
    return {**of_events.REASONS, **of_files.REASONS}


def fields(kind: str) -> str:
    text = (
        resources.files("touchline.collect.importers").joinpath("columns.toml").read_text("utf-8")
    )
    words = tomllib.loads(text)
    lines = ["| field | also understood |", "|---|---|"]
    for field in KINDS[kind].fields:
        spellings = {**words["any"], **words[kind]}.get(field, "").split()
        # What a trait of that identifier may be called, a column may be called too.
        spellings += [w for w, of in identifiers._TYPE_OF.items() if of == field and w != field]
        lines.append(f"| `{field}` | {_cell(' · '.join(spellings))} |")
    return "\n".join(lines)


def maps() -> str:
    lines = ["| `--map` | import as | English | 中文 |", "|---|---|---|---|"]
    for one in shipped().values():
        titles = " | ".join(_cell(one.title[language]) for language in ("en", "zh"))
        lines.append(f"| `{one.name}` | {one.kind} | {titles} |")
    return "\n".join(lines)


def computed() -> str:
    lines = ["| `calculate` | English | 中文 |", "|---|---|---|"]
    lines += [f"| `{name}` | {' | '.join(texts)} |" for name, texts in CALCULATIONS.items()]
    lines += ["", "| of | fields |", "|---|---|"]
    lines += [f"| `{name}` | {' '.join(f'`{f}`' for f in own)} |" for name, own in FIELDS.items()]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("!r}", "}")


TABLES: dict[str, Callable[[], str]] = {
    "errors": errors,
    "reasons": reasons,
    "maps": maps,
    "computed": computed,
    **{f"fields-{kind}": lambda kind=kind: fields(kind) for kind in KINDS},
}


def renewed(text: str) -> str:
    """A page with its tables as the code has them now."""
    return PLACE.sub(lambda m: f"<!-- begin {m[1]} -->\n{TABLES[m[1]]()}\n<!-- end -->", text)


def pages() -> list[Path]:
    return sorted((ROOT / "docs/reference").glob("*.md"))


if __name__ == "__main__":
    for page in pages():
        before = page.read_text(encoding="utf-8")
        after = renewed(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            sys.stdout.write(f"{page.relative_to(ROOT)}: written anew\n")
