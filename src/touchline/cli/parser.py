"""All verbs and their arguments in one place; nothing heavy is imported here.

Texts stand here in English; a terminal that speaks Chinese gets those of `cli.chinese`.
"""

import argparse
from pathlib import Path
from typing import Any

import touchline
from touchline.cli.attribution_verbs import attribution_verbs
from touchline.cli.building import FORMATS, Parser, folder, said
from touchline.cli.building import group as _group
from touchline.cli.building import verb as _verb
from touchline.cli.building import verb_in as _verb_in
from touchline.cli.lift_parser import lift
from touchline.cli.patterns_parser import patterns, tuning

__all__ = ["parser"]

ABOUT = "Scattered marketing touches become one line per customer, each with its worth."
IMPORTED = ("events", "costs", "conversions", "people", "rates", "aggregates")


def parser() -> argparse.ArgumentParser:
    top = Parser(prog="touchline", description=said(ABOUT))
    top.add_argument("--version", action="version", version=touchline.__version__)
    verbs = top.add_subparsers(metavar="VERB", required=True)
    for build in (_init, _serve, _snippet, _import, _attribute, _export, _apply, _dump, _doctor):
        build(verbs)
    _explain(verbs)
    patterns(verbs)
    _roles(verbs)
    lift(verbs)
    _maps(verbs)
    _rebuild(verbs)
    _people(verbs)
    _identity(verbs)
    _consent(verbs)
    _audit(verbs)
    _retention(verbs)
    _verify(verbs)
    _keys(verbs)
    _rejects(verbs)
    _source(verbs)
    _plan(verbs)
    _channel(verbs)
    _links(verbs)
    _qr(verbs)
    attribution_verbs(verbs)
    _demo(verbs)
    return top


def _init(verbs: Any) -> None:
    made = _verb_in(verbs, "init", "Make a workspace in DIR.", "init")
    made.add_argument("--currency", default="CNY", help="what reports count in (default CNY)")
    made.add_argument("--time-zone", default="Asia/Shanghai", help="what a day is")
    made.add_argument("--region", default="CN", help="phone numbers without a country code")
    made.add_argument(
        "--write-key",
        action="append",
        default=[],
        metavar="[NAME=]KEY",
        help="a key for trackers; NAME is the source (again for more)",
    )
    made.add_argument("--admin-key", action="append", default=[], metavar="KEY")


def _serve(verbs: Any) -> None:
    made = _verb(verbs, "serve", "Collect events and answer queries over HTTP.", "serve")
    made.add_argument("dir", type=folder, metavar="DIR", nargs="+")
    made.add_argument("--host", default="127.0.0.1")
    made.add_argument("--port", type=int, default=8700)
    made.add_argument("--role", choices=("all", "collector", "app", "worker"), default="all")


def _snippet(verbs: Any) -> None:
    made = _verb_in(verbs, "snippet", "Print what a web page needs to report to DIR.", "snippet")
    made.add_argument(
        "--source", metavar="NAME", help="whose write key (default web, or the first)"
    )
    made.add_argument("--key", help="the write key itself, where DIR does not know it in clear")
    made.add_argument(
        "--host", default="http://127.0.0.1:8700", help="where browsers reach the collector"
    )
    made.add_argument(
        "--calls", action="store_true", help="for pages that call touchline before it has loaded"
    )


def _import(verbs: Any) -> None:
    made = _verb(verbs, "import", "Read a file into a workspace.", "importing")
    made.add_argument("kind", choices=IMPORTED)
    made.add_argument("file", type=Path, metavar="FILE")
    made.add_argument("--to", type=folder, required=True, metavar="DIR", dest="dir")
    made.add_argument(
        "--map", type=Path, metavar="MAP", help="names the columns: a file, or a name of `maps`"
    )
    made.add_argument("--sheet", metavar="NAME", help="which sheet of a workbook")
    made.add_argument("--source", help="where the rows come from (default: the kind)")
    made.add_argument(
        "--dry-run", action="store_true", help="show what would be read, store nothing"
    )
    made.add_argument("--format", choices=FORMATS, default="table")


