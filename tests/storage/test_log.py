"""The log against a disk that fails, fills up or loses power at every single call."""

import errno
import os
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disk import CrashError, Disk
from touchline import clock
from touchline.errors import Unavailable
from touchline.storage import frames, log
from touchline.storage.frames import decode, encode, segments
from touchline.storage.log import Log, Tail, drop, end_offset, read


def folder_of(dir_):
    (dir_ / "log").mkdir(parents=True, exist_ok=True)
    return dir_ / "log"


class History:
    """What was promised to senders, and what a reader took over, across crashes."""

    def __init__(self, dir_):
        self.dir = dir_
        self.promised = {}
        self.committed = {}
        self.floor = 0
        self.serial = 0

    def live(self, groups, disk, *, reader_at=()):
        tail = Tail.recover(self.dir / "log", self.floor, disk)
        for number, sizes in enumerate(groups):
            payloads = [self._payload(size) for size in sizes]
            try:
                offsets = tail.write(payloads)
            except OSError:
                continue
            for offset, payload in zip(offsets, payloads, strict=True):
                assert offset not in self.promised
                assert offset >= self.floor
                self.promised[offset] = payload
            if number in reader_at:
                self.read()
        tail.close()

    def read(self):
        for frame in read(self.dir, self.floor, 1 << 40):
            self.committed[frame.offset] = frame.payload
            self.floor = frame.next_offset

    def check(self):
        seen = self.committed | {
            frame.offset: frame.payload for frame in read(self.dir, self.floor, 1 << 40)
        }
        lost = {offset for offset, payload in self.promised.items() if seen.get(offset) != payload}
        assert not lost

    def _payload(self, size):
        self.serial += 1
        return (f"{self.serial:06d}".encode() + bytes(range(256)) * (size // 256 + 1))[:size]


SMALL = [[40], [10, 300], [900], [20, 20, 20], [700], [60]]


def small_segments(monkeypatch):
    monkeypatch.setattr(log, "SEGMENT_BYTES", 1000)


def test_what_is_appended_is_read_back_in_order(tmp_path):
    payloads = [os.urandom(size) for size in (1, 100, 70_000, 3)]
    with Log.open(tmp_path) as written:
        offsets = [written.append(payload).result(5) for payload in payloads]
        assert end_offset(tmp_path) == written.end
    got = list(read(tmp_path, 0, 1 << 30))
    assert [(frame.offset, frame.payload) for frame in got] == list(
        zip(offsets, payloads, strict=True)
    )
    assert [frame.next_offset for frame in got[:-1]] == offsets[1:]
    assert [frame.payload for frame in read(tmp_path, offsets[2], 1 << 30)] == payloads[2:]
    assert [frame.payload for frame in read(tmp_path, 0, 50)] == payloads[:2]
    assert not list(read(tmp_path, got[-1].next_offset, 10))


def test_a_group_shares_one_sync(tmp_path):
    syncs = []

    class Slow(Disk):
        def fdatasync(self, fd, /):
            syncs.append(fd)
            time.sleep(0.05)
            super().fdatasync(fd)

    with Log.open(tmp_path, disk=Slow(folder_of(tmp_path))) as written:
        futures = [written.append(b"x%d" % n) for n in range(200)]
        assert len({future.result(5) for future in futures}) == 200
    assert len(syncs) <= 5


def test_offsets_go_on_in_a_new_segment_when_one_is_full(tmp_path, monkeypatch):
    small_segments(monkeypatch)
    history = History(tmp_path)
    history.live(SMALL * 3, Disk(folder_of(tmp_path)))
    assert len(segments(tmp_path / "log")) > 3
    history.check()


def test_a_request_does_not_wait_for_company_longer_than_a_few_hours(tmp_path, monkeypatch):
    tail = Tail.recover(folder_of(tmp_path), 0, Disk(tmp_path / "log"))
    tail.write([b"early"])
    assert not tail.is_due
    later = clock.now_us() + log.SEGMENT_AGE_US
    monkeypatch.setattr(clock, "now_us", lambda: later)
    assert tail.is_due
    tail.write([b"late"])
    tail.close()
    assert len(segments(tmp_path / "log")) == 2


@pytest.mark.parametrize("power", [False, True], ids=["kill", "power cut"])
def test_a_crash_at_any_call_loses_nothing_promised(tmp_path, monkeypatch, power):
    small_segments(monkeypatch)
    whole = Disk(folder_of(tmp_path / "whole"))
    History(tmp_path / "whole").live(SMALL, whole)
    for crash_at in range(whole.calls):
        for seed in range(4 if power else 1):
            dir_ = tmp_path / f"{crash_at}-{seed}"
            crash_and_go_on(dir_, crash_at=crash_at, seed=seed, power=power)


def crash_and_go_on(dir_, *, crash_at, seed, power, fail=None, groups=SMALL):
    disk = Disk(folder_of(dir_), seed=seed, crash_at=crash_at, fail=fail)
    history = History(dir_)
    try:
        history.live(groups, disk, reader_at=(1, 3))
    except CrashError:
        if seed % 2:
            history.read()  # a reader sees also what is not synced yet
        if power:
            disk.cut_power()
    history.check()
    history.live(groups[:3], Disk(dir_ / "log", seed=seed + 1))
    history.check()
    assert not disk.synced_after_failure


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_mix_of_faults_and_crashes_loses_or_reuses_anything(data, tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        small_segments(monkeypatch)
        sizes = st.lists(st.integers(1, 600), min_size=1, max_size=4)
        fault = st.sampled_from([errno.ENOSPC, errno.EIO])
        crash_and_go_on(
            tmp_path_factory.mktemp("log"),
            crash_at=data.draw(st.integers(2, 90)),
            seed=data.draw(st.integers(0, 1 << 20)),
            power=data.draw(st.booleans()),
            fail=data.draw(st.dictionaries(st.integers(6, 80), fault, max_size=4)),
            groups=data.draw(st.lists(sizes, min_size=3, max_size=12)),
        )


def test_what_a_failed_write_left_hides_nothing_that_came_later(tmp_path):
    """With O_DSYNC a call can fail although its bytes are in the file."""

    class Failing(Disk):
        fails = False

        def fdatasync(self, fd, /):
            if self.fails:
                raise OSError(errno.EIO, "the sync failed")
            super().fdatasync(fd)

    disk = Failing(folder_of(tmp_path))
    tail = Tail.recover(tmp_path / "log", 0, disk)
    before = tail.write([b"before"])
    disk.fails = True
    with pytest.raises(OSError, match="the sync failed"):
        tail.write([b"not promised" * 9])
    disk.fails = False
    after = tail.write([b"after"])
    tail.close()
    kept, at = {}, 0
    while found := list(read(tmp_path, at, 7)):  # two frames, and on from there
        kept |= {frame.offset: frame.payload for frame in found}
        at = found[-1].next_offset
    assert [kept.get(offset) for offset in (*before, *after)] == [b"before", b"after"]


def test_a_segment_that_cannot_be_removed_is_not_written_into_again(tmp_path, monkeypatch):
    small_segments(monkeypatch)
    full = {13: errno.ENOSPC, 14: errno.ENOSPC}  # the first write into a segment, and its removal
    groups = [[298], [42, 600], [1], [1]]
    crash_and_go_on(tmp_path, crash_at=19, seed=234, power=False, fail=full, groups=groups)


def test_a_crash_during_recovery_loses_nothing_either(tmp_path):
    for crash_at in range(10):
        dir_ = tmp_path / str(crash_at)
        history = History(dir_)
        history.live(SMALL[:3], Disk(folder_of(dir_)))
        with segments(dir_ / "log")[-1].path.open("ab") as file:
            file.write(b"torn")
        again = Disk(dir_ / "log", seed=crash_at, crash_at=crash_at)
        try:
            Tail.recover(dir_ / "log", 0, again)
        except CrashError:
            again.cut_power()
        history.check()
        history.live(SMALL, Disk(dir_ / "log"))
        history.check()


def test_a_torn_tail_is_cut_and_its_offset_given_to_the_next(tmp_path):
    with Log.open(tmp_path) as written:
        written.append(b"whole").result(5)
        end = written.end
    path = segments(tmp_path / "log")[0].path
    with path.open("ab") as file:
        file.write(encode(b"torn away", end, 0)[:-3])
    assert [frame.payload for frame in read(tmp_path, 0, 100)] == [b"whole"]
    with Log.open(tmp_path) as written:
        assert path.stat().st_size == end
        assert written.append(b"next").result(5) == end
    assert [frame.payload for frame in read(tmp_path, 0, 100)] == [b"whole", b"next"]


def test_a_flipped_bit_costs_one_frame_not_the_segment(tmp_path):
    with Log.open(tmp_path) as written:
        offsets = [written.append(b"n%d" % n * 50).result(5) for n in range(5)]
    path = segments(tmp_path / "log")[0].path
    data = bytearray(path.read_bytes())
    data[offsets[2] + 30] ^= 4
    path.write_bytes(data)
    with Log.open(tmp_path) as written:
        written.append(b"after").result(5)
    got = [frame.offset for frame in read(tmp_path, 0, 1 << 20)]
    assert got[:4] == [offsets[n] for n in (0, 1, 3, 4)]
    assert len(got) == 5


def test_a_start_cuts_nothing_that_is_whole_however_fresh_the_damage_before_it(tmp_path):
    with Log.open(tmp_path) as written:
        offsets = [written.append(b"n%d" % n * 50).result(5) for n in range(4)]
    path = segments(tmp_path / "log")[0].path
    data = bytearray(path.read_bytes())
    data[offsets[1] + 5] ^= 64  # its length, now beyond the end of the file
    path.write_bytes(data)
    with Log.open(tmp_path) as written:
        assert path.stat().st_size == len(data)
        later = written.append(b"later").result(5)
    _, path = segments(tmp_path / "log")[-1]
    assert list(read(tmp_path, offsets[2], 1 << 20))[-1].offset == later


def test_damage_in_the_segment_that_is_written_to_holds_up_nobody_for_long(tmp_path, monkeypatch):
    with Log.open(tmp_path) as written:
        offsets = [written.append(b"n%d" % n * 50).result(5) for n in range(4)]
        path = segments(tmp_path / "log")[0].path
        for place in (offsets[1] + 2, offsets[2] + 5, offsets[2] + 30):  # magic, length, payload
            data = bytearray(path.read_bytes())
            data[place] ^= 64
            path.write_bytes(data)
        later_us = clock.now_us() + frames.WRITING_US
        monkeypatch.setattr(clock, "now_us", lambda now=later_us: now)
        assert [frame.offset for frame in read(tmp_path, 0, 1 << 20)] == [offsets[0], offsets[3]]
        assert [frame.offset for frame in read(tmp_path, offsets[1], 1)] == [offsets[3]]
        later = written.append(b"later").result(5)
        assert [frame.offset for frame in read(tmp_path, offsets[2], 1 << 20)] == [
            offsets[3],
            later,
        ]


def test_a_reader_at_any_moment_of_a_write_stops_before_it_and_goes_on_there(tmp_path):
    with Log.open(tmp_path) as written:
        first = written.append(b"first" * 9).result(5)
        offsets = [first]
        for count in (1, 2):
            at = written.end + frames.HEADER_SIZE
            inside = encode(b"forged", at, clock.now_us()) + encode(b"first" * 9, first, 0)
            offsets.append(written.append(inside * count).result(5))
        end = written.end
    path = segments(tmp_path / "log")[0].path
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        seen = list(read(tmp_path, 0, 1 << 20))
        at = seen[-1].next_offset if seen else 0
        ends = [*offsets[1:], end]
        assert [frame.offset for frame in seen] == offsets[: sum(e <= size for e in ends)]
        path.write_bytes(whole)
        seen += read(tmp_path, at, 1 << 20)
        assert [frame.offset for frame in seen] == offsets


def test_what_a_body_holds_of_a_group_that_was_given_up_is_no_frame(tmp_path):
    (tmp_path / "log").mkdir()
    whole = encode(b"whole", 0, 1)
    at = len(whole) + frames.HEADER_SIZE
    torn = encode(encode(b"forged", at, 1) + bytes(500), len(whole), 1)
    frames.segment_path(tmp_path / "log", 0).write_bytes(whole + torn[:200])
    end = len(whole) + len(torn)
    frames.segment_path(tmp_path / "log", end).write_bytes(encode(b"next", end, 1))
    assert [frame.payload for frame in read(tmp_path, 0, 1 << 20)] == [b"whole", b"next"]


def test_damage_before_what_is_being_written_lets_nothing_of_it_through(tmp_path):
    (tmp_path / "log").mkdir()
    now = clock.now_us()
    bad = bytearray(encode(b"damaged", 0, now))
    bad[-1] ^= 1
    at = len(bad)
    body = encode(b"forged", at + frames.HEADER_SIZE, now) + bytes(500)
    torn = encode(body, at, now)
    path = frames.segment_path(tmp_path / "log", 0)
    path.write_bytes(bytes(bad) + torn[:200])
    assert list(read(tmp_path, 0, 1 << 20)) == []
    path.write_bytes(bytes(bad) + torn)
    assert [frame.payload for frame in read(tmp_path, 0, 1 << 20)] == [body]


def test_a_frame_is_good_only_at_its_own_offset():
    data = encode(b"payload", 4096, 7)
    assert decode(data, 0, 4096) == frames.Frame(4096, 4096 + len(data), 7, b"payload")
    assert decode(data, 0, 4097) is None
    for position in range(len(data)):
        spoilt = bytearray(data)
        spoilt[position] ^= 1
        assert decode(bytes(spoilt), 0, 4096) is None
    assert all(decode(data[:size], 0, 4096) is None for size in range(len(data)))


def test_offsets_start_behind_what_a_reader_had_committed(tmp_path):
    with Log.open(tmp_path, floor=5000) as written:
        assert written.append(b"a").result(5) == 5000
    assert [frame.offset for frame in read(tmp_path, 0, 10)] == [5000]


class Full(Disk):
    """A disk without space while `is_full`."""

    is_full = False

    def write(self, fd, data, /):
        if self.is_full:
            os.write(fd, data[:5])
            raise OSError(errno.ENOSPC, "No space left on device")
        return os.write(fd, data)


def test_a_full_disk_is_told_and_the_log_goes_on_when_there_is_space(tmp_path, monkeypatch):
    monkeypatch.setattr(log, "RETRY_S", 0.02)
    disk = Full(folder_of(tmp_path))
    with Log.open(tmp_path, disk=disk) as written:
        first = written.append(b"first").result(5)
        disk.is_full = True
        for _ in range(5):
            with pytest.raises(Unavailable) as caught:
                written.append(b"refused").result(5)
            assert caught.value.code == "disk_full"
        time.sleep(0.1)
        assert written.failure is not None
        disk.is_full = False
        deadline = time.monotonic() + 5
        while written.failure is not None and time.monotonic() < deadline:
            time.sleep(0.01)  # nobody sends: it finds out by itself
        second = written.append(b"second").result(5)
    assert second > first
    assert [frame.payload for frame in read(tmp_path, 0, 100)] == [b"first", b"second"]
    assert len(segments(tmp_path / "log")) == 2  # attempts in vain leave nothing


def test_a_failed_sync_is_never_repeated_on_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(log, "RETRY_S", 0.0)
    disk = Disk(folder_of(tmp_path))
    with Log.open(tmp_path, disk=disk) as written:
        written.append(b"good").result(5)
        monkeypatch.setattr(disk.rng, "randrange", lambda size: size - 1)  # writes all at once
        disk.fail = {disk.calls + 1: errno.EIO}
        with pytest.raises(Unavailable) as caught:
            written.append(b"unsure").result(5)
        assert caught.value.code == "log_failed"
        written.append(b"later").result(5)
    assert not disk.synced_after_failure
    assert segments(tmp_path / "log")[0].base == 0
    assert len(segments(tmp_path / "log")) == 2
    payloads = [frame.payload for frame in read(tmp_path, 0, 100)]
    assert payloads == [b"good", b"unsure", b"later"]  # never promised, yet harmless


def test_only_one_process_may_append(tmp_path):
    with Log.open(tmp_path), pytest.raises(Unavailable) as caught:
        Log.open(tmp_path)
    assert caught.value.code == "already_served"
    Log.open(tmp_path).close()


def test_a_closed_log_refuses(tmp_path):
    written = Log.open(tmp_path)
    pending = [written.append(b"in time") for _ in range(20)]
    written.close()
    written.close()
    assert all(future.result(0) >= 0 for future in pending)
    with pytest.raises(Unavailable) as caught:
        written.append(b"too late").result(1)
    assert caught.value.code == "log_closed"


def test_old_segments_go_when_committed_and_the_last_stays(tmp_path, monkeypatch):
    small_segments(monkeypatch)
    with Log.open(tmp_path) as written:
        for number in range(6):
            written.append(bytes([number]) * 1100).result(5)
        end = written.end
    bases = [segment.base for segment in segments(tmp_path / "log")]
    later = clock.now_us() + 1
    assert drop(tmp_path, end, 0) == 0
    assert drop(tmp_path, bases[2] + 1, later) == 2
    assert drop(tmp_path, end, later) == 3
    (left,) = read(tmp_path, 0, 1 << 20)
    assert left.payload == b"\x05" * 1100


def test_a_reader_follows_a_busy_writer_and_sees_each_frame_once(tmp_path, monkeypatch):
    monkeypatch.setattr(log, "SEGMENT_BYTES", 20_000)
    with Log.open(tmp_path) as written:
        total = 3000

        def send():
            futures = [written.append(b"%d" % n * (n % 90 + 1)) for n in range(total)]
            for future in futures:
                future.result(10)

        sender = threading.Thread(target=send)
        sender.start()
        seen, offset = [], 0
        deadline = time.monotonic() + 20
        while len(seen) < total and time.monotonic() < deadline:
            for frame in read(tmp_path, offset, 4000):
                seen.append(frame.payload)
                offset = frame.next_offset
        sender.join()
    assert seen == [b"%d" % n * (n % 90 + 1) for n in range(total)]


def test_a_payload_can_be_had_again_by_its_offset_until_its_segment_is_dropped(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(log, "SEGMENT_BYTES", 100)
    with Log.open(tmp_path) as own:
        offsets = [own.append(b"%d" % n * 60).result() for n in range(4)]
        assert [own.payload(offset) for offset in offsets] == [b"%d" % n * 60 for n in range(4)]
        assert own.payload(offsets[1] + 1) is None
        assert own.payload(own.end) is None
        drop(tmp_path, own.end, clock.now_us() + clock.US)
        assert own.payload(offsets[0]) is None
