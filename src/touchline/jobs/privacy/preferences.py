"""The preference page's side of the worker: links made and read, what is shown, what is taken.

What somebody withdraws is in the ledger before they are answered, for the identifier their link was
made for; the strictest holds, so the person is refused from that moment. The job behind it writes
the same for their other identifiers, and the events. Only `linking` waits for the job.
"""

import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from touchline import clock
from touchline.collect.consent_rules import LINKING, ConsentRules, channel_label
from touchline.collect.makers.form import in_language
from touchline.collect.mask import in_part
from touchline.collect.nodes import clear_traits, clear_values, is_erased
from touchline.collect.preference_link import (
    PREFERENCES,
    UNSUBSCRIBE,
    PreferenceSigner,
    Preferred,
)
from touchline.errors import BadInput, NotFound
from touchline.identity.consent import has_child, permissions
from touchline.identity.people import Registry
from touchline.identity.profile import find_person, in_order
from touchline.jobs import job
from touchline.jobs.audited import done
from touchline.jobs.definitions import consent_rules
from touchline.jobs.links import public
from touchline.jobs.privacy.consent import SOURCE, Answer
from touchline.model import Consent, Said, permission
from touchline.storage.consent import ledger, text_hash, texts, written
from touchline.storage.workspace import Workspace

__all__ = ["link", "page", "prefer", "unsubscribe"]

DAYS = 400  # a link in last year's mail still unsubscribes
MOST_DAYS = 3660
SOON_S = 5.0
MAX_TOLD = 500
TOLD_BY = ("email", "phone")


