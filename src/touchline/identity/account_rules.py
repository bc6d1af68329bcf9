"""The documents `[accounts]` and `[households]` → AccountRules: what of people makes a company or a
family. None of it says who is one person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from touchline.collect.mail_domain import FREE, company_domain
from touchline.collect.normalise import identifier
from touchline.errors import BadInput

__all__ = ["ACCOUNT_KINDS", "AccountRules"]

ACCOUNT_KINDS = ("accounts", "households")
_ACCOUNTS = ("free_mail", "company_mail", "domains", "credit_colleagues")
_HOUSEHOLDS = ("by_address", "same_family_name", "most")
MOST = 12  # persons at one address: more of them are a dormitory, or an office
LONGEST = 200


@dataclass(frozen=True)
class AccountRules:
    """`free`: domains that say nothing of a company. `domains`: domain and the account whose it is,
    as the site says. `credits_colleagues`: who is an account's by the domain alone counts for its
    journeys. `most`: persons of one household, None where households are off.
    """

    free: frozenset[str] = FREE
    domains: tuple[tuple[str, str], ...] = ()
    credits_colleagues: bool = False
    most: int | None = None
    is_by_name: bool = True

    @classmethod
    def of(cls, documents: Mapping[str, Any]) -> "AccountRules":
        """Rules of definition documents.

        [accounts]
        free_mail = ["mail.example-isp.cn"]
        company_mail = ["88.com"]
        credit_colleagues = true

        [accounts.domains]
        "acme.com" = "A-17"

        [households]
        by_address = true
        same_family_name = false
        most = 8
        """
        accounts = _table(documents, "accounts", _ACCOUNTS)
        households = _table(documents, "households", _HOUSEHOLDS)
        domains = accounts.get("domains", {})
        if not isinstance(domains, Mapping):
            raise _bad("accounts", "domains", 'is a table, such as "acme.com" = "A-17"')
        free = FREE - _domains(accounts, "company_mail") | _domains(accounts, "free_mail")
        most = _most(households)
        is_on = _flag("households", households, "by_address", default=False)
        return cls(
            free=free,
            domains=tuple(sorted((_domain("domains", d), _name(a)) for d, a in domains.items())),
            credits_colleagues=_flag("accounts", accounts, "credit_colleagues", default=False),
            most=most if is_on else None,
            is_by_name=_flag("households", households, "same_family_name", default=True),
        )


def _table(documents: Mapping[str, Any], kind: str, keys: tuple[str, ...]) -> Mapping[str, Any]:
    table = documents.get(kind, {})
    if not isinstance(table, Mapping):
        raise _bad(kind, "", f"is a table: write [{kind}]")
    for key in table:
        if key not in keys:
            raise _bad(kind, key, f"is not known; known are {', '.join(keys)}")
    return table


def _domains(table: Mapping[str, Any], key: str) -> frozenset[str]:
    listed = table.get(key, [])
    if not isinstance(listed, list):
        raise _bad("accounts", key, 'is a list of domains, such as ["acme.com"]')
    return frozenset(_domain(key, one) for one in listed)


def _domain(key: str, text: Any) -> str:
    """As addresses of it are read."""
    bare = text.strip().removeprefix("@") if isinstance(text, str) else ""
    known = identifier("email", f"ann@{bare}", "CN")
    if known is None:
        raise _bad("accounts", key, f"has {str(text)[:80]!r}, which is no domain")
    return company_domain(known.value)


def _name(account: Any) -> str:
    if not isinstance(account, str) or not account.strip() or len(account) > LONGEST:
        raise _bad("accounts", "domains", "names an account by a text, such as A-17")
    return account.strip()


def _flag(kind: str, table: Mapping[str, Any], key: str, *, default: bool) -> bool:
    value = table.get(key, default)
    if not isinstance(value, bool):
        raise _bad(kind, key, "is true or false")
    return value


def _most(table: Mapping[str, Any]) -> int:
    value = table.get("most", MOST)
    if not isinstance(value, int) or isinstance(value, bool) or not 2 <= value <= 1000:
        raise _bad("households", "most", "is a number from 2 to 1000")
    return value


def _bad(kind: str, key: str, why: str) -> BadInput:
    return BadInput("bad_account_rule", kind=kind, key=key, why=why)
