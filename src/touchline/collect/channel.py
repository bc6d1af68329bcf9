"""Source, medium, campaign … → channel, by an ordered list of rules; the first that holds decides.

A site's own rules come first, then those of its mode (data/channels.toml, or GA4's). A rule whose
channel nobody reaches is not an error; a rule that cannot be read is, before anything is stored.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from touchline.collect.mode import DEFAULT, Mode, mode
from touchline.collect.pattern import search
from touchline.collect.sources import KINDS, Known, Sources, folded
from touchline.errors import BadInput

__all__ = ["FALLBACK", "ChannelRules", "Rule"]

FALLBACK = "Unassigned"
NOT_SET = "(not set)"
FIELDS = ("source", "medium", "campaign", "referrer_host", "click_id")
WORDS = ("channel", "en", "zh", "reason")  # what a rule is and why, beside its conditions
MAX_VALUE = 512  # what is longer is cut before a site's regular expressions see it

Test = Callable[[str], bool]


class Rule(NamedTuple):
    """A channel, and the tests that must all hold: (field, test of its value).

    `where` names it: "channel_rule 2" is a site's second, "ga4 5" the fifth of that mode.
    """

    channel: str
    tests: tuple[tuple[str, Test], ...]
    where: str = ""
    spec: Mapping[str, Any] = {}


_NO_RULE = Rule(FALLBACK, ())


class ChannelRules:
    """Compiled rules and source names of one workspace. Build with `compile`."""

    def __init__(self, rules: tuple[Rule, ...], sources: Sources, mode: Mode) -> None:
        self.sources = sources
        self.mode = mode
        self._rules = rules
        # Caches belong to the instance: other rules give other answers.
        self._cached = lru_cache(maxsize=1 << 14)(self._decide)
        self._known = lru_cache(maxsize=1 << 14)(sources.named)

    @classmethod
    def compile(
        cls, documents: Iterable[Mapping[str, Any]] = (), *, by: str | None = None
    ) -> "ChannelRules":
        """Rules of a site's documents (`channel_rule`, `source_alias`, `source_kind`), then those
        of the mode it has chosen (`channel`), or of the mode `by`.

        BadInput("bad_channel_rule") names the rule that cannot be read, and why.
        """
        documents = list(documents)
        chosen = mode(by or next((_mode_of(d) for d in documents if "channel" in d), DEFAULT))
        sources = Sources.extended(
            [pair for document in documents for pair in _lists(document, "source_alias")],
            [pair for document in documents for pair in _lists(document, "source_kind", KINDS)],
            chosen.kinds,
        )
        specs = [
            (f"channel_rule {number}", spec)
            for document in documents
            for number, spec in enumerate(_list_of(document, "channel_rule"), 1)
        ]
        specs += [(f"{chosen.name} {n}", spec) for n, spec in enumerate(chosen.rules, 1)]
        return cls(tuple(_rule(spec, where, sources) for where, spec in specs), sources, chosen)

    def named(self, label: str) -> Known:
        """The source meant by a tag, by its one name."""
        return self._known(label[:MAX_VALUE])

    def channel(
        self,
        source: str | None,
        medium: str | None,
        campaign: str | None = None,
        *,
        referrer_host: str | None = None,
        click_ids: Iterable[str] = (),
    ) -> str:
        """The channel's name. Nothing known at all is Direct."""
        known = self.named(source) if source else None
        return self.rule(known, medium, campaign, referrer_host, tuple(click_ids)).channel

    def rule(
        self,
        source: Known | None,
        medium: str | None,
        campaign: str | None,
        referrer_host: str | None,
        click_ids: tuple[str, ...],
    ) -> Rule:
        """The rule that decides. The source's kind is that of its host or tag as it was written."""
        texts = (medium, campaign, referrer_host)
        short = (text if text is None else text[:MAX_VALUE] for text in texts)
        return self._cached(source, *short, click_ids)

    def _decide(
        self,
        source: Known | None,
        medium: str | None,
        campaign: str | None,
        host: str | None,
        ids: tuple[str, ...],
    ) -> Rule:
        nothing = not (source or medium or campaign)
        values = {
            "source": source.name if source else ("(direct)" if nothing else NOT_SET),
            "kind": (source.kind if source else None) or "",
            "medium": _value(medium),
            "campaign": _value(campaign),
            "referrer_host": folded(host) if host else "",
            "click_id": " ".join(name.lower() for name in ids),
        }
        for rule in self._rules:
            if all(test(values[field]) for field, test in rule.tests):
                return rule
        return _NO_RULE


