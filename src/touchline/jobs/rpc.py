"""A question to the worker → its answer in chunks, over a Unix socket in the workspace (0600).

    request    u32 length | msgpack {name, args}
    answer     u32 length | kind | bytes, repeated: C a chunk, E an error, the last is "." or E

An error comes out at the asking side as what it was (`failure`). The socket is reached
through a handle on its folder, because a Unix address holds only 107 bytes and paths are longer.
"""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import AsyncGenerator, Generator, Iterator
from pathlib import Path
from typing import Any

import msgspec

from touchline.errors import BadInput, Unavailable
from touchline.jobs.failure import unpacked

__all__ = [
    "CHUNK",
    "END",
    "ERROR",
    "Request",
    "WorkerClient",
    "ask",
    "is_served",
    "listen",
    "receive",
    "reply",
]

NAME = "worker.sock"
MAX_REQUEST = 16 << 20
CHUNK, ERROR, END = b"C", b"E", b"."
_LENGTH = struct.Struct("<I")


class Request(msgspec.Struct, frozen=True):
    """`actor`: who asks, as the audit log calls them."""

    name: str
    args: dict[str, Any] = {}
    actor: str = ""


def listen(workspace_dir: Path) -> socket.socket:
    """The worker's end. A socket a killed worker left is replaced: hold the write lock."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with _address(workspace_dir) as address:
        with contextlib.suppress(FileNotFoundError):
            (workspace_dir / NAME).unlink()
        server.bind(address)
        (workspace_dir / NAME).chmod(0o600)
    server.listen(256)
    return server


def is_served(workspace_dir: Path) -> bool:
    """Whether a worker answers for this workspace now."""
    try:
        _connect(workspace_dir, 5.0).close()
    except Unavailable:
        return False
    return True


def ask(
    workspace_dir: Path, name: str, args: dict[str, Any] | None = None, *, timeout: float = 600.0
) -> Iterator[bytes]:
    """Chunks of the answer, blocking. Raises what the worker raised, or Unavailable."""
    with _connect(workspace_dir, timeout) as connection, connection.makefile("rb") as file:
        try:
            connection.sendall(_asked(name, args))
            while True:
                (length,) = _LENGTH.unpack(_exactly(file.read(_LENGTH.size), _LENGTH.size))
                kind, data = _split(_exactly(file.read(length), length))
                if kind == END:
                    return
                if kind == ERROR:
                    raise unpacked(data)
                yield data
        except OSError as error:
            raise Unavailable("worker_away") from error


class WorkerClient:
    """Asks from an event loop, one connection a question."""

    def __init__(self, workspace_dir: Path, actor: str = "") -> None:
        self._dir = workspace_dir
        self._actor = actor

    def acting(self, actor: str) -> "WorkerClient":
        """The same, in the name of somebody."""
        return WorkerClient(self._dir, actor)

    async def ask(self, name: str, args: dict[str, Any] | None = None) -> AsyncGenerator[bytes]:
        """Chunks of the answer. Closing the iterator early makes the worker stop."""
        # Connecting waits for nobody: a worker that lags leaves room in its queue, or we give up.
        connection = _connect(self._dir, 0.0)
        reader, writer = await asyncio.open_unix_connection(sock=connection)
        try:
            writer.write(_asked(name, args, self._actor))
            while True:
                (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
                kind, data = _split(await reader.readexactly(length))
                if kind == END:
                    return
                if kind == ERROR:
                    raise unpacked(data)
                yield data
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Unavailable("worker_away") from error
        finally:
            writer.close()

    async def whole(
        self, name: str, args: dict[str, Any] | None = None, *, timeout_s: float | None = None
    ) -> bytes:
        """The answer in one piece. Raises Unavailable also when it takes too long."""
        try:
            async with asyncio.timeout(timeout_s):
                return b"".join([chunk async for chunk in self.ask(name, args)])
        except TimeoutError as error:
            raise Unavailable("worker_away") from error


def receive(connection: socket.socket) -> Request | None:
    """What is asked, on the worker's end; None when the asker said nothing that can be read."""
    with connection.makefile("rb") as file:
        header = file.read(_LENGTH.size)
        if len(header) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack(header)
        if length > MAX_REQUEST:
            return None
        try:
            return msgspec.msgpack.decode(file.read(length), type=Request)
        except msgspec.MsgspecError:
            return None


def reply(connection: socket.socket, kind: bytes, data: bytes = b"") -> None:
    connection.sendall(_LENGTH.pack(len(data) + 1) + kind + data)


def _asked(name: str, args: dict[str, Any] | None, actor: str = "") -> bytes:
    try:
        data = msgspec.msgpack.encode(Request(name, args or {}, actor))
    except OverflowError:
        raise BadInput("unreadable_body", why="a number of more than 64 bits") from None
    if len(data) > MAX_REQUEST:
        raise BadInput("body_too_large", limit=MAX_REQUEST)
    return _LENGTH.pack(len(data)) + data


def _split(message: bytes) -> tuple[bytes, bytes]:
    return message[:1], message[1:]


def _exactly(data: bytes, size: int) -> bytes:
    if len(data) < size:
        raise ConnectionResetError
    return data


def _connect(workspace_dir: Path, timeout: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    try:
        with _address(workspace_dir) as address:
            connection.connect(address)
    except OSError as error:
        connection.close()
        raise Unavailable("worker_away") from error
    return connection


@contextlib.contextmanager
def _address(workspace_dir: Path) -> Generator[str]:
    folder = os.open(workspace_dir, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{NAME}"
    finally:
        os.close(folder)
