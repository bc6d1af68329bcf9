"""Words of errors: each code stands in one file, in both languages, with the same blanks."""

import ast
import importlib
import pkgutil
import string
from collections import Counter
from pathlib import Path

import pytest

import touchline
from touchline import messages
from touchline.errors import BadInput
from touchline.messages import details

# No errors: see tests/attribution/test_guide.py, and below.
ADVICE = {"advising", "details"}
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


def template(node):
    """The words of a string in code, `{}` for what is filled in; None of what is no string."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        return "".join(parts)
    return None


def source(function):
    return ast.unparse(function).replace("'", '"')


def details_of(function, helper):
    """What a function refuses an argument with: BadInput("bad_argument", …, why=…), or a helper."""
    for call in ast.walk(function):
        if not isinstance(call, ast.Call):
            continue
        is_helper = isinstance(call.func, ast.Name) and call.func.id == helper
        said = [template(argument) for argument in call.args]
        if is_helper:
            yield said[-1]
        if "bad_argument" not in said[:1]:
            continue
        for keyword in call.keywords:
            if keyword.arg == "why" and isinstance(keyword.value, ast.Name):
                yield from assigned(function, keyword.value.id)
            elif keyword.arg == "why":
                yield template(keyword.value)


def assigned(function, name):
    for node in ast.walk(function):
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            choice = node.value
            for one in [choice.body, choice.orelse] if isinstance(choice, ast.IfExp) else [choice]:
                yield template(one)


def raised():
    for path in sorted(Path(touchline.__file__).parent.rglob("*.py")):
        whole = ast.parse(path.read_text("utf-8"))
        functions = [one for one in ast.walk(whole) if isinstance(one, ast.FunctionDef)]
        functions += [one for one in ast.walk(whole) if isinstance(one, ast.AsyncFunctionDef)]
        bad = [one for one in functions if one.name == "_bad" and '"bad_argument"' in source(one)]
        for one in functions:
            yield from filter(None, details_of(one, "_bad" if bad else None))


def test_why_an_argument_is_refused_is_said_in_chinese_too():
    said = sorted(set(raised()))
    assert len(said) > 60
    english = [detail for detail in said if details.in_chinese(detail) == detail]
    assert english == []


def test_a_detail_keeps_what_is_different_each_time():
    why = "is not a whole number from 20 to 10000."
    error = BadInput("bad_argument", name="replicates", value="1", why=why)
    assert error.text("zh") == "参数 replicates:'1' 须为 20 到 10000 之间的整数。"
    assert error.text("en") == f"replicates: '1' {why}"
    assert BadInput("bad_argument", name="x", value=1, why="is {odd}.").text("zh").endswith("odd}.")


@pytest.mark.parametrize(("english", "chinese"), details.DETAILS.items())
def test_a_detail_has_the_same_blanks_in_both_languages(english, chinese):
    assert english.count("{}") >= chinese.count("{}")
    assert details.in_chinese(english) == chinese
