"""Events as they arrived → events fit for the lake: what names a person is replaced by tokens.

Known identifier names are looked for in properties, context and URL queries at any depth; a value
that is an e-mail address is one under any name. The token is the caller's (`type:node id`), so the
same value has the same token everywhere and can be found again, but not read.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from touchline.collect.identifiers import MAX_KEY, identifier_type
from touchline.collect.normalise import identifier
from touchline.collect.url import unquoted
from touchline.model import Members

__all__ = ["Veil", "is_telling", "values_without_identifiers"]

Token = Callable[[str, str], str]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

REMOVED = "[removed]"

_ALSO_NAMES = {
    "userid": "user_id",
    "uid": "user_id",
    "distinctid": "user_id",
    "externalid": "user_id",
    "previousid": "anonymous_id",
    "anonymousid": "anonymous_id",
    "deviceid": "device",
    "advertisingid": "device",
    "idfa": "device",
    "idfv": "device",
    "oaid": "device",
    "gaid": "device",
    "imei": "device",
    "androidid": "device",
}
_NEVER_KEPT_WORDS = """
password passwd pwd creditcard cardnumber bankcard cvv cvc idcard idnumber idcardno passport
passportno ssn 密码 身份证 身份证号 身份证号码 银行卡号 护照号
"""
_NEVER_KEPT = frozenset(_NEVER_KEPT_WORDS.split())
_MARKS = "&?#;"
_BEHIND_MARKS = re.compile(r"(?<=[&?#;])")
MAX_LINKS_IN_LINKS = 3
MAX_REMEMBERED = 1024

# Objects whose plain `id` names somebody.
_ID_OWNERS = {"device": "device", "externalid": "user_id", "externalids": "user_id"}


def values_without_identifiers(
    values: Mapping[str, Any], token: Token, region: str = "CN"
) -> dict[str, Any]:
    """The same for the properties of a row that is no event."""
    return Veil(token, region).mapping(values) if values else {}


class _Meaning(NamedTuple):
    """What a field's name says of its value."""

    type: str | None = None
    is_secret: bool = False
    folded: str = ""


_NO_MEANING = _Meaning()


def _meaning_of(name: str) -> _Meaning:
    return _meaning(name) if len(name) <= MAX_KEY else _NO_MEANING


@lru_cache(maxsize=8192)
def _meaning(name: str) -> _Meaning:
    folded = "".join(letter for letter in name.lower() if letter not in " _-.$")
    type_ = identifier_type(name) or _ALSO_NAMES.get(folded)
    return _Meaning(type_, folded in _NEVER_KEPT, folded)


def is_telling(name: str) -> bool:
    """Whether a field of that name holds what names somebody, or a secret."""
    meaning = _meaning_of(name)
    return meaning.type is not None or meaning.is_secret


def _may_name(url: str) -> bool:
    return _has_name(url) if len(url) <= MAX_REMEMBERED else True


@lru_cache(maxsize=1 << 14)
def _has_name(url: str) -> bool:
    """Whether a URL has anything to replace: pages are few, events on them many."""
    if "@" in url or "%40" in url or "%3D" in url.upper():
        return True
    names = (unquoted(piece.partition("=")[0]) for piece in _BEHIND_MARKS.split(url))
    return any(m.type is not None or m.is_secret for m in map(_meaning_of, names))


class Veil:
    """Looks through values under the tokens of one workspace, and remembers what it met last."""

    def __init__(self, token: Token, region: str) -> None:
        self._token = token
        self._region = region
        self._member = lru_cache(1 << 14)(self._read_member)

    def text_of(self, values: Mapping[str, Any]) -> str:
        """An object as JSON, free of identifiers. Of `Members`, known bytes are not read again."""
        if type(values) is not Members:
            return _encode(self.mapping(values)).decode()
        return f"{{{','.join([self._met(name, raw) for name, raw in values.items()])}}}"

    def _met(self, name: str, raw: bytes) -> str:
        is_long = len(name) + len(raw) > MAX_REMEMBERED
        return self._read_member(name, raw) if is_long else self._member(name, raw)

    def _read_member(self, name: str, raw: bytes) -> str:
        """`"name":value`, as it stands in an object."""
        return _encode(self.mapping({name: _decode(raw)})).decode()[1:-1]

    def mapping(self, values: Mapping[str, Any], owner: str = "") -> dict[str, Any]:
        id_type = _ID_OWNERS.get(owner)
        found: dict[str, Any] = {}
        for name, value in values.items():
            meaning = _meaning_of(name)
            if meaning.is_secret and value is not None:
                found[name] = REMOVED
            else:
                type_ = meaning.type or (id_type if name == "id" else None)
                found[name] = self._value(value, type_, meaning.folded)
        return found

    def _value(self, value: Any, type_: str | None, owner: str) -> Any:
        kind = type(value)
        if kind is dict:
            return self.mapping(value, owner)
        if kind is list:
            return [self._value(item, type_, owner) for item in value]
        if type_ is not None:
            return self._named(type_, value)
        return self.text(value) if kind is str else value

    def _named(self, type_: str, value: Any) -> Any:
        """A value under an identifier's name. What names nobody is masked all the same."""
        if value is None or value == "" or type(value) is bool:
            return value
        known = identifier(type_, value, self._region)
        return self._token(type_, known.value) if known else REMOVED

    def text(self, value: str, depth: int = 0) -> str:
        if "@" in value and len(value) < 320:
            known = identifier("email", value, "")
            if known is not None:
                return self._token("email", known.value)
        is_link = "://" in value or value[:1] == "/"
        if is_link or ("=" in value and ("?" in value or "#" in value)):
            return self.url(value, depth)
        return value

    def url(self, url: str, depth: int = 0) -> str:
        """The URL with identifiers replaced in path, query and fragment; the rest byte for byte."""
        if not _may_name(url):
            return url
        # Either mark may stand behind the other in links of single-page apps: split at all.
        head, *pieces = _BEHIND_MARKS.split(url)
        return self._path(head) + "".join(self._pair(piece, depth) for piece in pieces)

    def _path(self, path: str) -> str:
        """A path without addresses, and without a user in front of its host."""
        if "@" not in path and "%40" not in path:
            return path
        ending = path[-1] if path[-1] in _MARKS else ""
        return (
            "/".join(self._segment(part) for part in path.removesuffix(ending).split("/")) + ending
        )

    def _segment(self, part: str) -> str:
        known = identifier("email", unquoted(part), "")
        if known is not None:
            return quote(self._token("email", known.value), safe=":")
        user, at, host = part.rpartition("@")
        return host if at and user else part

    def _pair(self, piece: str, depth: int) -> str:
        name, equals, value = piece.partition("=")
        if not equals:
            return self._path(piece)
        ending = value[-1:] if value[-1:] in _MARKS else ""
        raw = unquoted(value.removesuffix(ending))
        meaning = _meaning_of(unquoted(name))
        if not raw:
            return piece
        if meaning.is_secret or depth == MAX_LINKS_IN_LINKS:
            veiled = REMOVED
        elif meaning.type is not None:
            veiled = self._named(meaning.type, raw)
        else:
            veiled = self.text(raw, depth + 1)
        return piece if veiled == raw else f"{name}={quote(str(veiled), safe=':')}{ending}"
