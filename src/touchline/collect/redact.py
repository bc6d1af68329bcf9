"""Events as they arrived → events fit for the lake: what names a person is replaced by tokens.

Known identifier names are looked for in properties, context and URL queries at any depth; a value
that is an e-mail address is one under any name. The token is the caller's (`type:node id`), so the
same value has the same token everywhere and can be found again, but not read.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import msgspec

from touchline.collect.identifiers import identifier_type
from touchline.collect.normalise import identifier
from touchline.collect.url import unquoted
from touchline.model import Event

__all__ = ["is_personal", "split_traits", "without_identifiers"]

Token = Callable[[str, str], str]

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
_PERSONAL_WORDS = """
name firstname lastname fullname realname nickname username birthday birthdate dateofbirth dob
address street avatar photo wechat wechatid qq
姓名 真实姓名 名字 昵称 生日 出生日期 地址 详细地址 收货地址 头像 微信号
"""
_PERSONAL = frozenset(_PERSONAL_WORDS.split())
_BEHIND_MARKS = re.compile(r"(?<=[&?#;])")

# Objects whose plain `id` names somebody.
_ID_OWNERS = {"device": "device", "externalid": "user_id", "externalids": "user_id"}


def without_identifiers(event: Event, token: Token, region: str = "CN") -> Event:
    """The event with page_url, properties and context free of identifiers (the rest untouched)."""
    veil = _Veil(token, region)
    return msgspec.structs.replace(
        event,
        page_url=veil.url(event.page_url) if event.page_url else None,
        properties=veil.mapping(event.properties),
        context=veil.mapping(event.context),
    )


def split_traits(
    traits: Mapping[str, Any], personal: frozenset[str] = frozenset()
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(personal, other) traits; `personal` are names a site marks besides the usual ones."""
    own: dict[str, Any] = {}
    other: dict[str, Any] = {}
    for name, value in traits.items():
        (own if name in personal or is_personal(name) else other)[name] = value
    return own, other


@lru_cache(maxsize=4096)
def is_personal(name: str) -> bool:
    """Whether a trait of this name says who somebody is."""
    return _folded(name) in _PERSONAL or _is_secret(name) or _type_of(name) is not None


@lru_cache(maxsize=8192)
def _folded(name: str) -> str:
    return "".join(letter for letter in name[:40].lower() if letter not in " _-.$")


@lru_cache(maxsize=8192)
def _type_of(name: str) -> str | None:
    return identifier_type(name) or _ALSO_NAMES.get(_folded(name))


@lru_cache(maxsize=8192)
def _is_secret(name: str) -> bool:
    return _folded(name) in _NEVER_KEPT


@lru_cache(maxsize=1 << 14)
def _may_name(url: str) -> bool:
    """Whether a URL has anything to replace: pages are few, events on them many."""
    if "@" in url or "%40" in url:
        return True
    names = (unquoted(piece.partition("=")[0]) for piece in _BEHIND_MARKS.split(url))
    return any(_type_of(name) is not None or _is_secret(name) for name in names)


class _Veil:
    """One walk over one event's values."""

    def __init__(self, token: Token, region: str) -> None:
        self._token = token
        self._region = region

    def mapping(self, values: Mapping[str, Any], owner: str = "") -> dict[str, Any]:
        id_type = _ID_OWNERS.get(owner)
        return {
            name: REMOVED
            if value is not None and _is_secret(name)
            else self._value(value, _type_of(name) or (id_type if name == "id" else None), name)
            for name, value in values.items()
        }

    def _value(self, value: Any, type_: str | None, name: str) -> Any:
        kind = type(value)
        if kind is dict:
            return self.mapping(value, _folded(name))
        if kind is list:
            return [self._value(item, type_, name) for item in value]
        if type_ is not None:
            return self._named(type_, value)
        return self._text(value) if kind is str else value

    def _named(self, type_: str, value: Any) -> Any:
        """A value under an identifier's name. What names nobody is masked all the same."""
        if value is None or value == "" or type(value) is bool:
            return value
        known = identifier(type_, value, self._region)
        return self._token(type_, known.value) if known else REMOVED

    def _text(self, value: str) -> str:
        if "@" in value and len(value) < 320:
            known = identifier("email", value, "")
            if known is not None:
                return self._token("email", known.value)
        if "=" in value and ("?" in value or "#" in value):
            return self.url(value)
        return value

    def url(self, url: str) -> str:
        """The URL with identifiers in its query and fragment replaced; the rest byte for byte."""
        if not _may_name(url):
            return url
        if "@" in url or "%40" in url:
            url = "/".join(self._segment(part) for part in url.split("/"))
        if "=" not in url:
            return url
        start = min(index for index in (url.find("?"), url.find("#"), len(url)) if index >= 0)
        head, tail = url[: start + 1], url[start + 1 :]
        # Both separators may occur behind either mark: split at all of them, keep each one.
        return head + "".join(self._pair(piece) for piece in _BEHIND_MARKS.split(tail))

    def _segment(self, part: str) -> str:
        """A piece of the path that is an address, and a user in front of the host."""
        if "?" in part or "=" in part:
            return part
        known = identifier("email", unquoted(part), "")
        if known is not None:
            return quote(self._token("email", known.value), safe=":")
        user, at, host = part.rpartition("@")
        return host if at and user else part

    def _pair(self, piece: str) -> str:
        name, equals, value = piece.partition("=")
        if not equals or not value:
            return piece
        ending = value[-1] if value[-1] in "&?#;" else ""
        raw = unquoted(value.removesuffix(ending))
        type_ = _type_of(unquoted(name))
        if type_ is None:
            veiled = self._text(raw) if "@" in raw or "=" in raw else raw
        else:
            veiled = self._named(type_, raw)
        if _is_secret(unquoted(name)):
            veiled = REMOVED
        return piece if veiled == raw else f"{name}={quote(str(veiled), safe=':')}{ending}"
