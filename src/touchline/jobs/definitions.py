"""A site's definition file ↔ State: checked as a whole before anything of it is stored.

    [[goal]]  [channel]  [[channel_rule]]  [source_alias]  [source_kind]  [bots]  [identity]  [site]
    [naming]  [[role]]  [[alias]]  [[webhook]]  [attribution]
    [profile]  [[computed_trait]]  [[member_stage]]  [[ticket]]
    [consent]  [[recipient]]  [[assessment]]  [[form]]  [[promo_code]]  [[reported_source]]
    [[retention]]  [plan]  [[event]]  [[touchpoint]]  [accounts]  [households]

`[site]` holds own_hosts and the like. Other top-level names are refused, so that a misspelt
table is not silently without effect.
"""

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from touchline.collect.alias import aliases, source_spellings
from touchline.collect.bots import BotRules
from touchline.collect.channel import ChannelRules
from touchline.collect.connectors.definition import sources
from touchline.collect.consent_rules import ConsentRules
from touchline.collect.consent_words import check_purposes, words_of
from touchline.collect.makers import makers
from touchline.collect.makers.webhook import Unsealing
from touchline.collect.naming import Naming, naming
from touchline.collect.outdated import Outdated, readable
from touchline.collect.plan_spec import events_of
from touchline.collect.retention import retentions
from touchline.collect.sharing import KINDS as SHARING_KINDS
from touchline.collect.sharing import Register
from touchline.collect.site import Site
from touchline.errors import BadInput
from touchline.identity.account_rules import ACCOUNT_KINDS, AccountRules
from touchline.identity.match.extra import needed
from touchline.identity.profile_rules import ProfileRules
from touchline.identity.rules import Rules
from touchline.jobs import cron
from touchline.jobs.plan.planned import Planned, all_goals, planned
from touchline.jobs.role import roles
from touchline.journey.goal import DEFAULT, Goal, goals
from touchline.journey.profile_spec import profile_spec
from touchline.measure.crediting import Crediting
from touchline.measure.provisional import Finality
from touchline.storage import definition
from touchline.storage.consent import texts
from touchline.storage.workspace import Workspace

__all__ = [
    "apply",
    "channels_of",
    "checked",
    "consent_rules",
    "dump",
    "goals_of",
    "held",
    "in_force",
    "newer_site",
    "outdated",
    "planned_of",
    "read_file",
    "sealed",
    "site_of",
]

