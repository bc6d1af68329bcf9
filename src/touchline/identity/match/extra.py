"""Splink and pypinyin, which come with the extra `match`: loaded when first used, or it is said."""

import importlib
from typing import Any

from touchline.errors import BadInput

__all__ = ["needed"]


def needed(module: str) -> Any:
    """A module of the extra."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise BadInput("extra_missing", extra="match") from error