def _value(text: str | None) -> str:
    return folded(text) if text else NOT_SET


def _bad(rule: str, why: str) -> BadInput:
    return BadInput("bad_channel_rule", rule=rule, why=why)


def _mode_of(document: Mapping[str, Any]) -> str:
    table = document["channel"]
    if not isinstance(table, Mapping) or not isinstance(table.get("mode", DEFAULT), str):
        raise _bad("channel", 'write it as [channel] with mode = "…"')
    if unknown := table.keys() - {"mode"}:
        raise _bad("channel", f"{min(unknown)} is not mode")
    return table.get("mode", DEFAULT)


def _list_of(document: Mapping[str, Any], key: str) -> list[Any]:
    found = document.get(key, [])
    if not isinstance(found, list):
        raise _bad(key, f"write it as [[{key}]]")
    return found


def _lists(
    document: Mapping[str, Any], key: str, allowed: tuple[str, ...] = ()
) -> list[tuple[str, list[str]]]:
    found = document.get(key, {})
    if not isinstance(found, Mapping):
        raise _bad(key, f"write it as [{key}]")
    for name, labels in found.items():
        if allowed and name not in allowed:
            raise _bad(key, f"{name} is none of {', '.join(allowed)}")
        if not isinstance(labels, list) or not all(isinstance(x, str) and x for x in labels):
            raise _bad(f"{key}.{name}", "give a list of texts")
    return list(found.items())


def _rule(spec: Any, where: str, sources: Sources) -> Rule:
    if not isinstance(spec, Mapping):
        raise _bad(where, f"write it as [[{where.partition(' ')[0]}]]")
    channel = spec.get("channel")
    if not isinstance(channel, str) or not channel.strip():
        raise _bad(where, 'it needs channel = "…"')
    tests: list[tuple[str, Test]] = []
    for field, condition in spec.items():
        if field in WORDS:
            if not isinstance(condition, str):
                raise _bad(where, f"{field}: give a text")
            continue
        if field not in FIELDS:
            raise _bad(where, f"{field} is none of {', '.join(FIELDS)}")
        tests.append(_test(field, condition, where, sources))
    if not tests:
        raise _bad(where, f"it needs a condition on one of {', '.join(FIELDS)}")
    return Rule(channel.strip(), tuple(tests), where, spec)


def _test(field: str, condition: Any, where: str, sources: Sources) -> tuple[str, Test]:
    if isinstance(condition, Mapping) and len(condition) == 1:
        ((operator, operand),) = condition.items()
    else:
        operator, operand = ("in" if isinstance(condition, list) else "equals"), condition
    if operator == "matches" and isinstance(operand, str):
        return field, _matches(operand, where)
    if operator == "kind" and field == "source":
        kinds: list[Any] = operand if isinstance(operand, list) else [operand]
        if not kinds or not all(isinstance(kind, str) and kind in KINDS for kind in kinds):
            raise _bad(where, f"source: kind is none of {', '.join(KINDS)}")
        return "kind", frozenset(kinds).__contains__
    if operator == "equals":
        operand = [operand]
    elif operator != "in":
        raise _bad(where, f"{field}: use equals, in or matches")
    texts: list[Any] = operand if isinstance(operand, list) else []
    if not texts or not all(isinstance(text, str) for text in texts):
        raise _bad(where, f"{field}: give a text or a list of texts")
    if field == "source":
        return field, frozenset(sources.named(text).name for text in texts).__contains__
    return field, _one_of(field, [folded(text) for text in texts])


def _one_of(field: str, texts: list[str]) -> Test:
    if field == "referrer_host":
        return lambda host: any(host == text or host.endswith(f".{text}") for text in texts)
    if field == "click_id":
        return lambda ids: not set(texts).isdisjoint(ids.split(" "))
    return frozenset(texts).__contains__


def _matches(pattern: str, where: str) -> Test:
    try:
        return search(pattern, folds_case=True)
    except ValueError as error:
        raise _bad(where, str(error)) from None
