"""The server process: it only receives, so it starts without what answers questions."""

import subprocess
import sys


def test_a_server_does_not_load_the_engines_that_answer_questions():
    code = (
        "import sys, touchline.web.server; print(*{'ibis', 'duckdb', 'alembic'} & {*sys.modules})"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
