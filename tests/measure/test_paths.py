import json

import pytest

from touchline.errors import BadInput
from touchline.measure.path_file import read_paths
from touchline.measure.paths import paths_report

HEADER = "path,total_conversions,total_conversion_value,total_null\n"
ROWS = "Paid Search > Direct,3,1290.5,41\nDirect,1,20,7\nPaid Search > Email,0,0,9\n"


@pytest.fixture
def file(tmp_path):
    def write(content, encoding="utf-8"):
        path = tmp_path / "paths.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


def refusal(path):
    with pytest.raises(BadInput) as refused:
        read_paths(path)
    assert refused.value.text("zh")
    return refused.value


def steps_of(path):
    journeys = read_paths(path)
    names = journeys.labels.channels
    return [
        [names[code] for code in journeys.channel[a:b]]
        for a, b in zip(journeys.offsets[:-1], journeys.offsets[1:], strict=True)
    ]


def test_the_report_has_the_shape_of_a_workspaces_report(file):
    whole = json.loads(json.dumps(paths_report(file(HEADER + ROWS)).as_json()))
    assert [note["code"] for note in whole["notes"]] == ["model_needs_times"]
    own = ("rows", "footer", "fitted", "notes")
    assert {name: whole[name] for name in whole if name not in own} == {
        "goal": "default",
        "window_days": None,
        "currency": None,
        "conversions": 4,
        "revenue": 1310.5,
        "unattributed": {"no_touch": {"conversions": 0, "revenue": 0}},
    }
    assert whole["rows"][0] == {
        "model": "first_touch",
        "channel": "Paid Search",
        "campaign": None,
        "term": None,
        "conversions": 3,
        "revenue": 1290.5,
        "cost": None,
        "roi": None,
        "cac": None,
        "roas": None,
        "removal_effect": None,
    }


def test_rows_come_by_model_as_asked_then_by_money_then_by_name(file):
    found = paths_report(file(HEADER + ROWS), "markov_1,last_touch").rows
    assert [(row["model"], row["channel"]) for row in found] == [
        ("markov_1", "Direct"),
        ("markov_1", "Paid Search"),
        ("markov_1", "Email"),
        ("last_touch", "Direct"),
        ("last_touch", "Email"),
        ("last_touch", "Paid Search"),
    ]
    assert found[0]["removal_effect"] == pytest.approx(1)


def test_rows_and_unattributed_sum_to_the_totals_under_every_model(file):
    report = paths_report(file(HEADER + ROWS + ",2,33.3,5\n"))
    assert report.no_touch == {"conversions": 2, "revenue": 33.3}
    for model in {row["model"] for row in report.rows}:
        mine = [row for row in report.rows if row["model"] == model]
        for column in ("conversions", "revenue"):
            summed = sum(row[column] for row in mine) + report.no_touch[column]
            assert summed == pytest.approx(getattr(report, column), rel=1e-12), model


def test_all_leaves_out_what_needs_times_and_says_so(file):
    report = paths_report(file(HEADER + ROWS))
    assert report.notes == [("model_needs_times", {"model": "time_decay"})]
    assert len({row["model"] for row in report.rows}) == 11


def test_last_non_direct_knows_direct_by_both_names(file):
    rows = "Email > (direct),1,5,0\nEmail > DIRECT,1,5,0\n"
    found = paths_report(file(HEADER + rows), "last_non_direct").rows
    assert found[0]["channel"] == "Email"
    assert found[0]["conversions"] == 2


def test_fractions_of_conversions_are_kept(file):
    report = paths_report(file(HEADER + "A,0.5,1,0\n"), "linear")
    assert report.as_json()["conversions"] == 0.5


