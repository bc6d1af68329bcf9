r"""How a team names its campaigns: rules as a definition → what is wrong with a name, in words.

    [naming]
    required = ["source", "medium", "campaign"]
    case = "lower"                     # or "upper"
    separator = "_"                    # the only one of space - _ . | that may stand between words
    chinese = false
    max_length = 60
    sources = ["baidu", "xiaohongshu"]
    mediums = ["cpc", "kol", "email"]
    [naming.pattern]
    campaign = '\d{4}_[a-z_]+'

A rule that is not written is not checked. Rules are for names that are made here; what comes in
with visitors is taken as it is.
"""

import difflib
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import Struct

from touchline.collect.campaign import Labels
from touchline.collect.link import FIELDS, address, checked_url, labels_from
from touchline.collect.pattern import full
from touchline.errors import BadInput

__all__ = ["Finding", "Naming", "build", "checked", "naming"]

SEPARATORS = " -_.|"
_HAN = re.compile("[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef]")

WORDS = {
    "missing": ("{field} is missing", "缺少 {field}"),
    "case_lower": (
        "{field} {value!r}: use small letters",
        "{field} {value!r} 应使用小写字母",
    ),
    "case_upper": ("{field} {value!r}: use capitals", "{field} {value!r} 应使用大写字母"),
    "separator": (
        "{field} {value!r}: put {separator!r} between words, and nothing else",
        "{field} {value!r}:单词之间只能用 {separator!r} 连接",
    ),
    "too_long": (
        "{field} {value!r} is longer than {most} characters",
        "{field} {value!r} 超过 {most} 个字符",
    ),
    "chinese": (
        "{field} {value!r}: no Chinese characters",
        "{field} {value!r} 不能使用中文",
    ),
    "unknown": (
        "{field} {value!r} is not on the list{near}",
        "{field} {value!r} 不在允许的列表里{near}",
    ),
    "pattern": (
        "{field} {value!r} does not have the form {pattern}",
        "{field} {value!r} 不符合格式 {pattern}",
    ),
}
_NEAR = (" (did you mean {near}?)", "(是否应为 {near}?)")


class Finding(Struct, frozen=True):
    """What is wrong with one field."""

    field: str
    code: str
    params: dict[str, Any] = {}

    def text(self, language: str) -> str:
        """In "en" or "zh"."""
        is_zh = language == "zh"
        near = _NEAR[is_zh].format(near=self.params["near"]) if self.params.get("near") else ""
        return WORDS[self.code][is_zh].format(field=self.field, **{**self.params, "near": near})


_full = lru_cache(maxsize=64)(full)


class Naming(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules of a site."""

    required: tuple[str, ...] = ()
    case: Literal["any", "lower", "upper"] = "any"
    separator: str | None = None
    chinese: bool = True
    max_length: int | None = None
    sources: tuple[str, ...] = ()
    mediums: tuple[str, ...] = ()
    pattern: dict[str, str] = {}

    def findings(self, labels: Labels) -> list[Finding]:
        """All that is wrong, in the order of the fields."""
        return [one for name in FIELDS for one in self._of(name, getattr(labels, name))]

    def _of(self, field: str, value: str | None) -> Iterator[Finding]:
        if value is None:
            if field in self.required:
                yield Finding(field, "missing")
            return
        listed = {"source": self.sources, "medium": self.mediums}.get(field, ())
        if listed:
            # A list says all there is to say of a name.
            if value not in listed:
                close = difflib.get_close_matches(value.lower(), listed, 1)
                yield Finding(field, "unknown", {"value": value, "near": (*close, "")[0]})
            return
        yield from self._spelling(field, value)
        pattern = self.pattern.get(field)
        if pattern is not None and not _full(pattern)(value):
            yield Finding(field, "pattern", {"value": value, "pattern": pattern})

    def _spelling(self, field: str, value: str) -> Iterator[Finding]:
        if self.case != "any" and value != getattr(value, self.case)():
            yield Finding(field, f"case_{self.case}", {"value": value})
        others = [mark for mark in SEPARATORS if mark != self.separator]
        if self.separator is not None and any(mark in value for mark in others):
            yield Finding(field, "separator", {"value": value, "separator": self.separator})
        if not self.chinese and _HAN.search(value):
            yield Finding(field, "chinese", {"value": value})
        if self.max_length is not None and len(value) > self.max_length:
            yield Finding(field, "too_long", {"value": value[:80], "most": self.max_length})


def naming(document: Any) -> Naming:
    """Rules of a `[naming]` table. Raises BadInput("bad_naming") that says what is wrong."""
    try:
        made = msgspec.convert(document, Naming)
        for name in (*made.required, *made.pattern):
            if name not in FIELDS:
                raise ValueError(f"{name} is none of {', '.join(FIELDS)}")  # noqa: TRY301  # all faults go one way
        for pattern in made.pattern.values():
            _full(pattern)
        if made.separator is not None and (made.separator not in SEPARATORS or not made.separator):
            raise ValueError(f"separator is one of {SEPARATORS!r}")  # noqa: TRY301  # see above
    except (ValueError, msgspec.ValidationError) as error:
        raise BadInput("bad_naming", why=error) from error
    return made


def checked(rules: Naming, labels: Labels) -> None:
    """Raises BadInput("naming") with all that is wrong, in both languages."""
    findings = rules.findings(labels)
    if findings:
        joints = {"en": "; ", "zh": ";"}
        texts = {code: joints[code].join(one.text(code) for one in findings) for code in joints}
        raise BadInput("naming", **texts)


def build(
    url: str, fields: dict[str, str | None], rules: Naming | None = None
) -> tuple[str, list[Finding]]:
    """A page's address with what is said of the campaign, and what is wrong with the names."""
    target = checked_url(url)
    labels = labels_from(fields, target)
    return address(target, labels), (rules or Naming()).findings(labels)
