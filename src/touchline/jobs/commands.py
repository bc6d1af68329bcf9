"""Changes that the API asks of the worker: name → what makes the change and tells of it.

Small ones are done at once. What takes long or writes to the lake is a job (`kinds`): who asked
gets its result, or, when that takes too long, its number to ask again.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from touchline.identity.people import Registry
from touchline.jobs import definitions, job, keys, lift, links, mails
from touchline.jobs.imports import pull, sources
from touchline.jobs.intake.replay import asked
from touchline.jobs.people import matching
from touchline.jobs.plan import plan_template
from touchline.jobs.privacy import consent, erase, preferences, register, rotate
from touchline.storage.workspace import Workspace

__all__ = ["COMMANDS"]

PATIENCE_S = 30.0
SOON_S = 2.0

Command = Callable[[Workspace, Registry, dict[str, Any]], Any]


def _job(
    workspace: Workspace, kind: str, args: dict[str, Any], patience_s: float | None = None
) -> dict[str, Any]:
    number = job.submit(workspace.state, kind, args)
    patience_s = PATIENCE_S if patience_s is None else patience_s
    return job.told(workspace.state, number, patience_s=patience_s)


def _create_key(workspace: Workspace, _: Registry, args: dict[str, Any]) -> Any:
    return keys.create(workspace, msgspec.convert(args, keys.Wanted))


def _add_lift(workspace: Workspace, _: Registry, args: dict[str, Any]) -> Any:
    return lift.add(workspace, msgspec.convert(args, lift.Wanted))


def _create_links(workspace: Workspace, _: Registry, args: dict[str, Any]) -> Any:
    wanted = [msgspec.convert(one, links.Wanted) for one in args["links"]]
    made = links.create(workspace, wanted, host=args.get("host"), is_trial=args["is_trial"])
    return made[0] if args["is_one"] else made


def _sign_mails(workspace: Workspace, _: Registry, args: dict[str, Any]) -> Any:
    wanted = [msgspec.convert(one, mails.Wanted) for one in args["mails"]]
    made = mails.sign(workspace, wanted, host=args.get("host"))
    return made[0] if args["is_one"] else made


def _apply(workspace: Workspace, _: Registry, args: dict[str, Any]) -> Any:
    # Sealed before they lie in a job.
    documents = definitions.sealed(workspace, definitions.checked(args, "PUT"))
    return _job(workspace, "apply", {"documents": documents, "author": "api"})


def _begin_plan(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> Any:
    begun = plan_template.begin(workspace, args["template"], args["language"])
    return _apply(workspace, registry, begun)


def _add_sources(workspace: Workspace, _: Registry, args: dict[str, Any]) -> Any:
    names = sources.add(workspace, args["sources"], args.get("secrets") or {}, args["author"])
    return {"sources": names}


def _run_source(workspace: Workspace, _: Registry, args: dict[str, Any]) -> Any:
    sources.source_named(workspace, args["source"])
    return _job(workspace, "pull", args, SOON_S)


def _erase(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> Any:
    request = erase.ask(workspace, registry, args["person"], args.get("reason"))
    number = erase.queued(workspace, request)
    return job.told(workspace.state, number, patience_s=PATIENCE_S) | {"request": request}


def _readmit(workspace: Workspace, _: Registry, args: dict[str, Any]) -> Any:
    erase.readmit(workspace, args["identifier"], args.get("reason"))
    return {}


def _rotate(workspace: Workspace, _: Registry, args: dict[str, Any]) -> Any:
    return _job(workspace, "rotate", rotate.ask(workspace, args["what"], args.get("reason")))


def _remove_source(workspace: Workspace, _: Registry, args: dict[str, Any]) -> Any:
    sources.remove(workspace, args["source"], args["author"])
    return {"source": args["source"]}


COMMANDS: dict[str, Command] = {
    "apply": _apply,
    "definitions": lambda workspace, *_: definitions.held(workspace),
    "begin_plan": _begin_plan,
    "add_lift": _add_lift,
    "remove_lift": lambda workspace, _, args: lift.remove(workspace, args["name"]),
    "add_sources": _add_sources,
    "register": lambda workspace, _, args: register.register(workspace, args),
    "record_consent": consent.record,
    "prefer": lambda workspace, _, args: preferences.prefer(workspace, args),
    "unsubscribe": lambda workspace, _, args: preferences.unsubscribe(workspace, args),
    "erase_person": _erase,
    "erasures": lambda workspace, *_: erase.erasures(workspace),
    "readmit": _readmit,
    "receipt": lambda workspace, _, args: msgspec.Raw(erase.receipt_of(workspace, args["request"])),
    "receipt_keys": lambda workspace, *_: rotate.receipt_keys(workspace),
    "retain": lambda workspace, *_: _job(workspace, "retain", {}),
    "rotate_key": _rotate,
    "cancel_job": lambda workspace, _, args: job.cancel(workspace.state, args["number"]),
    "job": lambda workspace, _, args: job.told(workspace.state, args["number"]),
    "keys": lambda workspace, *_: keys.keys(workspace),
    "create_key": _create_key,
    "create_links": _create_links,
    "link": lambda workspace, _, args: links.link(workspace, args["code"], host=args.get("host")),
    "match": lambda workspace, _, args: _job(workspace, "match", matching.asked(args)),
    "replay": lambda workspace, _, args: _job(workspace, "replay", asked(workspace, args)),
    "preview_source": lambda workspace, _, args: pull.preview(workspace, args["source"]),
    "remove_source": _remove_source,
    "run_source": _run_source,
    "source_runs": lambda workspace, _, args: sources.logged(workspace, args),
    "sign_mails": _sign_mails,
    "sources": lambda workspace, _, args: sources.listed(workspace, args),
    "revoke_key": lambda workspace, _, args: keys.revoke(workspace, args["key"]),
}
