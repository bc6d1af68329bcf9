"""`touchline snippet`: the lines a web page needs, with the right key and address."""

import argparse
import sys
from html import escape

from touchline.cli import language
from touchline.errors import BadInput, Denied
from touchline.storage.workspace import Workspace, key_hash

__all__ = ["run"]

# Calls made before the script has loaded wait in a list; the script answers them in order.
STUB = (
    '<script>!function(n){var t=window[n]=window[n]||[];"init load identify track page group alias '
    'reset ready consent flush".split(" ").forEach(function(m){t[m]=t[m]||function(){'
    't.push([m].concat([].slice.call(arguments)))}})}("touchline")</script>'
)
TAG = '<script async src="{host}{path}" data-key="{key}"></script>'
NOTES = {
    "en": "Put this into the <head> of every page. It reports as source {source}.",
    "zh": "请放进每个网页的 <head>。数据源:{source}。",
}


def run(args: argparse.Namespace) -> None:
    workspace = Workspace.open(args.dir)
    try:
        source, key = _key(workspace, args.source, args.key)
        path = workspace.settings.tracker_path
    finally:
        workspace.close()
    host = escape(_host(args.host))
    if args.calls:
        print(STUB)
    print(TAG.format(host=host, path=escape(path), key=escape(key)))
    print(NOTES[language()].format(source=source), file=sys.stderr)


def _key(workspace: Workspace, source: str | None, given: str | None) -> tuple[str, str]:
    """(source, its write key in clear)."""
    if given is not None:
        found = workspace.write_keys().get(key_hash(given))
        if found is None or source not in (None, found):
            raise Denied("unknown_key")
        return found, given
    shown = workspace.shown_keys()
    name = source or ("web" if "web" in shown else next(iter(shown), None))
    if name is None or name not in shown:
        raise BadInput("no_shown_key", sources=", ".join(shown) or "–")
    return name, shown[name]


def _host(host: str) -> str:
    host = host.strip().rstrip("/")
    return host if host.startswith(("http://", "https://")) else f"https://{host}"
