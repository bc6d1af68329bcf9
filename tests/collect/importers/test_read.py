import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from touchline.errors import BadInput
from touchline.model import Reject

HEADER = "occurred_at,name,user_id,note\n"
ROW = "2026-03-01 12:00,Visit,u1,你好\n"


def notes(result):
    return [row.properties.get("note") for row in result.good]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_text_is_read_in_whatever_encoding_it_is_written(read, encoding):
    body = HEADER + ROW + "2026-03-02 12:00,Visit,u2,澄屿门店咨询\n"
    found = read("events", body.encode(encoding))
    assert found.rejects == []
    assert notes(found) == ["你好", "澄屿门店咨询"]


def test_gb18030_is_found_when_the_chinese_begins_after_a_megabyte(read):
    rows = "2026-03-01 12:00,Visit,u1,plain\n" * 40_000
    found = read("events", (HEADER + rows).encode() + ROW.encode("gb18030"))
    assert notes(found)[-1] == "你好"
    assert len(found.good) == 40_001


def test_three_broken_lines_of_a_utf8_file_cost_three_rows(read):
    lines = [ROW.encode() for _ in range(100)]
    for at in (3, 50, 99):
        lines[at] = lines[at].replace("你".encode(), b"\xe4\xbd")
    found = read("events", HEADER.encode() + b"".join(lines))
    assert found.rejects == [(5, "bad_encoding"), (52, "bad_encoding"), (101, "bad_encoding")]
    assert len(found.good) == 97


def test_latin1_is_not_taken_for_chinese(read):
    body = HEADER + "2026-03-01,Visit,u1,Hélène était là\n"
    with pytest.raises(BadInput, match=r"line 2 is neither UTF-8 nor GB18030"):
        read("events", body.encode("latin-1"))
    found = read("events", body.encode("latin-1"), toml='[format]\nencoding = "latin-1"\n')
    assert notes(found) == ["Hélène était là"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_seen(read, delimiter):
    found = read("events", (HEADER + ROW + ROW).replace(",", delimiter))
    assert found.table.delimiter == delimiter
    assert len(found.good) == 2


def test_gzip_and_misnamed_files_are_read_by_their_content(read):
    packed = read.file(gzip.compress((HEADER + ROW).encode()), "visits.csv.gz")
    assert notes(read("events", packed)) == ["你好"]
    tabs = read.file((HEADER + ROW).replace(",", "\t").encode("gb18030"), "导出.xls")
    assert notes(read("events", tabs)) == ["你好"]


def test_titles_above_the_header_are_passed_over(read):
    above = "澄屿到店记录,,,\n导出时间 2026-03-05,,,\n,,,\n"
    found = read("events", above + "到店时间,会员号,渠道,门店\n2026-03-01,m1,门店,HZ01\n")
    assert (found.only.store_code, found.only.channel, found.only.identifiers[0].type) == (
        "HZ01",
        "门店",
        "member_code",
    )


def test_ragged_rows_are_rejected_and_their_neighbours_land(read):
    body = HEADER + ROW + "2026-03-01,Visit\n" + ROW.strip() + ",,\n" + ROW.strip() + ",x,y\n" + ROW
    found = read("events", body)
    assert found.rejects == [(3, "too_few_cells"), (5, "too_many_cells")]
    assert len(found.good) == 3


def test_an_unclosed_quote_costs_one_row(read):
    body = (
        HEADER + ROW + '2026-03-01,"Visit,u1,x\n' + ROW * 500 + '2026-03-01,Visit,u2,"a "b"\n' + ROW
    )
    found = read("events", body)
    assert found.rejects == [(3, "unclosed_quote"), (504, "bad_quoting")]
    assert len(found.good) == 502


def test_an_unclosed_quote_is_given_up_even_when_it_swallows_the_rest(read):
    body = HEADER + '2026-03-01,"Visit,u1,x\n' + ROW * 20_000
    found = read("events", body)
    assert found.rejects == [(2, "unclosed_quote")]
    assert len(found.good) == 20_000


def test_a_quoted_cell_may_hold_line_breaks_and_lines_are_counted_as_an_editor_does(read):
    body = HEADER + '2026-03-01,Visit,u1,"one\ntwo ""2"""\n2026-03-01,Visit,,\n'
    found = read("events", body)
    assert notes(found) == ['one\ntwo "2"']
    assert found.rejects == [(4, "missing_id")]


def test_a_cell_of_50_megabytes_costs_its_row_only(read):
    huge = "2026-03-01,Visit,u1," + "x" * 50_000_000 + "\n"
    quoted = '2026-03-01,Visit,u1,"' + "x" * 2_000_000 + '\n"\n'
    large = "2026-03-01,Visit,u1," + "x" * 200_000 + "\n"
    found = read("events", HEADER + ROW + huge + ROW + quoted + ROW + large + ROW)
    assert [line for line, _ in found.rejects] == [3, 5, 8]
    assert {reason for _, reason in found.rejects} == {"line_too_long", "cell_too_large"}
    assert len(found.good) == 4
    assert all(len(row.payload) < 20_000 for row in found.rows if isinstance(row, Reject))


def test_zero_bytes_cost_their_row_or_the_file(read):
    found = read("events", HEADER + ROW + "2026-03-01,Vi\0sit,u1,x\n" + ROW)
    assert found.rejects == [(3, "nul_character")]
    with pytest.raises(BadInput, match="zero bytes"):
        read("events", HEADER.encode() + b"\0" * 100_000)


@pytest.mark.parametrize(
    "content",
    [
        ",".join(f"c{n}" for n in range(50_000)) + "\n" + "," * 49_999 + "\n",
        json.dumps({f"c{n}": 1 for n in range(50_000)}) + "\n" + "{}\n",
    ],
    ids=["csv", "json"],
)
def test_fifty_thousand_columns_end_in_one_sentence(read, content):
    with pytest.raises(BadInput) as error:
        read("events", content)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("blank.csv", b" \n\n"),
        ("page.html", b"<html><table><tr><td>1"),
        ("report.pdf", b"%PDF-1.7 ..."),
        ("old.xls", b"\xd0\xcf\x11\xe0" + b"x" * 600),
        ("torn.csv.gz", gzip.compress(HEADER.encode() * 9999, mtime=0)[:-40]),
        ("bad.csv.gz", b"\x1f\x8bnot gzip at all"),
        ("torn.parquet", b"PAR1 and nothing behind"),
        ("torn.xlsx", b"PK\x03\x04 and nothing behind"),
        ("photo.jpg", b"\xff\xd8\xff\xe0" + bytes(range(256)) * 9),
        ("noise", bytes(range(1, 256)) * 40),
    ],
)
def test_what_is_no_table_is_refused_with_a_remedy(read, name, content):
    with pytest.raises(BadInput) as error:
        read("events", read.file(content, name))
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_files_and_folders_are_told_apart(read, tmp_path):
    with pytest.raises(BadInput, match="no such file"):
        read("events", tmp_path / "nowhere.csv")
    with pytest.raises(BadInput, match="folder"):
        read("events", tmp_path)


