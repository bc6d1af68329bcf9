"""The pages under docs/ say what is so: their examples run, their links lead somewhere.

A fenced block is run when its first line says so:

    ```bash run            each line that starts with `touchline` in this process, the rest by bash
    ```bash run exit=2     the same, and it must fail with this code
    ```bash serve          started, waited for, and stopped with SIGTERM at the end of the page
    ```python run          executed
    ```csv file=a.csv      saved under that name
    ```text output         what the block before printed; `…` stands for anything

A page's blocks run in order, in one empty folder. Port 8700 becomes a free one.
"""

import contextlib
import io
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from touchline.cli import main

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FRONT = [
    ROOT / name for name in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "CHANGELOG.md")
]
PAGES = [*FRONT, *sorted(DOCS.rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)(?: ([^\n]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUNNABLE = re.compile(r"^```\w+ (run|serve)", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
BIN = Path(sys.executable).parent


class Block(NamedTuple):
    language: str
    words: tuple[str, ...]
    text: str
    line: int


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(found[1], tuple((found[2] or "").split()), found[3], line)


class Reader:
    """Someone who does what a page says, in a folder of their own."""

    def __init__(self, page: Path, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self.port = _free_port()
        self.printed = ""
        self.servers: list[subprocess.Popen[bytes]] = []
        self.names: dict[str, object] = {}

    def follow(self, block: Block) -> None:
        where = f"{self.page.relative_to(ROOT)}:{block.line}"
        text = block.text.replace("8700", str(self.port))
        what = block.words[0] if block.words else ""
        if what == "serve":
            self._serve(text.strip())
        elif what == "run" and block.language == "python":
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(compile(text, where, "exec"), self.names)  # our own pages
            self.printed = out.getvalue()
        elif what == "run":
            self._pause()
            code, self.printed = self._run(text)
            wanted = next((int(w[5:]) for w in block.words if w.startswith("exit=")), 0)
            assert code == wanted, f"{where} ended with {code}:\n{self.printed}"
        elif what == "output":
            assert _is_like(self.printed, text), f"{where} printed:\n{self.printed}"
        elif what.startswith("file="):
            (self.folder / what[5:]).write_text(block.text, encoding="utf-8")

    def _run(self, text: str) -> tuple[int, str]:
        code, out, err = 0, "", ""
        for script in _commands(text):
            words = shlex.split(script) if script.startswith("touchline ") else []
            is_plain = words and not {"|", ">", "&&"} & set(words)
            one, more, notes = _here(words[1:]) if is_plain else self._by_bash(script)
            code, out, err = code or one, out + more, err + notes
        return code, out or err

    def _by_bash(self, script: str) -> tuple[int, str, str]:
        path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def _serve(self, command: str) -> None:
        words = [str(BIN / "touchline"), *shlex.split(command)[1:], "--port", str(self.port)]
        self.servers.append(subprocess.Popen(words, cwd=self.folder, stderr=subprocess.DEVNULL))
        deadline = time.monotonic() + 30
        while self._behind() is None:
            assert time.monotonic() < deadline, f"{command} does not come up"
            time.sleep(0.1)

    def _pause(self) -> None:
        """A person takes a while to go on; by then what was sent can be asked for."""
        deadline = time.monotonic() + 60
        while self.servers and self._behind() != 0 and time.monotonic() < deadline:
            time.sleep(0.05)

    def _behind(self) -> int | None:
        """Bytes that wait to be committed; None while the server is not up."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/health", timeout=5
            ) as answer:
                return json.load(answer)["behind_bytes"]
        except OSError:
            return None

    def leave(self) -> list[int]:
        """Stops what was started; the exit codes."""
        for server in self.servers:
            server.send_signal(signal.SIGTERM)
        return [server.wait(20) for server in self.servers]


def _here(words: list[str]) -> tuple[int, str, str]:
    """Runs a command in this process: the imports are paid once."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2)]
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        try:
            code = main(words)
        except SystemExit as leaving:  # argparse
            code = int(leaving.code or 0)
    out, err = (stream.buffer.getvalue().decode() for stream in streams)  # type: ignore[attr-defined]
    return code, out, err


def _commands(text: str) -> Iterator[str]:
    """Lines of touchline one by one, everything between them together."""
    held: list[str] = []
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("touchline "):
            if held:
                yield "\n".join(held)
            held = []
            yield line
        elif line.strip() and not (line.startswith("#") and not held):
            held.append(line)
    if held:
        yield "\n".join(held)


def _is_like(printed: str, shown: str) -> bool:
    """Equal but for blank lines, the width of columns and what `…` stands for."""
    pattern = r"\s*.*?\s*".join(re.escape(part.strip()) for part in _tidy(shown).split("…"))
    return re.fullmatch(pattern, _tidy(printed), re.DOTALL) is not None


def _tidy(text: str) -> str:
    lines = (re.sub(r"(─| )\1+", r"\1", line).strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def runnable() -> list[Path]:
    return [page for page in PAGES if RUNNABLE.search(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", runnable(), ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_shows_is_what_happens(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8" if "zh" in page.parts else "C.UTF-8")
    reader = Reader(page, tmp_path)
    try:
        for block in blocks(page):
            reader.follow(block)
    finally:
        codes = reader.leave()
    assert codes == [0] * len(codes), "a server did not stop cleanly"
