"""The touchpoints a site means to have (触点地图) → which of them an event shows to be alive.

    [[touchpoint]]   name, stage, owner, description, planned event(s), and how it is recognised:
                     event, data_source, channel, source, medium, campaign, store, link

All conditions named must hold; each is a text or a list of texts, in any case, and a * at its end
stands for anything. The surprise: channel, source, medium and campaign are looked for on touches
alone, since the pages of a visit carry the labels of the one that opened it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from touchline.collect.alias import Aliases, renamed_in
from touchline.collect.plan_spec import EventSpec, Said, events_of, is_automatic, specs
from touchline.collect.sources import Sources, folded
from touchline.errors import BadInput
from touchline.model import LABELS

__all__ = ["CONDITIONS", "LOOKED_AT", "Recogniser", "TouchpointMap", "TouchpointSpec"]

MAX_TOUCHPOINTS = 1_000
MAX_TEXT = 512
# Columns of an event that decide, in the order of what `keys_of` takes; then whether it is a touch.
# `link` is the code of the short link that was followed.
LOOKED_AT = ("type", "name", "source", *LABELS[:4], "store_code", "link")
CONDITIONS = {
    "event": "name",
    "data_source": "source",
    "channel": "channel",
    "source": "source_name",
    "medium": "medium",
    "campaign": "campaign",
    "store": "store_code",
    "link": "link",
}
_OF_TOUCHES = frozenset(("channel", "source", "medium", "campaign"))

Texts = str | tuple[str, ...]
Test = Callable[[str | None], bool]


class TouchpointSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A touchpoint as a definition has it."""

    name: str
    stage: str = ""
    owner: str = ""
    description: Said = ""
    event: Texts = ()
    data_source: Texts = ()
    channel: Texts = ()
    source: Texts = ()
    medium: Texts = ()
    campaign: Texts = ()
    store: Texts = ()
    link: Texts = ()

    def texts(self, condition: str) -> tuple[str, ...]:
        """What is looked for under one of CONDITIONS."""
        found = getattr(self, condition)
        return (found,) if isinstance(found, str) else found


class Recogniser(NamedTuple):
    """What is looked for, under a key that is the same as long as that is the same."""

    key: str
    type: str | None
    tests: tuple[tuple[int, Test], ...]
    is_of_touches: bool


class TouchpointMap:
    """The compiled map of a workspace: its touchpoints, and the events of its plan beside them."""

    def __init__(
        self, touchpoints: Sequence[TouchpointSpec], events: Sequence[EventSpec], words: "Words"
    ) -> None:
        self.touchpoints = tuple(touchpoints)
        self._known = {one.name: _recogniser(one, words) for one in touchpoints}
        self._planned = {(one.type, one.name): _of_event(one) for one in events}
        found = (*self._known.values(), *self._planned.values())
        self._recognisers = {one.key: one for one in found if one is not None}
        places = {place for one in self._recognisers.values() for place, _ in one.tests}
        self.columns = tuple(
            name for at, name in enumerate(LOOKED_AT) if at in places or name == "type"
        )
        self.keys_of = lru_cache(1 << 14)(self._keys_of)

    @classmethod
    def compile(cls, documents: Mapping[str, Any], sources: Sources) -> "TouchpointMap":
        """BadInput("bad_plan") names the touchpoint that cannot be read, and why."""
        found = specs(documents, "touchpoint", TouchpointSpec, MAX_TOUCHPOINTS)
        events = events_of(documents)
        named = {name for one in events for name in (one.name, *one.also)}
        seen: set[str] = set()
        for one in found:
            why = _flaw(one)
            if one.name in seen:
                why = "the name is used twice"
            seen.add(one.name)
            unknown = [n for n in one.texts("event") if n not in named and not is_automatic(n)]
            if named and unknown and why is None:
                why = f"the plan has no event {unknown[0]}"
            if why is not None:
                raise BadInput("bad_plan", name=one.name, why=why)
        names = {name: (one.name, *one.also) for one in events for name in (one.name, *one.also)}
        return cls(found, events, Words(names, sources, renamed_in(documents)))

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self._recognisers)

    def key_of(self, touchpoint: str) -> str | None:
        """The key under which a touchpoint is seen; None when nothing shows it."""
        found = self._known[touchpoint]
        return None if found is None else found.key

    def key_of_event(self, event: EventSpec) -> str:
        return self._planned[event.type, event.name].key

    def _keys_of(self, values: tuple[str | None, ...], is_touch: bool) -> tuple[str, ...]:
        """Keys of all that an event with these values (see LOOKED_AT) shows."""
        return tuple(
            one.key
            for one in self._recognisers.values()
            if (is_touch or not one.is_of_touches)
            and one.type in (None, values[0])
            and all(test(values[place]) for place, test in one.tests)
        )


class Words(NamedTuple):
    """What else a condition's text may be written as. `events`: of the plan, all it is known by."""

    events: Mapping[str, tuple[str, ...]]
    sources: Sources
    aliases: Aliases

    def spellings(self, condition: str, text: str) -> Iterable[str]:
        if condition == "event":
            return map(folded, self.events.get(text, (text,)))
        if text.endswith("*"):
            return [folded(text)]
        own = self.sources.named(text).name if condition == "source" else folded(text)
        names = self.aliases.by_column.get(CONDITIONS[condition], {})
        one = names.get(own, names.get(folded(text)))
        return [own, *(also for also, name in names.items() if name == one)]


def _recogniser(spec: TouchpointSpec, words: Words) -> Recogniser | None:
    said: dict[str, list[str]] = {}
    for condition in CONDITIONS:
        named = spec.texts(condition)
        texts = {also for text in named for also in words.spellings(condition, text)}
        if texts:
            said[condition] = sorted(texts)
    if not said:
        return None
    tests = ((LOOKED_AT.index(CONDITIONS[name]), _test(texts)) for name, texts in said.items())
    return Recogniser(_key(said), None, tuple(tests), not _OF_TOUCHES.isdisjoint(said))


def _of_event(event: EventSpec) -> Recogniser:
    names = sorted({event.name, *event.also})
    test = (LOOKED_AT.index("name"), frozenset(names).__contains__)
    return Recogniser(_key([event.type, *names]), event.type, (test,), is_of_touches=False)


def _key(said: Any) -> str:
    return blake2b(msgspec.json.encode(said, order="sorted"), digest_size=16).hexdigest()


def _test(texts: Iterable[str]) -> Test:
    exact = frozenset(text for text in texts if not text.endswith("*"))
    starts = tuple(text[:-1] for text in texts if text.endswith("*"))

    def test(value: str | None) -> bool:
        text = folded(value[:MAX_TEXT]) if value else ""
        return bool(text) and (text in exact or text.startswith(starts))

    return test


def _flaw(spec: TouchpointSpec) -> str | None:
    if not spec.name.strip():
        return "it needs a name"
    for condition in CONDITIONS:
        if not all(0 < len(text.strip()) <= MAX_TEXT for text in spec.texts(condition)):
            return f"{condition}: give a text or a list of texts"
    return None
