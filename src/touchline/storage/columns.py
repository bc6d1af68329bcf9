"""The lake's columns. Stored, never computed by an engine; scans union files by these names."""

import pyarrow as pa

from touchline.model import LABELS

__all__ = [
    "AGGREGATES",
    "BY_NODE",
    "CONSENT",
    "CONVERSIONS",
    "COSTS",
    "EVENTS",
    "MAP",
    "MIRRORS",
    "NODE_IDS",
    "PEOPLE",
    "QUARANTINE",
    "RATES",
    "TABLES",
    "TAGS",
    "TRAITS",
]

# Strongest identifier first, so the first one that is not quarantined speaks for the row.
NODE_IDS = pa.list_(
    pa.struct([("type", pa.string()), ("id", pa.binary()), ("app", pa.string())]),
)

_labels = [(name, pa.string()) for name in LABELS]

EVENTS = pa.schema(
    [
        ("event_id", pa.binary()),
        ("message_id", pa.string()),
        ("source", pa.string()),
        ("type", pa.string()),
        ("name", pa.string()),
        ("ts_us", pa.int64()),
        ("received_us", pa.int64()),
        ("sent_us", pa.int64()),
        ("original_us", pa.int64()),
        ("local_day", pa.date32()),
        ("seq", pa.int64()),
        ("device", pa.int64()),  # who has sessions: hash of source and anonymous_id or user_id
        ("session_id", pa.int64()),
        ("node_ids", NODE_IDS),
        ("person_ix", pa.int64()),
        ("map_version", pa.int64()),
        *_labels,
        ("click_ids", pa.map_(pa.string(), pa.string())),
        ("content_hash", pa.binary()),
        ("referrer_host", pa.string()),
        ("page_url", pa.string()),
        ("page_title", pa.string()),
        ("landing_page", pa.string()),
        ("store_code", pa.string()),
        ("staff_id", pa.string()),
        ("account_id", pa.string()),
        ("content_id", pa.string()),
        ("revenue", pa.int64()),
        ("currency", pa.string()),
        ("order_id", pa.string()),
        ("stage", pa.string()),
        ("properties", pa.string()),
        ("context", pa.string()),
        ("bot", pa.bool_()),
        ("consent", pa.string()),
        ("known_at_us", pa.int64()),
        ("flags", pa.int32()),
    ],
)

# Events again, a row an identifier, in the order of (node, ts_us, seq): see `storage.by_node`.
_ELSEWHERE = ("person_ix", "map_version", "content_hash")
BY_NODE = pa.schema(
    [
        ("bucket", pa.string()),
        ("node", pa.binary()),
        ("round", pa.int64()),  # of rows with one (node, seq) that of the greatest is in force
        *(field for field in EVENTS if field.name not in _ELSEWHERE),
    ],
)

# A row a version; the newest row by `seq` is in force.
CONVERSIONS = pa.schema(
    [
        ("conversion_id", pa.string()),
        ("source", pa.string()),
        ("occurred_us", pa.int64()),
        ("created_us", pa.int64()),
        ("local_day", pa.date32()),
        ("kind", pa.string()),
        ("stage", pa.string()),
        ("amount", pa.int64()),
        ("currency", pa.string()),
        ("node_ids", NODE_IDS),
        ("account_id", pa.string()),
        ("store_code", pa.string()),
        ("staff_id", pa.string()),
        ("lines", pa.string()),
        ("properties", pa.string()),
        ("content_hash", pa.binary()),
        ("seq", pa.int64()),
        ("known_at_us", pa.int64()),
    ],
)

# `batch` numbers the import; the newest batch of a (source, day, channel, source_name) is in force.
# A row without a cost says that nothing is in force there any more.
COSTS = pa.schema(
    [
        ("day", pa.date32()),
        *_labels,
        ("cost", pa.int64()),
        ("currency", pa.string()),
        ("impressions", pa.int64()),
        ("clicks", pa.int64()),
        ("kind", pa.string()),
        ("source", pa.string()),
        ("content_hash", pa.binary()),
        ("batch", pa.int64()),
        ("channel_by_rule", pa.bool_()),
        ("known_at_us", pa.int64()),
        ("is_provisional", pa.bool_()),  # what the file says; null: nothing
    ],
)

