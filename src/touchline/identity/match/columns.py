"""Names and values of a site's traits → what each of them is: a name, a birthday, an address.

A column is known by its name, in English or Chinese, also behind a word that says whose it is
(`billing_postcode`, 会员姓名); else by its values, where these can be nothing else. What is not
recognised takes no part: a wrong guess would join people who share a shoe size.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from touchline.identity.match.fold import HAN, folded
from touchline.identity.match.names import FREQUENT

__all__ = ["KINDS", "kind_of", "recognised"]

# Each kind and the names of its columns, without blanks and marks.
_NAMES = {
    "name": "name fullname realname truename contactname contact recname 姓名 名字 真实姓名 "
    "联系人 收件人 收货人 全名 称呼",
    "given": "givenname firstname forename first given fname 名",
    "surname": "surname lastname familyname last family lname secondname 姓 姓氏",
    "birthday": "birthday birthdate dateofbirth dob birth bday borndate 生日 出生日期 出生年月日 "
    "出生年月 出生 生辰",
    "national_id": "nationalid socsecid ssn idcard idnumber idno passport passportno 身份证 "
    "身份证号 身份证号码 证件号 证件号码 护照号",
    "phone": "phone phonenumber mobile mobilephone mobilenumber cell cellphone tel telephone "
    "msisdn 手机 手机号 手机号码 电话 电话号码 联系电话 联系方式",
    "email": "email emailaddress mail mailbox 邮箱 电子邮箱 电子邮件 邮件",
    "gender": "gender sex 性别",
    "postcode": "postcode postalcode zip zipcode postcodefake 邮编 邮政编码",
    "region": "state province region county 省 省份 省市 州",
    "city": "city town suburb locality addresscity 市 城市 所在城市",
    "district": "district borough 区 区县 县 县区",
    "street": "street streetname streetaddress address1 addressline1 line1 street1 街道 "
    "街道地址 路名",
    "door": "streetnumber housenumber houseno streetno doorno 门牌 门牌号 房号",
    "place": "address2 addressline2 line2 street2 building estate 小区 楼盘 birthplace 籍贯",
    "address": "address addr fulladdress homeaddress detailaddress 地址 详细地址 住址 通讯地址 "
    "家庭住址 收货地址 居住地址",
}
KINDS = tuple(_NAMES)
_KIND = {name: kind for kind, names in _NAMES.items() for name in names.split()}
_WHOSE = re.compile(
    "^(customer|client|member|contact|consumer|patient|buyer|receiver|recipient|consignee|billing|"
    "shipping|delivery|mailing|home|personal|primary|main|residential|crm|pos|user|guest|"
    "客户|会员|顾客|用户|个人|联系人?|收货人?|收件人?|买家|家庭|常用|常住|居住|现|主要?|注册|"
    "邮寄|账单)"
)
_MARKS = re.compile(r"[\W_]+")

ENOUGH = 5  # values that a guess needs
SURE = 0.8  # the share of them that must look the part
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}")
_MOBILE = re.compile(r"(\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}")
_NATIONAL_ID = re.compile(r"\d{6}(19|20)\d{2}(0[1-9]|1[0-2])([0-2]\d|3[01])\d{3}[\dx]")
_ADDRESS = re.compile(f"[{HAN}]{{2,}}[省市区县].*[{HAN}]+(路|街|道|巷|号|村|镇|弄|小区)")
_CHINESE_NAME = re.compile(f"[{FREQUENT}][{HAN}]{{1,2}}")
_LOOKS = (
    ("email", _EMAIL),
    ("national_id", _NATIONAL_ID),
    ("phone", _MOBILE),
    ("address", _ADDRESS),
    ("name", _CHINESE_NAME),
)


def kind_of(name: str, values: Sequence[Any] = ()) -> str | None:
    """What a column of this name is, or, of an unknown name, one with such values."""
    bare = _MARKS.sub("", folded(name))
    while bare not in _KIND:
        shorter = _WHOSE.sub("", bare)
        if shorter in (bare, ""):
            return _looks_like(values)
        bare = shorter
    return _KIND[bare]


def recognised(columns: Mapping[str, Sequence[Any]]) -> dict[str, str]:
    """Column → kind. Of several columns of a kind all are kept; a guess yields to a name."""
    named = {name: kind for name in columns if (kind := kind_of(name))}
    guessed = {
        name: kind
        for name, values in columns.items()
        if name not in named and (kind := _looks_like(values))
    }
    taken = set(named.values())
    return named | {name: kind for name, kind in guessed.items() if kind not in taken}


def _looks_like(values: Sequence[Any]) -> str | None:
    said = [folded(value) for value in values if isinstance(value, str) and value.strip()]
    if len(said) < ENOUGH:
        return None
    for kind, pattern in _LOOKS:
        is_search = kind == "address"
        hits = sum(bool((pattern.search if is_search else pattern.fullmatch)(one)) for one in said)
        # One name in every row is a branch or a salesperson, not the customer.
        if hits >= SURE * len(said) and len(set(said)) * 2 > len(said):
            return kind
    return None
