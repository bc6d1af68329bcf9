"""Visits of consumers → who they say they are: cookies, logins, what the context always holds.

A mini-program knows the openid before anybody logs in; a page knows a cookie, and the member only
on every third visit. One tablet's cookie stands for all who registered on it.
"""

import numpy as np

from touchline.demo.channels import DEVICES
from touchline.demo.dice import Dice, hexes
from touchline.demo.pages import Speech, context_of
from touchline.demo.season import Mask
from touchline.demo.shops import Shop
from touchline.demo.visits import BOT, JOIN, ORDER, SITES, TABLET, Visits

__all__ = ["speech_of", "store_tablet"]

LOGGED_IN = 0.35  # of a member's visits to a page; in the mini-program all are
SAYS_WHO = 0.25  # of those: an identify call is made again


def store_tablet(seed: int, store: int) -> str:
    """The cookie of a store's tablet."""
    return "tablet-" + hexes(Dice(seed, store).of("tablet"), 1, 24)[0]


def speech_of(
    shop: Shop, visits: Visits, dice: Dice, seed: int
) -> tuple[Speech, dict[str, int | None]]:
    """(texts of each visit, whose each cookie in them is)."""
    rng = dice.of("speech")
    logged_in = _logged_in(shop, visits, rng)
    tells = logged_in & (rng.random(len(visits.ms)) < SAYS_WHO)
    tells |= np.isin(visits.kind, (JOIN, ORDER, TABLET))
    anon, owners = _cookies(shop, visits, seed, rng)
    person = visits.person.tolist()
    members, people = shop.members, shop.people
    mini = DEVICES.index("mini")
    contexts: list[str] = []
    for who, device, site in zip(person, visits.device.tolist(), visits.site.tolist(), strict=True):
        known = _wechat(shop, who) if device == mini else ""
        contexts.append(context_of(device, site, known, agent=people.first + who))
    return (
        Speech(
            anon=anon,
            user=[
                members.user[who] if says else ""
                for who, says in zip(person, logged_in.tolist(), strict=True)
            ],
            context=contexts,
            traits=[
                _traits(shop, who) if says else ""
                for who, says in zip(person, tells.tolist(), strict=True)
            ],
        ),
        owners,
    )


def _logged_in(shop: Shop, visits: Visits, rng: np.random.Generator) -> Mask:
    is_member = shop.members.at(visits.person, visits.ms) & (visits.kind != BOT)
    always = np.isin(visits.kind, (JOIN, ORDER, TABLET)) | (visits.site == SITES.index("mini"))
    return is_member & (always | (rng.random(len(visits.ms)) < LOGGED_IN))


def _cookies(
    shop: Shop, visits: Visits, seed: int, rng: np.random.Generator
) -> tuple[list[str], dict[str, int | None]]:
    people = shop.people
    newer = (visits.ms > people.cleared[visits.person]) & (visits.device != DEVICES.index("mini"))
    strangers = hexes(rng, len(visits.ms), 32)
    found: list[str] = []
    owners: dict[str, int | None] = {}  # a tablet's is told once for all blocks
    rows = zip(
        visits.person.tolist(), visits.device.tolist(), visits.kind.tolist(), newer.tolist(),
        visits.about.tolist(), strangers, strict=True,
    )  # fmt: skip
    for who, device, kind, is_newer, about, stranger in rows:
        if kind == BOT:
            cookie = stranger
            owners[cookie] = None
        elif kind == TABLET:
            cookie = store_tablet(seed, about)
        else:
            cookie = people.ids.device[device][is_newer][who]
            owners[cookie] = people.first + who
        found.append(cookie)
    return found, owners


def _wechat(shop: Shop, who: int) -> str:
    ids = shop.people.ids
    union = f',"unionid":"{ids.unionid[who]}"' if shop.people.follows[who] else ""
    return f'"openid":"{ids.openid[who]}"{union}'


def _traits(shop: Shop, who: int) -> str:
    members = shop.members
    fields = (
        ("phone", members.phone[who]),
        ("email", members.email[who]),
        ("member_code", members.code[who]),
    )
    return ",".join(f'"{name}":"{value}"' for name, value in fields if value)
