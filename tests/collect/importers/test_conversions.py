import pytest

from touchline.clock import DAY_US

HEADER = "conversion_id,occurred_at,stage,amount,currency,user_id\n"


def test_a_deal_with_stage_amount_currency_and_any_identifier(read):
    found = read(
        "conversions",
        "商机编号,创建时间,赢单时间,商机阶段,合同金额(元),币种,客户编号,手机号,备注\n"
        "D1,2026-01-05,2026-06-05,赢单,88000,RMB,C1,138 0013 8001,皮肤检测仪\n",
    )
    row = found.only
    assert (row.conversion_id, row.kind, row.stage, row.amount, row.currency) == (
        "D1",
        "order",
        "赢单",
        8_800_000,
        "CNY",
    )
    assert row.occurred_us - row.created_us == 151 * DAY_US
    assert [(i.type, i.value) for i in row.identifiers] == [
        ("crm_id", "C1"),
        ("phone", "+8613800138001"),
    ]
    assert row.properties == {"备注": "皮肤检测仪"}


def test_the_closing_date_of_an_open_deal_is_a_hope(read):
    rows = "id,stage,created_at,close_date\nD1,opportunity,2026-01-05,2026-12-31\n"
    mapped = '[columns]\nconversion_id = "id"\n'
    row = read("conversions", rows, toml=mapped).only
    assert row.occurred_us == row.created_us


def test_rows_of_one_id_are_versions_in_the_order_of_the_file(read):
    rows = "D1,2026-01-01,lead,,,u1\nD1,2026-02-01,won,120,,u1\nD1,2026-03-01,won,-20,,u1\n"
    found = read("conversions", HEADER + rows)
    assert [(r.stage, r.amount) for r in found.good] == [
        ("lead", None),
        ("won", 12000),
        ("won", -2000),
    ]


def test_an_order_on_several_rows_is_one_conversion_with_lines(read):
    found = read(
        "conversions",
        "订单号,下单时间,商品名称,数量,实付金额,会员号\n"
        "O1,2026-03-01,精华,1,399,m1\n"
        "O1,2026-03-01,面膜,2,198.5,m1\n"
        "O2,2026-03-01,精华,1,399,m2\n",
    )
    first, second = found.good
    assert (first.amount, second.amount) == (59750, 39900)
    assert first.lines == (
        {"product": "精华", "quantity": "1", "amount": 39900},
        {"product": "面膜", "quantity": "2", "amount": 19850},
    )
    assert first.content_hash != second.content_hash


def test_an_order_total_repeated_on_each_line_counts_once(read):
    found = read(
        "conversions",
        "order_id,date,product,qty,line_amount,amount\n"
        "O1,2026-03-01,serum,1,399,577\nO1,2026-03-01,mask,2,198,577\n",
    )
    assert (found.only.amount, len(found.only.lines)) == (57700, 2)


def test_lines_may_be_json(read):
    rows = (
        'order_id,date,amount,lines\nO1,2026-03-01,10,"[{""product"":""a"",""amount"":""9.9""}]"\n'
    )
    assert read("conversions", rows).only.lines == ({"product": "a", "amount": 990},)
    bad = 'order_id,date,amount,lines\nO1,2026-03-01,10,"[1"\nO2,2026-03-01,10,[2]\n'
    assert read("conversions", bad).rejects == [(2, "bad_lines"), (3, "bad_lines")]


def test_repeated_rows_without_an_id_stay_apart_and_keep_their_ids(read):
    rows = "date,user_id,amount\n" + "2026-03-01,u1,5\n" * 3
    first = [row.conversion_id for row in read("conversions", rows).good]
    assert len(set(first)) == 3
    more = rows + "2026-03-01,u1,5\n2026-03-02,u2,1\n"
    assert [row.conversion_id for row in read("conversions", more).good][:3] == first
    other = [row.conversion_id for row in read("conversions", rows, source="shop").good]
    assert set(other).isdisjoint(first)


def test_the_order_of_columns_and_empty_columns_say_nothing(read):
    a = read("conversions", "date,user_id,amount\n2026-03-01,u1,5\n").only
    b = read("conversions", "amount,note,user_id,date\n5,,u1,2026-03-01\n").only
    assert (a.content_hash, a.conversion_id) == (b.content_hash, b.conversion_id)


def test_an_order_of_nobody_is_kept(read):
    assert read("conversions", HEADER + "O1,2026-03-01,,5,,\n").only.identifiers == ()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("O1,soon,,5,,u1", "bad_time"),
        ("O1,,,5,,u1", "bad_time"),
        ("O1,2026-03-01,,five,,u1", "bad_amount"),
        ("O1,2026-03-01,,5,XXY,u1", "unknown_currency"),
        ("O" * 256 + ",2026-03-01,,5,,u1", "bad_conversion_id"),
    ],
)
def test_bad_rows_say_why_and_which(read, row, reason):
    found = read("conversions", HEADER + row + "\n")
    assert found.rejects == [(2, reason)]
    assert found.rows[0].message_id == row.partition(",")[0][:255]
    assert found.rows[0].kind == "conversions"


def test_kinds_are_understood_in_chinese(read):
    found = read(
        "conversions", "date,kind,amount\n2026-03-01,线索,\n2026-03-01,复购,1\n2026-03-01,x,1\n"
    )
    assert [row.kind for row in found.good] == ["lead", "renewal"]
    assert found.rejects == [(4, "bad_kind")]
