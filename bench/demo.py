"""The demo company from nothing to its report: seconds and memory of every process of the run.

python bench/demo.py [PEOPLE ...]     default 2000 20000: how the cost grows
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import machine

GATE_S = 60.0
GATE_PEOPLE = 20_000


def build(folder: Path, people: int) -> tuple[float, float]:
    """(wall seconds, peak MiB of all processes together)."""
    command = [sys.executable, "-m", "touchline.cli", "demo", "--no-serve", "--port", "8799"]
    started = time.monotonic()
    process = subprocess.Popen(
        [*command, "--dir", folder / "site", "--people", str(people)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    peak = [0.0]
    watcher = threading.Thread(target=watch, args=(process, peak))
    watcher.start()
    code = process.wait()
    seconds = time.monotonic() - started
    watcher.join()
    if code:
        sys.exit(f"the demo failed with {code}")
    return seconds, peak[0]


def watch(process: subprocess.Popen[bytes], peak: list[float]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], sum(map(proportional, family(process.pid))))
        time.sleep(0.25)


def family(root: int) -> list[int]:
    """A process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            parents.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for pid in found:
        found += parents.get(pid, [])
    return found


def proportional(pid: int) -> float:
    """MiB of a process, shared pages counted once among their users."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def main() -> int:
    sizes = [int(arg) for arg in sys.argv[1:]] or [2_000, GATE_PEOPLE]
    missed = False
    print(f"{os.cpu_count()} cores; fdatasync {machine.fdatasync_rate():,.0f}/s")
    for people in sizes:
        with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
            seconds, mib = build(Path(name), people)
            size = tree_size(Path(name)) / 2**20
        print(
            f"{people:>9,} people: {seconds:6.1f} s, peak {mib:,.0f} MiB, {size:,.0f} MiB on disk"
        )
        missed |= people == GATE_PEOPLE and seconds > GATE_S
    print(f"gate: {GATE_PEOPLE:,} people in {GATE_S:.0f} s")
    return int(missed)


def tree_size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    sys.exit(main())
