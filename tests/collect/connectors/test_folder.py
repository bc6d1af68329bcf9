"""Files of a folder through dlt: what is listed, what is out of reach."""

import json

import pytest

from touchline.collect.connectors.definition import sources
from touchline.collect.connectors.extract import Ask, extract
from touchline.errors import BadInput


def listed(tmp_path, folder, files, reach):
    source = sources(
        [
            {
                "name": "f",
                "kind": "filesystem",
                "yields": "costs",
                "folder": str(folder),
                "files": files,
            }
        ]
    )[0]
    spool = tmp_path / "spool"
    spool.mkdir(exist_ok=True)
    extract(Ask(source, str(spool), "UTC", reach=(str(reach),)), lambda _: None)
    rows = [json.loads(row) for row in (spool / "rows.jsonl").read_bytes().splitlines()]
    return sorted(row["path"].removeprefix(str(folder)) for row in rows), rows


def test_files_are_found_by_their_pattern_and_links_do_not_lead_out(tmp_path):
    folder = tmp_path / "in"
    (folder / "2026").mkdir(parents=True)
    (folder / "a.csv").write_text("x\n")
    (folder / "2026" / "b.csv").write_text("xy\n")
    (folder / "c.txt").write_text("x\n")
    secret = tmp_path / "secret.csv"
    secret.write_text("s\n")
    (folder / "way.csv").symlink_to(secret)
    names, rows = listed(tmp_path, folder, "*.csv", folder)
    assert names == ["/a.csv"]
    assert rows[0]["size"] == 2
    assert rows[0]["changed_ns"] == (folder / "a.csv").stat().st_mtime_ns
    assert listed(tmp_path, folder, "**/*.csv", folder)[0] == ["/2026/b.csv", "/a.csv"]


def test_other_places_are_refused(tmp_path):
    for folder, code in (("/etc", "folder_refused"), ("exports", "folder_refused"),
                         (tmp_path / "none", "file_missing"), ("s3://b/x", "bad_source"),
                         (tmp_path / ".." / "..", "folder_refused")):  # fmt: skip
        with pytest.raises(BadInput) as told:
            listed(tmp_path, folder, "*", tmp_path)
        assert told.value.code == code