@pytest.mark.parametrize(
    "content",
    [
        HEADER + ROWS,
        "\ufeff" + HEADER + ROWS,
        (HEADER + ROWS).replace("\n", "\r\n"),
        (HEADER + ROWS).replace(",", ";"),
        HEADER + ROWS.replace(" > ", ">"),
        HEADER + ROWS.replace(" > ", "  >\t"),
        HEADER.upper().replace(",", " , ") + ROWS,
        HEADER + ROWS + "\n\n",
        HEADER + ROWS.rstrip("\n"),
        HEADER + "".join(f'"{line.replace(",", chr(34) + ",", 1)}\n' for line in ROWS.splitlines()),
        "rank,total_null,path,total_conversion_value,total_conversions,渠道\n"
        + "".join(
            f"{i},{n},{p},{v},{c},微信\n"
            for i, (p, c, v, n) in enumerate(line.split(",") for line in ROWS.splitlines())
        ),
    ],
)
def test_what_spreadsheets_and_r_write_is_one_and_the_same(file, content):
    journeys = read_paths(file(content))
    assert journeys.labels.channels == ("Direct", "Email", "Paid Search")
    assert journeys.offsets.tolist() == [0, 2, 3, 5]
    assert journeys.channel.tolist() == [2, 0, 0, 2, 1]
    assert journeys.conversions.tolist() == [3, 1]
    assert journeys.value.tolist() == [1290.5, 20]
    assert journeys.nulls.tolist() == [41, 7, 9]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_channels_are_read_in_both_encodings(file, encoding):
    path = file(HEADER + "小红书 > 百度品牌 > 小红书,1,99,0\n", encoding)
    assert steps_of(path) == [["小红书", "百度品牌", "小红书"]]


def test_a_path_may_hold_the_separator_in_quotes(file):
    assert steps_of(file(HEADER + '"Email, weekly > Direct",1,1,0\n')) == [
        ["Email, weekly", "Direct"]
    ]


def test_a_header_alone_is_an_empty_report(file):
    report = paths_report(file(HEADER))
    assert (report.conversions, report.revenue, report.rows) == (0, 0, [])


def test_large_files_keep_one_code_per_channel_across_blocks(file):
    rows = "".join(f"A{i % 3} > {'B' * (i % 7 + 1)},1,2,1\n" for i in range(300_000))
    journeys = read_paths(file(HEADER + rows))
    assert len(journeys.labels.channels) == 10
    names = [journeys.labels.channels[code] for code in journeys.channel[-2:]]
    assert names == [f"A{299_999 % 3}", "B" * (299_999 % 7 + 1)]
    assert journeys.conversions.sum() == 300_000


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("A > B,1,2", "paths_wrong_width"),
        ("A > B,1,2,3,4", "paths_wrong_width"),
        ("A, B,1,2,3", "paths_wrong_width"),
        ("A > B,one,2,3", "paths_bad_number"),
        ("A > B,,2,3", "paths_bad_number"),
        ("A > B,1,NA,3", "paths_bad_number"),
        ("A > B,1,nan,3", "paths_bad_number"),
        ("A > B,1,2,inf", "paths_bad_number"),
        ("A > B,-1,0,3", "paths_negative_count"),
        ("A > B,1,0,-3", "paths_negative_count"),
        ("A > B,0,5,3", "paths_value_alone"),
        ("A >  > B,1,2,3", "paths_empty_step"),
        ("A > ,1,2,3", "paths_empty_step"),
    ],
)
def test_a_bad_line_is_named_with_its_remedy(file, line, code):
    refused = refusal(file(HEADER + ROWS + "\n" + line + "\n" + ROWS))
    assert refused.code == code
    assert refused.params["line"] == 6


def test_money_alone_may_be_negative(file):
    assert read_paths(file(HEADER + "A,1,-5.5,0\n")).value.tolist() == [-5.5]


def test_lines_are_counted_in_chinese_files_too(file):
    refused = refusal(file(HEADER + "小红书,1,1,1\n小红书,x,1,1\n", "gb18030"))
    assert (refused.code, refused.params["line"]) == ("paths_bad_number", 3)


@pytest.mark.parametrize("content", ["", "\n", "path,total_conversions\nA,1\n", "A > B,1,2,3\n"])
def test_missing_columns_are_named(file, content):
    refused = refusal(file(content))
    assert refused.code == "paths_columns_missing"
    assert "total_null" in refused.params["missing"]


def test_a_file_that_is_not_there_and_a_folder_are_told_apart(tmp_path):
    assert refusal(tmp_path / "none.csv").code == "file_missing"
    assert refusal(tmp_path).code == "file_unreadable"


def test_bytes_of_no_encoding_are_refused(file):
    assert refusal(file(HEADER.encode() + b"\xff\xff > B,1,2,3\n")).code == "file_unreadable"


def test_what_only_the_fast_road_refuses_still_ends_in_a_clear_error(file, monkeypatch):
    monkeypatch.setattr("touchline.measure.path_file.BLOCK_BYTES", 64)
    refused = refusal(file(HEADER + "A > " * 100 + "B,1,2,3\n" + ROWS))
    assert refused.code == "file_unreadable"
    assert refused.params["reason"]
