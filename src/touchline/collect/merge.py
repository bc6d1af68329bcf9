"""A merge call of RudderStack (two identifiers of one person) → an identify call that has both.

Evidence that two values belong together is all we know of people, so nothing else is needed. Two
user ids are two people, and two anonymous ids have no place in one call: such merges are left as
they are, for the verdict to refuse.
"""

from typing import Any

__all__ = ["merged"]

_OWN = {
    "userId": "userId",
    "user_id": "userId",
    "anonymousId": "anonymousId",
    "anonymous_id": "anonymousId",
}


def merged(data: dict[str, Any]) -> dict[str, Any] | None:
    """The identify call a merge means; None when it does not say two values that can meet."""
    pairs = data.get("mergeProperties")
    if type(pairs) is not list or len(pairs) != 2 or not all(map(_is_pair, pairs)):
        return None
    call = {name: value for name, value in data.items() if name != "mergeProperties"}
    context = _object(call.get("context"))
    traits, around = _object(call.get("traits")), _object(context.get("traits"))
    own: dict[str, str] = {}
    for pair in pairs:
        kind, value = pair["type"], pair["value"]
        if (place := _OWN.get(kind)) is None:
            # Two e-mails: the second goes where the sender's traits stand beside the call's.
            (around if kind in traits else traits)[kind] = value
        elif own.setdefault(place, value) is not value:
            return None
    return {
        **call,
        **own,
        "type": "identify",
        "traits": traits,
        "context": {**context, "traits": around},
    }


def _is_pair(pair: Any) -> bool:
    return type(pair) is dict and all(
        type(text) is str and text for text in (pair.get("type"), pair.get("value"))
    )


def _object(value: Any) -> dict[str, Any]:
    return {**value} if type(value) is dict else {}
