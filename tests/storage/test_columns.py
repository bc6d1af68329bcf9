"""The columns other programs read from the lake."""

from touchline.storage.columns import EVENTS, TABLES

EVENT_COLUMNS = {
    *("event_id", "message_id", "source", "type", "name", "ts_us"),
    *("received_us", "sent_us", "local_day", "seq", "session_id", "node_ids"),
    *("person_ix", "map_version", "channel", "source_name", "medium", "campaign"),
    *("ad_group", "term", "content", "click_ids", "content_hash", "referrer_host"),
    *("page_url", "page_title", "landing_page", "store_code", "staff_id", "account_id"),
    *("content_id", "revenue", "currency", "order_id", "stage", "properties"),
    *("context", "bot", "consent", "known_at_us", "flags"),
}


def test_an_event_has_every_column_that_was_promised():
    assert set(EVENTS.names) >= EVENT_COLUMNS
    assert {field.name for field in EVENTS.field("node_ids").type.value_type} >= {"type", "id"}
    assert TABLES["fresh"][0] is TABLES["events"][0] is EVENTS


def test_money_is_whole_minor_units_and_times_are_microseconds():
    for schema, _ in TABLES.values():
        for field in schema:
            if field.name in {"revenue", "amount", "cost"} or field.name.endswith("_us"):
                assert str(field.type) == "int64", field.name


def test_what_may_change_later_says_since_when_it_was_known():
    assert all("known_at_us" in schema.names for schema, _ in TABLES.values())
