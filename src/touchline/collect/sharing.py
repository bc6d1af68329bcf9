"""`[[recipient]]`, `[[assessment]]` → the register of who gets which field on what ground.

It rests on papers: impact assessments, due diligence, contracts, each with its proof and its end.

    [[assessment]]
    name = "sms-2026"
    kind = "impact_assessment"
    done_at = 2026-03-01
    expires = 2027-03-01
    evidence = [{ title = "Report", at = "legal/pia-sms.pdf", sha256 = "…" }]

    [[recipient]]
    name = "sms gateway"
    role = "processor"
    country = "CN"
    fields = ["phone"]
    purpose = "marketing"
    basis = "contract"
    assessments = ["sms-2026"]

What surprises: they are definitions like any other, so every version stays, with its author and
time; taking one out of force forgets nothing.
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Struct

from touchline.collect.consent_rules import ConsentRules
from touchline.errors import BadInput
from touchline.model import BASES

__all__ = ["KINDS", "Assessment", "Finding", "Recipient", "Register"]

KINDS = ("assessment", "recipient")
SOON = dt.timedelta(days=30)
MOST = 500
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


class Evidence(Struct, frozen=True, forbid_unknown_fields=True):
    """`at`: where it lies; `sha256`: of the file, to tell that it is the same one still."""

    title: str
    at: str = ""
    sha256: str = ""


class Assessment(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A paper: what was looked at, by whom, what came of it, how long it is good."""

    name: str
    kind: Literal[
        "impact_assessment", "due_diligence", "contract", "security_assessment", "certification"
    ]
    about: str = ""
    result: str = ""
    by: str = ""
    done_at: dt.date
    expires: dt.date | None = None
    evidence: tuple[Evidence, ...] = ()


class Recipient(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody who gets data. A `processor` works for us; a `controller` for ends of its own.
    `channel`: the way of the purpose that it serves; without one, all of them.
    """

    name: str
    role: Literal["processor", "controller", "joint"]
    country: str
    fields: tuple[str, ...]
    purpose: str
    channel: str = ""
    basis: str = "consent"
    contact: str = ""
    until: dt.date | None = None
    assessments: tuple[str, ...] = ()

    def purposes(self, region: str) -> tuple[str, ...]:
        """What a person must allow before their data goes there."""
        own = [self.purpose]
        if self.role != "processor":
            own.append("sharing")
        if self.country != region:
            own.append("transfer_abroad")
        return tuple(dict.fromkeys(own))


class Finding(NamedTuple):
    """What somebody must look at: `what` is a code, `params` fill its words."""

    where: str
    what: str
    params: dict[str, Any]


class Register(Struct, frozen=True, eq=False):
    recipients: dict[str, Recipient] = {}
    assessments: dict[str, Assessment] = {}

    @classmethod
    def of(cls, documents: Mapping[str, Any]) -> "Register":
        """BadInput("bad_register") names what is wrong."""
        recipients = _read(documents.get("recipient", []), list[Recipient], "recipient")
        assessments = _read(documents.get("assessment", []), list[Assessment], "assessment")
        found = cls({r.name: r for r in recipients}, {a.name: a for a in assessments})
        if len(found.recipients) < len(recipients) or len(found.assessments) < len(assessments):
            raise _bad("register", "two have the same name")
        if max(len(recipients), len(assessments)) > MOST:
            raise _bad("register", f"{MOST} at most")
        for paper in assessments:
            _check_paper(paper)
        return found

    def check(self, rules: ConsentRules) -> None:
        """Against what stands in other documents."""
        for one in self.recipients.values():
            missing = [name for name in one.assessments if name not in self.assessments]
            asked = rules.asked.get(one.purpose)
            channels = ("", *(asked.channels if asked else ()))
            faults = {
                "country is two letters such as CN": not _COUNTRY.fullmatch(one.country),
                f"purpose {one.purpose!r} is none of [consent]": one.purpose not in rules.asked,
                f"channel {one.channel!r} is none of {one.purpose}": one.channel not in channels,
                f"basis is none of {', '.join(BASES)}": one.basis not in BASES,
                "it needs fields": not one.fields,
                f"there is no assessment {missing[0]!r}" if missing else "": bool(missing),
            }
            why = next((why for why, is_so in faults.items() if is_so), None)
            if why is not None:
                raise _bad(f"recipient {one.name[:40]}", why)

    def findings(self, today: dt.date) -> list[Finding]:
        """What is over or ends soon, and who gets data without a paper that is in force."""
        found: list[Finding] = []
        for paper in self.assessments.values():
            if paper.expires is not None and paper.expires <= today + SOON:
                what = "paper_over" if paper.expires < today else "paper_soon"
                found.append(Finding(paper.name, what, {"day": paper.expires.isoformat()}))
        for one in self.recipients.values():
            if one.until is not None and one.until < today:
                found.append(Finding(one.name, "recipient_over", {"day": one.until.isoformat()}))
            elif not any(self._is_good(name, today) for name in one.assessments):
                found.append(Finding(one.name, "recipient_bare", {}))
        return found

    def is_open(self, name: str, today: dt.date) -> bool:
        """Whether data may go to this recipient at all."""
        one = self.recipients.get(name)
        if one is None or (one.until is not None and one.until < today):
            return False
        return any(self._is_good(paper, today) for paper in one.assessments)

    def _is_good(self, name: str, today: dt.date) -> bool:
        """Whether an impact assessment is in force; the law asks for one before data is given."""
        paper = self.assessments[name]
        is_over = paper.expires is not None and paper.expires < today
        return paper.kind == "impact_assessment" and paper.done_at <= today and not is_over


def _read(document: Any, type_: Any, kind: str) -> Any:
    try:
        return msgspec.convert(document, type_)
    except msgspec.ValidationError as error:
        raise _bad(kind, str(error)) from None


def _check_paper(paper: Assessment) -> None:
    if paper.expires is not None and paper.expires < paper.done_at:
        raise _bad(f"assessment {paper.name[:40]}", "it ends before it was done")
    for proof in paper.evidence:
        if proof.sha256 and not _SHA256.fullmatch(proof.sha256):
            raise _bad(f"assessment {paper.name[:40]}", "sha256 is 64 digits of 0-9 and a-f")


def _bad(name: str, why: str) -> BadInput:
    return BadInput("bad_register", name=name, why=why)
