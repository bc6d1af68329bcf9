import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.collect.normalise import check_region, identifier
from touchline.errors import BadInput
from touchline.model import IDENTIFIER_TYPES


def value(type_, raw, region="CN"):
    known = identifier(type_, raw, region)
    return known.value if known else None


@pytest.mark.parametrize(
    "raw",
    [
        *("13800138000", "138 0013 8000", "138-0013-8000", "+86 138 0013 8000", "0086-13800138000"),
        *("8613800138000", "１３８００１３８０００", " 13800138000 ", "\u202d13800138000\u202c"),
        *(13800138000, 13800138000.0, "(86) 138-0013-8000", "13800138000 "),
    ],
)
def test_one_chinese_mobile_number_has_one_form(raw):
    assert value("phone", raw) == "+8613800138000"


@pytest.mark.parametrize(
    ("raw", "region", "expected"),
    [
        ("021-6123 4567", "CN", "+862161234567"),
        ("400-820-8820", "CN", "+864008208820"),
        ("+65 6123 4567", "CN", "+6561234567"),
        ("6123 4567", "SG", "+6561234567"),
        ("(212) 736-5000", "US", "+12127365000"),
        ("+1 212 736 5000", "", "+12127365000"),
        ("021-61234567 ext 801", "CN", "+862161234567;ext=801"),
    ],
)
def test_other_numbers_are_read_in_their_region(raw, region, expected):
    assert value("phone", raw, region) == expected


@pytest.mark.parametrize(
    "raw",
    [
        *("138****8000", "138xxxx8000", "1380013800", "00000000000", "12345678901", "", "null"),
        *(
            "1.38E+10",
            1.5,
            True,
            None,
            [],
            {},
            "phone",
            "1" * 60,
            "+86",
            "11111111111",
            "13800138000;x",
        ),
        *("138\ufffd0138000", "1-800-FLOWERS", float("nan"), float("inf")),
    ],
)
def test_what_is_no_phone_is_nobody_s(raw):
    assert value("phone", raw) is None


def test_the_short_way_for_chinese_mobiles_agrees_with_the_library():
    for middle in range(1000):
        for tail in ("12345678", "00000000"):
            digits = f"1{middle:03d}{tail}"[:11]
            number = phonenumbers.parse(digits, "CN")
            valid = phonenumbers.is_valid_number(number)
            e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            assert value("phone", digits) == (e164 if valid else None), digits


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Li.Lei@Example.COM", "li.lei@example.com"),
        (" li@qq.com ", "li@qq.com"),
        ("mailto:li@qq.com", "li@qq.com"),
        ("李雷 <li@qq.com>", "li@qq.com"),
        ("ｌｉ＠ｑｑ．ｃｏｍ", "li@qq.com"),
        ("li@qq。com", "li@qq.com"),
        ("li@qq.com.", "li@qq.com"),
        ("li+news@qq.com", "li+news@qq.com"),
        ("info@clinic.cn", "info@clinic.cn"),
        ("用户@例子.cn", "用户@例子.cn"),
        ("12345@qq.com", "12345@qq.com"),
    ],
)
def test_an_address_has_one_form(raw, expected):
    assert value("email", raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        *("", "null", "li", "li@", "@qq.com", "li@qq", "a b@qq.com", "li@@qq.com", "li@qq..com"),
        *("l***i@qq.com", "noreply@shop.cn", "no-reply@shop.cn", "test@test.com", "null@null.com"),
        *("test+1@qq.com", "-@qq.com", "li@-qq.com", "li@qq.com,ma@qq.com", "x" * 300 + "@qq.com"),
        *(5, None, True, "li@\ufffd.com", "li@qq.c", ".li@qq.com"),
    ],
)
def test_what_is_no_person_s_address_is_nobody_s(raw):
    assert value("email", raw) is None


@pytest.mark.parametrize(
    "raw",
    [
        *("", "  ", "null", "NULL", "None", "undefined", "N/A", "nan", "(not set)", "0", "000000"),
        *(
            "00000000-0000-0000-0000-000000000000",
            "-",
            "--",
            "test",
            "TEST",
            "匿名",
            "测试",
            "游客",
        ),
        *("{{user.id}}", "${uid}", "%s", "{user_id}", "ab**cd", "用户****12", "[object Object]"),
        *("x" * 513, "a\x00b", "a\ufffdb", "\u200b", None, True, False, [], {}, 1.5, "undefined "),
        *("ｎｕｌｌ", "anonymous", "unknown"),
    ],
)
@pytest.mark.parametrize("type_", ["user_id", "member_code", "unionid", "anonymous_id", "device"])
def test_words_for_nobody_name_nobody(type_, raw):
    assert value(type_, raw) is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("u-1", "u-1"),
        (" u-1 ", "u-1"),
        (10086, "10086"),
        (10086.0, "10086"),
        ("ＶＩＰ００１", "VIP001"),
        ("VIP001", "VIP001"),
        ("vip001", "vip001"),
        ("test-user-1", "test-user-1"),
        ("u\u200b1", "u1"),
        ("会员001", "会员001"),
        ("nullius", "nullius"),
        ("100", "100"),
    ],
)
def test_other_ids_keep_their_case_and_letters(raw, expected):
    assert value("user_id", raw) == expected


def test_an_openid_is_kept_apart_from_its_app():
    known = identifier("openid", "wx0123456789abcdef:oABC_1", "CN", "other")
    assert known is not None
    assert (known.value, known.app) == ("oABC_1", "wx0123456789abcdef")
    known = identifier("openid", "oABC_1", "CN", "wxapp")
    assert known is not None
    assert (known.value, known.app) == ("oABC_1", "wxapp")
    known = identifier("user_id", "a:b", "CN", "wxapp")
    assert known is not None
    assert (known.value, known.app) == ("a:b", None)


def test_unknown_types_are_none():
    assert identifier("shoe_size", "42", "CN") is None


def test_regions_are_checked():
    assert check_region(" cn ") == "CN"
    for raw in ("XX", "China", ""):
        with pytest.raises(BadInput) as caught:
            check_region(raw)
        assert caught.value.code == "unknown_region"


@given(
    st.sampled_from(IDENTIFIER_TYPES),
    st.text(max_size=60) | st.integers() | st.floats() | st.from_regex(r"\+?[\d \-()]{5,20}"),
)
def test_normalising_twice_changes_nothing(type_, raw):
    once = identifier(type_, raw, "CN")
    if once is not None and ";ext=" not in once.value:
        assert identifier(type_, once.value, "CN", once.app) == once
