import pytest


def test_identifiers_of_a_row_belong_together_and_the_rest_are_traits(read):
    found = read(
        "people",
        "会员号,手机号,邮箱,等级,account_id\nm1,13800138001,Ann@Example.COM,金卡,A1\n,null,x,银卡,\n",
    )
    (person,) = found.good
    assert [(i.type, i.value) for i in person.identifiers] == [
        ("member_code", "m1"),
        ("phone", "+8613800138001"),
        ("email", "ann@example.com"),
    ]
    assert (person.traits, person.account_id, person.occurred_us) == ({"等级": "金卡"}, "A1", None)
    assert found.rejects == [(3, "missing_id")]


def test_json_people_may_have_lists_of_identifiers_and_nested_traits(read):
    line = (
        '{"user_id": "u1", "email": ["a@b.com", "c@d.com"], "traits": {"level": 3}, "tags": ["x"]}'
    )
    person = read("people", line).only
    assert len(person.identifiers) == 3
    assert person.traits == {"level": 3, "tags": ["x"]}


def test_rates_stay_the_decimals_that_were_written(read):
    found = read("rates", "date,from,to,rate\n2026-03-01,usd,RMB,7.1230\n2026/3/2,JPY,CNY,0.048\n")
    assert [(r.base, r.quote, r.rate) for r in found.good] == [
        ("USD", "CNY", "7.123"),
        ("JPY", "CNY", "0.048"),
    ]
    assert found.good[1].day - found.good[0].day == 1


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("soon,USD,CNY,7", "bad_date"),
        ("2026-03-01,,CNY,7", "missing_currency"),
        ("2026-03-01,XXY,CNY,7", "unknown_currency"),
        ("2026-03-01,USD,CNY,0", "bad_rate"),
        ("2026-03-01,USD,CNY,", "bad_rate"),
        ("2026-03-01,USD,CNY,1e99", "bad_rate"),
    ],
)
def test_bad_rates_say_why(read, row, reason):
    assert read("rates", f"date,from,to,rate\n{row}\n").rejects == [(2, reason)]
