"""`touchline demo`: the demo company, its data brought in as a customer would, reported and served.

A demo that is already built is served again as it is; one that was cut off is built anew.
"""

import argparse
import base64
import contextlib
import http.client
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import msgspec

from touchline.cli import language, refused
from touchline.cli.attribute import comparison
from touchline.cli.output import progress_line
from touchline.demo.build import Customer, build
from touchline.demo.simulate import check, simulate, yesterday
from touchline.errors import BadInput, Unavailable
from touchline.jobs import definitions
from touchline.jobs.access import writing
from touchline.jobs.rpc import ask, is_served
from touchline.storage.workspace import Workspace

__all__ = ["run"]

MARK = "demo.json"
SOURCES = ("website", "miniprogram", "intl")
MODELS = "first_touch,last_touch,linear,markov_1"
GOALS = ("orders", "pro_deals")
START_S = 60.0
WORDS = {
    "en": {
        "simulate": "Simulating {people:,} people",
        "build": "Bringing in their data",
        "built": "{events:,} events of {people:,} people, built in {seconds:.0f} s: {dir}",
        "truth": "The truth to hold reports against: {path}",
        "open": "Open http://127.0.0.1:{port}/#key={key}   (Ctrl-C stops)",
    },
    "zh": {
        "simulate": "正在模拟 {people:,} 位客户",
        "build": "正在导入数据",
        "built": "{people:,} 位客户的 {events:,} 个事件,用时 {seconds:.0f} 秒:{dir}",
        "truth": "可对照的真实因果:{path}",
        "open": "请打开 http://127.0.0.1:{port}/#key={key}   (按 Ctrl-C 停止)",
    },
}


class Mark(msgspec.Struct, frozen=True):
    """What a demo is built from, the key that opens it, and whether it was built to the end."""

    people: int
    seed: int
    end: str
    key: str
    is_whole: bool = True


def run(args: argparse.Namespace) -> int:
    words = WORDS[language()]
    mark = _built(args)
    if mark is None:
        home = args.dir.resolve()
        data = home.with_name(f"{home.name}-files")
        check(data, args.people)
        key = secrets.token_urlsafe(12)
        mark = Mark(args.people, args.seed, yesterday().isoformat(), key, is_whole=False)
        _init(args.dir, mark)
        with _served(args) as server:  # comes up while the company is being made
            _simulate(data, args, words)
            _wait_healthy(server, args.port)
            _bring_in(args, data, words)
            _write(args.dir, msgspec.structs.replace(mark, is_whole=True))
            _report(args.dir)
            print(words["truth"].format(path=data / "truth.json"), file=sys.stderr)
            return _stay(server, args, mark.key, words)
    with _served(args) as server:
        _wait_healthy(server, args.port)
        _report(args.dir)
        return _stay(server, args, mark.key, words)


def _built(args: argparse.Namespace) -> Mark | None:
    """The mark of a finished demo in DIR, or None. Raises when DIR holds something else."""
    try:
        mark = msgspec.json.decode((args.dir / MARK).read_bytes(), type=Mark)
    except FileNotFoundError:
        if args.dir.exists() and any(args.dir.iterdir()):
            raise BadInput("demo_folder_taken", path=args.dir) from None
        return None
    except (OSError, msgspec.DecodeError):
        raise BadInput("demo_folder_taken", path=args.dir) from None
    if not mark.is_whole:
        if is_served(args.dir):
            raise Unavailable("workspace_locked", path=args.dir)
        shutil.rmtree(args.dir)
        return None
    if (mark.people, mark.seed) != (args.people, args.seed):
        raise BadInput("demo_folder_taken", path=args.dir)
    return mark


def _simulate(data: Path, args: argparse.Namespace, words: dict[str, str]) -> None:
    show = progress_line(words["simulate"].format(people=args.people))
    simulate(
        data, people=args.people, seed=args.seed, progress=lambda share, _: show(min(share, 1.0))
    )


