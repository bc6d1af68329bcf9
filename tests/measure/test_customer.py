"""Whose a journey is: people, accounts with their contacts, and conversions of nobody."""

import numpy as np
import pyarrow as pa

from build import DAY, T0
from touchline.identity.people import Registry
from touchline.journey.goal import DEFAULT
from touchline.measure.basis import Question, basis_of
from touchline.measure.customer import bonds_of, customers

ANN, BEN, CAT = "user_id:ann", "user_id:ben", "user_id:cat"


def numbers(members, journey, counted):
    table = pa.table(
        {
            "conversion_ix": pa.array([pair[0] for pair in members], pa.int64()),
            "member_ix": pa.array([pair[1] for pair in members], pa.int64()),
        }
    )
    return customers(bonds_of(table, np.array(journey), counted, 100), counted).tolist()


def test_a_person_is_one_customer_with_and_without_conversions():
    found = numbers([(0, 5), (1, 5), (2, 6)], [0, 0, 1, 105, 105, 107], 3)
    assert found[0] == found[1] == found[3]
    assert len(set(found)) == 3


def test_an_account_and_its_contacts_are_one_customer():
    found = numbers([(0, 1), (0, 2), (1, 2), (2, 3)], [0, 1, 101, 103, 104], 3)
    assert found[0] == found[1] == found[3]
    assert found[2] == found[4]
    assert found[5] not in found[:5]


def test_conversions_of_nobody_are_customers_of_their_own():
    assert len(set(numbers([], [], 3))) == 3
    # What was not asked for ties nobody together.
    found = numbers([(0, 1), (7, 1), (7, 2), (1, 2)], [101, 102], 2)
    assert found[0] == found[2] != found[1] == found[3]


def test_a_report_knows_whose_its_journeys_are(rows):
    for who in (ANN, BEN, CAT):
        rows.touch(who, T0, "Ads")
    rows.touch(ANN, T0 + 200 * DAY, "Mail")
    rows.conversion("a", ANN, T0 + DAY, amount=3000, currency="CNY")
    rows.conversion("b", ANN, T0 + 2 * DAY, amount=3000, currency="CNY")
    rows.conversion("c", BEN, T0 + 2 * DAY, amount=3000, currency="CNY")
    rows.commit()
    with rows.workspace.view() as view:
        people = Registry(rows.workspace).at(view)
        question = Question(goal=DEFAULT, currency="CNY")
        found = basis_of(view, people, question)
    whose = customers(found.bonds, len(found.conversions)).tolist()
    assert len(whose) == len(found.journeys.nulls) == 5
    assert sorted(np.unique(whose, return_counts=True)[1]) == [1, 1, 3]
