"""The company as tables: 澄屿 Clarisle of Hangzhou, its products, stores, people and pages.

Everything here is invented. Amounts are yuan (or dollars) as a shop would print them; counts are
those of a world of 20,000 people and scale with it.
"""

from dataclasses import dataclass

__all__ = [
    "CITIES",
    "DEALERS",
    "DEVICE",
    "FLIGHTS",
    "HOSTS",
    "MARKETS",
    "PRODUCTS",
    "PRO_PRODUCTS",
    "REPS",
    "STAFF",
    "STORES",
    "City",
    "Flight",
    "Market",
    "Product",
    "Store",
    "Venue",
]

REFERENCE_PEOPLE = 20_000


@dataclass(frozen=True)
class Product:
    """`cost` is percent of price; `refill` days a pack lasts, 0 when nobody comes back for it."""

    sku: str
    name: str
    english: str
    price: int
    dollars: int
    cost: int
    refill: int
    weight: float
    months: tuple[int, ...] = ()


PRODUCTS = (
    Product("SER30", "屏障修护精华30ml", "Barrier Serum 30ml", 399, 59, 18, 65, 0.30),
    Product("CRM50", "修护面霜50g", "Repair Cream 50g", 329, 49, 19, 75, 0.20),
    Product("CLN120", "氨基酸洁面120g", "Amino Cleanser 120g", 129, 22, 24, 50, 0.19),
    Product("MSK5", "舒缓面膜5片", "Calming Mask x5", 99, 18, 28, 30, 0.14),
    Product(
        "SUN50", "轻透防晒50ml", "Sheer Sunscreen 50ml", 169, 28, 22, 60, 0.12, (4, 5, 6, 7, 8)
    ),
    Product("KIT", "旅行套装", "Travel Kit", 199, 32, 30, 0, 0.05),
)
DEVICE = Product("L2", "光子美容仪L2", "Photon Device L2", 2680, 389, 41, 0, 0.0)

# (name, price, weight among first deals); service contracts are renewed yearly.
PRO_PRODUCTS = (
    ("皮肤检测仪 SkinScope S3", 38_000, 0.46),
    ("皮肤检测仪 SkinScope S5", 88_000, 0.38),
    ("SkinScope S5 Pro+软件", 168_000, 0.16),
)
SERVICE = ("维保", 6_800)


@dataclass(frozen=True)
class Store:
    code: str
    name: str
    city: str
    region: str
    staff: int


STORES = (
    Store("HZ01", "杭州湖滨", "杭州", "华东", 6),
    Store("HZ02", "杭州滨江", "杭州", "华东", 4),
    Store("SH01", "上海徐汇", "上海", "华东", 6),
    Store("SH02", "上海静安专柜", "上海", "华东", 3),
    Store("NJ01", "南京新街口", "南京", "华东", 4),
    Store("SZ01", "深圳南山", "深圳", "华南", 5),
    Store("GZ01", "广州天河专柜", "广州", "华南", 3),
    Store("BJ01", "北京朝阳", "北京", "华北", 5),
    Store("CD01", "成都锦江", "成都", "西南", 4),
    Store("CQ01", "重庆渝中专柜", "重庆", "西南", 3),
    Store("SG01", "Singapore Orchard", "Singapore", "海外", 4),
)
STAFF = tuple(
    (f"{store.code}-{n:02d}", index)
    for index, store in enumerate(STORES)
    for n in range(1, store.staff + 1)
)


@dataclass(frozen=True)
class City:
    name: str
    province: str
    weight: float
    stores: tuple[int, ...] = ()


CITIES = (
    City("杭州", "浙江", 0.13, (0, 1)),
    City("上海", "上海", 0.15, (2, 3)),
    City("南京", "江苏", 0.06, (4,)),
    City("深圳", "广东", 0.07, (5,)),
    City("广州", "广东", 0.07, (6,)),
    City("北京", "北京", 0.08, (7,)),
    City("成都", "四川", 0.06, (8,)),
    City("重庆", "重庆", 0.05, (9,)),
    City("武汉", "湖北", 0.06),
    City("苏州", "江苏", 0.06),
    City("西安", "陕西", 0.05),
    City("长沙", "湖南", 0.05),
    City("宁波", "浙江", 0.04),
    City("青岛", "山东", 0.04),
    City("昆明", "云南", 0.03),
)
OUTDOOR_CITIES = ("杭州", "上海")

