"""The report against its definitions written the slow way, on small random worlds.

Below stands what docs/concepts/{journey,attribution}.md say, a loop a sentence and nothing shared
with the product. Touches, deals told in several versions, orders with refunds, deals of accounts,
two currencies, costs: every row of every model must be the same, at two grains.
"""

import datetime as dt
import random
from collections import defaultdict
from fractions import Fraction
from itertools import combinations, pairwise
from math import factorial

import numpy as np
import pytest

import build
from build import DAY, HOUR, T0
from touchline.attribution import MODELS

CHANNELS = ("Direct", "Email", "展会", "Paid Search")
WON = ("", "won", "成交")
RATE = Fraction("7.1")
WINDOW = 10 * DAY
DAYS = (dt.date(2026, 3, 4), dt.date(2026, 3, 24))
MONEY = {"CNY": Fraction(1), "USD": RATE}


def world(rows, seed):
    """Rows of a random world, and the same as (touches, conversions, costs by day and labels)."""
    pick = random.Random(seed)
    rows.rate(dt.date(2026, 1, 1), "USD", "CNY", str(float(RATE)))
    touches, deals, costs = [], [], []
    for number in range(30):
        person = f"user_id:p{number:02}"
        account = pick.choice([None, None, "acme", "bolt"])
        mine = []
        for _ in range(pick.choice([0, 1, 2, 3, 6])):
            at = pick.choice(mine or [0]) or T0 + pick.randrange(20 * 24) * HOUR
            mine.append(at)
            labels = {"channel": pick.choice(CHANNELS), "campaign": pick.choice([None, "a", "b"])}
            rows.touch(person, at, account_id=account, **labels)
            touches.append(
                {"person": person, "at": at, "seq": rows.seq, "account": account} | labels
            )
        for seen in pick.sample(mine, min(len(mine), pick.choice([0, 1, 2]))):
            at = seen + pick.choice([-1, 0, 1, HOUR, WINDOW, WINDOW + 1])
            deals.append(tell(rows, pick, f"d{rows.seq}", person, account, at))
    for _ in range(8):
        day = DAYS[0] + dt.timedelta(days=pick.randrange(-3, 20))
        labels = {
            "channel": pick.choice((*CHANNELS, "Poster")),
            "campaign": pick.choice([None, "a"]),
        }
        currency, cost = pick.choice(list(MONEY)), pick.randrange(1, 9999)
        rows.cost(
            day, cost=cost, currency=currency, batch=rows.seq, source=f"s{rows.seq}", **labels
        )
        costs.append({"day": day, "cost": round(cost * MONEY[currency])} | labels)
    return touches, [deal for deal in deals if deal], costs


