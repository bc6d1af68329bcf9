"""A folder of log segments → frames, in order. Any process may read while one writes.

An offset is a global byte position: a segment's file name is the offset of its first byte.
The surprise: a bad frame is either still being written, and the reader stops there and comes again;
or damage, and the reader goes on with the next whole one, so a flipped bit costs one request. What
lies behind the header tells nothing: a body may hold bytes that look like frames. So one that ends
beyond the file counts as being written while it is young; in a file that is not the last, as given
up by the writer if it would have ended before the next file's first byte.
"""

import contextlib
import itertools
import os
import struct
from collections.abc import Iterable, Iterator
from io import FileIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

import google_crc32c

from touchline import clock

MAGIC = b"TLF\x01"  # the last byte is the version of the format
_HEADER = struct.Struct("<4sIIq")  # magic, payload length, checksum, received_us
_SUMMED = struct.Struct("<qIq")  # offset, payload length, received_us: summed with the payload
HEADER_SIZE = _HEADER.size
MAX_PAYLOAD = 16 << 20  # a greater length in a header can only be damage
WRITING_US = 60 * clock.US  # no write takes longer


class Frame(NamedTuple):
    """One logged payload; `next_offset` is where reading goes on."""

    offset: int
    next_offset: int
    received_us: int
    payload: bytes


class Segment(NamedTuple):
    base: int
    path: Path


def log_folder(workspace_dir: Path) -> Path:
    return workspace_dir / "log"


def segment_path(folder: Path, base: int) -> Path:
    return folder / f"{base:020d}.log"