def _maps(verbs: Any) -> None:
    made = _verb(verbs, "maps", "List the exports that are recognised, or print a map.", "maps")
    made.add_argument("name", metavar="NAME", nargs="?", help="print this map, to adjust it")
    made.add_argument("--format", choices=FORMATS, default="table")


def _attribute(verbs: Any) -> None:
    made = _verb(verbs, "attribute", "Credit conversions to channels.", "attribute")
    made.add_argument("dir", type=folder, metavar="DIR", nargs="?")
    made.add_argument("--paths", type=Path, metavar="FILE", help="aggregated paths instead of DIR")
    made.add_argument("--models", default="all", help="comma separated (default all)")
    made.add_argument(
        "--by", default="channel", help="channel, and any of campaign, content, stage ..."
    )
    tuning(made)
    made.add_argument("--interval", metavar="PART", help="how sure each figure is, such as 0.95")
    made.add_argument(
        "--replicates", metavar="N", help="draw whole customers so often (interval 0.95)"
    )
    _question(made)
    made.add_argument("--format", choices=FORMATS, default="table")


def _question(made: argparse.ArgumentParser) -> None:
    """Which conversions are asked about."""
    made.add_argument("--goal")
    made.add_argument("--window", help="how long before a conversion (default the goal's, or 90d)")
    made.add_argument("--from", dest="start", metavar="DAY", help="first local day of conversions")
    made.add_argument("--to", dest="end", metavar="DAY", help="last local day of conversions")
    made.add_argument("--as-of", metavar="DAY", help="what was known at the end of that day")


def _roles(verbs: Any) -> None:
    made = _verb_in(verbs, "roles", "Show who opens, helps and closes, and what wins.", "roles")
    made.add_argument(
        "--by", default="channel", help="channel, and any of campaign, content, stage ..."
    )
    made.add_argument("--top", type=int, metavar="N", help="how many paths (default 20)")
    _question(made)
    made.add_argument("--format", choices=FORMATS, default="table")


def _explain(verbs: Any) -> None:
    made = _verb(
        verbs, "explain", "Show what a conversion's credit, or a number, is made of.", "explain"
    )
    made.add_argument("dir", type=folder, metavar="DIR", nargs="?")
    made.add_argument("conversion", metavar="CONVERSION_ID", nargs="?")
    made.add_argument("--models", default="all", help="comma separated (default all)")
    made.add_argument(
        "--model", metavar="NAME", help="the conversions behind a number of this model"
    )
    for name in ("channel", "source", "medium", "campaign", "ad-group", "term", "content"):
        made.add_argument(f"--{name}", help="with --model: of this label ('' for none)")
    for name in ("landing-page", "content-id", "stage"):
        made.add_argument(f"--{name}", help="with --model: of this label ('' for none)")
    made.add_argument("--limit", type=int, metavar="N", help="at most so many (default 1000)")
    made.add_argument("--notes", action="store_true", help="what each model means, and its limits")
    tuning(made)
    _question(made)
    made.add_argument("--format", choices=FORMATS, default="table")


def _export(verbs: Any) -> None:
    made = _verb_in(verbs, "export", "Write a workspace's rows to a file or stdout.", "export")
    made.add_argument("what", choices=("events", "rejects", "people", "credit", "aggregates"))
    made.add_argument("--format", choices=("jsonl", "csv", "parquet"), default="jsonl")
    made.add_argument("--out", type=Path, metavar="FILE")
    made.add_argument("--goal", help="credit: which goal")
    made.add_argument("--models", default="all", help="credit: which models")
    made.add_argument("--window", help="credit: how long before a conversion")
    tuning(made)


def _apply(verbs: Any) -> None:
    made = _verb(verbs, "apply", "Put definitions (goals, channel rules ...) in force.", "define")
    made.add_argument("dir", type=folder, metavar="DIR")
    made.add_argument("file", type=Path, metavar="FILE.toml")
    made.set_defaults(verb="apply")


