"""What rows say of somebody + a site's `[profile]` → the value of each trait that is in force.

    [profile]
    third_party = ["data-house"]                # sources: had from others, not from the customer
    zero_party = ["typeform"]                   # sources: customers said it themselves
    priority = ["zero_party", "crm"]            # what goes before the rest, parties and sources

    [profile.trait_priority]
    city = ["crm"]                              # the same of one trait

Of values of equal place the latest is in force. What surprises: the party of a trait is stored
nowhere but in `is_told` (somebody answered when asked). The rest is what the site says of a source
today, so that an answer to "where do we have this from?" that changes holds for the past as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from touchline.collect.nodes import Trait
from touchline.errors import BadInput
from touchline.storage import definition
from touchline.storage.workspace import Workspace

__all__ = ["FIRST", "PARTIES", "THIRD", "ZERO", "ProfileRules"]

Party = Literal["zero_party", "first_party", "third_party"]
ZERO, FIRST, THIRD = "zero_party", "first_party", "third_party"
PARTIES = (ZERO, FIRST, THIRD)
MOST, LONGEST = 200, 200


class ProfileRules(Struct, frozen=True, forbid_unknown_fields=True):
    """`priority`: sources and parties, the first before all others; what is not named comes last.
    `owner_trait`: who looks after a customer, where nobody was set by hand.
    """

    zero_party: frozenset[str] = frozenset()
    third_party: frozenset[str] = frozenset()
    priority: tuple[str, ...] = ()
    trait_priority: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    owner_trait: str = "owner"

    @classmethod
    def of(cls, documents: Mapping[str, Any]) -> "ProfileRules":
        """Of a site's definitions. BadInput("bad_profile") says what cannot be read."""
        try:
            found = msgspec.convert(documents.get("profile", {}), cls)
        except msgspec.ValidationError as error:
            raise BadInput("bad_profile", why=str(error)) from None
        both = sorted(found.zero_party & found.third_party)
        if both:
            raise BadInput("bad_profile", why=f"{both[0]} is in zero_party and in third_party")
        lists = {"priority": found.priority} | {
            f"trait_priority.{name}": order for name, order in found.trait_priority.items()
        }
        for name, order in (*lists.items(), ("zero_party", tuple(found.zero_party))):
            if len(set(order)) < len(order):
                raise BadInput("bad_profile", why=f"{name} names something twice")
            if len(order) > MOST or not all(0 < len(one) <= LONGEST for one in order):
                raise BadInput("bad_profile", why=f"{name} takes up to {MOST} names")
        return found

    @classmethod
    def held(cls, workspace: Workspace) -> "ProfileRules":
        """Those in force."""
        return cls.of(definition.current(workspace.state))

    def party(self, source: str, *, is_told: bool) -> Party:
        """Who a value was had from: the customer who was asked, our own records, or others."""
        if is_told or source in self.zero_party:
            return ZERO
        return THIRD if source in self.third_party else FIRST

    def place(self, name: str, source: str, *, is_told: bool) -> int:
        """Where a value stands in line; the least is in force."""
        order = self.trait_priority.get(name, self.priority)
        known = (source, self.party(source, is_told=is_told))
        return min((order.index(one) for one in known if one in order), default=len(order))

    def in_force(
        self, nodes: Iterable[bytes], said: Mapping[bytes, Sequence[Trait]]
    ) -> dict[str, Trait]:
        """By name, of what hangs on a person's nodes (the strongest first); names in order.

        Of equals the later is in force, then that on the stronger identifier.
        """
        found: dict[str, tuple[tuple[Any, ...], Trait]] = {}
        for at, node in enumerate(nodes):
            for one in said.get(node, ()):
                place = self.place(one.name, one.source, is_told=one.is_told)
                key = (place, -one.ts_us, at, one.source, not one.is_told)
                if one.name not in found or key < found[one.name][0]:
                    found[one.name] = (key, one)
        return {name: found[name][1] for name in sorted(found)}
