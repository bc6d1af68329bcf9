"""What counts as a conversion: the `[[goal]]` tables of a site's definitions.

    [[goal]]
    name = "deals"
    stages = ["won", "赢单"]     # and / or: event = "Order Completed", also = ["下单成功"]
    value = "revenue"           # a property's name, or a number in major units
    count = "every"             # "once": a person's first ever; "repeat": all but that one
    window = "30d"              # touches so long before it count; windows = { view = "1d" }
    direct = "last_resort"      # direct touches count where there is no other
    restarts = true             # touches before somebody's last one of the goal are used up

Without any, the built-in goal `default` counts finished orders from files and from trackers.
"""

from typing import Any, Literal

import msgspec

from touchline.errors import BadInput, NotFound
from touchline.storage.engine import Expression

__all__ = ["DEFAULT", "WON", "Goal", "as_compared", "canonical", "days_of", "goal_named", "goals"]

MOST = 1e12  # major units; comparing with it refuses nan and infinity as well
MOST_DAYS = 3660
WON = ("won", "closed_won", "成交", "赢单")


class Goal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Events of one name, imported conversions in one of the stages, or both.

    The stage "" is that of an imported row without one: a finished order.
    """

    name: str
    event: str | None = None
    also: tuple[str, ...] = ()  # names under which the event came as well
    stages: tuple[str, ...] | None = None
    value: str | int | float | None = None
    count: Literal["every", "once", "repeat"] = "every"
    window: str | int | float | None = None
    windows: dict[str, str | int | float] = {}  # by channel, or by kind of touch: see `window`
    direct: Literal["count", "last_resort"] = "count"
    restarts: bool = False

    @property
    def touch_rules(self) -> dict[str, Any]:
        """Which touches count, where that is not as usual."""
        told = {name: getattr(self, name) for name in ("windows", "direct", "restarts")}
        return {name: rule for name, rule in told.items() if rule and rule != "count"}


DEFAULT = Goal("default", event="Order Completed", stages=("", *WON))


def canonical(stage: str) -> str:
    """A stage as it is compared: "Closed Won" and closed_won are the same."""
    return stage.strip().lower().replace(" ", "_")


def as_compared(stage: Expression) -> Expression:
    """The same of a column of stages; without one it is ""."""
    return stage.fill_null("").strip().lower().replace(" ", "_")


def goals(documents: list[dict[str, object]]) -> tuple[Goal, ...]:
    """Checked goals in the order given. Raises BadInput("bad_goal") with the remedy."""
    found: list[Goal] = []
    for number, document in enumerate(documents, 1):
        name = str(document.get("name", number))
        try:
            goal = msgspec.convert(document, Goal)
        except msgspec.ValidationError as error:
            raise BadInput("bad_goal", name=name, why=str(error)) from error
        why = _flaw(goal)
        if any(goal.name == other.name for other in found):
            why = "the name is used twice"
        if why is not None:
            raise BadInput("bad_goal", name=name, why=why)
        found.append(goal)
    return tuple(found) or (DEFAULT,)


def _flaw(goal: Goal) -> str | None:
    if goal.event is None and goal.stages is None:
        return "needs an event or stages"
    if goal.event is not None and not goal.event.strip():
        return "event is empty"
    if not all(name.strip() for name in goal.also) or (goal.also and goal.event is None):
        return "also has further names of its event"
    if goal.stages is not None and not goal.stages:
        return "stages is empty"
    if isinstance(goal.value, int | float) and not 0 <= goal.value < MOST:
        return "value must be an amount of 0 or more"
    return _bad_window(goal)


def _bad_window(goal: Goal) -> str | None:
    if goal.window is not None and not days_of(goal.window):
        return f"window {goal.window!r} is not a number of days such as 30d"
    for name, window in goal.windows.items():
        if days_of(window) is None:
            return f"the window of {name}, {window!r}, is not a number of days such as 30d"
    return None


def goal_named(known: tuple[Goal, ...], name: str | None) -> Goal:
    """The goal of that name; without a name, the first."""
    if name is None:
        return known[0]
    for goal in known:
        if goal.name == name:
            return goal
    raise NotFound("unknown_goal", name=name, known=", ".join(goal.name for goal in known))


def days_of(window: str | float) -> float | None:
    """Days of a window such as "30d" or 30; None if it is none."""
    try:
        days = float(window.removesuffix("d")) if isinstance(window, str) else float(window)
    except ValueError:
        return None
    return days if 0 <= days <= MOST_DAYS else None
