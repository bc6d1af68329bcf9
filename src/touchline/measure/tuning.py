"""What is said about models (half-life, weights) → what `credit` takes by name.

    half_life   7, or "fitted": taken from the data
    positions   of position_based: first=0.4,last=0.4,rest=0.2
    weights     of custom, a rule of one's own: first=0.3,lead=0.3,opportunity=0.2,last=0.2

As text on the command line and in the API, as numbers in the `[attribution]` table of definitions.
What a question says goes before what the site decided.
"""

import math
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from touchline.attribution.inputs import Options
from touchline.attribution.rules import Weights
from touchline.errors import BadInput

__all__ = ["FITTED", "Tuning", "tuning_of"]

FITTED = "fitted"
MARKS = ("first", "lead", "opportunity", "last", "rest")
AT_ENDS = ("first", "last", "rest")


class Tuning(Struct, frozen=True):
    """None where nothing is said, so that what is known elsewhere holds."""

    half_life: float | str | None = None
    positions: dict[str, float] | None = None
    weights: dict[str, float] | None = None

    def over(self, other: "Tuning") -> "Tuning":
        """What is said here, and else by the other."""
        return Tuning(
            other.half_life if self.half_life is None else self.half_life,
            other.positions if self.positions is None else self.positions,
            other.weights if self.weights is None else self.weights,
        )

    def options(self, window_days: float | None = None) -> Options:
        """Raises BadInput for what cannot be used."""
        found: Options = {}
        if self.half_life == FITTED:
            found["half_life_days"] = None
            found["window_days"] = window_days
        elif self.half_life is not None:
            found["half_life_days"] = _days(self.half_life)
        if self.positions is not None:
            found["positions"] = _weights(self.positions, AT_ENDS)
        if self.weights is not None:
            found["weights"] = _weights(self.weights, MARKS)
        return found


def tuning_of(args: Mapping[str, Any]) -> Tuning:
    """half_life, positions and weights as text, or as a library's caller has them; optional."""
    half_life, *said = (args.get(name) for name in ("half_life", "positions", "weights"))
    # An empty text of a URL says nothing; a number or a table always says something.
    return Tuning(
        None if half_life == "" else half_life,
        *(None if one is None or one == "" else _pairs(one) for one in said),
    )


def _days(said: float | str) -> float:
    try:
        days = float(said)
    except ValueError:
        days = math.nan
    if not 0 < days < math.inf:
        raise BadInput("bad_half_life", days=said)
    return days


def _pairs(text: str | Mapping[str, float]) -> dict[str, float]:
    if not isinstance(text, str):
        return dict(text)
    found: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = part.partition("=")
        try:
            found[name.strip()] = float(number)
        except ValueError:
            raise BadInput("bad_weights", value=text, why=f"{part.strip()!r}") from None
        if not equals:
            raise BadInput("bad_weights", value=text, why=f"{part.strip()!r}")
    return found


def _weights(said: dict[str, float], marks: tuple[str, ...]) -> Weights:
    for name, number in said.items():
        if name not in marks:
            text = ",".join(f"{one}={said[one]:g}" for one in said)
            raise BadInput("bad_weights", value=text, why=f"{name}={number:g}")
    return Weights(**said)
