"""Stories that are crashed at every point. The long form: `make crashes`."""

import pytest

from crash.machine import Machine
from crash.simulator import CHANCE, FailedError, Story, quiet
from crash.world import Promises
from disk import Disk
from touchline.errors import BadInput
from touchline.storage.workspace import Workspace

SHORT = ("send", "commit", "settle", "drop")


@pytest.fixture(scope="module")
def machine():
    with Machine().running() as made:
        yield made


class Recorded(Story):
    """Tells of each crash what the next process finds."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.found = []

    def _survive(self, world, disk, seed):
        paths = [path for path in world.dir.rglob("*") if path.is_file()]
        names = sorted((str(path.relative_to(world.dir)), path.stat().st_size) for path in paths)
        self.found.append((seed, names))
        if self._point is not None:
            super()._survive(world, disk, seed)


def test_a_short_story_crashed_at_every_point_breaks_no_law(machine):
    story = Story(machine, 5, plan=SHORT, failing=0, in_turn=True)
    story.run()
    assert story.forks > 40


def test_a_story_on_a_disk_that_fails_breaks_no_law(machine):
    Story(machine, 1, steps=14, ways=[], failing=60).run()


def test_a_crash_is_had_again_by_its_seed_point_and_way_alone(machine):
    whole = Recorded(machine, 3, plan=("send", "commit"))
    whole.run()
    seed, names = whole.found[-2]
    _, point, way = seed.split()
    again = Recorded(machine, 3, plan=("send", "commit"), ways=[way], point=int(point))
    again.run()
    assert again.found == [(seed, names)]


def test_a_law_that_breaks_is_told_with_the_command_that_breaks_it_again(machine, monkeypatch):
    monkeypatch.setattr("crash.simulator.check_moment", lambda world: 1 / 0)
    with pytest.raises(FailedError, match=r"--seed 4 --plan send --failing 0 --point 0 --way kill"):
        Story(machine, 4, plan=["send"], failing=0).run()


def made(folder):
    Workspace.init(folder, time_zone="UTC", write_keys={"web": "key"}).close()


def is_whole(folder):
    try:
        workspace = Workspace.open(folder)
    except BadInput:
        return False
    assert workspace.write_keys()
    assert workspace.lake.files().settled_seq == 0
    workspace.close()
    return True


def test_a_workspace_is_made_whole_or_not_at_all_and_then_stays(machine, tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    disk, told = Disk(place), Promises()

    def after(number, way):
        left = tmp_path / f"{number}-{way}"
        survivor = disk.after_power_cut(left, chance=CHANCE[way], seed=number)
        with machine.on(survivor, told, number):
            whole = is_whole(left / "shop")
            if not whole:
                made(left / "shop")
                assert is_whole(left / "shop")
        survivor.forget()
        return whole

    def watch(number, name):
        if number % 12 == 5:
            after(number, ("lost", "torn")[number % 2])

    disk.watch = watch
    with machine.on(disk, told, "init"):
        made(place / "shop")
        disk.watch = quiet
        assert after(disk.calls, "lost")