def _dump(verbs: Any) -> None:
    made = _verb_in(verbs, "dump", "Print the definitions in force.", "define")
    made.set_defaults(verb="dump")


def _doctor(verbs: Any) -> None:
    made = _verb_in(verbs, "doctor", "Check that everything received is accounted for.", "doctor")
    made.add_argument("--format", choices=FORMATS, default="table")


def _rebuild(verbs: Any) -> None:
    _verb_in(verbs, "rebuild", "Derive anew all that can be derived.", "rebuild")


def _people(verbs: Any) -> None:
    own = _group(verbs, "people", "See who is one person, and decide it.")
    _privacy(own)
    made = _verb_in(own, "show", "Print what is known of a person.", "people")
    made.add_argument("person", metavar="PERSON", help="person_id, TYPE:VALUE or a value")
    made.add_argument("--format", choices=FORMATS, default="table")
    made = _verb_in(own, "why", "Explain why two values are one person's, or are not.", "people")
    for of in ("a", "b"):
        made.add_argument(of, metavar=of.upper(), help="person_id, TYPE:VALUE or a value")
    made.add_argument("--format", choices=FORMATS, default="table")
    for name, text in (
        ("merge", "Say that two values are one person's, as far as limits allow."),
        ("unmerge", "Say that two values are not one person's."),
    ):
        made = _verb_in(own, name, text, "people")
        for of in ("a", "b"):
            made.add_argument(of, metavar=of.upper(), help="person_id, TYPE:VALUE or a value")
        _decided(made)
        made.add_argument("--format", choices=FORMATS, default="table")
    _notes(own)
    _belonging(own)
    _preferences_link(own)


def _belonging(own: Any) -> None:
    made = _verb_in(own, "accounts", "List companies, or the people of one.", "accounts")
    made.add_argument("account", nargs="?", metavar="ACCOUNT", help="its id or a domain of it")
    made.add_argument("--limit", type=int, metavar="N", help="at most so many (default 1000)")
    made.add_argument("--format", choices=FORMATS, default="table")
    made = _verb_in(own, "households", "List who shares a home, if [households] is on.", "accounts")
    made.add_argument("--limit", type=int, metavar="N", help="at most so many (default 1000)")
    made.add_argument("--format", choices=FORMATS, default="table")


def _notes(own: Any) -> None:
    for name, text in (
        ("tag", "Put tags on a person, or take them off."),
        ("assign", "Say who looks after a person."),
    ):
        made = _verb_in(own, name, text, "people")
        made.add_argument("person", metavar="PERSON", help="person_id, TYPE:VALUE or a value")
        if name == "tag":
            made.add_argument("tags", nargs="*", metavar="TAG")
            made.add_argument("--remove", action="append", metavar="TAG", help="a tag to take off")
        else:
            made.add_argument("owner", nargs="?", metavar="OWNER", help="default: nobody any more")
        made.add_argument("--author", metavar="NAME", help="who decided (default: who runs this)")
        made.add_argument("--format", choices=FORMATS, default="table")


def _preferences_link(own: Any) -> None:
    made = _verb_in(
        own, "preferences-link", "Make a signed link to a person's preferences.", "consent"
    )
    made.add_argument("person", metavar="PERSON", help="person_id, TYPE:VALUE or a value")
    made.add_argument("--channel", help="what unsubscribing is from (default all marketing)")
    made.add_argument("--days", type=int, metavar="N", help="how long it is good (default 400)")
    made.add_argument("--host", help="where people reach the server (default public_url)")
    made.add_argument("--format", choices=FORMATS[:2], default="table")


