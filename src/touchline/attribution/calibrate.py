"""What a model says + lift tests → what channels cause: posterior mean and standard deviation.

    truth of channel c  =  m_c (1 + b + b_c),    b ~ N(0, r t²),    b_c ~ N(0, (1 - r) t²)
    a test of it says      truth + N(0, its standard error squared)

`m` is the model's number, `b` how far the model is off everywhere, `b_c` how much more in channel
c. How wrong a model may be (`t`), and how much of that all channels share (`r`), is learned: each
pair on a grid weighs as much as it foretells what the tests found (Rubin 1981 on eight parallel
experiments; Gelman 2006 on the prior of t). Given the pair all is normal, so what is known of a
channel is a precision-weighted mean: closed form, nothing sampled. Campaigns stray from their
channel in the same way, and in sum by nothing, so that every grain adds up.

The surprise: a test speaks of channels that were never tested, for it shows how wrong the model
is. And what one more test would bring is known before it is made: the variance of a normal
posterior does not ask what the test will find.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np

from touchline.attribution.arrays import Bools, Floats, Ints, tally

__all__ = [
    "Findings",
    "Fitted",
    "Posterior",
    "Scope",
    "calibrate",
    "carried",
    "expected_sd",
    "least_error",
]

OFF = 0.5  # the prior's scale of t: untested, a number may be off by as much as it says
WIDTHS = np.geomspace(0.05, 3.0, 18)
SHARED = np.array([0.0, 0.1, 0.2])  # more, and two bad channels would condemn all others
STRAYING = 0.5  # a campaign strays from its channel by this part of t²
LEAST = 0.1  # a channel without credit may cause this part of what the mean channel may be off
LEAST_ERROR = 1e-6  # of an effect, or of one
MOST_TOGETHER = 1_000  # channels: 8 MB of covariance
DRIFT = 0.15  # effects change with time: by this part of themselves in a year


class Scope(NamedTuple):
    """What was tested: a whole channel, or one unit of it."""

    channel: int
    unit: int | None = None


class Fitted(NamedTuple):
    """What a model gives to each unit (a channel, or a campaign of one), and its sampling error."""

    number: Floats
    error: Floats
    channel_of: Ints
    channels: int

    @classmethod
    def of_channels(cls, number: Floats, error: Floats) -> Self:
        return cls(number, error, np.arange(len(number)), len(number))

    def of(self, scope: Scope) -> float:
        """The model's number of a scope."""
        if scope.unit is not None:
            return float(self.number[scope.unit])
        return float(self.number[self.channel_of == scope.channel].sum())


@dataclass(frozen=True, eq=False)
class Findings:
    """What tests found, in the unit and for the days of the model's numbers (see `carried`)."""

    scopes: Sequence[Scope]
    effect: Floats
    error: Floats

    def __post_init__(self) -> None:
        if not len(self.scopes) == len(self.effect) == len(self.error):
            raise ValueError("every test has a scope, an effect and an error")
        if not (np.isfinite(self.effect).all() and (self.error > 0).all()):
            raise ValueError("effects are numbers, and errors are above 0")

    @classmethod
    def none(cls) -> Self:
        return cls((), np.zeros(0), np.zeros(0))

    def and_one(self, scope: Scope, effect: float, error: float) -> "Findings":
        return Findings(
            (*self.scopes, scope), np.append(self.effect, effect), np.append(self.error, error)
        )


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is known of each unit, each channel and all of them together.

    `ratio` is what of the model's number a channel is expected to keep of which nothing else is
    known; `width` is how far single channels lie from that. `covariance` is that of the channels,
    None where they are too many for a table of it.
    """

    mean: Floats
    sd: Floats
    channel_mean: Floats
    channel_sd: Floats
    covariance: Floats | None
    total_sd: float
    ratio: float
    ratio_sd: float
    width: float
    is_tested: Bools


def calibrate(fitted: Fitted, tests: Findings) -> Posterior:
    """What units and channels cause, given what the model and the tests say."""
    known = _Known(fitted, tests)
    mean, sd = known.mixed
    units, channels = len(fitted.number), len(fitted.number) + fitted.channels
    is_tested = np.zeros(fitted.channels, dtype=np.bool_)
    is_tested[[scope.channel for scope in tests.scopes]] = True
    return Posterior(
        mean=mean[:units],
        sd=sd[:units],
        channel_mean=mean[units:channels],
        channel_sd=sd[units:channels],
        covariance=known.covariance if fitted.channels <= MOST_TOGETHER else None,
        total_sd=float(sd[channels]),
        ratio=1 + float(mean[channels + 1]),
        ratio_sd=float(sd[channels + 1]),
        width=float(known.weight @ (known.width * np.sqrt(1 - known.shared))),
        is_tested=is_tested,
    )


def expected_sd(fitted: Fitted, tests: Findings, scope: Scope, error: float) -> Floats:
    """The standard deviation of each channel after one more test of that error, before it is made.

    The test is expected to find what is expected now; how wrong the model may be is left as it is
    known, so what the test would teach of that comes on top.
    """
    now = _Known(fitted, tests)
    aim = scope.unit if scope.unit is not None else len(fitted.number) + scope.channel
    after = _Known(fitted, tests.and_one(scope, float(now.mixed[0][aim]), error))
    _, sd = _mix(now.weight, *after.given)
    return sd[len(fitted.number) :][: fitted.channels]


def least_error(effect: float) -> float:
    """What no test's error is below. Smaller ones are slips, and their squares come to nothing."""
    return LEAST_ERROR * max(abs(effect), 1.0)


