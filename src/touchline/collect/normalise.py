"""A value that names a person or device, as somebody typed it → its one normal form, or None.

None means the value names nobody: `null`, `000000`, `test`, `138****8000`, `noreply@…`. Company
mailboxes such as info@ are kept: one contact may well use one, and quarantine sees to shared ones.
Case is kept except in e-mail, because WeChat ids differ by case alone.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Any

from touchline.errors import BadInput
from touchline.model import TYPE_RANK, Identifier

__all__ = ["MAX_LENGTH", "check_region", "identifier", "is_blocked", "national", "opaque"]

MAX_LENGTH = 512

_NOBODY_WORDS = """
null none nil nan n/a na undefined unknown anonymous anon empty blank false true (null) (none)
<null> [null] not_set (not_set) notset (notset) nobody guest visitor default invalid
test testing tester testuser test_user demo todo tbd xx xxx xxxx xxxxx -1 9774d56d682e549c
空 无 暂无 没有 未知 匿名 游客 访客 测试 测试用户 默认 保密 不详
"""
_NOBODY = frozenset(_NOBODY_WORDS.split()) | {
    "not set",
    "(not set)",
    "[object object]",
    "test user",
}
_NO_MAILBOX_WORDS = """
noreply no-reply no_reply donotreply do-not-reply do_not_reply mailer-daemon postmaster
null none na n/a undefined unknown nobody test testing example anonymous fake
"""
_NO_MAILBOX = frozenset(_NO_MAILBOX_WORDS.split())

_FORMAT_MARKS = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_MASKED = re.compile(r"\*\*|\*{1}x|•{2}|●{2}|…|\ufffd")
_PLACEHOLDER = re.compile(r"\{\{.*\}\}|\$\{.*\}|<%.*%>|%[sd]|\{[a-z_.]+\}", re.IGNORECASE)
_SAYS_SOMETHING = re.compile(r"[^\W0_]")
_ANGLED = re.compile(r".*<([^<>\s]+)>", re.DOTALL)
# Without the rarities `/?=|{}`: a path or a query that holds an address is not an address.
_EMAIL = re.compile(
    r"[a-z0-9!#$%&'+^_~-]+(?:\.[a-z0-9!#$%&'+^_~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]",
    re.ASCII,
)
_PHONE_DRESS = re.compile(r"[\s().\-‐-―/]+")
_CN_MOBILE = re.compile(r"(?:\+86|0086|86)?(1\d{10})", re.ASCII)
_NOT_PHONE = re.compile(r"[^\d+().\-\s/#;=,xeto‐-―]|\d[eE]\+", re.IGNORECASE)


def identifier(type_: str, raw: Any, region: str, app: str | None = None) -> Identifier | None:
    """The normal form of an identifier; None when the value names nobody.

    `region` (ISO 3166) reads phones written without a country code. An openid may carry its app
    as `APPID:OPENID`; `app` is used when it does not.
    """
    kind = type(raw)
    if kind is not str:
        if kind is float and raw == raw // 1 and abs(raw) < 2**53:
            raw = int(raw)
        elif kind is not int:
            return None
        raw = str(raw)
    raw = raw[: MAX_LENGTH + 1]
    if type_ == "phone":
        return _phone(raw, region)
    if type_ == "email":
        return _email(raw)
    if type_ not in TYPE_RANK:
        return None
    return opaque(type_, raw, app[:MAX_LENGTH] if app and type_ == "openid" else None)


@lru_cache(maxsize=1 << 16)
def opaque(type_: str, raw: str, app: str | None) -> Identifier | None:
    """`identifier` of a type whose values have no form of their own: any but phone and email.

    `raw` is to be cut behind MAX_LENGTH: what is asked is remembered.
    """
    value = _trimmed(raw)
    if type_ == "openid":
        own_app, _, value = value.rpartition(":")
        app = own_app or app
    return None if is_blocked(value) else Identifier(type_, value, app)


@lru_cache(maxsize=1 << 16)
def _email(raw: str) -> Identifier | None:
    value = _trimmed(raw)
    angled = _ANGLED.fullmatch(value)
    value = (angled.group(1) if angled else value).lower().replace("。", ".")
    value = value.removeprefix("mailto:").rstrip(".,;")
    if _MASKED.search(value) or len(value) > 254:
        return None
    local = value.partition("@")[0].partition("+")[0]
    if local in _NO_MAILBOX or not _SAYS_SOMETHING.search(local + "0" * len(value)):
        return None
    if not _EMAIL.fullmatch(value):
        value = _unusual_email(value)
    return Identifier("email", value) if value else None


def _unusual_email(value: str) -> str | None:
    """Addresses outside plain ASCII, read by the full grammar."""
    if value.isascii():
        return None
    import email_validator

    try:
        known = email_validator.validate_email(value, check_deliverability=False)
    except email_validator.EmailNotValidError:
        return None
    return known.normalized.lower()


@lru_cache(maxsize=1 << 16)
def _phone(raw: str, region: str) -> Identifier | None:
    value = _trimmed(raw)
    if not 5 <= len(value) <= 40 or _NOT_PHONE.search(value):
        return None
    if region == "CN":
        mobile = _CN_MOBILE.fullmatch(_PHONE_DRESS.sub("", value))
        if mobile and _is_cn_mobile(mobile.group(1)):
            return Identifier("phone", "+86" + mobile.group(1))
    number = _any_phone(value, region)
    return Identifier("phone", number) if number else None


@lru_cache(maxsize=1)
def _cn_mobile_pattern() -> re.Pattern[str]:
    import phonenumbers

    metadata = phonenumbers.PhoneMetadata.metadata_for_region("CN")
    pattern = metadata.mobile.national_number_pattern if metadata and metadata.mobile else None
    return re.compile(pattern or "(?!)")


def _is_cn_mobile(digits: str) -> bool:
    return _cn_mobile_pattern().fullmatch(digits) is not None


def _any_phone(value: str, region: str) -> str | None:
    # Imported here: the collector reads this module on start and never meets a phone.
    import phonenumbers

    try:
        number = phonenumbers.parse(value, region or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    # A desk behind a switchboard is not the switchboard.
    return f"{text};ext={number.extension}" if number.extension else text


def national(phone: str) -> str:
    """The digits of a phone in its normal form, without country code and extension."""
    number = phone.partition(";")[0]
    if number.startswith("+86"):
        return number[3:]
    import phonenumbers

    return phonenumbers.national_significant_number(phonenumbers.parse(number))


def check_region(region: str) -> str:
    """The region in capitals; BadInput("unknown_region") when no phone numbers are known there."""
    import phonenumbers

    code = region.strip().upper()
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise BadInput("unknown_region", value=region)
    return code


def _trimmed(raw: str) -> str:
    if raw.isascii():
        return raw.strip()
    return _FORMAT_MARKS.sub("", unicodedata.normalize("NFKC", raw)).strip()


def is_blocked(value: str) -> bool:
    """Whether a trimmed value names nobody: zeros, a test word, a mask, a hole in a template."""
    return (
        len(value) > MAX_LENGTH
        or value.casefold() in _NOBODY
        or not _SAYS_SOMETHING.search(value)
        or not value.isprintable()
        or _MASKED.search(value) is not None
        or _PLACEHOLDER.fullmatch(value) is not None
    )
