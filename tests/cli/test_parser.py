"""Every text of `--help` has a Chinese one, and a Chinese terminal gets it."""

import argparse
import re
import subprocess
import sys
import time

import pytest

from touchline.cli import main
from touchline.cli.chinese import HELP
from touchline.cli.parser import ABOUT, parser


@pytest.fixture
def speak(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    return lambda language: monkeypatch.setenv("LC_ALL", language)


def verbs(top):
    """Every verb, and every verb of a verb."""
    found = {}
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, made in action.choices.items():
                found[name] = made
                found |= {f"{name} {inner}": of for inner, of in verbs(made).items()}
    return found


def texts():
    top = parser()
    yield ABOUT
    for made in verbs(top).values():
        yield made.description
        yield from (a.help for a in made._actions if a.help and a.dest != "help")


def test_every_help_text_is_translated_and_none_is_left_over(speak):
    speak("C.UTF-8")
    assert set(texts()) == set(HELP)


def test_a_chinese_terminal_reads_chinese(speak):
    speak("zh_CN.UTF-8")
    top = parser()
    for made in (top, *verbs(top).values()):
        said = made.format_help().replace(made.prog, "")
        english = re.findall(r"[a-z]{3,} [a-z]{2,} [a-z]{2,}", said)
        assert english == [], english
    assert parser().format_help().startswith("用法:touchline")


@pytest.mark.parametrize(
    "given",
    [["links", "list", "shop", "--campaign"], ["keys", "create", "shop", "--alias"]],
)
def test_bytes_that_are_no_text_are_refused_in_one_line(speak, capsys, given):
    speak("C.UTF-8")
    assert main([*given, "\udcff"]) == 2
    name = given[-1].removeprefix("--")
    assert capsys.readouterr().err == f"touchline: {name}: '\\udcff' is not UTF-8.\n"


@pytest.mark.parametrize("language", ["C.UTF-8", "zh_CN.UTF-8"])
def test_help_is_made_at_once(speak, language):
    speak(language)
    start = time.perf_counter()
    parser().format_help()
    assert time.perf_counter() - start < 0.3


@pytest.mark.parametrize(
    ("shell", "code", "says"),
    [
        ("maps > /dev/full", 3, "touchline: stdout: no space left"),
        ("maps --format json | head -c 1", 0, ""),
        ("maps >&-", 0, ""),
        ("maps nothing 2>&-", 2, ""),
        ("dump /proc/1/mem", 2, "touchline: /proc/1/mem"),
        ("export . events --out /proc/x/y", 2, "touchline: "),
    ],
)
def test_output_that_goes_nowhere_is_no_traceback(tmp_path, shell, code, says):
    ran = subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", f"{sys.executable} -m touchline.cli {shell}"],
        cwd=tmp_path, env={"LC_ALL": "C.UTF-8"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr[: len(says)]) == (code, says)
    assert ran.stderr.count("\n") == bool(says)