CHANNEL_KINDS = ("channel", "channel_rule", "source_alias", "source_kind")
PLAN_KINDS = ("plan", "event", "touchpoint")
KINDS = (
    "site",
    "goal",
    "attribution",
    *CHANNEL_KINDS,
    "alias",
    "spend_final_after",
    "bots",
    "identity",
    *ACCOUNT_KINDS,
    "naming",
    "profile",
    "computed_trait",
    "member_stage",
    "ticket",
    "consent",
    *SHARING_KINDS,
    "retention",
    "role",
    "source",
    *makers.KINDS,
    *PLAN_KINDS,
)


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[site]`."""

    own_hosts: frozenset[str] = frozenset()
    payment_hosts: frozenset[str] = frozenset()
    sessions_end_at_midnight: bool = False


def read_file(path: Path) -> dict[str, Any]:
    """A checked definition file. Raises BadInput that names the place and the remedy."""
    try:
        documents = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise BadInput("file_missing", path=path) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput("file_unreadable", path=path, format="TOML", reason=error) from error
    return checked(documents, path)


def checked(documents: dict[str, Any], path: object) -> dict[str, Any]:
    """Documents of known kinds, each in order. `path`: where they came from."""
    unknown = [kind for kind in documents if kind not in KINDS]
    if unknown:
        raise BadInput("unknown_definition", path=path, name=unknown[0], known=", ".join(KINDS))
    _check(documents)
    return documents


def apply(workspace: Workspace, documents: dict[str, Any], author: str = "cli") -> list[str]:
    """Puts documents in force; returns the kinds that changed. The rest stays as it is."""
    changed = definition.save(workspace.state, sealed(workspace, documents), author)
    state = workspace.state
    state.write(texts(state, words_of(definition.current(state))))
    return changed


def sealed(workspace: Workspace, documents: dict[str, Any]) -> dict[str, Any]:
    """Documents, checked, as they may lie in State: a secret in them is readable no more."""
    held, vault = definition.current(workspace.state), workspace.vault
    whole = {**readable(held)[0], **documents}
    _check(whole, vault.open)
    check_purposes(whole)
    profile_spec(whole, (DEFAULT.name, *(goal.name for goal in _goals(whole))))
    Register.of(whole).check(ConsentRules.of(whole))
    return makers.sealed(documents, held, vault.seal, vault.open)


def dump(workspace: Workspace) -> str:
    """What is in force, as a file that `apply` takes."""
    return tomli_w.dumps(held(workspace))


def held(workspace: Workspace) -> dict[str, Any]:
    """Kind -> its documents in force."""
    found = definition.current(workspace.state)
    return {kind: found[kind] for kind in KINDS if kind in found}


def in_force(workspace: Workspace, as_of_us: int | None = None) -> dict[str, Any]:
    """The same, without the expressions that are no longer matched: they stop nothing else."""
    return readable(definition.current(workspace.state, as_of_us))[0]


def outdated(workspace: Workspace) -> list[Outdated]:
    """Expressions that are no longer matched."""
    return readable(definition.current(workspace.state))[1]


def goals_of(workspace: Workspace, as_of_us: int | None = None) -> tuple[Goal, ...]:
    """Goals in force now, or those of a moment: see `definition.known`."""
    return _goals(definition.known(workspace.state, as_of_us))


def planned_of(workspace: Workspace) -> Planned:
    """The tracking plan, the map of touchpoints and the goals in force."""
    held = in_force(workspace)
    return planned(held, _goals(held), channels_of(held).sources)


def newer_site(workspace: Workspace, number: int) -> tuple[int, Site] | None:
    """The site and the number of its newest definition, unless that is `number` still."""
    newest = definition.newest(workspace.state)
    return None if newest == number else (newest, site_of(workspace))


def naming_of(workspace: Workspace) -> Naming:
    """How campaigns are to be named."""
    return naming(definition.current(workspace.state).get("naming", {}))


def consent_rules(workspace: Workspace) -> ConsentRules:
    """What people are asked for."""
    return ConsentRules.of(definition.current(workspace.state))


def site_of(workspace: Workspace, as_of_us: int | None = None) -> Site:
    """What turning requests into events needs to know of this workspace."""
    held = in_force(workspace, as_of_us)
    facts = _facts(held.get("site", {}))
    return Site(
        workspace=workspace.id,
        time_zone=workspace.time_zone,
        currency=workspace.currency,
        region=workspace.region,
        own_hosts=facts.own_hosts,
        payment_hosts=facts.payment_hosts,
        channels=channels_of(held),
        bots=BotRules.of(held.get("bots", {})),
        keep_ip=workspace.settings.keep_ip,
        keeps_visitors=workspace.settings.visitor_cookie,
        makers=makers.makers(held, workspace.vault.open),
    )


def session_zone(workspace: Workspace, as_of_us: int | None = None) -> str | None:
    """The zone at whose midnight sessions end; None where they go on over it."""
    facts = _facts(definition.current(workspace.state, as_of_us).get("site", {}))
    return workspace.time_zone if facts.sessions_end_at_midnight else None


def _check(documents: dict[str, Any], opened: Unsealing = lambda sealed, _: sealed) -> None:
    Finality.of(documents, "UTC")
    Crediting.of(documents)
    planned(documents, _goals(documents), channels_of(documents).sources)
    Rules.from_document(documents)
    for source in sources(documents.get("source", [])):
        cron.parse(source.schedule or "@daily")
    naming(documents.get("naming", {}))
    _facts(documents.get("site", {}))
    BotRules.of(documents.get("bots", {}))
    if AccountRules.of(documents).most is not None:
        needed("pypinyin")  # which reads family names
    ProfileRules.of(documents)
    ConsentRules.of(documents)
    Register.of(documents)
    retentions(documents)
    roles(documents)
    makers.makers(documents, opened)


def _goals(documents: dict[str, Any]) -> tuple[Goal, ...]:
    return all_goals(goals(_list(documents.get("goal", []))), events_of(documents))


def channels_of(documents: dict[str, Any], mode: str | None = None) -> ChannelRules:
    """Channel rules of documents; `mode` instead of the one they choose."""
    own = {kind: documents[kind] for kind in CHANNEL_KINDS if kind in documents}
    spelt = {"source_alias": source_spellings(aliases(documents.get("alias", [])))}
    return ChannelRules.compile([own, spelt], by=mode)


def _facts(table: Any) -> Facts:
    try:
        return msgspec.convert(table, Facts)
    except msgspec.ValidationError as error:
        raise BadInput("bad_site", why=error) from error


def _list(value: Any) -> list[dict[str, object]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise BadInput("bad_goal", name="goal", why="write it as [[goal]]")
    return value
