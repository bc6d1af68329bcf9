"""What is known of a person, as JSON → lines for a terminal, behind the table of identifiers."""

import json
from collections.abc import Iterator
from typing import Any

__all__ = ["profile_lines", "stage_of"]

SAID = {
    "en": {
        "traits": "traits", "computed": "computed", "tickets": "open tickets",
        "zero_party": "told us", "first_party": "own", "third_party": "from others",
        "consent": "may be met for", "refused": "not for", "none": "nothing",
    },
    "zh": {
        "traits": "客户属性", "computed": "计算属性", "tickets": "未关闭工单",
        "zero_party": "客户自述", "first_party": "自有", "third_party": "第三方",
        "consent": "可触达", "refused": "不可触达", "none": "无",
    },
}  # fmt: skip


def profile_lines(found: dict[str, Any], language: str) -> Iterator[str]:
    """Traits with where they are from, computed ones, open tickets, consent."""
    said = SAID[language]
    for name, value in found["traits"].items():
        known = found["traits_from"][name]
        origin = f"{said[known['party']]}, {known['source']}, {known['at'][:10]}"
        yield f"{said['traits']} · {name} = {_json(value)} ({origin})"
    for name, one in found["computed"].items():
        yield f"{said['computed']} · {name} = {_json(one['value'])}"
    for one in found["tickets"]:
        number = f" {one['ticket']}" if one["ticket"] else ""
        yield f"{said['tickets']} · {one['kind']}{number}: {one['event']} {one['opened_at']}"
    for is_allowed, word in ((True, "consent"), (False, "refused")):
        ways = [_way(one) for one in found["consent"] if one["is_allowed"] is is_allowed]
        yield f"{said[word]}: {', '.join(ways) or said['none']}"


def stage_of(found: dict[str, Any], language: str) -> str | None:
    """What a stage is called."""
    if found["stage"] is None:
        return None
    title = found["stage"]["title"]
    if isinstance(title, str):
        return title
    return title.get(language) or next(iter(title.values()), found["stage"]["name"])


def _way(one: dict[str, Any]) -> str:
    return f"{one['purpose']}.{one['channel']}" if one["channel"] else one["purpose"]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