def _consent(verbs: Any) -> None:
    own = _group(verbs, "consent", "See and record what people agree to.")
    made = _verb_in(
        own, "show", "Print what a person agreed to, and what that comes to.", "consent"
    )
    made.add_argument("person", metavar="PERSON", help="person_id, TYPE:VALUE or a value")
    made.add_argument("--format", choices=FORMATS, default="table")
    made = _verb_in(own, "register", "Print who gets which field, on what ground.", "consent")
    made.add_argument("--format", choices=FORMATS, default="table")
    made = _verb_in(own, "record", "Record an answer that a person gave.", "consent")
    made.add_argument("person", metavar="PERSON", help="person_id, TYPE:VALUE or a value")
    made.add_argument("--purpose", required=True, help="such as marketing")
    made.add_argument("--channel", help="such as email (default all of the purpose's)")
    said = made.add_mutually_exclusive_group(required=True)
    said.add_argument("--grant", dest="granted", action="store_true", help="they agreed")
    said.add_argument("--refuse", dest="granted", action="store_false", help="they refused")
    made.add_argument("--basis", help="on what ground (default consent)")
    made.add_argument("--text", help="the words that were read")
    made.add_argument("--locale", choices=("en", "zh"), help="their language")
    made.add_argument("--at", metavar="MOMENT", help="when it was said (default now)")
    made.add_argument("--reason", help="how it came about")


def _privacy(own: Any) -> None:
    """What a customer may ask for."""
    made = _verb_in(own, "export", "Write all that is stored of a person into a ZIP.", "privacy")
    made.add_argument("person", metavar="PERSON", help="person_id, TYPE:VALUE or a value")
    made.add_argument("--out", type=Path, required=True, metavar="FILE.zip")
    made = _verb_in(own, "erase", "Erase a person everywhere, with a signed receipt.", "privacy")
    made.add_argument(
        "person", metavar="PERSON", nargs="?", help="person_id, TYPE:VALUE or a value"
    )
    made.add_argument("--reason", help="such as a ticket; it must not name the person")
    made.add_argument("--dry-run", action="store_true", help="show what would go, change nothing")
    made.add_argument("--request", metavar="ID", help="go on with one that was cut short")
    made.add_argument("--out", type=Path, metavar="FILE", help="where the receipt goes")
    made.add_argument("--format", choices=FORMATS, default="table")
    made = _verb_in(own, "erasures", "List requests to be erased, or print a receipt.", "privacy")
    made.add_argument("request", metavar="REQUEST", nargs="?", help="print its receipt")
    made.add_argument("--format", choices=FORMATS, default="table")
    made = _verb_in(own, "readmit", "Take an identifier in again that was erased.", "privacy")
    made.add_argument("identifier", metavar="TYPE:VALUE")
    made.add_argument("--reason", help="why; it must not name the person")


def _retention(verbs: Any) -> None:
    made = _verb_in(verbs, "retention", "Take away what has been kept long enough.", "retention")
    made.add_argument("--dry-run", action="store_true", help="show what would go, change nothing")
    made.add_argument("--format", choices=FORMATS, default="table")


def _verify(verbs: Any) -> None:
    made = _verb(verbs, "verify-receipt", "Check the receipt of an erasure.", "verify")
    made.add_argument("file", type=Path, metavar="FILE")
    made.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="PUBLIC",
        help="a public key or fingerprint of the company, or a file with its list (again for more)",
    )
    made.add_argument("--format", choices=FORMATS[:2], default="table")