def carried(
    effect: float, error: float, *, factor: float, loose: float = 0.0, years: float = 0.0
) -> tuple[float, float]:
    """A test's effect and error, carried to other days: by what the model gave its scope there.

    `factor` is the model's number of these days over that of the test's; `loose` is the relative
    error of that factor; `years` lie between.
    """
    there = factor * effect
    variance = (factor * error) ** 2 + there**2 * (loose**2 + DRIFT**2 * max(years, 0.0))
    return there, max(float(np.sqrt(variance)), least_error(there))


class _Known:
    """The grid of (t, r), and the normal posterior under each of its points.

    A covariance is t² (r everywhere + (1 - r) own + straying) + sampling; the four parts do not
    depend on the grid. Rows are the units, the channels, their total, and b alone.
    """

    def __init__(self, fitted: Fitted, tests: Findings) -> None:
        self._fitted, self._tests = fitted, tests
        width, shared = np.meshgrid(WIDTHS, SHARED, indexing="ij")
        self.width, self.shared = width.ravel(), shared.ravel()

    @cached_property
    def mixed(self) -> tuple[Floats, Floats]:
        return _mix(self.weight, *self.given)

    @cached_property
    def weight(self) -> Floats:
        """How much each point of the grid counts: its prior × how well it foretells the tests."""
        # The grid's points stand ever wider apart: each speaks for a stretch as wide as itself.
        log = np.log(self.width) - (self.width / OFF) ** 2 / 2 + self._evidence
        found = np.exp(log - log.max())
        return found / found.sum()

    @cached_property
    def given(self) -> tuple[Floats, Floats]:
        """Means and variances of all rows (columns) under each point (rows)."""
        gap = self._tests.effect - self._scope.T @ self._fitted.number
        known = np.concatenate([self._summed(self._fitted.number), [0.0]])
        means, variances = [], []
        for place in range(len(self.width)):
            crossed, prior = self._at(place, self._crossed), self._at(place, self._prior)
            gain = np.linalg.solve(self._spread[place], crossed.T).T
            means.append(known + gain @ gap)
            variances.append(prior - np.einsum("rt,rt->r", gain, crossed))
        return np.array(means), np.maximum(np.array(variances), 0.0)

    @property
    def covariance(self) -> Floats:
        """Of the channels with each other: at each point of the grid, and between the points."""
        number, error, of, channels = self._fitted
        rows = slice(len(number), len(number) + channels)
        total = tally(of, number, channels)
        off = self.weight * self.width**2
        alone = (off @ (1 - self.shared)) * total**2 + off.sum() * self._floor**2
        found = (off @ self.shared) * np.outer(total, total)
        found += np.diag(alone + tally(of, error**2, channels))
        for place, weight in enumerate(self.weight):
            crossed = self._at(place, self._crossed)[rows]
            found -= weight * crossed @ np.linalg.solve(self._spread[place], crossed.T)
        means = self.given[0][:, rows] - self.mixed[0][rows]
        return found + (means.T * self.weight) @ means

    @cached_property
    def _evidence(self) -> Floats:
        gap = self._tests.effect - self._scope.T @ self._fitted.number
        _, size = np.linalg.slogdet(self._spread)
        off = np.linalg.solve(
            self._spread, np.broadcast_to(gap, (len(self.width), len(gap)))[..., None]
        )
        return -(size + off[..., 0] @ gap) / 2

    @cached_property
    def _spread(self) -> Floats:
        """Covariance of what the tests find, under each point."""
        seen = [self._scope.T @ part[: len(self._fitted.number)] for part in self._crossed]
        noise = np.diag(self._tests.error**2)
        return np.array([self._at(i, seen) + noise for i in range(len(self.width))])

    def _at(self, place: int, parts: Sequence[Floats]) -> Floats:
        everywhere, own, straying, sampling = parts
        shared = self.shared[place]
        bias = shared * everywhere + (1 - shared) * own + straying
        return self.width[place] ** 2 * bias + sampling

    @cached_property
    def _scope(self) -> Floats:
        """Units × tests: 1 where a unit was in the test."""
        channel_of = self._fitted.channel_of
        found = np.zeros((len(channel_of), len(self._tests.scopes)))
        for place, scope in enumerate(self._tests.scopes):
            found[channel_of == scope.channel if scope.unit is None else scope.unit, place] = 1.0
        return found

    @cached_property
    def _crossed(self) -> list[Floats]:
        """The four parts of the covariance of rows with what is tested: rows × tests."""
        number, error, of, _ = self._fitted
        scope = self._scope
        weighed = number[:, None] * scope
        everywhere = number[:, None] * weighed.sum(axis=0)
        own = number[:, None] * self._by_channel(weighed)[of]
        square = (number**2)[:, None]
        whole = self._by_channel(square)
        part = self._by_channel(square * scope)
        ratio = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
        straying = STRAYING * square * (scope - ratio[of])
        floor = (
            self._floor**2 * self._part[:, None] * self._by_channel(self._part[:, None] * scope)[of]
        )
        sampling = (error**2)[:, None] * scope
        parts = [everywhere, own, straying + floor, sampling]
        alone = [weighed.sum(axis=0), *(np.zeros((3, scope.shape[1])))]
        return [
            np.vstack([self._summed(one), last]) for one, last in zip(parts, alone, strict=True)
        ]

    @cached_property
    def _prior(self) -> list[Floats]:
        """The four parts of the variance of each row."""
        number, error, of, channels = self._fitted
        square = number**2
        whole = tally(of, square, channels)[of]
        kept = 1 - np.divide(square, whole, out=np.zeros(len(square)), where=whole > 0)
        total = tally(of, number, channels)
        floor = self._floor**2
        return [
            np.concatenate([square, total**2, [total.sum() ** 2, 1.0]]),
            np.concatenate([square, total**2, [(total**2).sum(), 0.0]]),
            np.concatenate(
                [
                    STRAYING * square * kept + floor * self._part**2,
                    np.full(channels, floor),
                    [channels * floor, 0.0],
                ]
            ),
            np.append(self._summed(np.square(error)), 0.0),
        ]

    @cached_property
    def _floor(self) -> float:
        """What a channel of which the model knows nothing may cause, in sd for t = 1."""
        total = np.abs(tally(self._fitted.channel_of, self._fitted.number, self._fitted.channels))
        return LEAST * float(total.mean()) if len(total) else 0.0

    @cached_property
    def _part(self) -> Floats:
        """Each unit's part of its channel: by number, or all the same where there is none."""
        number, _, of, channels = self._fitted
        size = np.abs(number)
        whole = tally(of, size, channels)
        size = np.where(whole[of] > 0, size, 1.0)
        return size / tally(of, size, channels)[of]

    def _by_channel(self, values: Floats) -> Floats:
        found = np.zeros((self._fitted.channels, values.shape[1]))
        np.add.at(found, self._fitted.channel_of, values)
        return found

    def _summed(self, values: Floats) -> Floats:
        """Units, then channels, then the total."""
        flat = values if values.ndim == 2 else values[:, None]
        channels = self._by_channel(flat)
        found = np.vstack([flat, channels, channels.sum(axis=0)])
        return found if values.ndim == 2 else found[:, 0]


def _mix(weight: Floats, means: Floats, variances: Floats) -> tuple[Floats, Floats]:
    """Mean and sd over the grid: what varies at each point, and between the points."""
    mean = weight @ means
    return mean, np.sqrt(weight @ (variances + (means - mean) ** 2))
