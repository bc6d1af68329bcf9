"""The reference names every key of a webhook, a form, a code and an answer, and no other."""

import re
from pathlib import Path

import pytest

from touchline.collect.makers import claim, form, webhook

PAGE = (Path(__file__).parents[2] / "docs/reference/definitions.md").read_text(encoding="utf-8")


def section(kind):
    return PAGE.partition(f"## `[[{kind}]]`\n")[2].partition("\n## ")[0]


def keys(struct):
    return set(struct.__struct_encode_fields__)


@pytest.mark.parametrize(
    ("kind", "struct"),
    [
        ("webhook", webhook._Written),
        ("form", form.Form),
        ("promo_code", claim.Code),
        ("reported_source", claim.Answer),
    ],
)
def test_every_key_is_in_the_reference(kind, struct):
    rows = re.findall(r"^\| (.*?) \|", section(kind), re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`(?:\[+(?:\w+\.)?)?(\w+)\]*`", row)}
    assert keys(struct) <= told


def test_every_key_and_type_of_a_field_of_a_form_is_in_the_reference():
    part = section("form")
    assert all(f"`{name}`" in part for name in keys(form.Field))
    types = form.Field.__annotations__["type"].__args__
    assert all(f"`{name}`" in part for name in types)