def _identity(verbs: Any) -> None:
    own = _group(verbs, "identity", "See and change what makes people.")
    made = _verb_in(
        own, "rules", "Print the rules in force, each with where it is from.", "identity"
    )
    made.add_argument("--format", choices=FORMATS, default="table")
    made = _verb_in(own, "dry-run", "Print what another [identity] would change.", "identity")
    made.add_argument("file", type=Path, metavar="FILE.toml")
    made.add_argument("--format", choices=FORMATS, default="table")
    made = _verb_in(own, "quarantine", "List the values that join nobody, and why.", "identity")
    made.add_argument("--why", choices=("shared", "by_hand", "staff", "pattern"))
    made.add_argument("--limit", metavar="N", help="at most so many (default 1000)")
    made.add_argument("--block", metavar="VALUE", help="a value that shall join nobody")
    made.add_argument("--unblock", metavar="VALUE", help="a value that shall join people")
    _decided(made)
    made.add_argument("--format", choices=FORMATS, default="table")
    made = _verb_in(own, "match", "Find records that may be one person's.", "match")
    made.add_argument(
        "--threshold", metavar="P", help="what is likelier joins by itself (default 0.999; 1: none)"
    )
    made.add_argument("--dry-run", action="store_true", help="count only, keep nothing")
    made.add_argument("--format", choices=FORMATS[:2], default="table")
    made = _verb_in(own, "review", "List what matching suggests, accept or reject one.", "match")
    made.add_argument(
        "--status", choices=("open", "sure", "accepted", "rejected", "all"), default="open"
    )
    made.add_argument("--limit", metavar="N", help="at most so many (default 100)")
    made.add_argument("--accept", type=int, metavar="N", help="the two are one person")
    made.add_argument("--reject", type=int, metavar="N", help="they are not")
    made.add_argument("--reason", help="why, for whoever reads it later")
    made.add_argument("--author", metavar="NAME", help="who decided (default: who runs this)")
    made.add_argument("--format", choices=FORMATS, default="table")
    made = _verb_in(own, "decisions", "List what was decided by hand, or undo one.", "identity")
    made.add_argument("--undo", type=int, metavar="N", help="the number of a decision")
    _decided(made)
    made.add_argument("--format", choices=FORMATS, default="table")


def _decided(made: argparse.ArgumentParser) -> None:
    """What every decision is asked with."""
    made.add_argument("--reason", help="why, for whoever reads it later")
    made.add_argument("--author", metavar="NAME", help="who decided (default: who runs this)")
    made.add_argument("--dry-run", action="store_true", help="show what it changes, decide nothing")


def _audit(verbs: Any) -> None:
    made = _verb_in(verbs, "audit", "List who did and who saw what.", "audit")
    made.add_argument("--action", help="only this, such as person.erase or read.people")
    made.add_argument("--actor", help="only by them, such as key:4f0c2a9d1b77")
    made.add_argument("--person", metavar="PERSON", help="only about them")
    made.add_argument("--from", dest="start", metavar="DAY", help="first day")
    made.add_argument("--to", dest="end", metavar="DAY", help="the day after the last")
    made.add_argument("--limit", metavar="N", help="at most so many (default 1000)")
    made.add_argument("--format", choices=FORMATS, default="table")


def _keys(verbs: Any) -> None:
    own = _group(verbs, "keys", "Make, list and revoke keys.")
    made = _verb_in(own, "create", "Make a key, or give one more aliases.", "keys")
    made.add_argument("--kind", choices=("write", "admin"), default="write")
    made.add_argument("--value", metavar="KEY", help="the key itself (default: one is made up)")
    made.add_argument("--name", help="write key: the source of what it sends (default keyN)")
    made.add_argument(
        "--alias",
        action="append",
        default=[],
        metavar="PROTOCOL:SITE",
        help="what another tracker calls the site, such as matomo:1 (again for more)",
    )
    made.add_argument(
        "--scope",
        action="append",
        default=[],
        choices=("read", "write", "keys", "privacy"),
        help="admin key: what it may do (again for more; default all)",
    )
    made.add_argument("--format", choices=FORMATS[:2], default="table")
    made = _verb_in(own, "list", "List the keys, none by its value.", "keys")
    made.add_argument("--format", choices=FORMATS, default="table")
    made = _verb_in(own, "revoke", "End a key for good.", "keys")
    made.add_argument("key", metavar="KEY", help="its id, its value, or a name only it has")
    made = _verb_in(own, "rotate", "Change the root key, or the key that signs receipts.", "rotate")
    made.add_argument("what", choices=("root", "signing"))
    made.add_argument("--reason", help="why, for the audit log")
    made.add_argument("--format", choices=FORMATS[:2], default="table")
    made = _verb_in(own, "receipts", "List the public keys of receipts, past ones too.", "rotate")
    made.add_argument("--format", choices=FORMATS, default="table")


