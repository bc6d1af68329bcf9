"""Touchpoints + conversions → paths: the touches inside each conversion's window, and the others.

One join and no second look: the conversions are the small side, joined by person with the window as
a residual; a touch that no conversion's window holds comes out of the same join as part of its
person's one non-converting path.
"""

from touchline.storage.engine import Expression

__all__ = ["paths"]


def paths(touches: Expression, members: Expression, window_us: int, others_from: int) -> Expression:
    """Rows (`journey` + the touch's columns), a touch once for each conversion that it serves.

    `journey` is the conversion_ix, or `others_from` + person_ix of a touch that serves none.
    `members`: (conversion_ix, member_ix, converted_us, own_event) with one row per person whose
    touches count for the conversion: one for a person's, each contact for an account's. Its own
    event is no touch of a conversion, and none of a path without it either; a touch of an
    order that names nobody (see `claimed`) is in no other path.
    """
    joined = touches.left_join(
        members,
        [
            touches.person_ix == members.member_ix,
            touches.ts_us <= members.converted_us,
            touches.ts_us >= members.converted_us - window_us,
        ],
    )
    if "own_event" in members.columns:
        joined = joined.filter(joined.own_event.isnull() | (joined.event_id != joined.own_event))
    joined = joined.filter(joined.conversion_ix.notnull() | (joined.person_ix >= 0))
    journey = joined.conversion_ix.coalesce(joined.person_ix + others_from)
    return joined.mutate(journey=journey).select("journey", *touches.columns)
