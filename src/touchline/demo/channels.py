"""`data/channels.csv` → the channels: cost, reach, what each truly causes, what it leaves behind.

`lift` is the causal truth: the share of first orders (of leads, in the pro line) that exist only
because of the channel. What surprises: effect and evidence are unrelated. A note on 小红书 moves
one order in ten and leaves no click; a brand search leaves a click on every second order and moves
few.
"""

import csv
from dataclasses import dataclass
from importlib.resources import files

__all__ = ["ALL", "BY_KEY", "INDEX", "Channel", "of_market"]

# Where a person's cookies live.
DEVICES = ("mobile", "wechat", "desktop", "douyin", "mini")


@dataclass(frozen=True, kw_only=True)
class Channel:
    """`bill`: cpm, cpc, note, slot, month, sms, lead, or "" for unpaid. `reach`: touches in the
    reference world where spend does not tell. `delay`: days until a touch acts. `brand`: chance
    that an episode it opens passes through a brand search. `venues`: weights of where its orders
    go. `seen`: share of touches that land on a page of ours. `is_path`: it has no reach of its
    own; people who already shop come through it.
    """

    index: int
    key: str
    label: str
    market: str
    share: float
    bill: str
    low: float
    high: float
    ctr: float
    reach: int
    lift: float
    delay: tuple[float, ...]
    brand: float
    venues: tuple[float, ...]
    seen: float
    site: str
    device: int
    source: tuple[str, ...]
    medium: str
    click: str
    taste: str
    audience: str
    currency: str
    is_path: bool
    referrers: tuple[str, ...]
    terms: tuple[str, ...]

    @property
    def unit(self) -> float:
        """Mean price of a click, or of a thousand impressions."""
        return (self.low + self.high) / 2

    def clicks(self, spend: float) -> float:
        """Clicks that `spend` buys; 0 for what is not sold by the click."""
        if self.bill == "cpm":
            return spend / self.unit * 1000 * self.ctr
        return spend / self.unit if self.bill == "cpc" else 0.0


def _channel(index: int, row: dict[str, str]) -> Channel:
    def number(name: str, default: float = 0.0) -> float:
        return float(row[name] or default)

    def words(name: str, by: str = "|") -> tuple[str, ...]:
        return tuple(word for word in row[name].split(by) if word)

    return Channel(
        index=index,
        key=row["key"],
        label=row["label"],
        market=row["market"],
        share=number("share"),
        bill=row["bill"],
        low=number("low"),
        high=number("high"),
        ctr=number("ctr"),
        reach=int(number("reach")),
        lift=number("lift"),
        delay=tuple(float(day) for day in (row["delay"] or "0 3").split()),
        brand=number("brand", 0.3),
        venues=tuple(float(weight) for weight in row["venues"].split()),
        seen=number("seen", 1.0),
        site=row["site"],
        device=DEVICES.index(row["device"]),
        source=words("source"),
        medium=row["medium"],
        click=row["click"],
        taste=row["taste"],
        audience=row["audience"],
        currency=row["currency"] or "CNY",
        is_path=row["path"] == "yes",
        referrers=words("referrers", " "),
        terms=words("terms"),
    )


def _table() -> tuple[Channel, ...]:
    text = files("touchline.demo").joinpath("data/channels.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(_channel(index, row) for index, row in enumerate(rows))


ALL = _table()
BY_KEY = {channel.key: channel for channel in ALL}
INDEX = {channel.key: channel.index for channel in ALL}


def of_market(key: str) -> tuple[Channel, ...]:
    return tuple(channel for channel in ALL if channel.market == key)
