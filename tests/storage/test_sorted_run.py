"""Runs of ids: every id that was put in is found at its hash, and no other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.storage import sorted_run
from touchline.storage.sorted_run import Entries, SortedRun, merged, write_run

halves = st.sampled_from([0, 1, 2**63, 2**64 - 1]) | st.integers(0, 2**64 - 1)
ids = st.builds(lambda a, b: a.to_bytes(8) + b.to_bytes(8), halves, halves)


def hash_of(key):
    return bytes(reversed(key))


def entries(keys):
    return Entries.of(keys, [hash_of(key) for key in keys])


def run_of(path, keys):
    return write_run(path, len(keys), [entries(sorted(keys)).in_order()])


def found(run, keys):
    places = run.find(Entries.of(keys))
    there = np.flatnonzero(places >= 0)
    hashes = run.hashes_at(places[there])
    return {keys[i]: row.tobytes() for i, row in zip(there, hashes, strict=True)}


@given(st.sets(ids, min_size=1, max_size=40), st.lists(ids, max_size=40), st.randoms())
def test_what_is_in_a_run_is_found_and_nothing_else(tmp_path_factory, held, others, rng):
    run = run_of(tmp_path_factory.mktemp("run") / "a.run", held)
    asked = [*held, *others]
    rng.shuffle(asked)
    assert found(run, asked) == {key: hash_of(key) for key in held}


@given(st.lists(st.sets(ids, min_size=1, max_size=30), min_size=2, max_size=4))
def test_runs_that_are_merged_hold_the_same(tmp_path_factory, parts):
    folder = tmp_path_factory.mktemp("runs")
    runs = [run_of(folder / f"{n}.run", keys) for n, keys in enumerate(parts)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorted_run, "PIECE", 7)
        whole = write_run(folder / "whole.run", *merged(runs))
    everything = sorted(set().union(*parts))
    assert len(whole) == sum(map(len, parts))
    assert found(whole, everything) == {key: hash_of(key) for key in everything}


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b"x" + b[1:]])
def test_a_file_that_is_no_whole_run_is_refused(tmp_path, change):
    path = run_of(tmp_path / "a.run", [b"a" * 16, b"b" * 16]).path
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ValueError, match="no run of ids"):
        SortedRun(path)


def test_pairs_are_the_ids_and_hashes_that_were_given():
    pairs = {bytes([n]) * 16: bytes([n + 100]) * 16 for n in range(5)}
    assert dict(Entries.of(pairs.keys(), pairs.values()).pairs()) == pairs
