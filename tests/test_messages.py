"""Words of errors: each code stands in one file, in both languages, with the same blanks."""

import importlib
import pkgutil
import string
from collections import Counter

import pytest

from touchline import messages

ADVICE = {"advising"}  # no errors: see tests/attribution/test_guide.py
NAMES = {module.name for module in pkgutil.iter_modules(messages.__path__)} - ADVICE
FILES = [importlib.import_module(f"touchline.messages.{name}") for name in sorted(NAMES)]


def test_each_code_stands_in_one_file():
    codes = Counter(code for file in FILES for code in file.MESSAGES)
    assert [code for code, count in codes.items() if count > 1] == []
    assert set(codes) == set(messages.MESSAGES)


@pytest.mark.parametrize("code", sorted(messages.MESSAGES))
def test_both_languages_say_it_with_blanks_that_can_be_filled(code):
    texts = messages.MESSAGES[code]
    assert len(texts) == 2
    assert all(text.strip() for text in texts)
    blanks = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in texts]
    # A code in two languages may have its findings in each (`naming`).
    assert blanks[0] == blanks[1] or code == "naming" or blanks[1] < blanks[0], blanks
