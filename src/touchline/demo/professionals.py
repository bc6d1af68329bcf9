"""One block of business contacts: their accounts, deals and touches, written as the CRM, the sales
team and the website would.
"""

import numpy as np

from touchline.demo.accounts import draw_accounts
from touchline.demo.consumers import World
from touchline.demo.crm import write_crm
from touchline.demo.deals import draw_deals
from touchline.demo.dice import Dice
from touchline.demo.pages import calls
from touchline.demo.prospects import pro_speech, pro_visits, write_meetings
from touchline.demo.season import DAY_MS

__all__ = ["professionals"]

DEALER_COMMISSION = 0.10


def professionals(first: int, count: int, base: int, dice: Dice, world: World) -> int:
    """Write `count` contacts numbered from `first`; their accounts are numbered from `base`.

    Returns how many accounts they make.
    """
    plan, folder, truth = world.plan, world.folder, world.truth
    accounts = draw_accounts(first, base, count, dice)
    deals = draw_deals(accounts, plan, dice)
    seen = pro_visits(accounts, deals, plan, dice)
    speech = pro_speech(accounts, seen, dice)
    made = calls(seen, speech, {}, plan, dice.of("pages"))
    folder.calls(made, seen.site[made.visit], dice.of("delivery"))
    write_meetings(folder, accounts, deals, plan, dice)
    write_crm(folder, accounts, deals, plan, dice)
    truth.add_deals(deals)
    numbers = range(count)
    truth.ids("phone", {f"+86{accounts.phone(n)}": first + n for n in numbers})
    truth.ids("email", {accounts.email(n): first + n for n in numbers})
    truth.ids("crm_id", {accounts.crm_id(n): first + n for n in numbers})
    owners = zip(speech.anon, seen.person.tolist(), strict=True)
    truth.ids("anonymous_id", {cookie: first + who for cookie, who in owners})
    for account in np.flatnonzero(deals.won & deals.by_dealer).tolist():
        day = int((deals.closed[account] - plan.calendar.start_ms) // DAY_MS)
        cents = round(int(deals.amount[account]) * DEALER_COMMISSION)
        world.commissions[day, "dealer"] += cents
    return accounts.count