def tell(rows, pick, name, person, account, at):
    """A conversion in one of its three ways; None when it is one no more."""
    amount, currency = pick.choice([0, 1, 3333, 9999]), pick.choice(list(MONEY))
    deal = {"id": name, "people": person, "at": at, "account": None}
    if pick.random() < 0.4:
        rows.order(person, at, name, revenue=amount, currency=currency, channel="Store", flags=1)
        deal["own"] = {"person": person, "at": at, "seq": rows.seq, "channel": "Store"}
        deal["own"] |= {"campaign": None, "account": None, "of": name}
        if pick.random() < 0.5:
            back = pick.choice([None, amount // 2])
            rows.refund(name, at + DAY, revenue=back, currency=currency)
            amount -= amount if back is None else back
        return deal | {"money": round(amount * MONEY[currency])}
    deal["account"] = pick.choice([None, account])
    told = [(pick.choice((*WON, "lead", "lost")), at, amount)]
    while pick.random() < 0.4:
        told.append((pick.choice((*WON, "lost")), at + pick.choice([-HOUR, DAY]), amount + 7))
    for stage, when, money in told:
        columns = {"stage": stage, "amount": money, "currency": currency}
        rows.conversion(name, person, when, account_id=deal["account"], **columns)
    newest = {stage: when for stage, when, _ in told if stage in WON}
    if told[-1][0] not in WON:
        return None
    return deal | {"at": min(newest.values()), "money": round(told[-1][2] * MONEY[currency])}


# What the documentation says


def journeys(touches, deals):
    """[(deal, its touches)] and the touches of each person that serve none."""
    touches = sorted([*touches, *(d["own"] for d in deals if "own" in d)], key=when)
    contacts = defaultdict(set)
    for one in [*touches, *(d | {"person": d["people"]} for d in deals)]:
        contacts[one["account"]].add(one["person"])
    walks, served = [], set()
    for deal in deals:
        people = {deal["people"]} | (contacts[deal["account"]] if deal["account"] else set())
        near = [t for t in touches if t["person"] in people]
        near = [t for t in near if deal["at"] - WINDOW <= t["at"] <= deal["at"]]
        served |= {t["seq"] for t in near}
        walks.append((deal, [t for t in near if t.get("of") != deal["id"]]))
    lost = defaultdict(list)
    for touch in touches:
        if touch["seq"] not in served and is_asked(touch):
            lost[touch["person"]].append(touch)
    return [(deal, walk) for deal, walk in walks if is_asked(deal)], list(lost.values())


def when(touch):
    return touch["at"], touch["seq"]


def is_asked(one):
    return DAYS[0] <= dt.datetime.fromtimestamp(one["at"] // 10**6, dt.UTC).date() <= DAYS[1]


def shares(model, at, walk):
    size = len(walk)
    names = [touch["channel"] for touch in walk]
    if model == "time_decay":
        weights = [2.0 ** (-(at - touch["at"]) / (7 * DAY)) for touch in walk]
        return [weight / sum(weights) for weight in weights]
    if model == "linear" or (model == "position_based" and size < 3):
        return [Fraction(1, size)] * size
    if model == "position_based":
        return [Fraction(2, 5), *[Fraction(1, 5 * (size - 2))] * (size - 2), Fraction(2, 5)]
    if model == "shapley":
        return [Fraction(1, len(set(names)) * names.count(name)) for name in names]
    place = 0 if model == "first_touch" else size - 1
    if model == "last_non_direct":
        place = max((i for i in range(size) if names[i] != "Direct"), default=place)
    return [Fraction(i == place) for i in range(size)]


def chain_without(order, paths, gone):
    """Conversions and money per journey when whoever reaches `gone` leaves without converting."""
    ways = [
        [tuple(names[max(0, i + 1 - order) : i + 1]) for i in range(len(names))]
        for names, *_ in paths
    ]
    states = {state: i for i, state in enumerate(sorted({s for way in ways for s in way}))}
    size = len(states)
    visits, start = np.zeros(size), np.zeros(size)
    moves, ends = np.zeros((size, size)), np.zeros((size, 2))
    for way, (_, won, money) in zip(ways, paths, strict=True):
        at = [states[state] for state in way]
        start[at[0]] += 1
        ends[at[-1]] += (won, money)
        for i in at:
            visits[i] += 1
        for before, after in pairwise(at):
            moves[before, after] += 1
    kept = [i for state, i in states.items() if gone not in state]
    onward = np.eye(len(kept)) - (moves / visits[:, None])[np.ix_(kept, kept)]
    return start[kept] / len(paths) @ np.linalg.solve(onward, (ends / visits[:, None])[kept])


def markov(order, paths, names):
    whole = chain_without(order, paths, None)
    effect = {c: np.nan_to_num((whole - chain_without(order, paths, c)) / whole) for c in names}
    total, every = whole * len(paths), sum(effect.values())
    return {c: effect[c] / every * total for c in names}, {c: effect[c][0] for c in names}


def shapley_rate(paths, names):
    def worth(inside):
        found = [path for path in paths if set(path[0]) <= inside]
        return np.array([sum(p[i] for p in found) for i in (1, 2)]) / max(len(found), 1)

    totals = dict.fromkeys(names, 0)
    for name in names:
        others = [one for one in names if one != name]
        for size in range(len(names)):
            chance = factorial(size) * factorial(len(others) - size) / factorial(len(names))
            for inside in map(set, combinations(others, size)):
                gain = worth(inside | {name}) - worth(inside)
                totals[name] = totals[name] + chance * gain * len(paths)
    return totals, {}


def credited(model, walks, lost, by):
    """{labels: (conversions, money)} unrounded, and removal effects by channel."""
    rows = defaultdict(lambda: np.zeros(2))
    if model not in ("markov_1", "markov_2", "markov_3", "shapley_rate"):
        for deal, walk in walks:
            for touch, share in zip(walk, shares(model, deal["at"], walk), strict=True):
                rows[tuple(touch[name] for name in by)] += float(share) * np.array(
                    [1, deal["money"]]
                )
        return rows, {}
    paths = [([t["channel"] for t in walk], 1, deal["money"]) for deal, walk in walks]
    paths += [([t["channel"] for t in walk], 0, 0) for walk in lost]
    names = sorted({name for path in paths for name in path[0]})
    fit = (
        shapley_rate(paths, names)
        if model == "shapley_rate"
        else markov(int(model[-1]), paths, names)
    )
    for channel, total in fit[0].items():
        touches = [t for _, walk in walks for t in walk if t["channel"] == channel]
        keys = [tuple(t[name] for name in by) for t in touches] or [(channel, None)[: len(by)]]
        for key in keys:
            rows[key] += total / len(keys)
    return rows, fit[1] if len(by) == 1 else {}


@pytest.mark.parametrize("by", [("channel",), ("channel", "campaign")])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_row_of_every_model_is_what_its_definition_says(tmp_path, seed, by):
    rows = build.Rows(build.workspace(tmp_path / "w"))
    touches, deals, costs = world(rows, seed)
    whole = rows.report(by=by, window_days=WINDOW / DAY, days=DAYS).as_json()
    rows.workspace.close()
    asked, lost = journeys(touches, deals)
    walks = [(deal, walk) for deal, walk in asked if walk]
    money = sum(deal["money"] for deal, _ in walks)
    alone = [deal["money"] for deal, walk in asked if not walk]
    assert (whole["conversions"], whole["revenue"]) == (len(asked), money + sum(alone))
    assert whole["unattributed"]["no_touch"] == {"conversions": len(alone), "revenue": sum(alone)}
    assert len(walks) > 4
    assert lost
    spent = defaultdict(int)
    for cost in costs:
        if DAYS[0] <= cost["day"] <= DAYS[1]:
            spent[tuple(cost[name] for name in by)] += cost["cost"]
    for model in MODELS:
        named = f"markov_{whole['fitted'][model]['order']:.0f}" if "auto" in model else model
        want, effects = credited(named, walks, lost, by)
        found = {tuple(r[name] for name in by): r for r in whole["rows"] if r["model"] == model}
        assert sum(row["revenue"] for row in found.values()) == money
        for key in want.keys() | spent.keys() | found.keys():
            row = found.get(
                key, {"conversions": 0, "revenue": 0, "cost": 0, "removal_effect": None}
            )
            assert row["conversions"] == pytest.approx(want[key][0], abs=1e-9), (model, key)
            assert abs(row["revenue"] - want[key][1]) < 1 + 1e-6, (model, key)
            assert row["cost"] == spent[key], (model, key)
            if key in found:
                effect = effects.get(key[0])
                assert row["removal_effect"] == pytest.approx(effect, abs=1e-9), (model, key)
