"""People rows → Person: identifiers of one row belong to one person, what says yes or no to being
met is consent (see `consents`), the rest are traits.
"""

from collections.abc import Iterator

from touchline.collect.importers.cells import BadRow, Import, each, identifiers, label
from touchline.collect.importers.consents import consents_in
from touchline.collect.importers.mapping import Mapped, Plan
from touchline.collect.importers.rows import Table
from touchline.model import Person, Reject

__all__ = ["read_people"]


def read_people(table: Table, plan: Plan, about: Import) -> Iterator[Person | Reject]:
    """A row none of whose identifiers names anybody is rejected."""

    def build(row: Mapped) -> Person:
        known = identifiers(row.fields, plan.identifiers, about.site.region)
        if not known:
            raise BadRow("missing_id")
        traits, said = consents_in(row.rest, about)
        return Person(
            identifiers=known,
            account_id=label(row.fields.get("account_id")),
            traits=traits,
            said=said,
            occurred_us=about.moment(row.fields.get("occurred_at")),
            content_hash=row.content_hash,
        )

    return each(table, plan, about, build)