# Touches that name nobody, like costs a row a day, with the period and place they stand for.
AGGREGATES = pa.schema(
    [
        *COSTS,
        ("first_day", pa.date32()),
        ("last_day", pa.date32()),
        ("place", pa.string()),
        ("engagements", pa.int64()),
        ("visits", pa.int64()),
        ("properties", pa.string()),
    ],
)

# Evidence that identifiers belong together; traits themselves are sealed in State.
PEOPLE = pa.schema(
    [
        ("node_ids", NODE_IDS),
        ("account_id", pa.string()),
        ("source", pa.string()),
        ("occurred_us", pa.int64()),
        ("local_day", pa.date32()),
        ("content_hash", pa.binary()),
        ("seq", pa.int64()),
        ("known_at_us", pa.int64()),
    ],
)

RATES = pa.schema(
    [
        ("day", pa.date32()),
        ("base", pa.string()),
        ("quote", pa.string()),
        ("rate", pa.string()),
        ("seq", pa.int64()),
        ("known_at_us", pa.int64()),
    ],
)

# Mirrors: made of the tables above and of State, written whole, never read to make anything else.
# Each that has a `node_id` is in the order of it, file by file.
MAP = pa.schema(
    [
        ("node_id", pa.binary()),
        ("type", pa.string()),
        ("first_seen_us", pa.int64()),  # null: in no row that has a date
        ("person_id", pa.string()),
        ("person_ix", pa.int64()),  # numbers persons within this version of the table only
        ("is_anchor", pa.bool_()),  # the node that the person is named after
        ("is_quarantined", pa.bool_()),
    ],
)

# `touches` values of `touched_type`, which is null where `reason` is another one than "shared".
QUARANTINE = pa.schema(
    [
        ("node_id", pa.binary()),
        ("type", pa.string()),
        ("touched_type", pa.string()),
        ("touches", pa.int32()),
        ("reason", pa.string()),
    ],
)

# As sealed in State: no trait says yet that it is not personal, so none is here in clear. Of a
# person's rows of one name that of the least `place` is in force, of equals the latest.
TRAITS = pa.schema(
    [
        ("node_id", pa.binary()),
        ("name", pa.string()),
        ("sealed_value", pa.binary()),
        ("ts_us", pa.int64()),
        ("source", pa.string()),
        ("party", pa.string()),
        ("place", pa.int32()),
    ],
)

# What the staff call somebody; of two identifiers of a person both count.
TAGS = pa.schema(
    [
        ("node_id", pa.binary()),
        ("tag", pa.string()),
        ("author", pa.string()),
        ("at_us", pa.int64()),
    ],
)

TABLES = {
    "fresh": (EVENTS, None),
    "events": (EVENTS, "local_day"),
    "conversions": (CONVERSIONS, None),
    "costs": (COSTS, None),
    "aggregates": (AGGREGATES, None),
    "people": (PEOPLE, None),
    "rates": (RATES, None),
}

# Who is of which account: beside it in a row, by the domain of an address, or both. An account of a
# domain alone is called by a hash of it. In the order of accounts.
ACCOUNTS = pa.schema(
    [
        ("account_id", pa.string()),
        ("person_id", pa.string()),
        ("person_ix", pa.int64()),  # as in `map`
        ("by_row", pa.bool_()),
        ("by_domain", pa.bool_()),
    ],
)

# What each identifier said last of a purpose and channel; of several of one person the strictest
# holds. `channel` "" is all of them.
CONSENT = pa.schema(
    [
        ("node_id", pa.binary()),
        ("purpose", pa.string()),
        ("channel", pa.string()),
        ("is_granted", pa.bool_()),
        ("basis", pa.string()),
        ("at_us", pa.int64()),
    ],
)

MIRRORS = {
    "map": MAP,
    "quarantine": QUARANTINE,
    "traits": TRAITS,
    "tags": TAGS,
    "accounts": ACCOUNTS,
    "consent": CONSENT,
}
