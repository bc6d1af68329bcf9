"""An address as it stands in a record → area, street and door.

A Chinese address is read from the large to the small: 省, 市, 区 or 县, then 路, then numbers. What
surprises: 省 and 市 are kept without these words, and a municipality is its own province, because
half of all people leave them out.
"""

import re
from typing import NamedTuple

from touchline.identity.match.fold import NOTHING, folded, is_han

__all__ = ["Place", "area_name", "door", "place"]


class Place(NamedTuple):
    region: str | None = None
    city: str | None = None
    district: str | None = None
    street: str | None = None
    door: str | None = None
    postcode: str | None = None


MUNICIPAL = ("北京", "上海", "天津", "重庆")
REGIONS = (
    *MUNICIPAL, "河北", "山西", "辽宁", "吉林", "黑龙江", "江苏", "浙江", "安徽", "福建", "江西",
    "山东", "河南", "湖北", "湖南", "广东", "海南", "四川", "贵州", "云南", "陕西", "甘肃", "青海",
    "台湾", "内蒙古", "广西", "西藏", "宁夏", "新疆", "香港", "澳门",
)  # fmt: skip
# Cities people name without 市, and without their province.
CITIES = {
    city: region
    for region, cities in {
        "广东": "广州 深圳 东莞 佛山 珠海 中山 惠州 汕头 江门 湛江",
        "浙江": "杭州 宁波 温州 嘉兴 绍兴 金华 台州 湖州",
        "江苏": "南京 苏州 无锡 常州 南通 徐州 扬州 盐城 昆山",
        "四川": "成都 绵阳", "湖北": "武汉 宜昌 襄阳", "湖南": "长沙 株洲 岳阳",
        "陕西": "西安 咸阳", "河南": "郑州 洛阳", "山东": "济南 青岛 烟台 潍坊 临沂",
        "福建": "福州 厦门 泉州 漳州", "安徽": "合肥 芜湖", "辽宁": "沈阳 大连",
        "黑龙江": "哈尔滨 大庆", "吉林": "长春", "河北": "石家庄 唐山 保定 廊坊",
        "山西": "太原 大同", "江西": "南昌 赣州", "广西": "南宁 桂林 柳州", "海南": "海口 三亚",
        "云南": "昆明 大理", "贵州": "贵阳 遵义", "甘肃": "兰州", "青海": "西宁",
        "新疆": "乌鲁木齐", "宁夏": "银川", "内蒙古": "呼和浩特 包头", "西藏": "拉萨",
    }.items()
    for city in cities.split()
}  # fmt: skip
OF_REGION = "(?:特别行政区|壮族自治区|回族自治区|维吾尔自治区|自治区|省|市)?"
REGION = re.compile(f"({'|'.join(REGIONS)}){OF_REGION}")
CITY = re.compile(f"({'|'.join(CITIES)})市?|([^\\W\\d市区县路街号]{{2,8}}?)(?:市|自治州|地区|盟)")
DISTRICT = re.compile(r"([^\W\d路街道号]{1,7}?(?:开发区|新区|区|县|旗|市))(?!域)")
NUMERALS = str.maketrans("零〇一二三四五六七八九", "00123456789")
COUNTED = re.compile("[零〇一二三四五六七八九十]+(?=号|栋|幢|座|单元|室|层|楼|弄|巷|期)")
NUMBERS = re.compile(r"\d+[a-z]?|[a-z](?=座|栋|幢|区|单元)|[a-z]\d+")
UNITS = re.compile(r"号楼|号院|单元|大道|[号栋幢座室层楼弄户]|[#,;、，。/-]")
POSTCODE = re.compile(r"(?<![\d-])\d{6}(?!\d)")
COUNTRY = re.compile(r"^(中华人民共和国|中国|china)\s*,?\s*")
CHINESE_AREA = re.compile(f"{OF_REGION}$|自治州$|地区$")
BARE_DISTRICT = re.compile(r"(.{2,}?)(?:开发区|新区|区|县|旗|市)")


def place(text: str) -> Place:
    """What a whole address says."""
    plain = COUNTRY.sub("", folded(text))
    if plain in NOTHING:
        return Place()
    if not is_han(plain):
        street = " ".join(re.findall(r"[^\W\d_]+", plain))
        return Place(street=street or None, door=door(plain))
    found = POSTCODE.search(plain)
    rest = (POSTCODE.sub("", plain) if found else plain).replace(" ", "")
    region, rest = _region(rest)
    city, rest = _city(rest, region)
    district, rest = _district(rest)
    region = region or CITIES.get(city or "") or (city if city in MUNICIPAL else None)
    rest = _counted(rest)
    street = UNITS.sub("", NUMBERS.sub("", rest))
    return Place(region, city, district, street or None, door(rest), found and found[0])


def _region(text: str) -> tuple[str | None, str]:
    found = REGION.match(text)
    if found is None or (found[0] == found[1] and text[found.end() :][:1] in ("路", "街", "大")):
        return None, text
    return found[1], text[found.end() :]


def _city(text: str, region: str | None) -> tuple[str | None, str]:
    if region in MUNICIPAL:
        again = re.match(f"{region}市?|市辖区|县", text)
        return region, text[again.end() :] if again else text
    found = CITY.match(text)
    if found is None or text[found.end() :][:1] in ("路", "街"):
        return None, text
    return found[1] or found[2], text[found.end() :]


def _district(text: str) -> tuple[str | None, str]:
    found = DISTRICT.match(text.removeprefix("市辖区"))
    if found is None:
        return None, text
    return _bare(found[1]), text.removeprefix("市辖区")[found.end() :]


def _bare(district: str) -> str:
    found = BARE_DISTRICT.fullmatch(district)
    return found[1] if found else district


def area_name(text: str) -> str | None:
    """A province, city or district that has a column of its own."""
    plain = folded(text)
    if plain in NOTHING or not plain:
        return None
    if not is_han(plain):
        return plain
    plain = plain.replace(" ", "")
    short = CHINESE_AREA.sub("", plain) if len(plain) > 2 else plain
    return _bare(short) if len(short) > 2 else short


def door(text: str) -> str | None:
    """All numbers of it, in order: 8号3栋502室 and 8-3-502 are one."""
    found = [number.lstrip("0") or "0" for number in NUMBERS.findall(folded(_counted(text)))]
    return "-".join(found) or None


def _counted(text: str) -> str:
    """Chinese numerals before a unit as digits: 十二号 → 12号."""

    def digits(found: re.Match[str]) -> str:
        said = found[0]
        if "十" not in said:
            return said.translate(NUMERALS)
        tens, _, ones = said.partition("十")
        return (tens.translate(NUMERALS) or "1") + (ones.translate(NUMERALS) or "0")

    return COUNTED.sub(digits, text)