def lines(*values):
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


VISIT = {"occurred_at": "2026-03-01T12:00:00Z", "name": "Visit", "user_id": "u1", "note": "你好"}


def test_json_lines_stand_alone(read):
    deep = '{"a":' * 5000 + "1" + "}" * 5000 + "\n"
    body = (
        lines(VISIT) + '{"broken\n' + "[1, 2]\n\n" + deep + '{"name": "\\u0000"}\n' + lines(VISIT)
    )
    found = read("events", body)
    assert found.rejects == [
        (2, "bad_json"),
        (3, "not_an_object"),
        (5, "too_deep"),
        (6, "nul_character"),
    ]
    assert notes(found) == ["你好", "你好"]


def test_a_json_array_is_read_element_by_element(read):
    many = [{**VISIT, "n": n, "list": [n, {"deep": "]"}]} for n in range(3000)]
    found = read("events", json.dumps(many, indent=1, ensure_ascii=False))
    assert len(found.good) == 3000
    assert found.good[2999].properties == {"note": "你好", "n": 2999, "list": [2999, {"deep": "]"}]}


@pytest.mark.parametrize("tail", ["", ",", "]]", "] x", "}", ", {"])
def test_a_torn_json_array_is_refused_before_anything_is_read(read, tail):
    with pytest.raises(BadInput, match="JSON array"):
        read("events", "[" + json.dumps(VISIT) + tail)


def test_pretty_printed_json_is_refused_with_the_remedy(read):
    with pytest.raises(BadInput, match="one object a line"):
        read("events", json.dumps(VISIT, indent=2))


def test_keys_that_come_late_in_json_lines_are_known_by_name(read):
    late = {**VISIT, "phone": "13800138001", "later": 1}
    found = read("events", lines(*[VISIT] * 300, late))
    assert [i.type for i in found.good[-1].identifiers] == ["user_id", "phone"]
    assert found.good[-1].properties == {"note": "你好", "later": 1}


def test_parquet_keeps_types_and_reads_times_in_the_workspace_zone(read, tmp_path):
    path = tmp_path / "visits.parquet"
    table = pa.table(
        {
            "occurred_at": pa.array([1_772_337_600_000_000_000], pa.timestamp("ns")),
            "name": ["Visit"],
            "user_id": pa.array([7], pa.int64()),
            "revenue": pa.array([12.5]),
            "tags": [["a", "b"]],
            "note": pa.array([None], pa.string()),
        }
    )
    pq.write_table(table, path)
    row = read("events", path).only
    assert (row.ts_us, row.revenue) == (1_772_337_600_000_000 - 8 * 3_600_000_000, 1250)
    assert (row.identifiers[0].value, row.properties) == ("7", {"tags": ["a", "b"]})


def test_a_parquet_cell_that_stands_for_terabytes_is_refused(read, tmp_path):
    path = tmp_path / "bomb.parquet"
    text = pa.array(["x" * 2_000_000])
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 50_000, pa.int32()), text)
    pq.write_table(pa.table({"occurred_at": column}), path)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(BadInput, match="longer than 131072"):
        read("events", path)


def test_damage_in_the_middle_of_a_parquet_file_is_told_before_the_first_row(read, tmp_path):
    path = tmp_path / "visits.parquet"
    columns = {name: [f"{name} {n}" for n in range(20_000)] for name in VISIT}
    pq.write_table(pa.table(columns), path, compression="zstd")
    whole = path.read_bytes()
    refused = 0
    for at in range(100, len(whole), len(whole) // 20):
        path.write_bytes(whole[:at] + b"\xff" * 200 + whole[at + 200 :])
        try:
            read("events", path)
        except BadInput as error:
            refused += "Parquet" in str(error)
    assert refused >= 10


def test_reading_a_large_gzip_needs_little_memory(read):
    import tracemalloc

    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb") as out:
        out.write(HEADER.encode())
        for _ in range(30):
            out.write(b"x" * 1_000_000)
    path = read.file(packed.getvalue(), "bomb.csv.gz")
    tracemalloc.start()
    found = read("events", path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.rejects == [(2, "line_too_long")]
    assert peak < 20_000_000
