"""What is to be decided, how long people take, how much data there is → the model to use, and why.

    budget     what to spend on: needs what a channel causes, so calibrated, incremental or hazard
    report     who took part, in shares that add up and that everybody can check by hand: a rule
    openers    what brings people in: first touch        closers    what finishes: last touch

The thresholds are measured: in the proving ground (`touchline attribution leaderboard`) a
regression beats every rule from some twenty conversions a channel on, and is worse with ten. The
surprise: Markov and Shapley are never the advice. They place credit no better than a rule that can
be checked by hand.
"""

from dataclasses import dataclass

from touchline.errors import BadInput

__all__ = ["AIMS", "Advice", "Point", "Situation", "advise"]

AIMS = ("budget", "report", "openers", "closers")
PER_CHANNEL = 20  # conversions a channel needs on average, for a regression to tell it apart
WITH_TESTS = 10  # the same where lift tests help
LONG_DAYS = 30  # from here on much of what was begun is not decided when the report is made
SHORT_DAYS = 2
MANY_CHANNELS = 20
TESTS_ENOUGH = 2
WINDOWS = (7, 14, 30, 60, 90, 180, 365, 730, 1095)
PER_CYCLE = 3  # windows hold nearly all journeys when they are three median cycles long


@dataclass(frozen=True)
class Situation:
    """`cycle_days`: from the first touch to the conversion, at the median. `has_stages`: a CRM says
    when a buyer became a lead and an opportunity.
    """

    aim: str
    cycle_days: float
    conversions: int
    channels: int
    lift_tests: int = 0
    has_stages: bool = False

    def __post_init__(self) -> None:
        if self.aim not in AIMS:
            why = f"is none of {', '.join(AIMS)}."
            raise BadInput("bad_argument", name="aim", value=self.aim, why=why)
        least = {"cycle_days": 0, "conversions": 0, "channels": 1, "lift_tests": 0}
        for name, lowest in least.items():
            value = getattr(self, name)
            if not lowest <= value < float("inf"):
                why = f"is not a number from {lowest} on."
                raise BadInput("bad_argument", name=name, value=value, why=why)

    @property
    def per_channel(self) -> float:
        return self.conversions / self.channels


@dataclass(frozen=True)
class Point:
    """A model with the code of what speaks for it, or against it."""

    model: str
    why: str


@dataclass(frozen=True)
class Advice:
    """`beside`: what else to look at, and what for. `against`: what not to believe here.
    `then` are codes of what to do next. The words of all codes stand in `messages.advising`.
    """

    model: str
    why: str
    beside: tuple[Point, ...]
    against: tuple[Point, ...]
    then: tuple[str, ...]
    window_days: int


def advise(situation: Situation) -> Advice:
    """The model for a situation."""
    model, why = {
        "budget": _for_budget,
        "report": _for_report,
        "openers": lambda _: ("first_touch", "opens"),
        "closers": lambda _: ("last_non_direct", "closes"),
    }[situation.aim](situation)
    return Advice(
        model,
        why,
        tuple(point for point in _beside(situation) if point.model != model),
        tuple(_against(situation)),
        tuple(_then(situation)),
        _window(situation),
    )


def _for_budget(situation: Situation) -> tuple[str, str]:
    if situation.lift_tests and situation.per_channel >= WITH_TESTS:
        return "calibrated", "has_tests"
    if situation.per_channel < PER_CHANNEL:
        return "time_decay", "too_few"
    if situation.cycle_days >= LONG_DAYS:
        return "hazard", "long_cycle"
    return "incremental", "enough_data"


def _for_report(situation: Situation) -> tuple[str, str]:
    if situation.has_stages:
        return "w_shaped", "stages"
    if situation.cycle_days < SHORT_DAYS:
        return "last_non_direct", "short_cycle"
    if situation.cycle_days < LONG_DAYS:
        return "time_decay", "middle_cycle"
    return "position_based", "both_ends"


def _beside(situation: Situation) -> list[Point]:
    found: list[Point] = []
    if situation.aim == "budget":
        found += [Point("first_touch", "see_openers"), Point("last_non_direct", "see_closers")]
    elif situation.per_channel >= PER_CHANNEL:
        model = "calibrated" if situation.lift_tests else "incremental"
        found.append(Point(model, "see_caused"))
    if situation.aim in ("openers", "closers"):
        found.append(Point("position_based", "see_both_ends"))
    return found


def _against(situation: Situation) -> list[Point]:
    found: list[Point] = []
    if situation.aim == "budget":
        found.append(Point("last_touch", "takes_from_openers"))
        found.append(Point("markov_1", "no_better"))
    if situation.per_channel < PER_CHANNEL:
        found.append(Point("incremental", "cannot_tell_apart"))
    found.append(Point("shapley_rate", "cut_short"))
    return found


def _then(situation: Situation) -> list[str]:
    found: list[str] = []
    if situation.aim == "budget":
        enough = situation.lift_tests >= TESTS_ENOUGH
        found.append("next_test" if enough else "test_intent_channels")
    if situation.per_channel < WITH_TESTS:
        found.append("gather")
    if situation.channels > MANY_CHANNELS:
        found.append("group_channels")
    if situation.cycle_days >= LONG_DAYS:
        found.append("wait_for_deals")
    found.append("look_at_interval")
    return found


def _window(situation: Situation) -> int:
    wanted = PER_CYCLE * situation.cycle_days
    return next((days for days in WINDOWS if days >= wanted), WINDOWS[-1])
