"""Checks the house rules a linter does not know: file length, drawer names. Run by `make lint`."""

import sys
from pathlib import Path

CAP = 600
DRAWERS = {"utils", "util", "common", "helpers", "helper", "misc", "manager", "service", "handler"}


def findings(root: Path) -> list[str]:
    found: list[str] = []
    for path in sorted(p for top in ("src", "tests", "bench") for p in (root / top).rglob("*.py")):
        lines = len(path.read_text().splitlines())
        if lines > CAP:
            found.append(f"{path.relative_to(root)}: {lines} lines, at most {CAP}")
        if {part.removesuffix(".py").rstrip("s") for part in path.relative_to(root).parts} & {
            name.rstrip("s") for name in DRAWERS
        }:
            found.append(f"{path.relative_to(root)}: name the thing, not a drawer")
    return found


if __name__ == "__main__":
    problems = findings(Path(__file__).parent.parent)
    print("\n".join(problems) or "shape: ok")
    sys.exit(bool(problems))
