"""The professional line's buyers: clinics and chains as accounts of two to four contacts."""

from dataclasses import dataclass

import numpy as np

from touchline.demo.dice import Dice, hexes
from touchline.demo.people import FAMILY, phone
from touchline.demo.season import Floats, Ints
from touchline.demo.world import DEALERS, REPS

__all__ = ["TITLES", "Accounts", "draw_accounts"]

TITLES = ("院长", "采购", "医生", "运营")
KINDS = ("皮肤门诊", "医美诊所", "美容连锁", "皮肤科", "检测实验室")
CITIES = {
    "华东": ("杭州", "上海", "南京", "苏州"),
    "华南": ("广州", "深圳", "厦门"),
    "华北": ("北京", "天津", "青岛"),
    "西南": ("成都", "重庆", "昆明"),
    "海外": ("Bangkok", "Singapore", "Kuala Lumpur"),
}
NAMES = ("澄心", "颜和", "美颂", "丽格", "清研", "禾肤", "悦容", "安宁", "诺颜", "肤语")
REGIONS = tuple(CITIES)
REGION_SHARES = (0.36, 0.24, 0.20, 0.12, 0.08)


@dataclass
class Accounts:
    """Columns by account, and by contact: `account` of each, `place` among the account's own.

    `first` is the number of the first contact among all people, `base` that of the first account.
    """

    first: int
    base: int
    region: Ints
    rep: Ints
    dealer: Ints
    start: Ints
    account: Ints
    place: Ints
    interest: Floats
    device: list[list[str]]
    name: list[str]

    @property
    def count(self) -> int:
        return len(self.region)

    def code(self, account: int) -> str:
        return f"A{self.base + account:06d}"

    def crm_id(self, contact: int) -> str:
        return f"C{self.first + contact:08d}"

    def phone(self, contact: int) -> str:
        return phone(self.first + contact)

    def email(self, contact: int) -> str:
        account = int(self.account[contact])
        return f"contact{int(self.place[contact]) + 1}@a{self.base + account:06d}.example"

    def contact_name(self, contact: int) -> str:
        return FAMILY[(self.first + contact) * 7 % len(FAMILY)] + TITLES[int(self.place[contact])]


def draw_accounts(first: int, base: int, contacts: int, dice: Dice) -> Accounts:
    """Accounts of two to four contacts, three on average."""
    rng = dice.of("accounts")
    count = max(1, round(contacts / 3))
    size = np.full(count, contacts // count)
    size[: contacts - int(size.sum())] += 1
    swap = rng.permutation(count)[: count // 3 * 2].reshape(2, -1)
    both = (size[swap[0]] == 3) & (size[swap[1]] == 3)
    size[swap[0][both]], size[swap[1][both]] = 2, 4
    account = np.repeat(np.arange(count), size)
    start = np.cumsum(size) - size
    region = rng.choice(len(REGIONS), count, p=REGION_SHARES)
    return Accounts(
        first=first,
        base=base,
        region=region,
        rep=_in_region([where for _, where in REPS], region, rng),
        dealer=_in_region([where for _, where in DEALERS], region, rng),
        start=start,
        account=account,
        place=np.arange(len(account)) - start[account],
        interest=rng.gamma(1.5, 1.0, len(account)),
        device=[hexes(rng, len(account), 32) for _ in range(5)],
        name=[_name(base + n, REGIONS[where]) for n, where in enumerate(region.tolist())],
    )


def _in_region(regions: list[str], region: Ints, rng: np.random.Generator) -> Ints:
    """One of those who work in each account's region; the first of all where nobody does."""
    places = [[n for n, at in enumerate(regions) if at == name] or [0] for name in REGIONS]
    first = np.array([group[0] for group in places])
    size = np.array([len(group) for group in places])
    return first[region] + (rng.random(len(region)) * size[region]).astype(np.int64)


def _name(number: int, region: str) -> str:
    city = CITIES[region][number % len(CITIES[region])]
    gap = " " if region == "海外" else ""
    return f"{city}{gap}{NAMES[number // 3 % len(NAMES)]}{KINDS[number % len(KINDS)]}{number:05d}"
