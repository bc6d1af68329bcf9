"""The server process: one event loop that receives, logs and answers. Started by the supervisor."""

import argparse
import asyncio
import contextlib
import resource
import signal
import socket
import sys
import time
from collections.abc import Generator
from functools import partial
from pathlib import Path

import uvicorn

from touchline.collect.mail import Signer
from touchline.collect.nodes import clear_values
from touchline.collect.preference_link import PreferenceSigner
from touchline.collect.protocol import Guide
from touchline.collect.visitor import Visitors
from touchline.errors import TouchlineError, Unavailable
from touchline.jobs import links, process
from touchline.jobs.definitions import newer_site
from touchline.jobs.rpc import WorkerClient
from touchline.storage.lake import LOG
from touchline.storage.log import Log
from touchline.storage.workspace import Workspace
from touchline.web.app import api
from touchline.web.collector import Collector
from touchline.web.dispatch import Dispatch
from touchline.web.head import Head, end_slow
from touchline.web.keys import Keys
from touchline.web.links import Shelf
from touchline.web.quick import Quick
from touchline.web.rules import Rules
from touchline.web.script import Script
from touchline.web.sender import Senders
from touchline.web.served import Served

__all__ = ["Connection", "main"]

LOCK_WAIT_S = 5.0  # a killed predecessor may take a moment to let go
FINISH_S = 5  # requests in their course when told to stop
SWITCH_S = 0.001  # the thread that syncs is not kept waiting by the one that reads requests
KEEP_ALIVE_S = 75  # longer than load balancers keep theirs: the sender's side should close first

LOOKED_AT = 20  # ticks, of which there are ten a second


class Connection(Head, Quick):
    """A client's, in HTTP/1.1.

    A body that does not begin is as slow as a head that does not end.
    """

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self.is_waiting:
            self._since = self.loop.time()


class Server(uvicorn.Server):
    """Stops on SIGTERM alone and ends as if nothing had happened."""

    def __init__(self, config: uvicorn.Config, collector: Collector | None) -> None:
        super().__init__(config)
        self._collector = collector

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._stop)
        await super().startup(sockets=sockets)
        process.settle_memory()
        process.tell_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets=sockets)
        if self._collector is not None:
            await self._collector.close()

    async def on_tick(self, counter: int) -> bool:
        if counter % LOOKED_AT == 0:
            end_slow(self.server_state.connections, asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    def _stop(self) -> None:
        self.should_exit = True


def run(workspace: Workspace, log: Log | None, listening: socket.socket, *, has_app: bool) -> None:
    """Serves until SIGTERM."""
    keys = Keys(workspace)
    problems = {} if log is None else {"collector": lambda: log.failure and log.failure.code}
    # One that only receives does its work without a worker.
    signer = PreferenceSigner(workspace.vault.derived("preferences"))
    served = Served(WorkerClient(workspace.dir), keys, has_app, problems, signer)
    collector = None
    if log is not None:
        visitors = Visitors(workspace.vault.node_id, workspace.time_zone)
        rules = Rules(partial(newer_site, workspace))
        collector = Collector(
            log,
            keys,
            visitors,
            Senders(workspace.settings.events_per_s),
            rules,
            guide_of(workspace),
        )
    script = Script(workspace.settings.tracker_path)
    config = uvicorn.Config(
        Dispatch(collector, api(served, has_routes=has_app), script),
        loop="uvloop",
        http=Connection,
        lifespan="off",
        ws="none",
        access_log=False,
        log_level="critical",
        server_header=False,
        backlog=2048,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=FINISH_S,
    )
    Server(config, collector).run(sockets=[listening])


def guide_of(workspace: Workspace) -> Guide:
    """What it takes to lead visitors."""
    codes = Shelf(partial(links.found, workspace))
    people = Shelf(partial(clear_values, workspace))
    signer = Signer(workspace.vault.derived("mail"))
    return Guide(codes.get, people.get, signer, workspace.settings.visitor_cookie)


def open_log(workspace: Workspace) -> Log:
    """The log, behind all that was ever committed from it."""
    deadline = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            floor = max(workspace.state.mark(LOG), workspace.lake.log_offset())
            return Log.open(workspace.dir, floor=floor)
        except Unavailable as error:
            if error.code != "already_served" or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def main(arguments: list[str]) -> int:
    process.begin()
    sys.setswitchinterval(SWITCH_S)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a file handle a connection
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--fd", type=int, required=True, help="a listening socket")
    parser.add_argument("--role", choices=("all", "collector", "app"), default="all")
    options = parser.parse_args(arguments)
    try:
        workspace = Workspace.open(options.directory)
        log = None if options.role == "app" else open_log(workspace)
        listening = socket.socket(fileno=options.fd)
        run(workspace, log, listening, has_app=options.role != "collector")
        if log is not None:
            log.close()
    except TouchlineError as error:
        return process.tell_failure(error)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
