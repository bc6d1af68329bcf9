"""Touchpoints + conversions → paths: the touches inside each conversion's window, in order.

The conversions are the small side: they are joined by person with the window as a residual, and
only the joined rows are sorted. Touches in no window of any conversion form one non-converting
path per person. Ties in time break by `seq`.
"""

from touchline.storage.engine import Expression

__all__ = ["converting", "non_converting"]


def converting(touches: Expression, members: Expression, window_us: int) -> Expression:
    """Rows (conversion_ix + the touch's columns), unsorted.

    `members`: (conversion_ix, member_ix, converted_us, own_event) with one row per person whose
    touches count for the conversion: one for a person's, each contact for an account's.
    """
    joined = touches.inner_join(
        members,
        [
            touches.person_ix == members.member_ix,
            touches.ts_us <= members.converted_us,
            touches.ts_us >= members.converted_us - window_us,
        ],
    )
    if "own_event" in members.columns:
        joined = joined.filter(joined.own_event.isnull() | (joined.event_id != joined.own_event))
        joined = joined.drop("own_event")
    return joined.drop("member_ix", "converted_us")


def non_converting(touches: Expression, served: Expression) -> Expression:
    """Touches that no converting path holds; `served` needs the column `seq`."""
    held = served.select(held_seq="seq").distinct()
    return touches.anti_join(held, touches.seq == held.held_seq)
