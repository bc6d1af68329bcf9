"""A Segment item → the identifiers it carries, in a fixed order, each once.

Only places that speak of the sender are read: userId, anonymousId, previousId of an alias, traits
of identify, context.traits and context.device. Properties and group traits speak of other things
(an invited friend's e-mail, a company's phone), so they never join anybody.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from touchline.collect.normalise import identifier
from touchline.model import Identifier

__all__ = [
    "app_of",
    "context_identifiers",
    "identifier_type",
    "identifiers",
    "is_named",
    "raw_identifiers",
    "trait_identifiers",
]

_SPELLINGS = {
    "email": "email emailaddress mail useremail 邮箱 电子邮箱 邮件",
    "phone": "phone phonenumber mobile mobilephone mobilenumber cellphone telephone tel userphone "
    "手机 手机号 手机号码 电话 联系电话",
    "member_code": "membercode memberno membernumber memberid membercard membercardno vipno "
    "会员号 会员卡号 会员编号 会员码",
    "crm_id": "crmid crmcontactid crmcustomerid 客户编号",
    "unionid": "unionid wechatunionid wxunionid weixinunionid",
    "external_userid": "externaluserid wecomexternaluserid",
    "openid": "openid wechatopenid wxopenid weixinopenid",
}
_TYPE_OF = {word: type_ for type_, words in _SPELLINGS.items() for word in words.split()}
_DEVICE_KEYS = ("id", "advertisingId", "idfa", "idfv", "oaid", "gaid")
_APP_KEYS = ("appId", "appid", "app_id", "id", "namespace", "name")
MAX_KEY = 40  # a longer key is no name of ours, and would only fill the cache
_HAS_DIGITS = re.compile(r"(\d\D*){5}")
_JOINTS = re.compile(r"[\s_\-.]+")


def identifier_type(key: str) -> str | None:
    """The identifier type a field's name stands for (`mobilePhone` → `phone`), or None."""
    return _type_of(key) if len(key) <= MAX_KEY else None


@lru_cache(maxsize=4096)
def _type_of(key: str) -> str | None:
    return _TYPE_OF.get(_JOINTS.sub("", key).lower())


def raw_identifiers(data: dict[str, Any]) -> Iterator[tuple[str, Any, str | None]]:
    """(type, value as sent, app) of every identifier an item carries."""
    yield "user_id", data.get("userId"), None
    yield "anonymous_id", data.get("anonymousId"), None
    kind = data.get("type")
    if kind == "alias":
        yield "anonymous_id", data.get("previousId"), None
    context = data.get("context")
    context = context if type(context) is dict else {}
    if kind == "identify":
        yield from _of_traits(data.get("traits"), app_of(context))
    yield from _of_context(context)


def _of_traits(traits: Any, app: str | None) -> Iterator[tuple[str, Any, str | None]]:
    if type(traits) is dict:
        for key, value in traits.items():
            type_ = identifier_type(key)
            if type_ is not None:
                yield type_, value, app


def _of_context(context: dict[str, Any]) -> Iterator[tuple[str, Any, str | None]]:
    yield from _of_traits(context.get("traits"), app_of(context))
    device = context.get("device")
    if type(device) is dict:
        for key in _DEVICE_KEYS:
            if key in device:
                yield "device", device[key], None


def identifiers(data: dict[str, Any], region: str) -> tuple[Identifier, ...]:
    """Everything that names the sender, normalised; values that name nobody are left out."""
    return _normal(raw_identifiers(data), region)


def trait_identifiers(traits: Any, app: str | None, region: str) -> tuple[Identifier, ...]:
    """The part of `identifiers` that an identify call's traits give."""
    return _normal(_of_traits(traits, app), region)


def context_identifiers(context: dict[str, Any], region: str) -> tuple[Identifier, ...]:
    """The part of `identifiers` that a context gives: it comes last."""
    return _normal(_of_context(context), region)


def _normal(named: Iterable[tuple[str, Any, str | None]], region: str) -> tuple[Identifier, ...]:
    found: dict[Identifier, None] = {}
    for type_, raw, app in named:
        if raw is not None:
            known = identifier(type_, raw, region, app)
            if known is not None:
                found[known] = None
    return tuple(found)


def is_named(data: dict[str, Any], region: str = "") -> bool:
    """Whether anything names the sender. A phone without a region counts when it is present."""
    for type_, raw, app in raw_identifiers(data):
        if raw is not None and identifier(type_, raw, region, app) is not None:
            return True
        if type_ == "phone" and not region and _HAS_DIGITS.search(str(raw)[:MAX_KEY]):
            return True
    return False


def app_of(context: dict[str, Any]) -> str | None:
    """The app a context speaks from: openids are scoped by it."""
    app = context.get("app")
    if type(app) is dict:
        app = next((app[key] for key in _APP_KEYS if app.get(key)), None)
    return app if type(app) is str and app else None