def _rejects(verbs: Any) -> None:
    own = _group(verbs, "rejects", "See what could not be stored, and store it after all.")
    made = _verb_in(own, "list", "List rejects, each with its reason.", "rejects")
    made.add_argument("--reason", help="only those with this reason")
    made.add_argument("--source", help="only those of this source")
    made.add_argument("--kind", choices=IMPORTED)
    made.add_argument("--status", choices=("open", "replayed", "all"), default="open")
    made.add_argument("--from", dest="start", metavar="DAY", help="first day")
    made.add_argument("--to", dest="end", metavar="DAY", help="the day after the last")
    made.add_argument("--limit", metavar="N", help="at most so many")
    made.add_argument("--format", choices=FORMATS, default="table")
    made = _verb_in(
        own, "replay", "Read rejects again and store those that are right now.", "rejects"
    )
    made.add_argument(
        "--id", action="append", default=[], help="the id of a reject (again for more)"
    )
    made.add_argument("--reason", help="only those with this reason")
    made.add_argument("--source", help="only those of this source")
    made.add_argument("--all", action="store_true", help="all that are open")
    made.add_argument(
        "--payload", type=Path, metavar="FILE", help="JSON that corrects the one --id (- is stdin)"
    )
    made.add_argument("--format", choices=FORMATS[:2], default="table")


def _links(verbs: Any) -> None:
    own = _group(verbs, "links", "Make and list short links, check names.")
    made = _verb_in(own, "create", "Make a short link to a page, for a campaign.", "links")
    made.add_argument("target", metavar="URL", help="the page it leads to")
    _campaign(made)
    made.add_argument("--code", help="what stands behind /l/ (default: made up)")
    made.add_argument("--channel", help="default: what the channel rules say")
    made.add_argument("--label", help="what it is for, to find it again")
    made.add_argument("--owner", help="who looks after it")
    made.add_argument("--expires", metavar="DAY", help="the last day it is good")
    made.add_argument(
        "--person", metavar="TYPE:VALUE", help="whom alone it is for, such as email:ann@shop.cn"
    )
    made.add_argument("--host", help="where visitors reach the server (default public_url)")
    made.add_argument("--dry-run", action="store_true", help="show it, make nothing")
    made.add_argument("--format", choices=FORMATS[:2], default="table")
    made = _verb_in(own, "list", "List short links, the newest first.", "links")
    made.add_argument("--campaign", help="only of this campaign")
    made.add_argument("--source", help="only of this source")
    made.add_argument("--owner", help="only of this owner")
    made.add_argument("--limit", metavar="N", help="at most so many (default 1000)")
    made.add_argument("--host", help="where visitors reach the server (default public_url)")
    made.add_argument("--format", choices=FORMATS, default="table")
    made = _verb_in(own, "check", "Hold the names visitors came with against the rules.", "links")
    made.add_argument("--days", metavar="N", help="how many days back, today included (default 30)")
    made.add_argument("--format", choices=FORMATS, default="table")


def _qr(verbs: Any) -> None:
    made = _verb_in(verbs, "qr", "Draw the QR code of a short link, or of any address.", "links")
    made.add_argument("code", metavar="CODE", nargs="?", help="of a short link")
    made.add_argument("--url", help="an address instead, with what is said of its campaign")
    _campaign(made)
    made.add_argument("--out", type=Path, required=True, metavar="FILE")
    made.add_argument("--format", choices=("svg", "png"), help="default: by the name of FILE")
    made.add_argument("--label", help="a line of text beneath it")
    made.add_argument("--error", choices=("L", "M", "Q", "H"), help="what may be covered")
    made.add_argument("--border", type=int, metavar="N", help="quiet zone in modules (default 4)")
    made.add_argument("--scale", type=int, metavar="N", help="pixels of a module (default 8)")
    made.add_argument("--font", metavar="FILE", help="PNG: the font of the label")
    made.add_argument("--host", help="where visitors reach the server (default public_url)")
    made.set_defaults(verb="qr")


