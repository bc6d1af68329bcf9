"""A person's name as it stands in a record → surname, given name, and how both sound.

Chinese names come surname first, compound surnames included; others surname last, unless a comma or
a Chinese surname in letters says otherwise. Sound is pinyin without tones, so that 張偉, 张伟 and
"Zhang Wei" are one. What surprises: a name that is half hidden ("张*", "张先生") is its surname.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from touchline.identity.match.extra import needed
from touchline.identity.match.fold import HAN, NOTHING, folded, is_han

__all__ = ["Name", "parted", "person_name", "pinyin"]


class Name(NamedTuple):
    surname: str | None = None
    given: str | None = None
    surname_sound: str | None = None
    given_sound: str | None = None


NOBODY = Name()
RARE = 1 << 16  # the place of a name that is no Chinese surname
_COMPOUND = """
欧阳 司马 上官 诸葛 夏侯 东方 皇甫 尉迟 公孙 慕容 司徒 令狐 宇文 长孙 端木 独孤 南宫 轩辕 百里 东郭
呼延 闻人 澹台 公冶 宗政 濮阳 淳于 单于 太叔 申屠 仲孙 钟离 赫连 拓跋 完颜 西门 第五 左丘 梁丘 万俟
纳兰 叶赫 爱新觉罗
"""
COMPOUND = frozenset(_COMPOUND.split())
# Read otherwise as a surname than in other words.
SURNAME_SOUNDS = {
    "单": "shan", "曾": "zeng", "解": "xie", "仇": "qiu", "查": "zha", "区": "ou", "朴": "piao",
    "任": "ren", "盖": "ge", "种": "chong", "翟": "zhai", "华": "hua", "覃": "qin", "缪": "miao",
    "尉迟": "yuchi", "万俟": "moqi", "单于": "chanyu", "澹台": "tantai", "长孙": "zhangsun",
    "乐": "yue", "冼": "xian", "逄": "pang", "员": "yun", "折": "she", "秘": "bi", "燕": "yan",
    "宁": "ning", "葛": "ge", "纪": "ji", "洗": "xian", "召": "shao", "黑": "he", "晁": "chao",
}  # fmt: skip
FREQUENT = (
    "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程"
    "苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝"
    "龚邵万钱严武戴莫孔向汤常温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左"
    "柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳欧阳管柴蒙鲍华喻祁蒲房"
    "滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧"
    "闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南"
    "班储原栗燕楚鄢扶诸晋牧"
)
CALLED = re.compile(r"(先生|女士|小姐|太太|夫人|老师|总监|经理|总|阿姨|师傅)$")
_TITLES = "mr mrs ms miss dr prof sir madam jr sr ii iii mister vip"
TITLES = frozenset(_TITLES.split())
HIDDEN = re.compile(r"[*＊•●x×]+$|某+$")
ASIDE = re.compile(r"[(（【\[].*?[)）】\]]?$|[\d#@&|/\\].*$")
LETTERS = re.compile(f"[^\\W\\d_]|[{HAN}]")
MARKS = re.compile(r"[^\w\s,]|[\d_]")
DOTS = re.compile(r"[·•・.]")


def person_name(text: str) -> Name:
    """What a whole name says."""
    whole = folded(text)
    plain = ASIDE.sub("", whole).strip()
    if whole in NOTHING or plain in NOTHING or not LETTERS.search(plain):
        return NOBODY
    return _chinese(plain) if is_han(plain) else _western(plain)


def parted(surname: str | None, given: str | None) -> Name:
    """The same of a name that comes in two columns."""
    last, first = (folded(part or "") for part in (surname, given))
    if is_han(last + first):
        last, first = last.replace(" ", ""), HIDDEN.sub("", CALLED.sub("", first.replace(" ", "")))
        return _spoken(last or None, first or None)
    last, first = (MARKS.sub("", part).strip() for part in (last, first))
    return _read(
        None if last in NOTHING else last or None, None if first in NOTHING else first or None
    )


def _chinese(text: str) -> Name:
    whole = DOTS.sub("", text).replace(" ", "")
    called = CALLED.sub("", whole)
    hidden = HIDDEN.sub("", called)
    is_half = hidden != whole
    letters = "".join(c for c in hidden if is_han(c))
    if not letters:
        return NOBODY
    if "·" in text or "•" in text:  # 阿卜杜拉·买买提: a name that has no surname in front
        first, _, last = text.replace("•", "·").partition("·")
        return _spoken(last or None, first or None)
    size = next((n for n in (4, 2) if letters[:n] in COMPOUND and len(letters) >= n), 1)
    if size == len(letters) == 2 and not is_half:
        size = 1 if letters[0] in FREQUENT else 2
    surname, given = letters[:size], letters[size:]
    if is_half and len(given) < 2:
        given = "" if called == whole or not given else given
    return _spoken(surname, given or None)


def _spoken(surname: str | None, given: str | None) -> Name:
    return Name(
        surname,
        given,
        None if surname is None else SURNAME_SOUNDS.get(surname) or pinyin(surname),
        None if given is None else pinyin(given),
    )


def _western(text: str) -> Name:
    last, comma, first = text.partition(",")
    words = MARKS.sub("", text.replace(",", " ").replace("-", "")).split()
    if comma and first.strip():
        last, first = (MARKS.sub("", part).strip() for part in (last, first))
        return _read(last or None, first or None)
    words = [word for word in words if word not in TITLES] or words
    if len(words) < 2:
        return _read(words[0], None) if words else NOBODY
    places = _surname_sounds()
    if places.get(words[0], RARE) < places.get(words[-1], RARE):  # in either order: Zhang Wei
        return _read(words[0], " ".join(words[1:]))
    return _read(words[-1], " ".join(words[:-1]))


def _read(surname: str | None, given: str | None) -> Name:
    """A name in letters sounds as it is written."""
    sounds = [None if part is None else part.replace(" ", "") for part in (surname, given)]
    return Name(surname, given, *sounds)


@lru_cache(maxsize=1 << 16)
def pinyin(text: str) -> str:
    """Without tones, written together; ü is v. Letters stay."""
    spoken: list[str] = needed("pypinyin").lazy_pinyin(text, v_to_u=False)
    return "".join(spoken).replace(" ", "")


@lru_cache(maxsize=1)
def _surname_sounds() -> dict[str, int]:
    """How Chinese surnames sound, with their place in the order of frequency."""
    found: dict[str, int] = {}
    for place, one in enumerate((*FREQUENT, *sorted(COMPOUND))):
        found.setdefault(SURNAME_SOUNDS.get(one) or pinyin(one), place)
    return found