def _init(directory: Path, mark: Mark) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _write(directory, mark)
    except OSError as error:
        raise refused(error, directory) from None
    keys = {source: f"demo-{source}" for source in SOURCES}
    Workspace.init(directory, write_keys=keys, admin_keys=[mark.key]).close()


def _write(directory: Path, mark: Mark) -> None:
    (directory / MARK).write_bytes(msgspec.json.encode(mark))


def _bring_in(args: argparse.Namespace, data: Path, words: dict[str, str]) -> None:
    started = time.monotonic()
    show = progress_line(words["build"])
    with contextlib.closing(_Poster(args.port)) as poster:
        customer = Customer(
            post=poster.post,
            import_file=lambda kind, path, about, source: writing(
                args.dir,
                "import",
                {
                    "kind": kind,
                    "path": str(path.resolve()),
                    "map": str(about.resolve()) if about else None,
                    "source": source,
                },
                _ignore,
            ),
            apply=lambda path: writing(
                args.dir,
                "apply",
                {"documents": definitions.read_file(path), "author": "demo"},
                _ignore,
            ),
        )
        build(data, customer, progress=lambda share, _: show(min(share, 0.99)))
    _wait_committed(args.dir)
    writing(args.dir, "settle", {}, _ignore)
    show(1.0)
    workspace = Workspace.open(args.dir)
    events = workspace.lake.events.snapshot().rows
    workspace.close()
    seconds = time.monotonic() - started
    line = words["built"]
    said = line.format(events=events, people=args.people, seconds=seconds, dir=args.dir)
    print(said, file=sys.stderr)


def _wait_committed(directory: Path) -> None:
    while True:
        state: dict[str, Any] = msgspec.json.decode(b"".join(ask(directory, "ping")))
        if state["committed"] >= state["log_end"]:
            return
        time.sleep(0.2)


def _report(directory: Path) -> None:
    for goal in GOALS:
        args = {"goal": goal, "models": MODELS}
        comparison(msgspec.json.decode(b"".join(ask(directory, "attribution", args))))


class _Poster:
    """One kept connection to the collector. What it answers with 503 is sent again."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def post(self, body: bytes, source: str) -> None:
        basic = base64.b64encode(f"demo-{source}:".encode()).decode()
        headers = {"authorization": f"Basic {basic}", "content-type": "application/json"}
        while True:
            self._connection.request("POST", "/v1/batch", body, headers)
            answer = self._connection.getresponse()
            said = answer.read()
            if answer.status == http.HTTPStatus.OK:
                return
            if answer.status != http.HTTPStatus.SERVICE_UNAVAILABLE:
                raise BadInput("demo_refused", status=answer.status, why=said[:200].decode())
            time.sleep(1)

    def close(self) -> None:
        self._connection.close()


@contextlib.contextmanager
def _served(args: argparse.Namespace) -> Generator[subprocess.Popen[bytes]]:
    """`touchline serve` as a child that ends with us."""
    for number in (signal.SIGTERM, signal.SIGINT):  # a shell's background job ignores the second
        signal.signal(number, _interrupt)
    command = [sys.executable, "-m", "touchline.cli", "serve", str(args.dir)]
    server = subprocess.Popen(  # noqa: S603  # our own interpreter and module
        [*command, "--port", str(args.port)],
        stderr=subprocess.PIPE if args.no_serve else None,
        start_new_session=True,
    )
    try:
        yield server
    finally:
        server.terminate()
        with contextlib.suppress(KeyboardInterrupt):
            server.wait()


def _wait_healthy(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise Unavailable("demo_not_served", port=port)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.request("GET", "/health")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        time.sleep(0.1)
    raise Unavailable("demo_not_served", port=port)


def _stay(
    server: subprocess.Popen[bytes], args: argparse.Namespace, key: str, words: dict[str, str]
) -> int:
    """Serves until stopped, unless asked not to."""
    if args.no_serve:
        return 0
    print(words["open"].format(port=args.port, key=key), file=sys.stderr)
    with contextlib.suppress(KeyboardInterrupt):
        return server.wait()
    return 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _ignore(_share: float) -> None:
    pass
