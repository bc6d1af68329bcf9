"""What is known of somebody in numbers → how far they have come with us: their stage (会员阶段).

Of the stages in order, the last of which one test holds; so a stage may be skipped, and somebody
whose orders leave the window of a trait goes back.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from touchline.journey.profile_spec import MemberStage

__all__ = ["stage_of"]


def stage_of(stages: Sequence[MemberStage], facts: Mapping[str, Any]) -> MemberStage | None:
    """None where even the first asks for something that is not there."""
    held = [stage for stage in stages if not stage.any or any(_holds(t, facts) for t in stage.any)]
    return held[-1] if held else None


def _holds(test: Mapping[str, int | float], facts: Mapping[str, Any]) -> bool:
    return all(facts[name] is not None and facts[name] >= least for name, least in test.items())