def _campaign(made: argparse.ArgumentParser) -> None:
    """What is said of a campaign."""
    for name in ("source", "medium", "campaign", "ad-group", "term", "content"):
        made.add_argument(f"--{name}", metavar="NAME")


def _channel(verbs: Any) -> None:
    own = _group(verbs, "channel", "See which channel a visit gets.")
    made = _verb_in(
        own, "explain", "Print a visit's channel, and the rule that decides.", "channel"
    )
    made.add_argument("--url", metavar="U", help="address of the page")
    made.add_argument("--referrer", metavar="R", help="where the link to it was")
    made.add_argument("--user-agent", metavar="A", help="the visitor's browser")
    made.add_argument("--mode", choices=("extended", "ga4"), help="default: that in force")
    made.add_argument("--format", choices=FORMATS[:2], default="table")


def _plan(verbs: Any) -> None:
    own = _group(verbs, "plan", "Say which events and touchpoints there should be, and check it.")
    made = _verb_in(
        own, "check", "List what goes against the plan; exit 1 if anything does.", "plan"
    )
    made.add_argument("--days", metavar="N", help="how many days back, today included (default 7)")
    made.add_argument("--format", choices=FORMATS, default="table")
    made = _verb_in(own, "map", "List the touchpoints, each with its status.", "plan")
    made.add_argument("--days", metavar="N", help="how many days back, today included (default 7)")
    made.add_argument("--format", choices=FORMATS, default="table")
    made = _verb_in(own, "new", "Begin with the plan and the touchpoints of a business.", "plan")
    made.add_argument(
        "--template",
        required=True,
        metavar="NAME",
        help="beauty-retail, precision-manufacturing or saas",
    )
    made.add_argument("--language", choices=("en", "zh"), help="of names (default the terminal's)")
    made.add_argument("--print", action="store_true", help="print it, put nothing in force")
    made = _verb_in(own, "infer", "Print a plan that describes the events that came in.", "plan")
    made.add_argument("--days", metavar="N", help="how many days back, today included (default 30)")
    made.add_argument("--format", choices=("toml", "json"), default="toml")


def _source(verbs: Any) -> None:
    own = _group(verbs, "source", "Pull rows from an API, a database or a folder.")
    made = _verb_in(own, "add", "Add the sources of a definition file, or replace them.", "source")
    made.add_argument("file", type=Path, metavar="FILE.toml")
    made.add_argument(
        "--secret",
        action="append",
        default=[],
        metavar="NAME",
        help="a credential the file names as secret:NAME: asked for, or a line of stdin",
    )
    made = _verb_in(own, "run", "Pull what is new now.", "source")
    made.add_argument("name", metavar="NAME")
    made.add_argument("--from", dest="start", metavar="DAY", help="again from this day on")
    made.add_argument("--dry-run", action="store_true", help="show the first rows, store nothing")
    made.add_argument("--format", choices=FORMATS, default="table")
    made = _verb_in(own, "list", "List the sources, or the runs of one.", "source")
    made.add_argument("name", metavar="NAME", nargs="?")
    made.add_argument("--format", choices=FORMATS, default="table")
    for name, text in (
        ("stop", "End a run in its course."),
        ("remove", "Remove a source; what it brought stays."),
    ):
        made = _verb_in(own, name, text, "source")
        made.add_argument("name", metavar="NAME")


def _demo(verbs: Any) -> None:
    made = _verb(verbs, "demo", "Build the demo company, print its report, serve it.", "demo")
    made.add_argument("--dir", type=folder, default=Path("demo-data/workspace"))
    made.add_argument("--people", type=int, default=20_000)
    made.add_argument("--seed", type=int, default=2026)
    made.add_argument("--port", type=int, default=8700)
    made.add_argument("--no-serve", action="store_true")
