"""Accounts + deals → the CRM's exports: contacts, and every stage a deal went through.

A deal is one conversion in several versions, written in the order they happened; whoever signs is
often another contact than whoever asked.
"""

from collections.abc import Iterator

import numpy as np

from touchline.demo.accounts import REGIONS, TITLES, Accounts
from touchline.demo.deals import STAGES, Deals
from touchline.demo.dice import Dice
from touchline.demo.plan import Plan
from touchline.demo.season import DAY_MS, Ints
from touchline.demo.shops import local
from touchline.demo.world import DEALERS, PRO_PRODUCTS, REPS, SERVICE
from touchline.demo.write import Folder

__all__ = ["deal_id", "write_crm"]

CONTACTS = ("crm_id", "account_id", "account_name", "name", "title", "phone", "email", "region",
            "owner")  # fmt: skip
DEALS = ("conversion_id", "occurred_at", "kind", "stage", "amount", "currency", "account_id",
         "crm_id", "phone", "email", "staff_id", "dealer", "equipment", "created_at")  # fmt: skip
KIND = {"lead": "lead", "mql": "lead", "sql": "lead"}
INSTALLED = 0.08  # accounts that own a machine from before, and renew its service
WON, LOST, RENEWED = len(STAGES), len(STAGES) + 1, len(STAGES) + 2
NAMES = (*STAGES, "won", "lost", "renewed")


def deal_id(accounts: Accounts, account: int) -> str:
    return f"D{accounts.base + account:06d}"


def write_crm(folder: Folder, accounts: Accounts, deals: Deals, plan: Plan, dice: Dice) -> None:
    folder.table("people_crm_contacts.csv", CONTACTS, _contacts(accounts))
    folder.table("conversions_deals.csv", DEALS, _versions(accounts, deals, plan, dice))


def _contacts(accounts: Accounts) -> Iterator[list[str]]:
    for contact, account in enumerate(accounts.account.tolist()):
        yield [
            accounts.crm_id(contact),
            accounts.code(account),
            accounts.name[account],
            accounts.contact_name(contact),
            TITLES[int(accounts.place[contact])],
            accounts.phone(contact),
            accounts.email(contact),
            REGIONS[int(accounts.region[account])],
            REPS[int(accounts.rep[account])][0],
        ]


def _versions(accounts: Accounts, deals: Deals, plan: Plan, dice: Dice) -> Iterator[list[str]]:
    """A row for every stage a deal reached, oldest first over all deals."""
    rng = dice.of("crm")
    reached: list[tuple[Ints, Ints, int]] = []
    for step in range(len(STAGES)):
        rows = np.flatnonzero(deals.passed[:, step])
        reached.append((rows, deals.at[rows, step], step))
    for step, mask in ((WON, deals.won), (LOST, deals.is_closed & ~deals.won)):
        rows = np.flatnonzero(mask)
        reached.append((rows, deals.closed[rows], step))
    rows = np.flatnonzero(rng.random(accounts.count) < INSTALLED)
    day = rng.integers(0, plan.calendar.days, len(rows))
    reached.append((rows, plan.calendar.start_ms + day * DAY_MS + 36_000_000, RENEWED))
    account = np.concatenate([rows for rows, _, _ in reached])
    ms = np.concatenate([moment for _, moment, _ in reached])
    step = np.repeat([step for *_, step in reached], [len(rows) for rows, *_ in reached])
    wall = plan.calendar.office(ms)
    order = np.argsort(wall, kind="stable")
    size = np.bincount(accounts.account, minlength=accounts.count)
    created = local(plan.calendar.office(deals.at[:, 0]))
    for row, when in zip(order.tolist(), local(wall[order]), strict=True):
        at, stage = int(account[row]), int(step[row])
        # The first contact asks, the second one buys.
        contact = int(accounts.start[at]) + (min(1, int(size[at]) - 1) if stage >= 3 else 0)
        yield _row(accounts, deals, (at, stage, contact), (when, created[at]))


def _row(
    accounts: Accounts, deals: Deals, place: tuple[int, int, int], times: tuple[str, str]
) -> list[str]:
    account, step, contact = place
    stage = NAMES[step]
    identifiers = [accounts.crm_id(contact), accounts.phone(contact), accounts.email(contact)]
    owner = REPS[int(accounts.rep[account])][0]
    if stage == "renewed":
        return [f"R{accounts.base + account:06d}", times[0], "renewal", stage,
                f"{SERVICE[1]}.00", "CNY", accounts.code(account), *identifiers, owner, "",
                SERVICE[0], ""]  # fmt: skip
    dealer = DEALERS[int(accounts.dealer[account])][0] if deals.by_dealer[account] else ""
    cents = int(deals.amount[account])
    amount = f"{cents // 100}.{cents % 100:02d}" if step >= 2 else ""
    machine = PRO_PRODUCTS[int(deals.product[account])][0] if step >= 2 else ""
    return [deal_id(accounts, account), times[0], KIND.get(stage, "opportunity"), stage, amount,
            "CNY", accounts.code(account), *identifiers, owner, dealer, machine,
            times[1]]  # fmt: skip
