import pytest

from touchline.model import Flag

HEADER = "occurred_at,name,user_id,channel,source,medium,campaign,url,referrer\n"


def row(read, cells):
    return read("events", HEADER + cells + "\n").only


def test_an_offline_touch_carries_its_own_channel(read):
    event = row(read, "2026-03-01 12:00,Store Visit,u1,门店,,,38 屏障修护周,,")
    assert (event.channel, event.campaign, event.type) == ("门店", "38 屏障修护周", "track")
    assert event.flags == Flag.EXPLICIT_CHANNEL


def test_a_link_is_read_by_the_same_rules_as_over_http(read):
    url = "https://shop.example/?utm_source=XHS&utm_medium=CPC&utm_campaign=99&gdt_vid=7"
    event = row(read, f"2026-03-01,View,u1,,,,,{url},https://www.baidu.com/s")
    assert (event.source_name, event.medium, event.campaign) == ("xiaohongshu", "cpc", "99")
    assert (event.channel, event.click_ids) == ("Paid Social", {"gdt_vid": "7"})
    assert event.flags == Flag.IN_SESSION | Flag.BRINGS_CAMPAIGN | Flag.CHANNEL_BY_RULE
    assert event.page_url == url


def test_labels_without_a_channel_are_a_campaign_of_a_visit(read):
    event = row(read, "2026-03-01,View,u1,,google,cpc,spring,,")
    assert event.channel == "Paid Search"
    assert event.flags & Flag.CHANNEL_BY_RULE


def test_a_row_with_neither_page_nor_campaign_is_no_touch(read):
    event = row(read, "2026-03-01,Survey Answered,u1,,,,,,")
    assert (event.channel, event.flags) == (None, 0)


def test_a_list_of_visits_is_named_by_its_channel(read):
    found = read("events", "拜访时间,客户编号,渠道\n2026-03-01,C1,销售拜访\n2026-03-01,C2,\n")
    assert found.good[0].name == "销售拜访"
    assert found.rejects == [(3, "missing_event")]


def test_several_phones_name_one_person_and_none_is_kept_in_clear(read):
    found = read(
        "events", "time,name,手机号,电话,note\n2026-03-01,Call,13800138001,021-62881234,x\n"
    )
    assert [i.type for i in found.only.identifiers] == ["phone", "phone"]
    assert found.only.properties == {"note": "x"}


def test_what_names_nobody_is_no_identifier(read):
    found = read("events", "time,name,phone\n2026-03-01,Call,138****8000\n2026-03-01,Call,null\n")
    assert found.rejects == [(2, "missing_id"), (3, "missing_id")]


def test_types_and_their_traits(read):
    found = read(
        "events",
        "time,type,name,user_id,level\n2026-03-01,identify,,u1,gold\n2026-03-01,page,,u1,\n"
        "2026-03-01,Purchase,,u1,\n",
    )
    identify, page = found.good
    assert (identify.traits, identify.properties, identify.name) == (
        {"level": "gold"},
        {},
        "identify",
    )
    assert page.flags & Flag.IN_SESSION
    assert found.rejects == [(4, "unknown_type")]


def test_ids_are_made_of_the_row_and_how_often_it_came_before(read):
    rows = "time,name,user_id\n" + "2026-03-01,Visit,u1\n" * 255
    first = [event.message_id for event in read("events", rows).good]
    assert len(set(first)) == 255
    assert [event.message_id for event in read("events", rows).good] == first
    assert len(set(first[0])) > 4


def test_a_given_id_is_kept_and_its_content_hashed(read):
    found = read("events", "message_id,time,name,user_id\n7,2026-03-01,A,u1\n7,2026-03-01,B,u1\n")
    assert [event.message_id for event in found.good] == ["7", "7"]
    assert found.good[0].content_hash != found.good[1].content_hash
    long = read("events", "message_id,time,name,user_id\n" + "x" * 256 + ",2026-03-01,A,u1\n")
    assert long.rejects == [(2, "bad_message_id")]


def test_a_conflict_can_show_the_row_it_came_from(read):
    found = read("events", "time,name,user_id,note\n2026-03-01,Visit,u1,好\n")
    assert found.rows[0].line == 2
    assert (
        found.rows[0].content
        == (
            '{"name":"Visit","occurred_at":"2026-03-01","properties":{"note":"好"},"user_id":"u1"}'
        ).encode()
    )


def test_an_export_in_segment_s_own_words_is_understood(read):
    line = (
        '{"messageId":"m1","timestamp":"2026-03-01T00:00:00Z","type":"track",'
        '"event":"Order Completed",'
        '"userId":"u1","anonymousId":"a1","properties":{"size":3},"revenue":12.5,"currency":"USD"}'
    )
    event = read("events", line).only
    assert (event.message_id, event.name, event.revenue, event.currency) == (
        "m1",
        "Order Completed",
        1250,
        "USD",
    )
    assert event.properties == {"size": 3}
    assert [i.type for i in event.identifiers] == ["user_id", "anonymous_id"]


@pytest.mark.parametrize("cell", ["=1+1", "+49", "-5", "@x", "=HYPERLINK(1)"])
def test_cells_that_look_like_formulas_are_kept_as_text(read, cell):
    found = read("events", f'time,name,user_id,note\n2026-03-01,Visit,u1,"{cell}"\n')
    assert found.only.properties == {"note": cell}


def test_what_spreadsheets_put_round_numbers_is_taken_off(read):
    rows = 'time,name,phone,order_id,user_id\n2026-03-01,Buy,\t13800138001\t,="0012345",\'0077\n'
    event = read("events", rows).only
    assert event.order_id == "0012345"
    assert [i.value for i in event.identifiers] == ["+8613800138001", "0077"]