def segments(folder: Path) -> list[Segment]:
    """All segments, oldest first."""
    try:
        names = [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    bases = sorted(int(name[:20]) for name in names if len(name) == 24 and name.endswith(".log"))
    return [Segment(base, segment_path(folder, base)) for base in bases]


def encode(payload: bytes, offset: int, received_us: int) -> bytes:
    """The frame's bytes. Its offset is summed too: stale bytes in the wrong place never pass."""
    summed = google_crc32c.extend(
        google_crc32c.value(_SUMMED.pack(offset, len(payload), received_us)), payload
    )
    return _HEADER.pack(MAGIC, len(payload), summed, received_us) + payload


def decode(data: bytes, position: int, offset: int) -> Frame | None:
    """The frame at `position` of `data`, or None when it is not whole there."""
    body = position + HEADER_SIZE
    if body > len(data):
        return None
    magic, length, summed, received_us = _HEADER.unpack_from(data, position)
    if magic != MAGIC or length > MAX_PAYLOAD or body + length > len(data):
        return None
    payload = data[body : body + length]
    expected = google_crc32c.extend(
        google_crc32c.value(_SUMMED.pack(offset, length, received_us)), payload
    )
    if summed != expected:
        return None
    return Frame(offset, offset + HEADER_SIZE + length, received_us, payload)


def read(workspace_dir: Path, offset: int, max_bytes: int) -> Iterator[Frame]:
    """Frames from `offset` on, until `max_bytes` of payload were given (one at least, if any)."""
    # The list is taken before the bytes: a segment that is not the last one here is complete.
    listed = segments(log_folder(workspace_dir))
    given = 0
    for index, (base, path) in enumerate(listed):
        following = listed[index + 1].base if index + 1 < len(listed) else None
        if following is not None and following <= offset:
            continue
        try:
            for frame in _frames(path, base, max(offset - base, 0), following):
                if _is_blank(frame.payload):
                    continue
                yield frame
                given += len(frame.payload)
                if given >= max_bytes:
                    return
        except FileNotFoundError:  # dropped since it was listed: all of it had been used
            continue


def at(workspace_dir: Path, offset: int) -> Frame | None:
    """The frame that begins at `offset`; None when its segment is gone or none begins there."""
    for base, path in reversed(segments(log_folder(workspace_dir))):
        if base <= offset:
            with contextlib.suppress(FileNotFoundError), path.open("rb", buffering=0) as file:
                file.seek(offset - base)
                frame = _next(file, offset)
                return None if frame is None or _is_blank(frame.payload) else frame
            return None
    return None


def blank(workspace_dir: Path, offsets: Iterable[int]) -> int:
    """Overwrites the payloads of the frames that begin there with zeros, on disk when it returns;
    how many there were.

    It happens in place: all offsets stay, and whoever appends to the same file writes elsewhere in
    it. A frame torn by a crash meanwhile is damage that readers pass over; ask again for the same.
    """
    listed, wanted, done = segments(log_folder(workspace_dir)), sorted(offsets), 0
    for (base, path), following in itertools.zip_longest(listed, listed[1:]):
        mine = [at for at in wanted if base <= at and (following is None or at < following.base)]
        if mine:
            with contextlib.suppress(FileNotFoundError), path.open("r+b", buffering=0) as file:
                done += sum(_blanked(file, offset, base) for offset in mine)
                os.fdatasync(file.fileno())
    return done


def _blanked(file: FileIO, offset: int, base: int) -> bool:
    header = os.pread(file.fileno(), HEADER_SIZE, offset - base)
    if len(header) < HEADER_SIZE or header[:4] != MAGIC:
        return False
    _, length, _, received_us = _HEADER.unpack(header)
    if length > MAX_PAYLOAD or offset - base + HEADER_SIZE + length > file.seek(0, os.SEEK_END):
        return False
    os.pwrite(file.fileno(), encode(bytes(length), offset, received_us), offset - base)
    return True


def _is_blank(payload: bytes) -> bool:
    """The writer's probe after a failure, or what was erased: no request begins with a zero."""
    return payload[:1] in (b"", b"\0")


def _frames(path: Path, base: int, position: int, following: int | None) -> Iterator[Frame]:
    """`following`: the first offset of the next file, if there is one."""
    with path.open("rb", buffering=1 << 20) as file:
        file.seek(position)
        while (frame := _next(file, base + position)) is not None:
            yield frame
            position = frame.next_offset - base
        file.seek(position)
        rest, start, at = file.read(), base + position, 0
    while (frame := _found(rest, at, start, following)) is not None:
        yield frame
        at = frame.next_offset - start


def _next(file: BinaryIO | FileIO, offset: int) -> Frame | None:
    header = file.read(HEADER_SIZE)
    if len(header) < HEADER_SIZE or header[:4] != MAGIC:
        return None
    length = _HEADER.unpack(header)[1]
    return decode(header + file.read(length), 0, offset) if length <= MAX_PAYLOAD else None


def _found(data: bytes, position: int, start: int, following: int | None) -> Frame | None:
    """The next whole frame of `data`, which begins at offset `start`; None before an unfinished
    one.
    """
    while (position := data.find(MAGIC, position)) >= 0:
        if (frame := decode(data, position, start + position)) is not None:
            return frame
        if _is_unfinished(data, position, start, following):
            return None
        position += 1
    return None


def _is_unfinished(data: bytes, position: int, start: int, following: int | None) -> bool:
    body = position + HEADER_SIZE
    if body > len(data):
        return True
    _, length, _, received_us = _HEADER.unpack_from(data, position)
    if length > MAX_PAYLOAD or body + length <= len(data):
        return False
    if following is not None:
        return start + body + length <= following
    return abs(clock.now_us() - received_us) < WRITING_US


def whole_size(path: Path, base: int) -> int:
    """Bytes up to the end of the last whole frame: what follows is a torn tail. Of a file that
    nobody writes to, so what goes on beyond its end is damage.
    """
    end = base
    for frame in _frames(path, base, 0, base + path.stat().st_size):
        end = frame.next_offset
    return end - base


def end_offset(workspace_dir: Path) -> int:
    """Where the next frame will begin, cheaply: tells whether the log has grown."""
    for base, path in reversed(segments(log_folder(workspace_dir))):
        try:
            return base + path.stat().st_size
        except FileNotFoundError:
            continue
    return 0


def drop(workspace_dir: Path, before_offset: int, older_than_us: int) -> int:
    """Delete segments wholly before `before_offset` whose first frame came before `older_than_us`.

    The last segment always stays: its end says where offsets go on. Returns how many went.
    """
    listed = segments(log_folder(workspace_dir))
    dropped = 0
    for (base, path), following in itertools.pairwise(listed):
        if following.base > before_offset:
            break
        first = next(_frames(path, base, 0, following.base), None)
        if first is not None and first.received_us >= older_than_us:
            break
        path.unlink(missing_ok=True)
        dropped += 1
    return dropped
