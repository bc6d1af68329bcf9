"""What each world of the proving ground is made of: channels, people's intent, what is not seen.

A world is `plain` plus one trouble, so that a model's fall in it has one reason; `everything` has
them all at once. The surprise: in `plain` nothing is hidden, and last touch is wrong there too.

    channel   reach: touches a person meets in the period   lift: log of what a fresh touch does to
              the daily chance   pull: log of how much more of it people meet who want to buy
"""

from dataclasses import dataclass, replace

__all__ = ["DAYS", "RECIPES", "TESTED", "Channel", "Recipe"]

DAYS = 90


@dataclass(frozen=True)
class Channel:
    """`seen` is the share of its touches that leave a trace."""

    name: str
    reach: float
    lift: float
    half_life_days: float
    pull: float = 0.0
    seen: float = 1.0


@dataclass(frozen=True)
class Recipe:
    """`saturation` is how many fresh touches' worth a channel can reach at most; `pull` and
    `shopping` say how much stronger intent draws people to the channels that have a pull.
    """

    name: str
    channels: tuple[Channel, ...]
    saturation: float = 4.0
    synergy: tuple[tuple[str, str, float], ...] = ()
    has_pull: bool = False
    is_shopping: bool = False
    second_device: float = 0.0
    bots: float = 0.0

    def without_trace(self, **seen: float) -> tuple[Channel, ...]:
        """Its channels, those named with another share of touches that leave a trace."""
        of = {name.replace("_", " "): share for name, share in seen.items()}
        return tuple(replace(one, seen=of.get(one.name.lower(), one.seen)) for one in self.channels)


TESTED = ("Brand Search", "Retargeting")
CHANNELS = (
    Channel("Display", reach=2.0, lift=0.20, half_life_days=7),
    Channel("Paid Social", reach=1.2, lift=0.80, half_life_days=12),
    Channel("Video", reach=0.9, lift=0.90, half_life_days=18),
    Channel("Affiliates", reach=0.5, lift=0.20, half_life_days=6),
    Channel("Email", reach=1.5, lift=0.45, half_life_days=8),
    Channel("Generic Search", reach=0.6, lift=1.40, half_life_days=8),
    Channel("Retargeting", reach=0.9, lift=0.15, half_life_days=6, pull=1.2),
    Channel("Brand Search", reach=0.6, lift=0.25, half_life_days=6, pull=1.6),
)
PLAIN = Recipe("plain", CHANNELS)
SYNERGY = (("Video", "Generic Search", 1.2), ("Paid Social", "Email", 0.9))
TELEVISION = Channel("Television", reach=1.5, lift=0.60, half_life_days=14, seen=0.0)
RECIPES = {
    one.name: one
    for one in (
        PLAIN,
        replace(PLAIN, name="intent", has_pull=True),
        replace(PLAIN, name="shopping", is_shopping=True),
        replace(PLAIN, name="saturation", saturation=0.6),
        replace(PLAIN, name="synergy", synergy=SYNERGY),
        replace(PLAIN, name="view_through", channels=PLAIN.without_trace(display=0.1, video=0.1)),
        replace(PLAIN, name="identity_loss", second_device=0.5),
        replace(PLAIN, name="bots", bots=0.15),
        replace(PLAIN, name="offline_only", channels=(*CHANNELS, TELEVISION)),
        Recipe(
            "everything",
            (*PLAIN.without_trace(display=0.3, video=0.3), TELEVISION),
            saturation=1.5,
            synergy=SYNERGY[:1],
            has_pull=True,
            is_shopping=True,
            second_device=0.25,
            bots=0.05,
        ),
    )
}
