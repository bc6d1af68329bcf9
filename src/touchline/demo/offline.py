"""What reaches a consumer away from our pages → rows of events_*.csv, as each system exports them.

Every row is a touch with its channel named, but for SMS that were merely sent and for contacts
that were dropped: a message that nobody opens has reached nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from touchline.demo.care import Contacts, Messages, staff_of
from touchline.demo.channels import ALL, INDEX
from touchline.demo.dice import Dice, hexes
from touchline.demo.exposure import Touches
from touchline.demo.members import external_ids
from touchline.demo.people import NEVER
from touchline.demo.plan import Plan
from touchline.demo.shops import Shop, local
from touchline.demo.world import STAFF, STORES
from touchline.demo.write import Folder

__all__ = ["Met", "write_offline"]

LEAVES_PHONE = 0.35  # store visitors who are no members but give a number
SIGNS_UP = 0.55
COMMENTS = 0.3
CHANNELS_APP = "wx9e1f04c2d7b85a60"  # 视频号 knows a person by an openid of its own

COLUMNS = {
    "events_store_visits.csv": "message_id occurred_at name member_code phone store_code staff_id "
    "channel source medium",
    "events_store_activities.csv": "occurred_at name phone store_code channel source medium "
    "campaign",
    "events_sms_sent.csv": "message_id occurred_at name phone member_code blast",
    "events_sms_clicks.csv": "message_id occurred_at name phone channel source medium campaign",
    "events_wecom.csv": "message_id occurred_at name external_userid unionid phone staff_id "
    "store_code channel source medium campaign",
    "events_parcel_cards.csv": "occurred_at name openid unionid member_code parcel channel source "
    "medium",
    "events_live_comments.csv": "occurred_at name openid unionid comment channel source medium",
}
REMARKS = ("想要精华链接", "敏感肌能用吗", "蹲一个优惠", "已下单", "多少毫升", "有小样吗")

Rows = Iterator[list[object]]


@dataclass
class Met:
    """What a block's people met, as far as it is written here. Times are the simulation's."""

    touched: Touches
    talks: Touches
    messages: Messages
    contacts: Contacts


def write_offline(folder: Folder, about: Shop, met: Met, plan: Plan, dice: Dice) -> None:
    rng = dice.of("offline")
    found = {
        "events_store_visits.csv": _store_visits(about, met.touched, plan, rng),
        "events_store_activities.csv": _activities(about, met.touched, plan, rng),
        "events_sms_sent.csv": _sent(about, met.messages, plan, rng),
        "events_sms_clicks.csv": _sms_clicks(about, met.messages, plan, rng),
        "events_wecom.csv": _wecom(about, met, plan, rng),
        "events_parcel_cards.csv": _parcel_cards(about),
        "events_live_comments.csv": _comments(about, met.touched, plan, rng),
    }
    for name, rows in found.items():
        folder.table(name, COLUMNS[name].split(), rows)


def _store_visits(about: Shop, touched: Touches, plan: Plan, rng: np.random.Generator) -> Rows:
    """People at a till who are members or leave a number; buyers come minutes before they pay."""
    store = [n for n, venue in enumerate(about.people.market.venues) if venue.key == "store"]
    key = "store" if about.people.market.key == "china" else "store_abroad"
    looked = touched.only(touched.channel == INDEX[key])
    bought = np.flatnonzero(np.isin(about.orders.venue, store) & about.orders.is_known)
    person = np.concatenate([looked.person, about.orders.person[bought]])
    ms = np.concatenate([plan.calendar.wall(looked.ms), about.ms[bought] - 600_000])
    is_member = about.members.at(person, ms)
    told = rng.random(len(person)) < LEAVES_PHONE
    told[len(looked.ms) :] = True
    told &= about.people.market.key == "china"
    keep = is_member | told
    person, ms, is_member = person[keep], ms[keep], is_member[keep]
    staff = staff_of(about.people.store[person], rng).tolist()
    ids = hexes(rng, len(person), 16)
    rows = zip(person.tolist(), local(ms), is_member.tolist(), staff, ids, strict=True)
    for who, when, member, helper, message in rows:
        name, at = STAFF[helper]
        code = about.members.code[who] if member else ""
        number = "" if member else about.people.ids.phone[who]
        yield [f"pos-{message}", when, "到店", code, number, STORES[at].code, name, "门店",
               "store", "visit"]  # fmt: skip


def _activities(about: Shop, touched: Touches, plan: Plan, rng: np.random.Generator) -> Rows:
    """Sampling days and skin tests in a store: about half of the guests sign up."""
    came = touched.only(touched.channel == INDEX["store_event"])
    came = came.only(rng.random(len(came.ms)) < SIGNS_UP)
    label = ALL[INDEX["store_event"]].label
    stores = about.people.store[came.person].tolist()
    rows = zip(
        came.person.tolist(), local(plan.calendar.wall(came.ms)), came.campaign.tolist(), stores,
        strict=True,
    )  # fmt: skip
    for who, when, campaign, store in rows:
        yield [when, "活动签到", about.people.ids.phone[who], STORES[store].code, label, "store",
               "event", plan.campaigns[campaign].name]  # fmt: skip


def _sent(about: Shop, sms: Messages, plan: Plan, rng: np.random.Generator) -> Rows:
    ids = hexes(rng, len(sms.ms), 16)
    names = [campaign.name for campaign in plan.campaigns]
    rows = zip(
        sms.person.tolist(), local(plan.calendar.wall(sms.ms)), sms.campaign.tolist(),
        sms.left.tolist(), local(plan.calendar.wall(sms.ms + 900_000)), ids, strict=True,
    )  # fmt: skip
    for who, when, campaign, left, later, message in rows:
        number, code = _dialled(about, who), about.members.code[who]
        yield [f"sms-{message}", when, "SMS Sent", number, code, names[campaign]]
        if left:
            yield [f"td-{message}", later, "SMS Unsubscribed", number, code, names[campaign]]


def _dialled(about: Shop, who: int) -> str:
    """The number a message went to: a masked one cannot be dialled, so the person's own."""
    number = about.members.phone[who]
    return about.people.ids.phone[who] if "*" in number else number


