"""What an address says: area, street, door."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.identity.match.places import Place, area_name, door, place

KEJIYUAN = Place("广东", "深圳", "南山", "科技园南路", "8-3-502")


@pytest.mark.parametrize(
    "text",
    [
        "广东省深圳市南山区科技园南路8号3栋502室",
        "深圳南山区科技园南路8号3-502",
        "廣東省深圳市南山區科技園南路８號３棟５０２室",
        "中国 广东 深圳市 南山区 科技园南路 八号 3栋502",
        "深圳市南山区科技园南路8#3-502",
    ],
)
def test_ways_to_write_an_address_are_one(text):
    assert place(text) == KEJIYUAN


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("上海市浦东新区张江路500弄3号", Place("上海", "上海", "浦东", "张江路", "500-3")),
        ("重庆市市辖区渝中区解放碑12号", Place("重庆", "重庆", "渝中", "解放碑", "12")),
        (
            "内蒙古自治区呼和浩特市赛罕区大学路1号",
            Place("内蒙古", "呼和浩特", "赛罕", "大学路", "1"),
        ),
        ("香港特別行政區九龍彌敦道100號", Place("香港", None, None, "九龙弥敦道", "100")),
        ("南京路100号", Place(street="南京路", door="100")),
        ("北京路5号", Place(street="北京路", door="5")),
        ("杭州西湖区文三路123号 310012", Place("浙江", "杭州", "西湖", "文三路", "123", "310012")),
        ("7 Wallaby Place", Place(street="wallaby place", door="7")),
        ("暂无", Place()),
        ("", Place()),
    ],
)
def test_an_address_is_taken_apart(text, expected):
    assert place(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("广东省", "广东"),
        ("广西壮族自治区", "广西"),
        ("深圳市", "深圳"),
        ("南山区", "南山"),
        ("NSW", "nsw"),
        ("未知", None),
    ],
)
def test_areas_are_kept_without_what_they_are(text, expected):
    assert area_name(text) == expected


def test_numerals_count_as_numbers():
    assert door("二十一号楼三单元一〇二室") == door("21号楼3单元102室") == "21-3-102"


@given(st.text(max_size=300))
def test_any_text_is_read(text):
    assert all(part is None or part for part in place(text))
