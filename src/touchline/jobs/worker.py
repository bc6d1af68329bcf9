"""The worker process of a workspace: holds its write lock, commits, runs jobs, answers questions.

    commit thread     log → lake, every second while there is something
    job thread        due jobs, settling of fresh rows, filing by identifier, the live store of
                      people, mirrors, dropping of old log segments
    pull thread       what is due by its cron line, erasures that failed; sources, which write in
                      turn with other jobs
    matching thread   records are compared, which takes minutes
    a thread a question, a few of which compute at a time

What surprises: when a commit or a job fails, the writer is made anew before the next commit. Making
it brings State and lake back in step, the same way as after a crash. The old one is closed first:
a job that has it fails, for two that write would give two rows one number.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

import msgspec

from touchline import clock
from touchline.errors import BadInput, TouchlineError, Unavailable
from touchline.jobs import job, process, rpc, schedule
from touchline.jobs.commands import COMMANDS
from touchline.jobs.failure import packed
from touchline.jobs.imports import sources
from touchline.jobs.intake.healing import Healing
from touchline.jobs.intake.load import Chore, Load
from touchline.jobs.intake.writer import Writer
from touchline.jobs.kinds import KINDS, PULLS, THOUGHTS, Aside
from touchline.jobs.people.live import SharedRegistry
from touchline.jobs.people.mirror import MirrorWriter
from touchline.jobs.privacy import erase, retention, rotate
from touchline.jobs.queries import QUERIES
from touchline.jobs.role import check, principal_of
from touchline.storage import definition
from touchline.storage.lake import LOG
from touchline.storage.log import end_offset
from touchline.storage.workspace import Workspace

__all__ = ["Worker", "main"]

LOCK_WAIT_S = 5.0  # a killed predecessor may take a moment to let go
DROP_EVERY_S = 600.0
TICK_EVERY_S = 5.0
PULL_POLL_S = 0.5
POLL_S = 0.1
DOUBTFUL_S = 1.5
FILE_EVERY_S = 5.0
LONGEST_PAUSE_S = 2.0
JOBS_S = 5.0  # of jobs, which is when a chore has its turn
MAX_ASKING = 64
ANSWER_TIMEOUT_S = 60.0  # an asker that takes nothing for so long is gone


class Pulse(msgspec.Struct):
    """What `ping` answers. `problem`: the code of what keeps commits from succeeding."""

    log_end: int
    committed: int
    problem: str | None


class Worker:
    """Use inside `workspace.write_lock()`."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.registry = SharedRegistry(workspace)
        self.writer = self._new_writer()
        self._load = Load(self.writer.store.last_seq)
        self._settling, self._filing = Chore(self._load, 9.0), Chore(self._load, 3.0)
        self._dropped_at = time.monotonic()
        self._mirrors = MirrorWriter(workspace, self.registry)
        self._healing = Healing(workspace)
        self.stopping = threading.Event()
        self._called = threading.Event()
        self.problem: str | None = None
        self._is_doubtful = False  # State and lake may be out of step
        self._commit_turn = threading.Lock()
        self._job_turn = threading.Lock()  # who writes in bulk, beside the commit thread
        self._asking = threading.BoundedSemaphore(MAX_ASKING)
        self._computing = threading.BoundedSemaphore(max(2, workspace.settings.threads))
        self._threads = [
            threading.Thread(target=self._commit, name="commit", daemon=True),
            threading.Thread(target=self._work, name="jobs", daemon=True),
            threading.Thread(target=self._pull, name="pulls", daemon=True),
            threading.Thread(target=self._match, name="matching", daemon=True),
        ]

    def start(self) -> None:
        """Starts to commit, to run jobs and to answer."""
        rotate.resume(self.workspace)
        server = rpc.listen(self.workspace.dir)
        for thread in self._threads:
            thread.start()
        threading.Thread(target=self._answer, args=(server,), name="answer", daemon=True).start()

    def stop(self) -> bool:
        """Commits what the log holds and ends; whether all threads did. A job in its course is
        done again at the next start.
        """
        self.stopping.set()
        commit, *others = self._threads
        commit.join(6.0)
        for thread in others:
            thread.join(1.0)
        (self.workspace.dir / rpc.NAME).unlink(missing_ok=True)
        return not any(thread.is_alive() for thread in self._threads)

    def _commit(self) -> None:
        pause = every = self.workspace.settings.commit_s
        while not self.stopping.is_set():
            started = time.monotonic()
            pause = every if self._try_commit() else min(2 * pause, LONGEST_PAUSE_S)
            self.stopping.wait(max(0.0, pause - (time.monotonic() - started)))
        self._try_commit()  # what came in while the server was stopping

    def _try_commit(self) -> bool:
        """Takes in all that the log holds now."""
        try:
            if self._is_doubtful:
                self._renew()
            with self._commit_turn:
                end, before, mark = end_offset(self.workspace.dir), -1, self._committed()
                self._load.look(self.writer.store.last_seq, end - mark)
                while before < mark < end:  # what is torn or still being written stays behind
                    self.writer.commit_once()
                    before, mark = mark, self._committed()
                    self._load.look(self.writer.store.last_seq, end - mark)
        except Exception as error:  # noqa: BLE001  # whatever it is, receiving goes on and so do we
            self._is_doubtful = True
            code = error.code if isinstance(error, TouchlineError) else "internal_error"
            if code != self.problem:
                process.note("worker", "commit", error)
            self.problem = code
            return False
        self.problem = None
        return True

    def _renew(self) -> None:
        """A new writer, and at once: a job that has the old one finds it closed, and ends."""
        with self._commit_turn:
            self.writer.store.close()
            self.writer = self._new_writer()
            self._is_doubtful = False

    def _new_writer(self) -> Writer:
        return Writer(self.workspace, self.registry)

    def _work(self) -> None:
        while not self.stopping.is_set():
            self._called.wait(POLL_S)
            if not self._has_round():
                self.stopping.wait(LONGEST_PAUSE_S)

    def _has_round(self) -> bool:
        """Jobs, then each chore that is due; whether all went well. What fails is tried again in a
        later round, and keeps nothing else from its turn.
        """
        chores = (
            self._healing.when_due,
            self._settle_when_due,
            self._file_when_due,
            lambda: self.registry.follow_when_due(self._load),
            lambda: self._mirrors.write_when_due(self._load),
            self._drop_when_due,
        )
        is_well = self._does(self._run_jobs)
        for chore in chores:
            with self._job_turn:
                is_well &= self._does(chore)
            if self._called.is_set():  # somebody waits for a job, for a chore nobody does
                is_well &= self._does(self._run_jobs)
        return is_well

    def _does(self, work: Callable[[], object]) -> bool:
        try:
            work()
        except Exception as error:  # noqa: BLE001  # whatever it is, the rest is done
            process.note("worker", "jobs", error)
            return False
        return True

    def _drop_when_due(self) -> None:
        now = time.monotonic()
        if now - self._dropped_at >= DROP_EVERY_S:
            kept_us = self.workspace.settings.log_days * clock.DAY_US
            self.writer.drop_log(clock.now_us() - kept_us)
            self._dropped_at = now

    def _settle_when_due(self) -> None:
        """Every half minute; soon when sessions are in doubt, in a tenth of the time as a rule."""
        is_doubtful = self.writer.needs_settling()
        pause = DOUBTFUL_S if is_doubtful else self.workspace.settings.settle_s
        self._settling.do_when_due(self.writer.settle, pause)

    def _file_when_due(self) -> None:
        """Often, some at a time: as a rule there is nothing to do."""
        self._filing.do_when_due(self.writer.file, FILE_EVERY_S)

    def _run_jobs(self) -> None:
        """For a while: more of them may come all the time."""
        self._called.clear()
        end = time.monotonic() + JOBS_S
        while self._has_run_job() and time.monotonic() < end:
            pass

    def _has_run_job(self) -> bool:
        if self._is_doubtful:
            return False
        started = time.monotonic()
        with self._job_turn:
            if not job.run_next(self.workspace.state, self._kinds, leave=PULLS | THOUGHTS):
                return False
        self._load.note_job(time.monotonic() - started)
        return True

    def _pull(self) -> None:
        """Has a thread of its own, for a source may take its time to answer."""
        from touchline.jobs.imports.pull import sweep

        sweep(self.workspace)
        state, ticked_at = self.workspace.state, -TICK_EVERY_S
        number, lines = -1, list[schedule.Line]()
        pulls, others = self._aside(PULLS), KINDS.keys() | THOUGHTS
        while not self.stopping.is_set():
            try:
                if time.monotonic() - ticked_at >= TICK_EVERY_S:
                    ticked_at = time.monotonic()
                    erase.resume(self.workspace)
                    if number != (number := definition.newest(state)):
                        lines = [*sources.schedules(self.workspace), retention.LINE]
                    schedule.tick(state, lines, self.workspace.time_zone)
                if not job.run_next(state, pulls, leave=others):
                    self.stopping.wait(PULL_POLL_S)
            except Exception as error:  # noqa: BLE001  # a failed round is tried again later
                process.note("worker", "pulls", error)
                self.stopping.wait(LONGEST_PAUSE_S)

    def _match(self) -> None:
        thoughts, others = self._aside(THOUGHTS), KINDS.keys() | PULLS
        while not self.stopping.is_set():
            try:
                if not job.run_next(self.workspace.state, thoughts, leave=others):
                    self.stopping.wait(PULL_POLL_S)
            except Exception as error:  # noqa: BLE001  # a failed round is tried again later
                process.note("worker", "matching", error)
                self.stopping.wait(LONGEST_PAUSE_S)

    def _aside(self, kinds: Mapping[str, Aside]) -> dict[str, job.Run]:
        return {kind: partial(run, self.workspace, self._hold) for kind, run in kinds.items()}

    @contextlib.contextmanager
    def _hold(self) -> Generator[Writer]:
        """The writer, in turn with the jobs of the other thread."""
        with self._job_turn:
            if self._is_doubtful:
                raise Unavailable("not_stored")
            with self._in_doubt() as writer:
                yield writer

    @contextlib.contextmanager
    def _in_doubt(self) -> Generator[Writer]:
        """The writer; who fails with it has another one made, unless there is one by now."""
        writer = self.writer
        try:
            yield writer
        except BadInput:
            raise
        except Exception:
            if writer is self.writer:
                self._is_doubtful = True
            raise

    @property
    def _kinds(self) -> dict[str, job.Run]:
        return {kind: partial(self._run, kind) for kind in KINDS}

    def _run(self, kind: str, args: dict[str, Any], progress: job.Progress) -> Any:
        with self._in_doubt() as writer:
            return KINDS[kind](writer, args, progress)

    def _committed(self) -> int:
        return self.workspace.state.mark(LOG)

    def _answer(self, server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:  # out of file handles for a moment
                time.sleep(0.1)
                continue
            self._called.set()  # perhaps about a job just left for us
            if self._asking.acquire(blocking=False):
                threading.Thread(target=self._converse, args=(connection,), daemon=True).start()
            else:
                connection.close()

    def _converse(self, connection: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError), connection:  # the asker may leave when it likes
                connection.settimeout(ANSWER_TIMEOUT_S)
                if (request := rpc.receive(connection)) is not None:
                    self._reply(connection, request)
        finally:
            self._asking.release()

    def _reply(self, connection: socket.socket, request: rpc.Request) -> None:
        try:
            for chunk in self._chunks(request):
                rpc.reply(connection, rpc.CHUNK, chunk)
            rpc.reply(connection, rpc.END)
        except OSError:
            raise
        except TouchlineError as error:
            rpc.reply(connection, rpc.ERROR, packed(error))
        except Exception as error:  # noqa: BLE001  # one question must not end the others
            process.note("worker", request.name, error)
            rpc.reply(connection, rpc.ERROR, packed(TouchlineError("internal_error")))

    def _chunks(self, request: rpc.Request) -> Iterator[bytes]:
        if request.name == "ping":
            yield msgspec.json.encode(self._pulse())
        elif request.name in QUERIES:
            with self._computing, self._load.asked():
                yield from self._found(request)
        elif request.name in COMMANDS:
            here = self._seen_by(request)
            yield msgspec.json.encode(COMMANDS[request.name](here, self.registry, request.args))
        else:
            raise BadInput("bad_argument", name="name", value=request.name, why="is no question.")

    def _found(self, request: rpc.Request) -> Iterator[bytes]:
        found = QUERIES[request.name](self._seen_by(request), self.registry, request.args)
        if isinstance(found, Generator):
            with contextlib.closing(cast("Generator[bytes]", found)) as lines:
                yield from _gathered(lines)
        else:
            yield msgspec.json.encode(found)

    def _seen_by(self, request: rpc.Request) -> Workspace:
        principal = principal_of(self.workspace, request.actor)
        check(principal, request.name, request.args)
        return self.workspace.seen_by(principal)

    def _pulse(self) -> Pulse:
        alive = all(thread.is_alive() for thread in self._threads)
        return Pulse(
            log_end=end_offset(self.workspace.dir),
            committed=self._committed(),
            problem=self.problem or (None if alive else "internal_error"),
        )


def _gathered(lines: Iterable[bytes], size: int = 64 << 10) -> Iterator[bytes]:
    """Lines in handfuls: a message a line would cost more than the line."""
    held: list[bytes] = []
    weight = 0
    for line in lines:
        held.append(line)
        weight += len(line)
        if weight >= size:
            yield b"".join(held)
            held, weight = [], 0
    if held:
        yield b"".join(held)


def main(directory: str) -> int:
    """The whole life of the process: until SIGTERM."""
    process.begin()
    try:
        workspace = Workspace.open(Path(directory))
        with workspace.write_lock(LOCK_WAIT_S), process.Signals([signal.SIGTERM]) as signals:
            worker = Worker(workspace)
            worker.start()
            process.tell_ready()
            signals.wait()
            worker.stop()
    except TouchlineError as error:
        return process.tell_failure(error)
    return 0


if __name__ == "__main__":
    # Threads may be in the middle of native code, which an orderly end waits for or complains of.
    # The next start repeats what was not finished.
    os._exit(main(sys.argv[1]))
