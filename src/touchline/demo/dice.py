"""Seeded randomness: each module of each block of people throws its own dice.

A block's output depends on the seed, the block and the module alone, never on how many numbers
another one drew. So blocks may be made in any order, and a change in one module leaves the rest of
the world as it was.
"""

from zlib import crc32

import numpy as np

from touchline.demo.season import Floats, Mask

__all__ = ["Dice", "hexes", "systematic"]


class Dice:
    def __init__(self, seed: int, *place: int) -> None:
        self._key = (seed, *place)

    def of(self, module: str) -> np.random.Generator:
        """The generator of one module at this place."""
        return np.random.Generator(
            np.random.PCG64(np.random.SeedSequence([*self._key, crc32(module.encode())]))
        )


def hexes(rng: np.random.Generator, count: int, length: int) -> list[str]:
    """`count` random texts of `length` hex digits."""
    text = rng.bytes((count * length + 1) // 2).hex()
    return [text[n : n + length] for n in range(0, count * length, length)]


def systematic(chance: Floats, rng: np.random.Generator) -> tuple[Mask, Floats]:
    """(which of these happen, and for those a uniform number below their chance).

    The number that happen is the expected one within 1, so totals hold in small blocks too.
    """
    edges = np.cumsum(chance) + rng.random()
    before = np.concatenate((edges[:1] - chance[:1], edges[:-1]))
    return np.floor(edges) > np.floor(before), np.floor(edges) - before
