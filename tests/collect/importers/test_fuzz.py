"""Whatever the bytes, reading ends in rows, rejects or one sentence."""

import json
import tempfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from touchline.collect.importers.file import open_file
from touchline.collect.importers.occurrence import Occurrences
from touchline.collect.site import Site
from touchline.errors import BadInput
from touchline.model import Reject

SITE = Site(workspace="w")
KINDS = st.sampled_from(["events", "costs", "conversions", "people", "rates"])
SLOW = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])

WORDS = (
    "2026-03-01",
    "u1",
    "13800138001",
    "12.5",
    "a,b",
    '"',
    '""',
    "x\ny",
    "合计",
    "=1",
    "\0",
    "好",
)
CELLS = st.sampled_from(WORDS) | st.text(max_size=12)
COLUMNS = ("occurred_at", "name", "user_id", "date", "channel", "cost", "amount", "渠道", "lines")
HEADERS = st.lists(
    st.sampled_from((*COLUMNS, "from", "to", "rate", "type", "url", "currency", "product", "x")),
    min_size=1,
    max_size=8,
)


def fates(kind, content):
    """Rows of a file, or None when it is refused."""
    refused = ""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        try:
            rows = list(open_file(kind, path, SITE).rows())
        except BadInput as error:
            refused = str(error)
    assert "\n" not in refused
    if refused:
        return None
    for row in rows:
        assert not isinstance(row, Reject) or (row.line > 0 and row.reason and row.payload)
    return rows


@SLOW
@given(KINDS, st.binary(max_size=300))
def test_any_bytes(kind, content):
    fates(kind, content)


@SLOW
@given(KINDS, HEADERS, st.lists(st.lists(CELLS, max_size=9), max_size=12), st.sampled_from(",;\t|"))
def test_any_separated_text(kind, header, rows, delimiter):
    text = "\n".join(delimiter.join(row) for row in [header, *rows])
    fates(kind, text.encode("utf-8", "surrogatepass"))


@SLOW
@given(
    st.lists(st.sampled_from(["2026-03-01,Visit,u1,x", '2026-03-01,"Vi,sit",u1,x', '"', 'a"b,,,']))
)
def test_every_line_outside_quotes_has_one_fate(lines):
    text = "occurred_at,name,user_id,note\n" + "\n".join([*lines, "2026-03-01,Last,u1,x"]) + "\n"
    rows = fates("events", text.encode())
    good = [row for row in rows if not isinstance(row, Reject)]
    assert good[-1].event.name == "Last"
    whole = sum(line.startswith("2026") for line in lines) + 1
    assert len(good) >= whole - 2 * lines.count('"')


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMED = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("occurred_at", "name", "user_id", "date", "cost", "rate"), JSON)
)


@SLOW
@given(KINDS, st.lists(NAMED | JSON, max_size=8), st.booleans())
def test_any_json(kind, values, is_array):
    text = json.dumps(values) if is_array else "\n".join(json.dumps(value) for value in values)
    fates(kind, text.encode())


@SLOW
@given(data=st.data(), kind=st.sampled_from(["xlsx", "parquet", "csv", "json"]))
def test_any_damage_of_a_good_file(data, kind, good_files):
    content = bytearray(good_files[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    fates("events", bytes(content))


@pytest.fixture(scope="module")
def good_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    rows = [{"occurred_at": "2026-03-01", "name": "访问", "user_id": f"u{n}"} for n in range(30)]
    book = openpyxl.Workbook()
    book.active.append(list(rows[0]))
    for row in rows:
        book.active.append(list(row.values()))
    book.save(folder / "f.xlsx")
    pq.write_table(pa.Table.from_pylist(rows), folder / "f.parquet")
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    (folder / "f.csv").write_text("\n".join(lines), "utf-8")
    (folder / "f.json").write_text(json.dumps(rows), "utf-8")
    return {path.suffix[1:]: path.read_bytes() for path in folder.iterdir()}


@given(st.lists(st.integers(1, 40), max_size=200))
def test_occurrences_are_counted_like_a_dictionary_would(numbers):
    seen, counted = Occurrences(), {}
    for number in numbers:
        assert seen.before(number.to_bytes(16, "little")) == counted.get(number, 0)
        counted[number] = counted.get(number, 0) + 1


def test_occurrences_grow():
    seen = Occurrences()
    hashes = [(n * 0x9E3779B97F4A7C15 % 2**64).to_bytes(8, "little") for n in range(20_000)]
    assert {seen.before(h) for h in hashes} == {0}
    assert {seen.before(h) for h in hashes} == {1}
