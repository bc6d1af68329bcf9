"""State: everything small and changeable, in SQLite or PostgreSQL. One schema, plain tables.

Large and immutable things (events, conversions, costs) are in the lake. Binary ids are 16 bytes.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)

__all__ = [
    "access_key",
    "audit",
    "blocked_node",
    "consent",
    "consent_text",
    "decision",
    "definition",
    "erased_count",
    "erasure",
    "identity_beside",
    "identity_component",
    "identity_node",
    "intake",
    "job",
    "key_alias",
    "lift_test",
    "link",
    "mail_domain",
    "mark",
    "metadata",
    "node",
    "off_plan",
    "person_change",
    "person_note",
    "reject",
    "schedule",
    "secret",
    "sighting",
    "source_cursor",
    "source_run",
    "suggestion",
    "tombstone",
    "trait",
]

metadata = MetaData()
_auto = BigInteger().with_variant(Integer, "sqlite")


@event.listens_for(metadata, "before_create")
def _never_again(*_: object, **__: object) -> None:
    """A number that was given is not given again, though its row is gone: others remember it."""
    for table in metadata.tables.values():
        is_auto = any(column.type is _auto for column in table.primary_key)
        table.dialect_options["sqlite"]["autoincrement"] = is_auto


# Keys of trackers ("write", name = the source) and of people who administer ("admin"). `scopes`:
# what an admin key may do, with commas; null is all. A revoked key stays: it never comes back.
access_key = Table(
    "access_key",
    metadata,
    Column("key_hash", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("name", String(200), nullable=False),
    Column("scopes", String(200)),
    Column("created_us", BigInteger),
    Column("revoked_us", BigInteger),
)

# What other protocols call the site of a write key: `matomo:1`.
key_alias = Table(
    "key_alias",
    metadata,
    Column("alias", String(300), primary_key=True),
    Column("key_hash", String(64), nullable=False),
)

# Short links. `person_node`: whom alone one was made for; the value in clear is that node's.
link = Table(
    "link",
    metadata,
    Column("code", String(64), primary_key=True),
    Column("target", Text, nullable=False),
    Column("source", String(255)),
    Column("medium", String(255)),
    Column("campaign", String(255)),
    Column("ad_group", String(255)),
    Column("term", String(255)),
    Column("content", String(255)),
    Column("channel", String(255)),
    Column("label", String(200)),
    Column("owner", String(200)),
    Column("person_node", LargeBinary(16)),
    Column("created_us", BigInteger, nullable=False, index=True),
    Column("expires_us", BigInteger),
)

# Tests of what marketing causes, only ever added to: of one name the last row holds, unless it says
# that there is none. `effect` and its standard error are of all that `channel` or `campaign` did on
# these days (2026-03-31, inclusive): conversions of `goal`, or money in minor units.
lift_test = Table(
    "lift_test",
    metadata,
    Column("id", _auto, primary_key=True),
    Column("name", String(200), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("goal", String(200), nullable=False),
    Column("channel", String(255), nullable=False),
    Column("campaign", String(255)),
    Column("metric", String(16), nullable=False),
    Column("first_day", String(10), nullable=False),
    Column("last_day", String(10), nullable=False),
    Column("effect", Float, nullable=False),
    Column("error", Float, nullable=False),
    Column("is_set", Boolean, nullable=False),
    Column("author", String(200), nullable=False),
    Column("known_at_us", BigInteger, nullable=False),
)

# Versioned TOML documents: goals, channel rules, aliases. The newest version of a kind is in force.
definition = Table(
    "definition",
    metadata,
    Column("id", _auto, primary_key=True),
    Column("kind", String(64), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("author", String(200), nullable=False),
    Column("known_at_us", BigInteger, nullable=False),
)

job = Table(
    "job",
    metadata,
    Column("id", _auto, primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("args", Text, nullable=False),
    Column("due_at_us", BigInteger, nullable=False, index=True),
    Column("lease_us", BigInteger),
    Column("cursor", Text),
    Column("progress", Float),
    Column("result", Text),
    Column("error", Text),
    Column("is_cancelled", Boolean, nullable=False, default=False),
    Column("finished_at_us", BigInteger),
)

# One row an identifier value: its data key (wrapped) and the value in clear, sealed with that key.
# `heard_us`: when it was last heard of other than by a row that is there.
node = Table(
    "node",
    metadata,
    Column("node_id", LargeBinary(16), primary_key=True),
    Column("type", String(32), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("sealed_value", LargeBinary, nullable=False),
    Column("heard_us", BigInteger),
)

# Traits hang on the strongest identifier they came with; of each source the latest `ts_us` is kept.
# `is_told`: somebody said it of themselves, when asked. Which value is in force is decided by who
# reads (`identity.profile_rules`).
trait = Table(
    "trait",
    metadata,
    Column("node_id", LargeBinary(16), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("source", String(200), primary_key=True),
    Column("is_told", Boolean, primary_key=True),
    Column("sealed_value", LargeBinary, nullable=False),
    Column("ts_us", BigInteger, nullable=False),
)

# Tags of somebody, and who looks after them, as the staff set and unset them: on identifiers, and
# only ever added to. Of one (node_id, kind, value) the last row holds.
person_note = Table(
    "person_note",
    metadata,
    Column("id", _auto, primary_key=True),
    Column("node_id", LargeBinary(16), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("value", String(200), nullable=False),
    Column("is_set", Boolean, nullable=False),
    Column("author", String(200), nullable=False),
    Column("at_us", BigInteger, nullable=False),
)

# Who did or saw what: each row holds the hash of the one before (see `storage.audit`).
audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False, index=True),
    Column("actor", String(200), nullable=False),
    Column("action", String(64), nullable=False),
    Column("about", Text, nullable=False),
    Column("reason", Text),
    Column("previous", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)

# Identifiers that were erased, by a hash of the node id that stands nowhere else: they stay out.
tombstone = Table(
    "tombstone",
    metadata,
    Column("hash", LargeBinary(16), primary_key=True),
    Column("request_id", String(32), nullable=False, index=True),
    Column("known_at_us", BigInteger, nullable=False),
)

# Erasures asked for. `sealed_plan`: what is to be looked for, until it is done; then the receipt.
erasure = Table(
    "erasure",
    metadata,
    Column("request_id", String(32), primary_key=True),
    Column("asked_us", BigInteger, nullable=False),
    Column("step", String(16), nullable=False),
    Column("sealed_plan", LargeBinary),
    Column("receipt", Text),
    Column("done_us", BigInteger),
)

# What of the account in `intake` is no longer there: rows of events, and rejects.
erased_count = Table(
    "erased_count",
    metadata,
    Column("source", String(200), primary_key=True),
    Column("hour_us", BigInteger, primary_key=True),
    Column("stored", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
)

# What operators decided of identifiers: evidence like any other, only added to. `undoes` is the
# decision that one of kind "undo" takes back.
decision = Table(
    "decision",
    metadata,
    Column("id", _auto, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("a", LargeBinary(16)),
    Column("b", LargeBinary(16)),
    Column("undoes", BigInteger),
    Column("author", String(200), nullable=False),
    Column("reason", String(1000), nullable=False),
    Column("known_at_us", BigInteger, nullable=False),
)

# Pairs of records that may be one person's, `weight` bits for it, made up of `bits` (JSON) by model
# `model`. `is_sure`: it joins people by itself. One that was not made again has an end; what an
# operator said of it is a decision.
suggestion = Table(
    "suggestion",
    metadata,
    Column("id", _auto, primary_key=True),
    Column("a", LargeBinary(16), nullable=False),
    Column("b", LargeBinary(16), nullable=False),
    Column("weight", Float, nullable=False),
    Column("bits", Text, nullable=False),
    Column("model", String(16), nullable=False),
    Column("is_sure", Boolean, nullable=False),
    Column("known_at_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
)

# What people agreed to and refused, only ever added to. `channel` "" is all of them; `act` groups
# the rows of one decision of somebody, and makes it safe to write it twice.
consent = Table(
    "consent",
    metadata,
    Column("id", _auto, primary_key=True),
    Column("act", LargeBinary(16), nullable=False),
    Column("node", LargeBinary(16), nullable=False, index=True),
    Column("purpose", String(64), nullable=False),
    Column("channel", String(64), nullable=False),
    Column("is_granted", Boolean, nullable=False),
    Column("basis", String(32), nullable=False),
    Column("text", String(64)),
    Column("locale", String(16)),
    Column("source", String(220), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("known_at_us", BigInteger, nullable=False),
    UniqueConstraint("act", "node", "purpose", "channel"),
)
Index("consent_refused", consent.c.purpose, consent.c.is_granted)

# The words that were agreed to, by their hash.
consent_text = Table(
    "consent_text",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("locale", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("known_at_us", BigInteger, nullable=False),
)

# Of which company domain an address is: a hash, as that of a node.
mail_domain = Table(
    "mail_domain",
    metadata,
    Column("node_id", LargeBinary(16), primary_key=True),
    Column("domain_id", LargeBinary(16), nullable=False),
)
Index("mail_domain_all", mail_domain.c.domain_id)

# Values that match a pattern of the identity document of this number: they join nobody.
blocked_node = Table(
    "blocked_node",
    metadata,
    Column("node_id", LargeBinary(16), primary_key=True),
    Column("pattern", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
)

# `sealed_request`: what came with the item, for it to be read again. A replayed one is no reject
# any more; its row stays, so that it is replayed once.
reject = Table(
    "reject",
    metadata,
    Column("reject_id", LargeBinary(16), primary_key=True),
    Column("source", String(200), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("message_id", Text),
    Column("reason", String(64), nullable=False),
    Column("sealed_payload", LargeBinary, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("line", BigInteger),
    Column("sealed_request", LargeBinary),
    Column("replayed_us", BigInteger),
)
Index("reject_order", reject.c.received_us, reject.c.seq)

# The conservation law, per source and hour: received = stored + duplicate + rejected.
intake = Table(
    "intake",
    metadata,
    Column("source", String(200), primary_key=True),
    Column("hour_us", BigInteger, primary_key=True),
    Column("received", BigInteger, nullable=False),
    Column("stored", BigInteger, nullable=False),
    Column("duplicate", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
)

# What went against the tracking plan, by day of arrival (days since 1970-01-01, local).
off_plan = Table(
    "off_plan",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("source", String(200), primary_key=True),
    Column("event", String(200), primary_key=True),
    Column("property", String(200), primary_key=True),
    Column("reason", String(64), primary_key=True),
    Column("stored", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("example", Text),
)

# When what shows a touchpoint was last seen; `touchpoint` is the key of what is looked for.
sighting = Table(
    "sighting",
    metadata,
    Column("touchpoint", String(64), primary_key=True),
    Column("seen_us", BigInteger, nullable=False),
)

# Lines of cron and when each is due next; `failures` in a row since it last went well.
schedule = Table(
    "schedule",
    metadata,
    Column("name", String(220), primary_key=True),
    Column("cron", String(100), nullable=False),
    Column("due_us", BigInteger),
    Column("failures", Integer, nullable=False),
)

# Credentials that definitions refer to as `secret:NAME`.
secret = Table(
    "secret",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("sealed_value", LargeBinary, nullable=False),
    Column("known_at_us", BigInteger, nullable=False),
)

# How far each source was pulled, as JSON: written after the rows it speaks of.
source_cursor = Table(
    "source_cursor",
    metadata,
    Column("source", String(200), primary_key=True),
    Column("cursor", Text, nullable=False),
)

# The log of runs of sources. One that was killed has no end until the next begins.
source_run = Table(
    "source_run",
    metadata,
    Column("id", _auto, primary_key=True),
    Column("source", String(200), nullable=False, index=True),
    Column("started_us", BigInteger, nullable=False),
    Column("finished_us", BigInteger),
    Column("read", BigInteger, nullable=False),
    Column("stored", BigInteger, nullable=False),
    Column("duplicate", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("cursor_before", Text),
    Column("cursor_after", Text),
    Column("error", Text),
)

# The live store of people (`identity.live`): identifiers that hang together, a row each set of
# them, packed. `cause` of one that is held back, `most`: how many of that type it touches;
# `touches`: of one that joins nobody, how many of each type.
identity_component = Table(
    "identity_component",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False, index=True),
    Column("nodes", LargeBinary, nullable=False),
    Column("edges", LargeBinary, nullable=False),
    Column("days", LargeBinary, nullable=False),
    Column("apps", LargeBinary, nullable=False),
    Column("cause", Integer, nullable=False),
    Column("most", Integer, nullable=False),
    Column("touches", LargeBinary),
)

# In which of them each identifier is.
identity_node = Table(
    "identity_node",
    metadata,
    Column("node_id", LargeBinary(16), primary_key=True),
    Column("component", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What each value that joins nobody was seen beside: so that it can be let join again.
identity_beside = Table(
    "identity_beside",
    metadata,
    Column("alone", LargeBinary(16), primary_key=True),
    Column("other", LargeBinary(16), primary_key=True),
    sqlite_with_rowid=False,
)

# Who became whom, as the live store saw it: only ever added to.
person_change = Table(
    "person_change",
    metadata,
    Column("id", _auto, primary_key=True),
    Column("at_us", BigInteger, nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("person_id", String(33), nullable=False),
    Column("other_id", String(33), nullable=False),
    Column("identifiers", Integer, nullable=False),
    Column("cause", String(16), nullable=False),
)

# Small facts of the store itself, such as the log offset up to which State has followed the lake.
mark = Table(
    "mark",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