def link(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> dict[str, Any]:
    """Signed links of one person: to their preferences, and to unsubscribe at once from `channel`
    (all marketing without one), with the headers that a mail is to carry for it.
    """
    with workspace.view() as view:
        people = registry.at(view)
        person = find_person(workspace, people, args["person"])
        node, person_id = people.node_ids(person)[0], people.person_ids[person]
    days = DAYS if args.get("days") is None else args["days"]
    if type(days) is not int or not 1 <= days <= MOST_DAYS:
        why = f"is not a number of days from 1 to {MOST_DAYS}."
        raise BadInput("bad_argument", name="days", value=days, why=why)
    channel = args.get("channel") or ""
    known = consent_rules(workspace).purpose("marketing").channels
    if channel and channel not in known:
        why = f"is no channel of marketing; known are {', '.join(known)}."
        raise BadInput("bad_argument", name="channel", value=channel[:80], why=why)
    until_us = clock.now_us() + days * clock.DAY_US
    about, signer = Preferred(node, until_us // clock.US, channel), _signer(workspace)
    host = public(workspace, args.get("host")) or ""
    done(workspace, "consent.link", person_id=person_id)
    leave = f"{host}/unsubscribe/{signer.token(UNSUBSCRIBE, about)}"
    return {
        "url": f"{host}/preferences/{signer.token(PREFERENCES, about._replace(channel=''))}",
        "unsubscribe_url": leave,
        "headers": {
            "List-Unsubscribe": f"<{leave}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
        "expires_at": clock.iso(until_us),
    }


def page(workspace: Workspace, registry: Registry, args: dict[str, Any]) -> dict[str, Any]:
    """What the page of a link shows. NotFound("link_over") for one that is none."""
    about, language = _read(workspace, args["use"], args["token"]), args["language"]
    with workspace.view() as view:
        people = registry.at(view)
        (person,) = people.person_of([about.node])
        nodes = [about.node] if person is None else people.node_ids(person)
    rules = consent_rules(workspace)
    return {
        "who": _known_by(workspace, about.node, nodes),
        "is_child": has_child(workspace, nodes, rules),
        "policy": in_language(rules.policy, language),
        "channel": channel_label(about.channel, language) if about.channel else "",
        "purposes": [
            {
                "key": f"{row['purpose']}.{row['channel']}" if row["channel"] else row["purpose"],
                "purpose": row["purpose"],
                "label": in_language(rules.asked[row["purpose"]].label, language) or row["purpose"],
                "text": in_language(rules.asked[row["purpose"]].text, language),
                "channel": channel_label(row["channel"], language) if row["channel"] else "",
                "is_on": row["permission"].is_allowed,
            }
            for row in permissions(workspace, nodes)
            if not rules.asked[row["purpose"]].is_hidden
        ],
        "questions": _questions(workspace, rules, nodes, language),
    }


def prefer(workspace: Workspace, args: dict[str, Any]) -> dict[str, Any]:
    """Takes what somebody changed: `changes` {key: yes or no}, `told` {question: text}."""
    about, language = _read(workspace, PREFERENCES, args["token"]), args["language"]
    rules = consent_rules(workspace)
    said: list[Said] = []
    words: list[tuple[str, str]] = []
    for key, is_granted in args["changes"].items():
        purpose, _, channel = key.partition(".")
        asked = rules.asked.get(purpose)
        if asked is None or asked.is_hidden or channel not in (asked.channels or ("",)):
            continue
        text = asked.words(language)
        words.append((text, language))
        basis = "guardian_consent" if args.get("guardian") else "separate_consent"
        said.append(
            Said(
                purpose=purpose,
                channel=channel,
                is_granted=bool(is_granted),
                basis=basis,
                text=text_hash(text, language),
                locale=language,
            )
        )
    said += list(_whole(rules, said))
    told = {name: text for name, text in args["told"].items() if _is_answer(rules, name, text)}
    workspace.state.write(texts(workspace.state, words))
    return _taken(workspace, about, tuple(said), told, f"page:{PREFERENCES}")


def unsubscribe(workspace: Workspace, args: dict[str, Any]) -> dict[str, Any]:
    """Ends marketing by the channel of the link, or all of it. Once more changes nothing."""
    about = _read(workspace, UNSUBSCRIBE, args["token"])
    said = Said(purpose="marketing", channel=about.channel, is_granted=False)
    if _has_left(workspace, about):
        return {"changed": 0}
    return _taken(workspace, about, (said,), {}, f"page:{UNSUBSCRIBE}")


def _whole(rules: ConsentRules, said: Sequence[Said]) -> Iterator[Said]:
    """Who refuses every way of a purpose refuses it as such: a yes to all, and ways to come."""
    refused = {(one.purpose, one.channel): one for one in said if not one.is_granted}
    for name, asked in rules.asked.items():
        own = [refused[name, by] for by in asked.channels if (name, by) in refused]
        if own and len(own) == len(asked.channels):
            yield msgspec.structs.replace(own[0], channel="")


def _has_left(workspace: Workspace, about: Preferred) -> bool:
    """Whether all that the link ends is refused already: by whom it was made for, so by them."""
    marketing = consent_rules(workspace).purpose("marketing")
    said, now = ledger(workspace.state, [about.node]), clock.now_us()
    channels = [about.channel] if about.channel else ["", *marketing.channels]
    return all(
        permission(said, marketing, channel, at_us=now).why == "withdrawn" for channel in channels
    )


def _known_by(workspace: Workspace, node: bytes, nodes: list[bytes]) -> str:
    """What somebody knows themselves by: an address or a number rather than our id of them."""
    clear = clear_values(workspace, nodes)
    own = clear.get(node)
    if own is None:
        return ""
    known = [one for _, one in in_order(clear, nodes) if one.type in TOLD_BY]
    return in_part(own if own.type in TOLD_BY or not known else known[0])


def _taken(
    workspace: Workspace,
    about: Preferred,
    said: tuple[Said, ...],
    told: dict[str, str],
    source: str,
) -> dict[str, Any]:
    if not (said or told):
        return {"changed": 0}
    now, state = clock.now_us(), workspace.state
    given = Answer(
        act=secrets.token_bytes(16),
        said=tuple(msgspec.structs.replace(one, at_us=now) for one in said),
        source=source,
        node=about.node,
        told=workspace.vault.seal(msgspec.json.encode(told), b"told") if told else b"",
    )
    # A refusal to be linked takes the person apart, so first all its identifiers are to be known.
    at_once = [_row(given, one, now) for one in given.said if one.purpose != LINKING]
    state.write(*written(state, at_once))
    number = job.submit(state, "consent", msgspec.to_builtins(given))
    job.told(state, number, patience_s=SOON_S)
    return {"changed": len(said) + len(told)}


def _row(given: Answer, said: Said, now_us: int) -> Consent:
    node, act, source = given.node, given.act, given.source
    return said.row(node, act=act, source=source, at_us=now_us, known_at_us=now_us)


def _read(workspace: Workspace, use: str, token: str) -> Preferred:
    found = _signer(workspace).read(use, token, clock.now_us() // clock.US)
    if found is None or is_erased(workspace, found.node):
        raise NotFound("link_over")
    return found


def _signer(workspace: Workspace) -> PreferenceSigner:
    return PreferenceSigner(workspace.vault.derived("preferences"))


def _is_answer(rules: ConsentRules, name: str, text: str) -> bool:
    question = rules.questions.get(name)
    if question is None or not text or len(text) > MAX_TOLD:
        return False
    choices = dict(question.options("en"))
    return not choices or text in choices


def _questions(
    workspace: Workspace, rules: ConsentRules, nodes: list[bytes], language: str
) -> list[dict[str, Any]]:
    """With what was answered here before; what is known in other ways is not shown."""
    traits = clear_traits(workspace, nodes) if rules.questions else {}
    answered = {
        trait.name: str(trait.value)
        for own in traits.values()
        for trait in sorted(own, key=lambda one: one.ts_us)
        if trait.source == SOURCE
    }
    return [
        {
            "name": name,
            "label": in_language(question.label, language) or name,
            "options": question.options(language),
            "value": answered.get(name, ""),
        }
        for name, question in rules.questions.items()
    ]