def _sms_clicks(about: Shop, sms: Messages, plan: Plan, rng: np.random.Generator) -> Rows:
    clicks = sms.clicks()
    ids = hexes(rng, len(clicks.ms), 16)
    rows = zip(
        clicks.person.tolist(), local(plan.calendar.wall(clicks.ms)), clicks.campaign.tolist(),
        ids, strict=True,
    )  # fmt: skip
    for who, when, campaign, message in rows:
        yield [f"smsc-{message}", when, "SMS Clicked", _dialled(about, who), "短信", "sms",
               "sms", plan.campaigns[campaign].name]  # fmt: skip


def _wecom(about: Shop, met: Met, plan: Plan, rng: np.random.Generator) -> Rows:
    """A staff member added, then what they wrote; their note of the phone is often missing."""
    people, contacts = about.people, met.contacts
    external = external_ids(people, contacts)
    begin, end = plan.calendar.start_ms, plan.calendar.end_ms
    added = np.flatnonzero((contacts.since >= begin) & (contacts.since < end))
    told = met.talks.only(contacts.since[met.talks.person] < NEVER)
    person = np.concatenate([added, told.person])
    ms = plan.calendar.wall(np.concatenate([contacts.since[added], told.ms]))
    names = ["WeCom Added"] * len(added) + ["WeCom Message"] * len(told.ms)
    campaigns = [-1] * len(added) + told.campaign.tolist()
    noted = (rng.random(len(person)) < 0.5).tolist()
    ids = hexes(rng, len(person), 16)
    rows = zip(person.tolist(), local(ms), names, campaigns, noted, ids, strict=True)
    for who, when, name, campaign, has_note, message in rows:
        staff, store = STAFF[int(contacts.staff[who])]
        union = people.ids.unionid[who] if people.follows[who] else ""
        number = people.ids.phone[who] if has_note else ""
        yield [f"wecom-{message}", when, name, external[who], union, number, staff,
               STORES[store].code, "导购企微", "wecom", "staff",
               plan.campaigns[campaign].name if campaign >= 0 else ""]  # fmt: skip


def _parcel_cards(about: Shop) -> Rows:
    """Buyers of a marketplace who scan the card in the parcel: this is how they become known."""
    row = np.flatnonzero(about.scanned < NEVER)
    label = ALL[INDEX["store_event"]].label
    ids = about.people.ids
    for order, when in zip(row.tolist(), local(about.scanned[row]), strict=True):
        who = int(about.orders.person[order])
        union = ids.unionid[who] if about.people.follows[who] else ""
        yield [when, "扫包裹卡", ids.openid[who], union, about.members.code[who],
               about.ids[order], label, "parcel", "card"]  # fmt: skip


def _comments(about: Shop, touched: Touches, plan: Plan, rng: np.random.Generator) -> Rows:
    watched = touched.only(touched.channel == INDEX["channels"])
    wrote = watched.only(rng.random(len(watched.ms)) < COMMENTS)
    ids = about.people.ids
    remarks = rng.integers(0, len(REMARKS), len(wrote.ms)).tolist()
    rows = zip(wrote.person.tolist(), local(plan.calendar.wall(wrote.ms)), remarks, strict=True)
    for who, when, remark in rows:
        union = ids.unionid[who] if about.people.follows[who] else ""
        yield [when, "直播评论", f"{CHANNELS_APP}:{channels_openid(ids.openid[who])}", union,
               REMARKS[remark], ALL[INDEX["channels"]].label, "wechat", "channels"]  # fmt: skip


def channels_openid(openid: str) -> str:
    """The same person's openid in 视频号: another app, another id."""
    return "oVc" + openid[:4:-1]
