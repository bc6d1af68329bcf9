"""Every column that could hold somebody → what an erasure does with it. Said here and nowhere else.

    THEIRS   an identifier or a person: the row goes (of a list of identifiers, theirs; the row too,
             if one of theirs speaks for it)
    TEXT     what people wrote: words of theirs are cut out of it
    JSON     the same, in strings and numbers of JSON; of its keys only addresses and numbers
    LABEL    what somebody called something: the same, but a chosen identifier that is the whole of
             it says nothing about anybody
    ID       the number of something: becomes another, the same wherever it stands
    PASSING  a job: it goes if it is about them, or has ended
    NAME     how the site calls its own things, and words of ours: never touched. What stands there
             is told as `left`; a chosen identifier that is one of them says nothing, either
    PROOF    may not change and must name nobody: searched
    SEALED   opened by a key alone; found by whose it is
    MADE     of what the lake says, packed: emptied as a whole, for it is made anew; searched

A user id may be any word, also that of an event or of a property: whoever sends one must not be
able to change what is others' by having it erased. Columns of numbers hold nobody.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto

import sqlalchemy as sa

__all__ = ["LAKE", "STATE", "Fate", "columns_of", "owners", "theirs"]


class Fate(Enum):
    THEIRS = auto()
    TEXT = auto()
    JSON = auto()
    LABEL = auto()
    ID = auto()
    PASSING = auto()
    NAME = auto()
    PROOF = auto()
    SEALED = auto()
    MADE = auto()


def _of(**fates: str) -> Mapping[str, Fate]:
    return {name: Fate[fate.upper()] for fate, names in fates.items() for name in names.split()}


STATE: Mapping[str, Mapping[str, Fate]] = {
    "access_key": _of(name="key_hash kind name scopes"),
    "audit": _of(name="actor action", proof="about reason previous hash"),
    "blocked_node": _of(theirs="node_id", name="pattern"),
    "consent": _of(theirs="node", label="source", name="act purpose channel basis text locale"),
    "consent_text": _of(name="hash locale text"),
    "decision": _of(theirs="a b", label="author", text="reason", name="kind"),
    "definition": _of(label="author", name="kind document"),
    "erased_count": _of(name="source"),
    "erasure": _of(name="request_id step", proof="receipt", sealed="sealed_plan"),
    "identity_beside": _of(made="alone other"),
    "identity_component": _of(made="nodes edges days apps touches"),
    "identity_node": _of(made="node_id"),
    "intake": _of(name="source"),
    "job": _of(passing="args cursor result error", name="kind"),
    "key_alias": _of(name="alias key_hash"),
    "lift_test": _of(
        label="author", name="name kind goal channel campaign metric first_day last_day"
    ),
    "link": _of(
        theirs="person_node",
        label="label owner term",
        name="code target source medium campaign ad_group content channel",
    ),
    "mail_domain": _of(theirs="node_id", name="domain_id"),
    "mark": _of(name="name"),
    "node": _of(theirs="node_id", name="type", sealed="wrapped_key sealed_value"),
    "off_plan": _of(text="example", name="source event property reason"),
    "person_change": _of(theirs="person_id other_id", name="kind cause"),
    "person_note": _of(theirs="node_id", label="value author", name="kind"),
    "reject": _of(
        name="source kind reason",
        text="message_id",
        sealed="reject_id sealed_payload sealed_request",
    ),
    "schedule": _of(name="name cron"),
    "secret": _of(name="name", sealed="sealed_value"),
    "sighting": _of(name="touchpoint"),
    "source_cursor": _of(name="source cursor"),
    "source_run": _of(name="source cursor_before cursor_after error"),
    "suggestion": _of(theirs="a b", name="bits model"),
    "tombstone": _of(name="hash request_id"),
    "trait": _of(theirs="node_id", name="name source", sealed="sealed_value"),
}

# A column is called the same in whatever table of the lake it stands.
LAKE: Mapping[str, Fate] = _of(
    theirs="node_ids node node_id person_id",
    text="page_url page_title landing_page click_ids",
    json="properties context lines",
    label="term tag author",
    id="message_id order_id conversion_id",
    name="source type name channel source_name medium campaign ad_group content referrer_host "
    "store_code staff_id account_id content_id currency stage consent kind place base quote rate "
    "touched_type reason party purpose basis bucket event_id content_hash",
    sealed="sealed_value",
)


def owners(table: sa.Table) -> list[sa.Column[bytes] | sa.Column[str]]:
    """Columns of a table of State that say whose a row is."""
    return [table.c[name] for name, fate in STATE[table.name].items() if fate is Fate.THEIRS]


def theirs(
    table: sa.Table, nodes: Sequence[bytes], ids: Sequence[str]
) -> list[sa.ColumnElement[bool]]:
    """Its rows that are of one of these identifiers, or of a person by one of these ids."""
    return [
        column.in_(nodes if isinstance(column.type, sa.LargeBinary) else ids)
        for column in owners(table)
    ]


def columns_of(*fates: Fate) -> frozenset[str]:
    """Columns of the lake with one of these."""
    return frozenset(name for name, fate in LAKE.items() if fate in fates)
