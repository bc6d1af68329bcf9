"""A file of aggregated paths → Journeys.

    path,total_conversions,total_conversion_value,total_null
    Paid Search > Direct,3,1290.00,41

Commas or semicolons, UTF-8 or GB18030, columns in any order, further columns ignored. The fast road
takes the whole file at once and knows no lines; only when it meets something that cannot be used
is the file read again, slowly, to name the first bad line.
"""

import csv
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv

from touchline.attribution.arrays import Floats, Ints
from touchline.attribution.journeys import Journeys, Labels
from touchline.errors import BadInput

__all__ = ["NUMBERS", "paths_of", "read_paths"]

NUMBERS = ("total_conversions", "total_conversion_value", "total_null")
COLUMNS = ("path", *NUMBERS)
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
BLOCK_BYTES = 1 << 22
pc: Any = pyarrow.compute  # its functions are made at run time, unseen by a type checker


class Form(NamedTuple):
    """How the file is written: `places` are the columns wanted, by name."""

    delimiter: str
    width: int
    places: dict[str, int]


class Steps(NamedTuple):
    """Steps of path i are `label[offsets[i]:offsets[i + 1]]`, codes into `names`."""

    offsets: Ints
    label: Ints
    names: tuple[str, ...]


def read_paths(path: Path) -> Journeys:
    """The journeys of a path file; BadInput names the line that cannot be used, and the remedy."""
    form = _form(path)
    try:
        table = _table(path, form)
    except pa.ArrowInvalid as error:
        _explain(path, form, str(error))
    conversions, value, nulls = (table.column(name).to_numpy() for name in NUMBERS)
    found = paths_of(table.column("path"), conversions, value, nulls)
    if found is None:
        _explain(path, form, "values")
    return found


def paths_of(
    path: pa.ChunkedArray, conversions: Floats, value: Floats, nulls: Floats
) -> Journeys | None:
    """The journeys of aggregated paths ("a > b") and their counts; None if any is of no use."""
    steps = _steps(path)
    if steps is None or not _is_sound(conversions, value, nulls):
        return None
    labels = Labels.of_channels(steps.names)
    counts = (conversions, value, nulls)
    return Journeys.from_paths(steps.offsets, steps.label, labels, counts=counts)


def _form(path: Path) -> Form:
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
            first = lines.readline()
    except FileNotFoundError:
        raise BadInput("file_missing", path=path) from None
    except OSError as error:
        raise BadInput("file_unreadable", path=path, format="CSV", reason=error.strerror) from None
    delimiter = max(",;", key=first.count)
    header = [name.strip().lower() for name in next(csv.reader([first], delimiter=delimiter), [])]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise BadInput("paths_columns_missing", path=path, missing=", ".join(missing))
    return Form(delimiter, len(header), {name: header.index(name) for name in COLUMNS})


def _table(path: Path, form: Form) -> pa.Table:
    try:
        return _read(path, form, "utf-8")
    except pa.ArrowInvalid:
        if _encoding(path) == "utf-8-sig":
            raise
    try:
        return _read(path, form, "gb18030")
    except UnicodeDecodeError:
        reason = "neither UTF-8 nor GB18030"
        raise BadInput("file_unreadable", path=path, format="CSV", reason=reason) from None


def _read(path: Path, form: Form, encoding: str) -> pa.Table:
    names = [f"column {place}" for place in range(form.width)]
    for name, place in form.places.items():
        names[place] = name
    return pyarrow.csv.read_csv(
        path,
        read_options=pyarrow.csv.ReadOptions(
            column_names=names, skip_rows=1, block_size=BLOCK_BYTES, encoding=encoding
        ),
        parse_options=pyarrow.csv.ParseOptions(delimiter=form.delimiter),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={"path": pa.string(), **dict.fromkeys(NUMBERS, pa.float64())},
            include_columns=list(COLUMNS),
            null_values=[],
        ),
    )


def _encoding(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            while lines.read(BLOCK_BYTES):
                pass
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8-sig"


def _steps(column: pa.ChunkedArray) -> Steps | None:
    """The steps of all paths; None when a step among others has no name."""
    parts: list[tuple[Ints, list[str]]] = []
    sizes: list[Ints] = [np.zeros(0, dtype=np.int64)]
    for chunk in column.chunks:
        lists = pc.split_pattern(chunk, ">")
        encoded = lists.flatten().dictionary_encode()
        parts.append(
            (encoded.indices.to_numpy(), [n.strip() for n in encoded.dictionary.to_pylist()])
        )
        sizes.append(np.diff(lists.offsets.to_numpy()))
    names = tuple(sorted({name for _, found in parts for name in found if name}))
    place = {name: code for code, name in enumerate(names)} | {"": len(names)}
    dtype = np.min_scalar_type(len(names))
    label = np.concatenate(
        [np.zeros(0, dtype=dtype)]
        + [np.array([place[n] for n in found], dtype=dtype)[codes] for codes, found in parts]
    )
    return _without_blanks(np.concatenate(sizes), label, names)


def _without_blanks(lengths: Ints, label: Ints, names: tuple[str, ...]) -> Steps | None:
    """A blank path is one blank step: no touch at all. A blank step among others is a mistake."""
    is_blank = label == len(names)
    if is_blank.any():
        blank = np.repeat(np.arange(len(lengths)), lengths)[is_blank]
        if np.any(lengths[blank] > 1):
            return None
        lengths = lengths.copy()
        lengths[blank] = 0
        label = label[~is_blank]
    return Steps(np.concatenate([[0], np.cumsum(lengths)]), label, names)


def _is_sound(conversions: Floats, value: Floats, nulls: Floats) -> bool:
    numbers = np.stack([conversions, value, nulls])
    is_worthless = (conversions > 0) | (value == 0)
    return bool(
        np.isfinite(numbers).all()
        and (conversions >= 0).all()
        and (nulls >= 0).all()
        and is_worthless.all()
    )


def _explain(path: Path, form: Form, reason: str) -> NoReturn:
    """Reads line by line to name the first that cannot be used."""
    with path.open(encoding=_encoding(path), newline="") as lines:
        reader = csv.reader(lines, delimiter=form.delimiter)
        next(reader, None)
        for fields in reader:
            if fields:
                _check(fields, form, path=path, line=reader.line_num)
    raise BadInput("file_unreadable", path=path, format="CSV", reason=reason)


def _check(fields: Sequence[str], form: Form, **where: Any) -> None:
    if len(fields) != form.width:
        raise BadInput("paths_wrong_width", **where, found=len(fields), expected=form.width)
    text = {name: fields[place] for name, place in form.places.items()}
    for name in NUMBERS:
        if not (NUMBER.fullmatch(text[name]) and math.isfinite(float(text[name]))):
            raise BadInput("paths_bad_number", **where, column=name, value=text[name])
        if name != "total_conversion_value" and float(text[name]) < 0:
            raise BadInput("paths_negative_count", **where, column=name, value=text[name])
    if float(text["total_conversion_value"]) and not float(text["total_conversions"]):
        raise BadInput("paths_value_alone", **where, value=text["total_conversion_value"])
    steps = text["path"].split(">")
    if len(steps) > 1 and not all(step.strip() for step in steps):
        raise BadInput("paths_empty_step", **where, value=text["path"])
