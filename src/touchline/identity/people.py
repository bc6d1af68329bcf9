"""One view of the lake → PersonMap: who everybody is at that moment.

What surprises: a map is a function of the evidence (`sources`), and is computed again when that has
changed. `Registry` keeps the latest, and takes the one that stands in the lake (`mirror`) if it is
of the very same evidence.
"""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import replace

from touchline.collect.blocked import blocked_nodes
from touchline.collect.consent_rules import LINKING
from touchline.collect.outdated import readable
from touchline.identity.decisions import decided, in_force, newest
from touchline.identity.evidence import NO_DECISIONS, Decisions, Evidence
from touchline.identity.live.follow import Follower
from touchline.identity.match import queue
from touchline.identity.mirror import Mark, read_map
from touchline.identity.person import Names
from touchline.identity.person_map import PersonMap
from touchline.identity.resolve import People, resolve
from touchline.identity.rules import DEFAULT, Rules
from touchline.identity.sources import TABLES, Extent, evidence_of, staff_nodes
from touchline.storage import consent, definition
from touchline.storage.consent import Refusals
from touchline.storage.engine import View
from touchline.storage.principal import ADMIN
from touchline.storage.state import State
from touchline.storage.workspace import Workspace

__all__ = [
    "PersonMap",
    "Registry",
    "Ruling",
    "is_whole",
    "person_map",
    "ruled_by",
]

Ruling = tuple[Rules, Decisions]
KEPT = 2  # maps a registry holds: the present one, and one for reports as of a day


class Registry:
    """Person maps of one workspace under its own `[identity]` rules; the latest stay in memory."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._maps: OrderedDict[tuple[object, ...], PersonMap] = OrderedDict()
        self._names = Names()
        self._refusals = Refusals(workspace.state, LINKING)

    def at(self, view: View, ruled: Ruling | None = None) -> PersonMap:
        """The map of a view, by the rules in force at its moment, or by those."""
        return self.marked(view, ruled)[1]

    def marked(self, view: View, ruled: Ruling | None = None) -> tuple[Mark, PersonMap]:
        """The same, and what it was made of."""
        rules, decisions = ruled or self._ruled(view.as_of_us)
        mark = Mark.of(view.files, rules, decisions)
        key = (mark, view.as_of_us, view.principal)
        if key not in self._maps:
            stored = read_map(self._workspace.lake, mark) if is_whole(view) else None
            found = stored or self.computed(view, rules, decisions)
            if is_whole(view) and stored is None:
                self.on_computed(found, mark)
            self._hold(key, found)
        self._maps.move_to_end(key)
        return mark, self._maps[key]

    def supposed(
        self,
        view: View,
        *,
        rules: Rules | None = None,
        decisions: Decisions | None = None,
        has_suggestions: bool = True,
    ) -> tuple[Evidence, People]:
        """What people would be of a view under other rules, or had this been decided; or
        without what only likeness joins.
        """
        now, standing = self._ruled(None)
        rules, decisions = rules or now, decisions or standing
        if rules.blocked != now.blocked:
            blocked = blocked_nodes(self._workspace, rules.blocked)
            decisions = replace(decisions, blocked=blocked)
        if not has_suggestions:
            decisions = replace(decisions, suggested=())
        evidence = evidence_of(view, replace(decisions, staff=staff_nodes(view, rules)))
        return evidence, resolve(evidence, rules)

    def keep(self, view: View, found: PersonMap, ruled: Ruling) -> None:
        """The map of a view by these rules and decisions: what was supposed has come to be so."""
        mark = Mark.of(view.files, *ruled)
        if is_whole(view):
            self.on_computed(found, mark)
        self._hold((mark, view.as_of_us, view.principal), found)

    def _hold(self, key: tuple[object, ...], found: PersonMap) -> None:
        self._maps[key] = replace(found, names=self._names)
        while len(self._maps) > KEPT:
            self._maps.popitem(last=False)

    def around(self, view: View, nodes: Collection[bytes]) -> PersonMap:
        """The map of a view, of those who hang together with these at least."""
        del nodes  # who has followed the lake has a shorter way
        return self.at(view)

    def forget(self) -> None:
        """Drops who everybody is, since somebody was taken out of the lake or rows were made anew:
        from memory, and the live store. Needs the write lock.
        """
        self._maps.clear()
        self._names.forget()
        self._workspace.lake.forget()
        Follower(self._workspace.state).forget(Extent.of(self._workspace.lake.files(*TABLES)))

    def mark(self) -> Mark:
        """Of what a map would be made now."""
        return Mark.of(self._workspace.lake.files(*TABLES), *self._ruled(None))

    def ruled(self, view: View) -> Ruling:
        """The rules and decisions in force at the moment of a view."""
        return self._ruled(view.as_of_us)

    def rules(self) -> Rules:
        """Those in force now."""
        return self._ruled(None)[0]

    def _ruled(self, as_of_us: int | None) -> Ruling:
        """The rules and decisions in force at a moment, or now."""
        state = self._workspace.state
        rules = Rules.from_document(readable(definition.current(state, as_of_us))[0])
        blocked = blocked_nodes(self._workspace, rules.blocked, as_of_us)
        # Who refuses to be linked now is not linked in a report as of an earlier day, either.
        unlinked = tuple(sorted(self._refusals.now()[LINKING]))
        made = in_force(decided(state, as_of_us))
        likely = queue.sure(state, as_of_us)
        return rules, replace(made, blocked=blocked, unlinked=unlinked, suggested=likely)

    def computed(self, view: View, rules: Rules, decisions: Decisions) -> PersonMap:
        """A map that is not at hand. Who has followed the lake has a shorter way."""
        return person_map(view, rules, decisions)

    def on_computed(self, found: PersonMap, mark: Mark) -> None:
        """Called with each present map that was not found in the lake."""


def ruled_by(state: State) -> tuple[int, ...]:
    """Numbers of which one grows when anything that people are judged by may have changed, beside
    the evidence.
    """
    made = newest(state), queue.newest(state)
    return definition.newest(state), *made, consent.version(state)


def is_whole(view: View) -> bool:
    """Whether its map is the one that the mirror has."""
    return view.as_of_us is None and view.principal == ADMIN


def person_map(
    view: View, rules: Rules = DEFAULT, decisions: Decisions = NO_DECISIONS
) -> PersonMap:
    """Resolves all evidence of a view."""
    evidence = evidence_of(view, replace(decisions, staff=staff_nodes(view, rules)))
    return PersonMap.of(evidence, resolve(evidence, rules))
