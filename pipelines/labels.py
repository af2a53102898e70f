"""Labelled sets: which samples a person looked at, what each of them is, and the groups that it belongs to.

A file is CSV with a header, or Parquet. No message quotes a key, a label or anything else of a row.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filters.errors import LabelError
from manifests.tables import unescape
from pipelines.commit import sha256_of

SHARD, KEY, LABEL, LANGUAGE = "shard", "key", "label", "language"
REQUIRED = (SHARD, KEY, LABEL)
LARGEST = 1 << 30  # bytes
MOST_VALUES = 100  # of one group column; more are no groups, and could be keys
LONGEST_VALUE = 100  # characters of the name of a group
TRUTH = {"0": False, "1": True, "0.0": False, "1.0": True, "false": False, "true": True}


@dataclass(frozen=True, slots=True)
class Labels:
    """A labelled set, each sample of it once.

    `truth` says by shard and key whether a sample is of the mark, `groups` by column and (shard, key) what group it
    belongs to ("" is none); the column "language" is read wherever it is there. `repeated` rows tell of a sample
    again; `contradicted` samples are left out, for their rows disagree.
    """

    truth: Mapping[str, Mapping[str, bool]] = field(repr=False)
    groups: Mapping[str, Mapping[tuple[str, str], str]] = field(repr=False)
    repeated: int
    contradicted: int
    sha256: str


def read_labels(path: Path, by: Sequence[str]) -> Labels:
    """Return the labels in a file with the columns shard, key, label and those of `by`, or raise LabelError."""
    if own := [column for column in by if column in REQUIRED]:
        raise LabelError(
            f"{path.name} cannot be grouped by {own[0]!r}: every sample would be told apart. Choose another."
        )
    columns = list(dict.fromkeys((*REQUIRED, *by)))
    rows = _rows(path, columns)
    digest = sha256_of(path)
    return _gathered(path, rows, columns[len(REQUIRED) :], digest)


def cells(path: Path, wanted: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each row and its cells of these columns, or raise LabelError."""
    return ((number, [row[name] for name in wanted]) for number, row in _rows(path, wanted))


def _rows(path: Path, wanted: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Return the rows with the cells of these columns, and of the language where there is one."""
    try:
        if path.stat().st_size > LARGEST:
            raise _refused(path, f"it is larger than {LARGEST >> 30} GiB. Give these columns without anything else")
        if path.exists() and not path.is_file():
            raise _refused(path, "it is no file. Give a CSV or Parquet file")
        path.open("rb").close()
    except OSError as error:
        raise _refused(path, f"it cannot be read: {error.strerror or type(error).__name__}") from None
    return (_parquet if path.suffix.lower() == ".parquet" else _csv)(path, wanted)


def _refused(path: Path, why: str) -> LabelError:
    return LabelError(f"the labels {path.name} cannot be used: {why}.")


def _csv(path: Path, wanted: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(path, "it is not UTF-8. Save it as CSV in UTF-8, or as .parquet") from None
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    names: list[str] = []
    try:
        for row in rows:
            if not header:
                header = [name.strip() for name in row]
                names = _names(path, header, wanted)
            elif row:
                if len(row) != len(header):
                    raise _refused(path, f"row {rows.line_num} does not have as many cells as the header. Correct it")
                yield rows.line_num, {name: row[header.index(name)] for name in names}
    except csv.Error:
        raise _refused(path, f"row {rows.line_num} is not CSV. Correct it there") from None
    if not header:
        raise _refused(path, "it is empty")


def _parquet(path: Path, wanted: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = _names(path, file.schema_arrow.names, wanted)
            rows = file.read(columns=names).to_pylist()
    except LabelError:
        raise
    except (Exception, MemoryError):  # noqa: BLE001 - hostile Parquet raises anything, and quotes values
        raise _refused(path, "it cannot be read as Parquet. Write it anew, or as CSV") from None
    for number, row in enumerate(rows, 1):
        yield number, {name: _cell(cell) for name, cell in row.items()}


def _cell(cell: Any) -> str:
    return "" if cell is None else str(int(cell) if isinstance(cell, bool) else cell)


def _names(path: Path, header: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Return the columns to read: what is wanted, and the language where there is one."""
    if lacking := [name for name in wanted if name not in header]:
        raise _refused(path, f"it has no column {lacking[0]!r}. Its first row must name {', '.join(wanted)}")
    names = list(dict.fromkeys((*wanted, *((LANGUAGE,) if LANGUAGE in header else ()))))
    if twice := [name for name in names if list(header).count(name) > 1]:
        raise _refused(path, f"it has the column {twice[0]!r} twice. Rename or drop one")
    return names


def _gathered(path: Path, rows: Iterator[tuple[int, dict[str, str]]], by: Sequence[str], digest: str) -> Labels:
    truth: dict[tuple[str, str], bool] = {}
    groups: dict[str, dict[tuple[str, str], str]] = {column: {} for column in (*by, LANGUAGE)}
    repeated, contradicted = 0, set()
    for number, row in rows:
        sample = (row[SHARD].removesuffix(".tar"), unescape(row[KEY]))
        value = TRUTH.get(row[LABEL].strip().lower())
        if value is None:
            raise _refused(path, f"the label in row {number} is neither 0 nor 1. Correct it, or leave the row out")
        repeated += sample in truth
        if truth.setdefault(sample, value) != value:
            contradicted.add(sample)
        for column, found in groups.items():
            found.setdefault(sample, _group(path, column, row.get(column, "")))
    for column, found in groups.items():
        if len(set(found.values())) > MOST_VALUES:
            raise _refused(path, f"the column {column!r} has more than {MOST_VALUES} values, and those are no groups")
    kept: dict[str, dict[str, bool]] = {}
    for (shard, key), value in truth.items():
        if (shard, key) not in contradicted:
            kept.setdefault(shard, {})[key] = value
    return Labels(kept, groups, repeated, len(contradicted), digest)


def _group(path: Path, column: str, value: str) -> str:
    name = value.strip()
    if len(name) > LONGEST_VALUE or not name.isprintable():
        raise _refused(path, f"the column {column!r} holds text that names no group. Use short words")
    return name
