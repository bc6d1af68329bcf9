"""What was used lately stays in memory, up to a weight; whatever was not used for longest goes."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Lately"]

Key = TypeVar("Key")
Value = TypeVar("Value")


class Lately(Generic[Key, Value]):
    """For several threads. `weigh` says what a value counts of the most that is held."""

    def __init__(self, most: int, weigh: Callable[[Value], int]) -> None:
        self._most, self._weigh = most, weigh
        self._held: OrderedDict[Key, Value] = OrderedDict()
        self._weight = 0
        self._turn = threading.Lock()

    def get(self, key: Key) -> Value | None:
        with self._turn:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: Key, value: Value) -> Value:
        """Returns the value. One that is too heavy is not held."""
        with self._turn:
            self._drop(key)
            if self._weigh(value) <= self._most:
                self._held[key] = value
                self._weight += self._weigh(value)
            while self._weight > self._most:
                self._drop(next(iter(self._held)))
        return value

    def clear(self) -> None:
        with self._turn:
            self._held.clear()
            self._weight = 0

    def _drop(self, key: Key) -> None:
        gone = self._held.pop(key, None)
        if gone is not None:
            self._weight -= self._weigh(gone)
