"""The supervisor: one small process that keeps the server and the worker running.

It holds the listening socket, so connections wait in line while a server is restarted instead of
being refused. Children are started afresh (never forked) and die when it dies. It stops the server
first, which finishes its requests and syncs the log, then the worker, which commits the rest.
"""

import contextlib
import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from pathlib import Path

from touchline.errors import BadInput, TouchlineError, Unavailable
from touchline.jobs.process import PARENT_FD, READY_FD, Signals, note, say, told

__all__ = ["serve"]

STOP = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
STEADY_S = 30.0  # up for so long: the next death is a new story
LOST_STARTS = 3  # never came up: not worth more tries
STOP_S = 10.0
LOCK_WAIT_S = 3.0


class Child:
    """One process of the group and its restarts."""

    def __init__(self, name: str, command: list[str], keep_fds: Sequence[int]) -> None:
        self.name = name
        self.was_ready = False
        self.starts = 0
        self._command = [sys.executable, "-m", *command]
        self._keep = tuple(keep_fds)
        self._pause = FIRST_PAUSE_S
        self._ready, self._tells_ready = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._parent, self._lifeline = os.pipe2(os.O_CLOEXEC)
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._again_at: float | None = None
        self._error: TouchlineError | None = None

    def start(self) -> None:
        self.starts += 1
        self._started_at, self._again_at, self._error = time.monotonic(), None, None
        environment = {READY_FD: str(self._tells_ready), PARENT_FD: str(self._parent)}
        kept = (*self._keep, self._tells_ready, self._parent)
        self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and modules
            self._command, env=os.environ | environment, pass_fds=kept
        )

    def watch(self) -> None:
        """Restarts when due. Raises what the process could not start for, if it never could."""
        if self._again_at is not None and time.monotonic() >= self._again_at:
            self.start()
        code = self._process.poll() if self._process is not None else None
        for error in told(self._ready):
            self.was_ready = self.was_ready or error is None
            self._error = error
        if code is None:
            return
        self._process = None
        if not self.was_ready and (self._error is not None or self.starts >= LOST_STARTS):
            raise self._error or TouchlineError("process_failed", name=self.name, status=code)
        if time.monotonic() - self._started_at >= STEADY_S:
            self._pause = FIRST_PAUSE_S
        note("serve", f"{self.name} ended ({code}); starting it again", self._error)
        self._again_at = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE_S)

    def stop(self, signals: Signals) -> None:
        """Asks it to end, then makes it; a second Ctrl-C makes it at once."""
        if self._process is None:
            return
        self._process.terminate()
        deadline = time.monotonic() + STOP_S
        while self._process.poll() is None:
            if time.monotonic() > deadline or signals.wait(0.5) & STOP:
                self._process.kill()
                self._process.wait()

    def close(self) -> None:
        for fd in (self._ready, self._tells_ready, self._parent, self._lifeline):
            os.close(fd)


def serve(
    dirs: Sequence[Path], *, host: str = "127.0.0.1", port: int = 8700, role: str = "all"
) -> int:
    """Serves a workspace until SIGTERM or Ctrl-C; returns the exit code.

    Raises what keeps it from starting: no workspace, port taken, served already.
    """
    if len(dirs) != 1:
        raise BadInput("one_workspace", path=dirs[1] if dirs else "")
    directory = dirs[0].resolve()
    if not (directory / "workspace.json").is_file():
        raise BadInput("not_a_workspace", path=dirs[0])
    _check_free(directory, role)
    with contextlib.ExitStack() as open_things:
        children: list[Child] = []
        url = ""
        if role != "worker":
            listening = open_things.enter_context(_listen(host, port))
            url = f" http://{_shown(host)}:{listening.getsockname()[1]}"
            fd = listening.fileno()
            command = ["touchline.web.server", str(directory), "--fd", str(fd), "--role", role]
            children.append(Child("server", command, [fd]))
        if role in ("all", "worker"):
            children.append(Child("worker", ["touchline.jobs.worker", str(directory)], []))
        for child in children:
            open_things.callback(child.close)
        stops = {s for s in STOP if signal.getsignal(s) is not signal.SIG_IGN}  # nohup stays
        signals = open_things.enter_context(Signals([*stops, signal.SIGCHLD]))
        return _supervise(children, signals, f"Touchline serves {directory}{url} (Ctrl-C stops)")


def _supervise(children: Sequence[Child], signals: Signals, announcement: str) -> int:
    try:
        for child in reversed(children):  # the worker takes longer to come up
            child.start()
        is_up = False
        while not signals.wait(0.5 if is_up else 0.1) & STOP:
            for child in children:
                child.watch()
            if not is_up and all(child.was_ready for child in children):
                is_up = True
                say(announcement)
    finally:
        for child in children:
            child.stop(signals)
    return 0


@contextlib.contextmanager
def _listen(host: str, port: int) -> Generator[socket.socket]:
    if not 0 <= port <= 65535:
        raise BadInput("bad_argument", name="--port", value=port, why="is not between 0 and 65535.")
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        server = socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Unavailable("port_in_use", host=host, port=port) from error
        raise BadInput("address_unusable", host=host, port=port, why=error) from error
    with server:
        yield server


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _check_free(directory: Path, role: str) -> None:
    """Tells in one line, before anything starts, that another server or a command is at work."""
    if role in ("all", "collector"):
        _try_lock(directory / "log" / "lock", Unavailable("already_served", path=directory))
    if role in ("all", "worker"):
        _try_lock(directory / "write.lock", Unavailable("workspace_locked", path=directory))


def _try_lock(path: Path, busy: Unavailable) -> None:
    if not path.exists():
        return
    handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    deadline = time.monotonic() + LOCK_WAIT_S  # the children of a killed server may still be dying
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise busy from None
                time.sleep(0.05)
            else:
                return
    finally:
        os.close(handle)