# (country, currency, share, price of a dollar's worth of goods there)
COUNTRIES = (
    ("US", "USD", 0.52, 1.0),
    ("DE", "EUR", 0.22, 55 / 59),
    ("SG", "SGD", 0.26, 79 / 59),
)

REPS = tuple(
    (f"{code}{n}", region)
    for code, region, count in (
        ("HD", "华东", 6),
        ("HN", "华南", 4),
        ("HB", "华北", 4),
        ("XN", "西南", 2),
        ("HW", "海外", 3),
    )
    for n in range(1, count + 1)
)
DEALERS = (("广州美诺达", "华南"), ("成都康瑞达", "西南"), ("Bangkok DermaPlus", "海外"))


@dataclass(frozen=True)
class Flight:
    """A campaign of the calendar, (month, day) to (month, day), that recurs every year."""

    name: str
    line: str
    first: tuple[int, int]
    last: tuple[int, int]
    markets: tuple[str, ...] = ("china",)


FLIGHTS = (
    Flight("年货节新年好肌", "skin", (1, 4), (1, 24)),
    Flight("38屏障修护周", "skin", (2, 25), (3, 9)),
    Flight("618换季维稳", "skin", (5, 13), (6, 20)),
    Flight("七夕同屿礼盒", "gift", (8, 5), (8, 29)),
    Flight("99划算节", "skin", (9, 1), (9, 10)),
    Flight("双11全年维稳囤", "skin", (10, 15), (11, 11)),
    Flight("双12", "skin", (12, 1), (12, 12)),
    Flight("BlackFriday-BarrierWeek", "skin", (11, 20), (12, 2), ("abroad",)),
    Flight("春季美博会", "pro", (2, 20), (3, 31), ("pro",)),
    Flight("门诊皮肤检测方案", "pro", (4, 10), (5, 31), ("pro",)),
    Flight("门诊皮肤检测方案", "pro", (9, 10), (10, 31), ("pro",)),
)


@dataclass(frozen=True)
class Venue:
    """Where an order is placed. `known` is the share that carries a usable identifier."""

    key: str
    name: str
    share: float
    returned: float
    known: float
    prefix: str


@dataclass(frozen=True)
class Market:
    """A consumer business. Totals are those of `people` persons over the eighteen months.

    `first_orders` are those not caused by an earlier order; `order_chance` is the mean chance that
    a shopping episode ends in one; `repeat` the chance that an empty pack brings the next order.
    `old_share` bought before the window and shop `old_factor` times as often. `devices`: share of
    orders in a store, and elsewhere, that hold a device.
    """

    key: str
    people: int
    orders: int
    spend: int
    venues: tuple[Venue, ...]
    first_orders: int
    order_chance: float
    repeat: float
    old_share: float
    old_factor: float
    second_line: float
    devices: tuple[float, float]


CHINA_VENUES = (
    Venue("tmall", "天猫旗舰店", 0.34, 0.16, 0.22, "TM"),
    Venue("douyin", "抖音店", 0.24, 0.27, 0.09, "DY"),
    Venue("mini", "会员小程序", 0.19, 0.06, 1.0, "MP"),
    Venue("store", "门店", 0.18, 0.02, 0.71, "POS"),
    Venue("h5", "官网H5", 0.05, 0.08, 1.0, "H5"),
)
ABROAD_VENUES = (
    Venue("intl", "Global site", 0.88, 0.07, 1.0, "GL"),
    Venue("store", "SG01", 0.12, 0.02, 0.71, "POS"),
)
MARKETS = {
    "china": Market(
        "china",
        17_900,
        3_900,
        635_000,
        CHINA_VENUES,
        first_orders=2_960,
        order_chance=0.125,
        repeat=0.30,
        old_share=0.094,
        old_factor=6.0,
        second_line=0.53,
        devices=(0.073, 0.0107),  # so that 60 % of devices are sold in a store
    ),
    "abroad": Market(
        "abroad",
        1_100,
        260,
        48_000,
        ABROAD_VENUES,
        first_orders=207,
        order_chance=0.14,
        repeat=0.26,
        old_share=0.06,
        old_factor=4.0,
        second_line=0.37,
        devices=(0.03, 0.008),
    ),
}
PRO_PEOPLE = 1_000
PRO_SPEND = 168_000

HOSTS = {
    "h5": "https://m.clarisle.example",
    "pc": "https://www.clarisle.example",
    "pro": "https://pro.clarisle.example",
    "intl": "https://global.clarisle.example",
    "mini": "https://mini.clarisle.example",
}
MINI_APP = "wx5c1a7e0b0d2f9a31"
