"""Runs a story and crashes it at every point where the disk changes, by kill and by power cut.

    python tests/crash/simulator.py --seconds 300            as many stories as fit
    python tests/crash/simulator.py --seed 7                 one story, every point, every way
    python tests/crash/simulator.py --seed 7 --point 41 --way torn

Each crash is a fork: the folder as it would be found is copied, opened and gone on with, perhaps
into a second crash, and checked; then the story goes on as if nothing had been. All that is random,
clock and secrets and file names too, comes from the seed, so a fork can be had again by itself.
"""

import argparse
import contextlib
import copy
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from crash.laws import check_end, check_moment, check_whole
from crash.machine import Machine, empty, memory
from crash.world import MORE, STEPS, Promises, World
from disk import Chance, CrashError, Disk

WAYS = ("kill", "lost", "torn")  # the process; the power, and all that was not synced, or some
CHANCE = {"lost": 0.0, "torn": 0.5}


class FailedError(AssertionError):
    """A crash after which a law did not hold, and how to have it again."""


class Story:
    """One seed. `forks` counts the crashes that were tried."""

    def __init__(
        self,
        machine: Machine,
        seed: int,
        *,
        steps: int = 6,
        plan: Sequence[str] = (),
        ways: Iterable[str] = WAYS,
        point: int | None = None,
        failing: int = 4,
        first_step: int = 0,
        again: float = 0.4,
        again_ways: Sequence[str] = WAYS,
        again_within: int = 80,
        in_turn: bool = False,
    ) -> None:
        self.machine = machine
        self.seed = seed
        self.forks = 0
        self._tried: set[tuple[Any, ...]] = set()
        self._ways = tuple(ways)
        self._plan = list(plan) or self._any_plan(steps)
        self._point = point
        self._failing = failing  # calls in a thousand
        self._first_step = first_step  # of those that are crashed
        self._again = again  # how often a second crash follows
        self._again_ways = again_ways
        self._in_turn = in_turn  # each point in one way, not in all
        self._again_within = again_within  # calls
        self._base = Path(tempfile.mkdtemp(prefix="touchline-crash-", dir=memory()))

    def run(self) -> None:
        """Raises FailedError with the command that has it again."""
        try:
            self._run()
        finally:
            shutil.rmtree(self._base, ignore_errors=True)

    def _run(self) -> None:
        world = World(self._base / "w", Promises(), random.Random(self.seed))
        shutil.copytree(empty(), world.dir)
        self._disk = disk = Disk(world.dir, seed=self.seed)
        with self.machine.on(disk, world.told, self.seed):
            self._world = world
            for number, step in enumerate(self._plan):
                disk.watch = self._at if number >= self._first_step else quiet
                disk.fail = Chance(f"{self.seed} {number}", self._failing if number else 0)
                world.step(step)
                disk.watch(disk.calls, "done")
            disk.fail, disk.watch = {}, quiet
            self._told("the story", "without a crash", lambda: self._ended(world))
            world.close()

    def _any_plan(self, steps: int) -> list[str]:
        rng = random.Random(f"plan {self.seed}")
        return ["send", "commit", *rng.choices((*STEPS, *STEPS, *MORE), k=steps - 2)]

    @staticmethod
    def _ended(world: World) -> None:
        world.finish(is_settled=True)
        check_whole(world)

    def _at(self, number: int, name: str) -> None:
        """A point of the story. What would be found as it was found before is not tried again."""
        promised = self._world.told.sum()
        found = {
            "kill": (promised, self._disk.changes),
            "lost": (promised, self._disk.syncs),
            "torn": (promised, self._disk.changes, self._disk.syncs),
        }
        new = [way for way in WAYS if (way, *found[way]) not in self._tried]
        self._tried |= {(way, *found[way]) for way in new}
        if self._point is not None and number != self._point:
            return
        if self._in_turn:
            new = new[number % len(new) :][:1] if new else []
        for way in new:
            if way in self._ways:
                self._fork(number, name, way)

    def _fork(self, number: int, name: str, way: str) -> None:
        self.forks += 1
        seed = f"{self.seed} {number} {way}"
        told = copy.deepcopy(self._world.told)
        with self._folder() as folder:
            disk = self._left(self._disk, folder, way, seed)
            world = World(folder, told, random.Random(seed))
            with self.machine.on(disk, told, seed):
                self._told(number, f"{way} before {name}", lambda: self._survive(world, disk, seed))
            disk.forget()

    def _survive(self, world: World, disk: Disk, seed: str) -> None:
        check_moment(world)
        rng = random.Random(f"again {seed}")
        second = rng.randrange(self._again_within) if rng.random() < self._again else -1
        folder = world.dir.with_name(world.dir.name + "-2")
        left: list[Disk] = []

        def watch(number: int, _name: str) -> None:
            if number == second:
                left.append(
                    self._left(disk, folder, rng.choice(self._again_ways), f"{seed} {second}")
                )
                disk.crash_at = 0
                raise CrashError

        disk.watch = watch
        try:
            world.open()
            if rng.random() < 0.3:
                world.step(rng.choice((*STEPS, *MORE)))
            world.finish(is_settled=rng.random() < 0.1)
        except CrashError:
            world.close()
            disk.watch = quiet
            world = World(folder, world.told, world.rng)
            with self.machine.on(left[0], world.told, f"{seed} again"):
                self._end(world, left[0])
            return
        self._end(world, disk)

    def _end(self, world: World, disk: Disk) -> None:
        disk.watch = quiet
        try:
            check_moment(world)
            is_settled = world.rng.random() < 0.1
            world.finish(is_settled=is_settled)
            check_end(world, is_settled=is_settled)
        finally:
            world.close()
            disk.forget()
            shutil.rmtree(world.dir, ignore_errors=True)

    @staticmethod
    def _left(disk: Disk, folder: Path, way: str, seed: str) -> Disk:
        if way == "kill":
            return disk.after_kill(folder)
        return disk.after_power_cut(folder, chance=CHANCE[way], seed=seed)

    @contextlib.contextmanager
    def _folder(self) -> Generator[Path]:
        with tempfile.TemporaryDirectory(dir=self._base, ignore_cleanup_errors=True) as name:
            yield Path(name, "w")

    def _told(self, point: object, what: str, check: Any) -> None:
        try:
            check()
        except Exception as error:
            how = f"--seed {self.seed} --plan {','.join(self._plan)} --failing {self._failing}"
            if isinstance(point, int):
                how += f" --point {point} --way {what.partition(' ')[0]}"
            again = f"python tests/crash/simulator.py {how}"
            raise FailedError(f"{what}: {type(error).__name__}: {error}\n{again}") from error


def quiet(_number: int, _name: str) -> None:
    """Nothing happens at this point."""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--steps", type=int, default=14)
    parser.add_argument("--plan", type=lambda text: text.split(","), default=[])
    parser.add_argument("--point", type=int)
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--failing", type=int, default=4, help="calls in a thousand that fail")
    args = parser.parse_args()
    ways = [args.way] if args.way else WAYS
    started, stories, forks = time.monotonic(), 0, 0
    seeds = [args.seed] if args.seed is not None else range(args.first, 1 << 31)
    with Machine().running() as machine:
        for seed in seeds:
            story = Story(
                machine,
                seed,
                steps=args.steps,
                plan=args.plan,
                ways=ways,
                point=args.point,
                failing=args.failing,
            )
            story.run()
            stories, forks = stories + 1, forks + story.forks
            spent = time.monotonic() - started
            print(f"seed {seed}: {story.forks} crashes; {forks} in {spent:.0f} s", flush=True)
            if spent > args.seconds:
                break
    print(f"{stories} stories, {forks} crashes, each law held after all of them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
