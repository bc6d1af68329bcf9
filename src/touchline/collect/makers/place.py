"""A field of a webhook's definition → where its value comes from, and what becomes of it.

phone = "$.caller.number"                    a place
phone = ["$.mobile", "$.telephone"]          the first place that has something
channel = "Phone"                            the same for every item
channel = { path = "$.kind", values = { chat = "Live chat" }, default = "" }
phone = { path = "$.mobile", required = true }
"""

from typing import Any

import msgspec
from msgspec import Struct

from touchline.collect.makers.path import Path, is_path, path

__all__ = ["MISSING", "Place", "place"]

MISSING = object()  # required, and not there
_SCALARS = (str, int, float, bool)


class Place(Struct, frozen=True, kw_only=True):
    """`values`: what is stored in the place of what was sent; other values stay as they are, unless
    there is a `default`. An empty `default` is nothing.
    """

    paths: tuple[Path, ...] = ()
    values: dict[str, Any] = {}
    default: Any = None
    is_required: bool = False

    def value(self, whole: Any, own: Any) -> Any:
        """The field's value, None when it has none, or MISSING."""
        found = next((x for p in self.paths if (x := p.of(whole, own)) not in (None, "")), None)
        if found is not None and self.values:
            found = self.values.get(_key(found), found if self.default is None else self.default)
        if found is None:
            found = self.default
        if found is None or found == "":
            return MISSING if self.is_required else None
        return found


class _Written(Struct, forbid_unknown_fields=True):
    path: str | list[str]
    values: dict[str, str | int | float | bool] = {}
    default: str | int | float | bool | None = None
    required: bool = False


def place(spec: Any) -> Place:
    """Raises ValueError with what is wrong."""
    if isinstance(spec, dict):
        try:
            written = msgspec.convert(spec, _Written)
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from None
        return Place(
            paths=_paths(written.path),
            values={_key(name): value for name, value in written.values.items()},
            default=written.default,
            is_required=written.required,
        )
    if isinstance(spec, list) or is_path(spec):
        return Place(paths=_paths(spec))
    if isinstance(spec, _SCALARS):
        return Place(default=spec)
    raise ValueError("write a path, a list of paths, a text or a table with path")


def _paths(spec: Any) -> tuple[Path, ...]:
    listed = spec if isinstance(spec, list) else [spec]
    if not listed or not all(isinstance(one, str) for one in listed):
        raise ValueError("a list of places needs paths, such as $.caller.number")
    return tuple(path(one) for one in listed)


def _key(value: Any) -> str:
    """A value as the table of values names it: 1, true and "1 " as people write them."""
    if type(value) is bool:
        return "true" if value else "false"
    return str(value).strip().casefold() if type(value) in (str, int, float) else ""
