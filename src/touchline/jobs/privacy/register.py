"""The register of recipients and papers, as operators and authorities ask for it, and what `doctor`
says of it.
"""

from typing import Any

import msgspec

from touchline.collect.sharing import Finding, Register
from touchline.identity.sharing import today_of
from touchline.storage import definition
from touchline.storage.workspace import Workspace

__all__ = ["WORDS", "findings", "register"]

# (English, Chinese): what is wrong, and what to do.
WORDS = {
    "paper_over": (
        "ran out on {day}: renew it, and write the new one down as an [[assessment]]",
        "已于 {day} 到期:请重新评估,并用 [[assessment]] 登记",
    ),
    "paper_soon": (
        "runs out on {day}: renew it in time",
        "将于 {day} 到期:请及时重新评估",
    ),
    "recipient_over": (
        "its time was over on {day}: it gets nothing; take it out, or write down a new end",
        "约定已于 {day} 到期,不再向其提供数据:请移除,或登记新的期限",
    ),
    "recipient_bare": (
        "no impact assessment is in force: it gets nothing until there is an [[assessment]]",
        "没有有效的个人信息保护影响评估,不会向其提供数据:请用 [[assessment]] 登记",
    ),
}


def register(workspace: Workspace, args: dict[str, Any]) -> dict[str, Any]:
    """Who gets which field on what ground, what people must allow for it, and which papers there
    are; with what is wrong. `language`: "en" or "zh".
    """
    held, today = _held(workspace), today_of(workspace)
    language = args.get("language") or "en"
    return {
        "recipients": [
            {
                **msgspec.to_builtins(one),
                "needs": one.purposes(workspace.region),
                "is_open": held.is_open(one.name, today),
            }
            for one in held.recipients.values()
        ],
        "assessments": [msgspec.to_builtins(paper) for paper in held.assessments.values()],
        "findings": [
            {"where": found.where, "code": found.what, "what": in_words(found, language)}
            for found in held.findings(today)
        ],
    }


def findings(workspace: Workspace) -> list[Finding]:
    return _held(workspace).findings(today_of(workspace))


def in_words(found: Finding, language: str) -> str:
    return WORDS[found.what][language == "zh"].format(**found.params)


def _held(workspace: Workspace) -> Register:
    return Register.of(definition.current(workspace.state))
