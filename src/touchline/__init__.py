"""Touchline: scattered marketing touches become one line per customer, each with its worth.

    with touchline.open("shop") as site:
        report = site.attribution(models="markov_1", by=("channel", "campaign"))

These names stay; modules below may move. They are imported when first used, because a command such
as `touchline --help` needs none of them.
"""

import importlib
from typing import TYPE_CHECKING, Any

from touchline.errors import Ambiguous, BadInput, Denied, NotFound, TouchlineError, Unavailable

if TYPE_CHECKING:
    from touchline.attribution import MODELS, Credit, Journeys, Labels, Touches, credit
    from touchline.jobs.opened import OpenWorkspace
    from touchline.jobs.opened import open_workspace as open  # noqa: A004  # read as touchline.open
    from touchline.measure.frames import attribute, attribute_paths
    from touchline.measure.report import Report

__all__ = [
    "MODELS",
    "Ambiguous",
    "BadInput",
    "Credit",
    "Denied",
    "Journeys",
    "Labels",
    "NotFound",
    "OpenWorkspace",
    "Report",
    "Touches",
    "TouchlineError",
    "Unavailable",
    "__version__",
    "attribute",
    "attribute_paths",
    "credit",
    "open",
]

__version__ = "0.1.0"

_MATHS = ("MODELS", "Credit", "Journeys", "Labels", "Touches", "credit")
_PLACES = {
    **{name: ("touchline.attribution", name) for name in _MATHS},
    "attribute": ("touchline.measure.frames", "attribute"),
    "attribute_paths": ("touchline.measure.frames", "attribute_paths"),
    "OpenWorkspace": ("touchline.jobs.opened", "OpenWorkspace"),
    "Report": ("touchline.measure.report", "Report"),
    "open": ("touchline.jobs.opened", "open_workspace"),
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        message = f"module 'touchline' has no attribute {name!r}"
        raise AttributeError(message)
    module, own_name = _PLACES[name]
    return getattr(importlib.import_module(module), own_name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
