"""All benches in turn: ratios measured in one run, beside what the machine itself can do.

make bench                     everything, about a quarter of an hour
python bench/run.py demo       one of them
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BENCHES = {
    "collector": ["collector.py"],
    "commit": ["commit.py"],
    "restart": ["restart.py"],
    "isolation": ["isolation.py"],
    "hostile": ["hostile.py"],
    "channel": ["channel.py"],
    "attribution": ["attribution.py"],
    "battery": ["battery.py"],
    "increment": ["increment.py"],
    "leaderboard": ["leaderboard.py", "--seeds", "1"],
    "identity": ["identity.py"],
    "demo": ["demo.py"],
}


def main(wanted: list[str]) -> int:
    failed = 0
    for name in wanted or BENCHES:
        print(f"── {name}", flush=True)
        script, *args = BENCHES[name]
        failed |= subprocess.run([sys.executable, HERE / script, *args], check=False).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
