"""Which traits are a name, a birthday, an address."""

import pytest

from touchline.identity.match.clean import compared
from touchline.identity.match.columns import kind_of, recognised


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("姓名", "name"),
        ("客户姓名", "name"),
        ("full_name", "name"),
        ("firstName", "given"),
        ("Last Name", "surname"),
        ("会员生日", "birthday"),
        ("date_of_birth", "birthday"),
        ("收货人手机号", "phone"),
        ("billing_postcode", "postcode"),
        ("收货地址", "address"),
        ("address.street", None),
        ("company_name", None),
        ("user_name", "name"),
        ("昵称", None),
        ("鞋码", None),
        ("", None),
    ],
)
def test_a_column_is_known_by_its_name(name, kind):
    assert kind_of(name) == kind


def test_a_column_without_a_telling_name_is_known_by_its_values():
    values = [f"1380013800{n}" for n in range(9)]
    assert recognised({"列3": values, "列4": ["张伟", "王芳", "李娜", "刘洋", "陈静"]}) == {
        "列3": "phone",
        "列4": "name",
    }


def test_a_guess_yields_to_a_name_and_needs_several_values():
    values = ["张伟", "王芳", "李娜", "刘洋", "陈静"]
    assert recognised({"姓名": [], "店员": values}) == {"姓名": "name"}
    assert recognised({"店员": values[:4]}) == {}
    assert recognised({"店员": ["张伟"] * 9}) == {}


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("1990年3月7日", "1990-03-07"),
        ("19900307", "1990-03-07"),
        (19900307, "1990-03-07"),
        ("1990/3/7", "1990-03-07"),
        ("1990-03-07T00:00:00Z", "1990-03-07"),
        ("07.03.1990", "1990-03-07"),
        ("03/27/1990", "1990-03-27"),
        ("1990-02-30", None),
        ("1900-01-01", None),
        ("0001-01-01", None),
        ("春天", None),
        (True, None),
        (float("inf"), None),
        ({"year": 1990}, None),
    ],
)
def test_a_birthday_comes_in_many_forms(said, day):
    assert compared([{"生日": said}], "CN")[0]["birthday"] == day


def test_a_chinese_identity_number_says_the_birthday():
    row = compared([{"身份证号": "440301199003071234", "姓名": "欧阳娜"}], "CN")[0]
    assert (row["birthday"], row["surname_sound"]) == ("1990-03-07", "ouyang")


def test_junk_is_not_compared():
    junk = {"手机": "0000000", "邮箱": "null", "姓名": "测试", "邮编": "000000", "身份证": "111111"}
    assert not any(compared([junk], "CN")[0].values())
