"""What a name says: surname and given name, and how both sound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.identity.match.fold import folded
from touchline.identity.match.names import Name, parted, person_name


@pytest.mark.parametrize(
    ("text", "surname", "first", "sound"),
    [
        ("张伟", "张", "伟", "zhang wei"),
        ("張偉", "张", "伟", "zhang wei"),
        ("ＺＨＡＮＧ　ＷＥＩ", "zhang", "wei", "zhang wei"),
        ("Wei Zhang", "zhang", "wei", "zhang wei"),
        ("欧阳娜娜", "欧阳", "娜娜", "ouyang nana"),
        ("Ouyang Nana", "ouyang", "nana", "ouyang nana"),
        ("东方红", "东方", "红", "dongfang hong"),
        ("司马", "司", "马", "si ma"),
        ("单雄信", "单", "雄信", "shan xiongxin"),
        ("尉迟恭", "尉迟", "恭", "yuchi gong"),
        ("张 伟 先生", "张", "伟", "zhang wei"),
        ("王小明(VIP客户)", "王", "小明", "wang xiaoming"),
        ("阿卜杜拉·买买提", "买买提", "阿卜杜拉", "maimaiti abodula"),
        ("Smith, John", "smith", "john", "smith john"),
        ("Dr. José García", "garcia", "jose", "garcia jose"),
        ("John O'Brien", "obrien", "john", "obrien john"),
    ],
)
def test_a_name_is_read_as_it_is_meant(text, surname, first, sound):
    found = person_name(text)
    assert (found.surname, found.given) == (surname, first)
    assert f"{found.surname_sound} {found.given_sound}" == sound


@pytest.mark.parametrize("text", ["张*", "张**", "张先生", "張小姐", "张某某"])
def test_a_name_that_is_half_hidden_is_its_surname(text):
    assert person_name(text) == Name("张", None, "zhang", None)


@pytest.mark.parametrize(
    "text", ["", "***", "🙂🙂", "13800138000", "测试", "null", "N/A", "=1+1", "_", "()"]
)
def test_what_is_no_name_says_nothing(text):
    assert person_name(text) == Name()


def test_two_columns_say_what_one_does():
    assert parted("欧阳", "娜娜") == person_name("欧阳娜娜")
    assert parted("Smith", "John") == person_name("John Smith")
    assert parted(None, "null") == Name()


@given(st.text(max_size=300))
def test_any_text_is_read_and_folding_twice_changes_nothing(text):
    found = person_name(text)
    assert all(part is None or part for part in found)
    assert folded(folded(text)) == folded(text)
