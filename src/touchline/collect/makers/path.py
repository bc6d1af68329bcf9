"""A place in JSON, written as `$.caller.number` → the value there, or None.

    $              the whole body                 @              one item of the body's list
    .name          a member                       ["any name"]   a member whose name has dots
    [0]  [-1]      an item, from either end

Nothing else: no wildcards, no filters, no functions, so a place costs as many steps as it has
names. A value of another shape on the way is simply not there; nothing raises.
"""

import re
from typing import Any, NamedTuple

__all__ = ["Path", "Step", "is_path", "path", "placed", "without"]

MAX_STEPS = 32
_STEP = re.compile(r"""\.([^.\[\]"']+)|\[(-?\d{1,6})\]|\["([^"]*)"\]|\['([^']*)'\]""")
_START = re.compile(r"[$@](?=[.\[]|\Z)")

Step = str | int


class Path(NamedTuple):
    """`is_own`: it starts at the item (`@`), not at the body."""

    is_own: bool
    steps: tuple[Step, ...]

    def of(self, whole: Any, own: Any) -> Any:
        """The value there; None when there is none."""
        value = own if self.is_own else whole
        for step in self.steps:
            if type(step) is str:
                value = value.get(step) if type(value) is dict else None
            elif type(value) is list and type(step) is int and -len(value) <= step < len(value):
                value = value[step]
            else:
                return None
        return value


def is_path(text: Any) -> bool:
    """Whether a text of a definition means a place, not itself."""
    return type(text) is str and _START.match(text) is not None


def path(text: str) -> Path:
    """Raises ValueError with what is wrong."""
    start = _START.match(text)
    if start is None:
        raise ValueError(f"{text[:80]!r} starts neither with $ nor with @")
    steps: list[Step] = []
    at = start.end()
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise ValueError(f"{text[:80]!r} cannot be read from {text[at : at + 20]!r} on")
        name, index, quoted, single = found.groups()
        steps.append(
            int(index) if index else next(x for x in (name, quoted, single) if x is not None)
        )
        at = found.end()
    if len(steps) > MAX_STEPS:
        raise ValueError(f"{text[:80]!r} has more than {MAX_STEPS} steps")
    return Path(text[0] == "@", tuple(steps))


def placed(whole: Any, steps: tuple[Step, ...], value: Any) -> Any:
    """`whole` with `value` at a place that exists; what lies beside the way is shared."""
    if not steps:
        return value
    copy: Any = dict(whole) if type(whole) is dict else list(whole)
    copy[steps[0]] = placed(whole[steps[0]], steps[1:], value)
    return copy


def without(value: Any, gone: list[tuple[Step, ...]]) -> Any:
    """A copy without these places. Members that are left empty by it go as well."""
    if not gone or (type(value) is not dict and type(value) is not list):
        return value
    inner: dict[Step, list[tuple[Step, ...]]] = {}
    for first, *rest in (steps for steps in gone if steps):
        is_from_end = type(value) is list and type(first) is int and first < 0
        at = first % max(len(value), 1) if is_from_end and type(first) is int else first
        inner.setdefault(at, []).append(tuple(rest))
    return _thinned_list(value, inner) if isinstance(value, list) else _thinned(value, inner)


def _thinned_list(items: list[Any], inner: dict[Step, list[tuple[Step, ...]]]) -> list[Any]:
    return [_left(item, inner.get(index)) for index, item in enumerate(items)]


def _thinned(
    members: dict[Step, Any], inner: dict[Step, list[tuple[Step, ...]]]
) -> dict[Step, Any]:
    left = {name: _left(item, inner.get(name)) for name, item in members.items()}
    return {
        name: item for name, item in left.items() if name not in inner or item not in (None, {}, [])
    }


def _left(value: Any, gone: list[tuple[Step, ...]] | None) -> Any:
    if gone is None:
        return value
    return None if () in gone else without(value, gone)
