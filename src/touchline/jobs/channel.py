"""An address, a referrer, a user agent → the channel, and why: for `channel explain` and the API.

Answers by the definitions in force, and says of each rule whose it is: the site's own, ours, GA4's.
"""

from typing import Any

import msgspec

from touchline.collect import bots
from touchline.collect.campaign import Origin, origin_of
from touchline.collect.channel import WORDS, Rule
from touchline.collect.finding import found_of
from touchline.collect.mode import MODES
from touchline.jobs.definitions import channels_of, in_force, site_of
from touchline.storage.workspace import Workspace

__all__ = ["TOLD_BY", "explain"]

# (English, Chinese): what named the source.
TOLD_BY = {
    "tag": ("a tag of the link", "链接标签"),
    "click_id": ("a click id of the link", "链接中的点击 ID"),
    "referrer": ("the referrer", "来源页"),
    "app": ("the app's built-in browser", "App 内置浏览器"),
    None: ("nothing", "无"),
}
_NOTHING = ("no rule holds", "没有符合的规则")


def explain(workspace: Workspace, args: dict[str, Any]) -> dict[str, Any]:
    """url, referrer, user_agent, mode: all optional, all text."""
    site = site_of(workspace)
    if args.get("mode"):
        rules = channels_of(in_force(workspace), args["mode"])
        site = msgspec.structs.replace(site, channels=rules)
    agent = args.get("user_agent")
    origin = origin_of(
        site, page_url=args.get("url"), referrer=args.get("referrer"), user_agent=agent
    )
    bot = site.bots.bot(agent)
    return {
        "channel": origin.channel,
        "mode": site.channels.mode.name,
        **{name: getattr(origin, name) for name in _LABELS},
        "click_ids": origin.click_ids,
        "referrer_host": origin.referrer_host,
        "opens_session": origin.brings,
        "told_by": {"what": origin.told_by, **_both(TOLD_BY[origin.told_by])},
        "rule": _rule(origin),
        "client": found_of(site, (agent, None, ())),
        "bot": bot and {"kind": bot.kind, "name": bot.name, **_both(bots.KINDS[bot.kind])},
    }


_LABELS = ("source", "medium", "campaign", "ad_group", "term", "content")


def _rule(origin: Origin) -> dict[str, Any]:
    rule: Rule = origin.rule
    whose, _, number = rule.where.partition(" ")
    conditions = {name: test for name, test in rule.spec.items() if name not in WORDS}
    return {
        "of": whose if whose in MODES else "site" if whose else None,
        "number": int(number) if number else None,
        "conditions": conditions,
        **_both(_reason(rule)),
    }


def _reason(rule: Rule) -> tuple[str, str]:
    if not rule.where:
        return _NOTHING
    own = rule.spec.get("reason", "")
    return rule.spec.get("en") or own, rule.spec.get("zh") or own


def _both(texts: tuple[str, str]) -> dict[str, str]:
    return {"en": texts[0], "zh": texts[1]}
