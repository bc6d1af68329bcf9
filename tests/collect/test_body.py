"""A body is what its bytes say: JSON, gzip, or a form whose `data` is JSON or base64 of it."""

import base64
import contextlib
import gzip
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.collect.body import MAX_BODY, load, load_text
from touchline.collect.url import fields
from touchline.errors import BadInput

VALUE = {"event": "下单 + 1", "list": [1, {"a": None}], "url": "https://a.cn/?x=1&y=%20"}
JSON = json.dumps(VALUE, ensure_ascii=False).encode()
FORMS = {
    "json": quote(JSON).encode(),
    "json with pluses": quote_plus(JSON).encode(),
    "base64": quote(base64.b64encode(JSON)).encode(),
    "base64 as it is": base64.b64encode(JSON),
    "base64url without padding": base64.urlsafe_b64encode(JSON).rstrip(b"="),
    "base64 of gzip": quote(base64.b64encode(gzip.compress(JSON))).encode(),
}


@pytest.mark.parametrize("data", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("more", [b"", b"&ip=1&verbose=1"])
def test_a_form_is_read_by_its_data(data, more):
    assert load(b"data=" + data + more) == VALUE
    assert load(gzip.compress(b"data=" + data + more)) == VALUE


@pytest.mark.parametrize("body", [b"data=", b"data=%%%", b"data=e", b"data=%ff", b"data=bm90"])
def test_a_form_without_json_is_unreadable(body):
    with pytest.raises(BadInput) as refused:
        load(body)
    assert refused.value.code == "unreadable_body"


def test_a_bomb_in_base64_stays_within_the_limit():
    bomb = base64.b64encode(gzip.compress(bytes(8 * MAX_BODY)))
    with pytest.raises(BadInput) as refused:
        load(b"data=" + bomb)
    assert refused.value.code == "body_too_large"


@given(st.text())
def test_any_text_is_json_or_an_error(text):
    with contextlib.suppress(BadInput):
        load_text(text)


def test_fields_are_decoded_once_and_the_first_of_a_name_counts():
    query = b"a=1&b=%E4%BD%A0+%2B&a=2&novalue&%63=%D6%D0&d=x%00y&e=a=b&f=\xe4\xbd\xa0"
    found = fields(query)
    assert found == {"a": "1", "b": "你 +", "c": "中", "d": "x\ufffdy", "e": "a=b", "f": "你"}


@given(st.binary())
def test_any_bytes_have_fields(query):
    assert all("\0" not in value for value in fields(query).values())
