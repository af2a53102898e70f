import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from filters.errors import LabelError
from pipelines.labels import Labels, read_labels

CANARY = "canary-3e9b"
HEAD = "shard,key,label,region\n"


def write(folder: Path, text: str | bytes, name: str = "labels.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refused(path: Path, *by: str) -> str:
    with pytest.raises(LabelError) as caught:
        read_labels(path, by)
    assert CANARY not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


def both(folder: Path, rows: list[dict[str, Any]], *by: str) -> list[Labels]:
    """Return the same labels as read from CSV and from Parquet."""
    names = list(rows[0])
    lines = [
        ",".join(names),
        *(",".join("" if row[name] is None else str(row[name]) for name in names) for row in rows),
    ]
    one = write(folder, "\n".join(lines))
    two = folder / "labels.parquet"
    pq.write_table(pa.Table.from_pylist(rows), two)
    return [read_labels(one, by), read_labels(two, by)]


def test_csv_and_parquet_say_the_same(tmp_path: Path) -> None:
    rows = [
        {"more": 1, "key": "a", "shard": "00000", "label": 1, "region": "north"},
        {"more": 2, "key": "b", "shard": "00000.tar", "label": 0, "region": None},
        {"more": 3, "key": "a", "shard": "00001", "label": 0, "region": " south "},
    ]
    for found in both(tmp_path, rows, "region"):
        assert found.truth == {"00000": {"a": True, "b": False}, "00001": {"a": False}}
        assert list(found.groups["region"].values()) == ["north", "", "south"]
        assert set(found.groups["language"].values()) == {""}
        assert (found.repeated, found.contradicted) == (0, 0)


@pytest.mark.parametrize(("label", "truth"), [(True, True), (0.0, False), ("1", True), ("true", True), (" 0 ", False)])
def test_a_label_may_be_written_as_people_write_it(tmp_path: Path, label: Any, truth: bool) -> None:
    for found in both(tmp_path, [{"shard": "s", "key": "k", "label": label}]):
        assert found.truth == {"s": {"k": truth}}


def test_the_language_is_read_wherever_it_is_there(tmp_path: Path) -> None:
    for found in both(tmp_path, [{"shard": "s", "key": "k", "label": 1, "language": "de"}]):
        assert found.groups == {"language": {("s", "k"): "de"}}


def test_rows_that_repeat_are_counted_and_rows_that_disagree_are_left_out(tmp_path: Path) -> None:
    rows = [("a", 1), ("a", 1), ("b", 1), ("b", 0), ("b", 1), ("c", 0)]
    for found in both(tmp_path, [{"shard": "s", "key": key, "label": label} for key, label in rows]):
        assert found.truth == {"s": {"a": True, "c": False}}
        assert (found.repeated, found.contradicted) == (3, 1)


def test_a_key_that_is_not_utf8_is_named_as_the_records_name_it(tmp_path: Path) -> None:
    found = read_labels(write(tmp_path, "shard,key,label\ns,\\udcff,1\n"), ())
    assert found.truth == {"s": {"\udcff": True}}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("\n\n", "it has no column 'shard'"),
        (f"{CANARY},b,c\n", "it has no column 'shard'. Its first row must name shard, key, label"),
        (HEAD.replace("label", "lable"), "it has no column 'label'"),
        (HEAD.replace("region", "key"), "it has the column 'key' twice"),
        (f"{HEAD}s,k,{CANARY},n\n", "the label in row 2 is neither 0 nor 1"),
        (f"{HEAD}s,k,2,n\n", "neither 0 nor 1"),
        (f"{HEAD}s,k,,n\n", "neither 0 nor 1"),
        (f"{HEAD}s,k,1,n\ns,{CANARY},1\n", "row 3 does not have as many cells as the header"),
        (f'{HEAD}s,"{CANARY}"x,1,n\n', "row 2 is not CSV"),
        (f'{HEAD}s,"{CANARY}', "is not CSV"),
        (f"{HEAD}s,{CANARY * 20_000},1,n\n", "is not CSV"),
        (HEAD.encode() + b"s,\xff,1,n\n", "it is not UTF-8"),
        (HEAD.encode("utf-16"), "it is not UTF-8"),
    ],
)
def test_what_is_no_labelled_set_is_refused_by_its_place(tmp_path: Path, text: str | bytes, why: str) -> None:
    assert why in refused(write(tmp_path, text))


def test_a_file_that_is_not_there_or_no_file_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "none.csv")
    assert "it is no file" in refused(tmp_path)
    os.mkfifo(tmp_path / "pipe.csv")
    assert "it is no file" in refused(tmp_path / "pipe.csv")


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1", CANARY.encode()])
def test_bytes_that_are_no_parquet_are_refused(tmp_path: Path, data: bytes) -> None:
    assert "cannot be read as Parquet" in refused(write(tmp_path, data, "labels.parquet"))


def test_parquet_of_another_shape_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.parquet"
    pq.write_table(pa.table({"shard": ["s"], "key": ["k"]}), path)
    assert "it has no column 'label'" in refused(path)
    pq.write_table(pa.table({"shard": [["s"]], "key": [{"a": 1}], "label": [[CANARY]]}), path)
    assert "neither 0 nor 1" in refused(path)


@pytest.mark.parametrize("column", ["shard", "key", "label"])
def test_samples_cannot_be_grouped_by_what_tells_them_apart(tmp_path: Path, column: str) -> None:
    assert "cannot be grouped by" in refused(write(tmp_path, HEAD), column)


def test_a_column_that_is_no_group_is_refused(tmp_path: Path) -> None:
    many = "".join(f"s,k{n},1,{CANARY}{n}\n" for n in range(101))
    assert "more than 100 values" in refused(write(tmp_path, HEAD + many), "region")
    assert "names no group" in refused(write(tmp_path, f"{HEAD}s,k,1,{CANARY * 20}\n"), "region")
    assert "names no group" in refused(write(tmp_path, f"{HEAD}s,k,1,{CANARY}\x1b[31m\n"), "region")
    assert read_labels(write(tmp_path, HEAD + many), ()).truth  # it is not read unless it is asked for
    assert "no column 'regoin'" in refused(write(tmp_path, HEAD), "regoin")
