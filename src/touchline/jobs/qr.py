"""A short link, or any address with its campaign → the file of its QR code."""

from collections.abc import Iterator
from typing import Any

import msgspec

from touchline.collect.qr import FORMATS, Look, qr
from touchline.errors import BadInput
from touchline.jobs.links import Wanted, link, public, wanted_url
from touchline.storage.workspace import Workspace

__all__ = ["drawn"]

_LOOK = frozenset(Look.__struct_fields__)


def drawn(workspace: Workspace, _registry: object, args: dict[str, Any]) -> Iterator[bytes]:
    """`code` of a link, or `url` with `source`, `medium`, …; `format` and what `Look` has."""
    form = args.get("format") or FORMATS[0]
    if form not in FORMATS:
        why = f"is none of {', '.join(FORMATS)}."
        raise BadInput("bad_argument", name="format", value=form, why=why)
    look = msgspec.convert({k: v for k, v in args.items() if k in _LOOK}, Look)
    if args.get("code"):
        at = public(workspace, args.get("host"), is_needed=True)
        text = f"{at}{link(workspace, args['code'])['path']}"
    else:
        said = {k: v for k, v in args.items() if k in Wanted.__struct_fields__}
        text = wanted_url(workspace, Wanted(**{**said, "target": args.get("url") or ""}))
    yield qr(text, form, look)
