"""What explains a person → sentences, in English and Chinese, the same wherever they are shown."""

from collections.abc import Mapping, Sequence
from typing import Any

from touchline.identity.evidence import MANUAL, OBSERVED, RECORD, SUGGESTED

__all__ = ["blocked_text", "path_text", "rule_text"]

RULES = {
    "en": {
        MANUAL: "decided by an operator",
        RECORD: "stated in one row of a file or system",
        OBSERVED: "seen together on {days} day(s)",
        SUGGESTED: "found to be alike",
    },
    "zh": {
        MANUAL: "由成员手动确认",
        RECORD: "同一行客户资料中同时出现",
        OBSERVED: "{days} 天内同时出现过",
        SUGGESTED: "资料相似,系统推荐匹配",
    },
}
NAMES = {
    "en": {
        "manual": "decision", "probabilistic": "match", "crm_link": "CRM record",
        "import_row": "imported row", "login": "login", "form": "form",
        "click_id": "click on a personal link", "wechat": "WeChat", "wecom": "WeCom",
        "member_code": "member code", "same_event": "event",
    },
    "zh": {
        "manual": "手动合并", "probabilistic": "相似匹配", "crm_link": "CRM 关联",
        "import_row": "导入数据", "login": "登录", "form": "表单", "click_id": "专属链接点击",
        "wechat": "微信", "wecom": "企业微信", "member_code": "会员号", "same_event": "同一事件",
    },
}  # fmt: skip
BLOCKED = {
    "en": {
        "limit": "A person has at most {limit} {type}{window}; together they would have {values}.",
        "apart": "{author} decided on {at} that they are two persons: {reason}",
        "shared": "{value} is shared: it touches {touches} values of {touched_type}, more than"
        " the {limit} one person may have. It joins nobody.",
        "by_hand": "{value} was blocked by {author} on {at}: {reason}. It joins nobody.",
        "pattern": "{value} matches a blocked pattern of the identity rules. It joins nobody.",
        "staff": "{value} belongs to somebody who works here. It joins nobody.",
        "refusal": "Whoever has {value} refuses to be linked. It joins nobody.",
        "no_evidence": "No row links them, directly or by way of others.",
    },
    "zh": {
        "limit": "每位客户最多 {limit} 个 {type}{window};合并后会有 {values}。",
        "apart": "{author} 于 {at} 判定为两位客户:{reason}",
        "shared": "{value} 是多人共用的存疑标识:关联了 {touches} 个 {touched_type},"
        "超过上限 {limit},不参与合并。",
        "by_hand": "{value} 已由 {author} 于 {at} 设为不参与合并:{reason}。",
        "pattern": "{value} 符合客户识别规则中的屏蔽格式,不参与合并。",
        "staff": "{value} 是员工的联系方式,不参与合并。",
        "refusal": "{value} 的本人不同意关联其信息,不参与合并。",
        "no_evidence": "没有任何数据把两者直接或间接联系起来。",
    },
}
WINDOWS = {"en": " first seen within {days} days", "zh": "({days} 天内首次出现)"}
SAID = {
    "en": {
        "same": "{a} and {b} are one person.",
        "itself": "{a} and {b} are the same identifier.",
        "apart": "{a} and {b} are two persons.",
        "hop": "{start} – {end}: {name}, {rule}{source}{at}",
        "would": "What would join them:",
        "source": "; {source}",
        "at": ", {at}",
    },
    "zh": {
        "same": "{a} 和 {b} 是同一位客户。",
        "itself": "{a} 和 {b} 是同一个标识。",
        "apart": "{a} 和 {b} 是两位客户。",
        "hop": "{start} – {end}:{name},{rule}{source}{at}",
        "would": "可能把两者联系起来的数据:",
        "source": ";{source}",
        "at": ",{at}",
    },
}


def rule_text(kind: int, days: int, language: str) -> str:
    """By what a hop is believed."""
    said = RULES[language][kind].format(days=max(days, 1))
    return said.replace("day(s)", "day" if days <= 1 else "days")


def blocked_text(found: Mapping[str, Any], language: str) -> str:
    """What keeps two persons apart, in a sentence."""
    kind = found["reason"] if found["kind"] == "quarantine" else found["kind"]
    days = found.get("window_days")
    decision = found.get("decision") or {"author": "?", "at": "?", "reason": "?"}
    shown = {
        **found,
        "window": WINDOWS[language].format(days=days) if days else "",
        "values": ", ".join(found.get("values", ())),
        **{name: decision[name] for name in ("author", "at", "reason")},
    }
    return BLOCKED[language]["apart" if kind == "decision" else kind].format(**shown)


def path_text(found: Mapping[str, Any], a: str, b: str, language: str) -> list[str]:
    """A whole explanation, a line a hop."""
    said, blocked = SAID[language], found["blocked_by"]
    if blocked is None:
        head = said["same" if found["path"] else "itself"].format(a=a, b=b)
        return [head, *_hops(found["path"], language)]
    lines = [said["apart"].format(a=a, b=b), blocked["text"]]
    hops = _hops(blocked["evidence"], language)
    return [*lines, said["would"], *hops] if hops else lines


def _hops(hops: Sequence[Mapping[str, Any]], language: str) -> list[str]:
    said = SAID[language]
    return [
        "  "
        + said["hop"].format(
            start=hop["from"],
            end=hop["to"],
            name=NAMES[language][hop["class"]],
            rule=hop["rule"],
            source=_source(hop["event"], said["source"]),
            at=said["at"].format(at=hop["at"]) if hop["at"] else "",
        )
        for hop in hops
    ]


def _source(event: Mapping[str, Any] | None, form: str) -> str:
    event = event or {}
    told = (event.get(name) for name in ("source", "message_id", "name", "author", "reason"))
    text = " ".join(str(one) for one in told if one)
    return form.format(source=text) if text else ""
