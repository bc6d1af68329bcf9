"""What a workspace says about itself that decides how its events are read. Passed in everywhere."""

from msgspec import Struct, field

from touchline.collect.bots import BotRules
from touchline.collect.channel import ChannelRules
from touchline.collect.geo import Geo
from touchline.collect.makers.makers import Makers

__all__ = ["Site"]


class Site(Struct, frozen=True, eq=False, kw_only=True):
    """One workspace's own facts and compiled rules.

    `own_hosts` and `payment_hosts` include their subdomains. The page's own domain is always an own
    host, and well-known payment services are known without being listed. `geo` answers where an
    address is, always the same as long as it is the same object. `keeps_visitors`: visitors may be
    known by a cookie.
    """

    workspace: str
    time_zone: str = "Asia/Shanghai"
    currency: str = "CNY"
    region: str = "CN"
    own_hosts: frozenset[str] = frozenset()
    payment_hosts: frozenset[str] = frozenset()
    channels: ChannelRules = field(default_factory=ChannelRules.compile)
    bots: BotRules = field(default_factory=BotRules)
    geo: Geo | None = None
    keep_ip: bool = False
    keeps_visitors: bool = True
    makers: Makers = Makers()
