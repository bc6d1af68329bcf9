"""Touchpoints + conversions → paths: the touches inside each conversion's window, and the others.

The conversions are the small side, joined by person with the window as a residual; a touch that no
conversion's window holds is part of its person's one non-converting path. The two are joins of
their own put together, so that an engine asked for one kind of journey leaves the other out.
"""

from touchline.storage.engine import Expression

__all__ = ["paths"]


def paths(touches: Expression, members: Expression, window_us: int, others_from: int) -> Expression:
    """Rows (`journey` + the touch's columns), a touch once for each conversion that it serves.

    `journey` is the conversion_ix, or `others_from` + person_ix of a touch that serves none.
    `members`: (conversion_ix, member_ix, converted_us, own_event) with one row per person whose
    touches count for the conversion: one for a person's, each contact for an account's. Its own
    event is no touch of a conversion, and none of a path without it either; a touch of an
    order that names nobody (see `claimed`) is in no other path. A touch may have a `window_us` of
    its own (see `window`), and a member an `after_us` at or before which nothing counts.
    """
    reach = touches.window_us if "window_us" in touches.columns else window_us
    in_window = [
        touches.person_ix == members.member_ix,
        touches.ts_us <= members.converted_us,
        touches.ts_us >= members.converted_us - reach,
    ]
    if "after_us" in members.columns:
        in_window.append(touches.ts_us > members.after_us)
    served = touches.inner_join(members, in_window)
    if "own_event" in members.columns:
        served = served.filter(served.own_event.isnull() | (served.event_id != served.own_event))
    free = touches.anti_join(members, in_window)
    free = free.filter(free.person_ix >= 0)
    return (
        served.mutate(journey=served.conversion_ix)
        .select("journey", *touches.columns)
        .union(
            free.mutate(journey=free.person_ix + others_from).select("journey", *touches.columns)
        )
    )
