"""One way to write records, one way to read them: same rows same bytes, and nothing quoted on the way."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given

from filters.errors import SealError
from manifests.evidence import EVIDENCE_SCHEMA
from manifests.manifest import MANIFEST_SCHEMA, PUBLIC_SCHEMA
from manifests.provenance import METADATA
from manifests.quarantine import QUARANTINE_SCHEMA
from manifests.queue import QUEUE_SCHEMA
from manifests.tables import (
    ROWS_PER_GROUP,
    column,
    described,
    escape,
    read_metadata,
    read_rows,
    unescape,
    write_rows,
)
from tests.manifests.strategies import ODD_TEXT, UNTIMED

DOCS = Path(__file__).parents[2] / "docs" / "schemas.md"
SCHEMAS = {
    "evidence": EVIDENCE_SCHEMA,
    "restricted manifest": MANIFEST_SCHEMA,
    "public manifest": PUBLIC_SCHEMA,
    "quarantine": QUARANTINE_SCHEMA,
    "queue": QUEUE_SCHEMA,
}
PLAIN = pa.schema([column("word", pa.string(), "a coded word"), column("number", pa.int32(), "a number")])


@dataclass(frozen=True)
class Row:
    word: Any
    number: Any


def rows(count: int) -> list[Row]:
    return [Row(f"codeword-{number}", number) for number in range(count)]


@UNTIMED
@given(ODD_TEXT)
@example("\\udc80")  # looks like an escape, and is none
@example("\\u005cudc80")
def test_any_text_comes_back_from_its_escape(text: str) -> None:
    escaped = escape(text)
    escaped.encode()  # UTF-8 can hold it
    assert unescape(escaped) == text


@pytest.mark.parametrize("text", ["00000123", "a\\b", "C:\\users", "\\u00e9", "日本", "\\\\udc8"])
def test_ordinary_text_is_stored_as_it_stands(text: str) -> None:
    assert escape(text) == text


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name, metadata in (("a", {"x": "1", "y": "2"}), ("b", {"y": "2", "x": "1"})):
        write_rows(tmp_path / name, PLAIN, rows(1200), metadata)
    digests = {hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in "ab"}
    assert len(digests) == 1


def test_other_rows_give_other_bytes(tmp_path: Path) -> None:
    write_rows(tmp_path / "a", PLAIN, rows(3), {})
    write_rows(tmp_path / "b", PLAIN, reversed(rows(3)), {})
    assert (tmp_path / "a").read_bytes() != (tmp_path / "b").read_bytes()


def test_row_groups_are_of_512_and_compressed_with_zstd(tmp_path: Path) -> None:
    write_rows(tmp_path / "a", PLAIN, rows(2 * ROWS_PER_GROUP + 1), {})
    found = pq.ParquetFile(tmp_path / "a").metadata
    assert [found.row_group(group).num_rows for group in range(found.num_row_groups)] == [512, 512, 1]
    assert found.row_group(0).column(0).compression == "ZSTD"


@pytest.mark.parametrize("count", [0, 1, 512, 513])
def test_rows_come_back_in_order(tmp_path: Path, count: int) -> None:
    write_rows(tmp_path / "a", PLAIN, rows(count), {"x": "1"})
    assert [Row(**row) for row in read_rows(tmp_path / "a", PLAIN)] == rows(count)
    assert read_metadata(tmp_path / "a") == {"x": "1"}


@pytest.mark.parametrize("name", ["s3:a", "file:a", "a b%20#?.parquet", "日本"])
def test_any_file_name_is_a_name_of_this_machine(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_rows(Path(name), PLAIN, rows(1), {})
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert [Row(**row) for row in read_rows(Path(name), PLAIN)] == rows(1)


def test_a_file_whose_writing_failed_is_removed(tmp_path: Path) -> None:
    def breaking_off() -> Iterator[Row]:
        yield from rows(600)
        raise KeyError

    with pytest.raises(KeyError):
        write_rows(tmp_path / "a", PLAIN, breaking_off(), {})
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("row", [Row("codeword-alpha", 2**40), Row(None, 1), Row("x", "codeword-alpha")])
def test_a_value_that_does_not_fit_is_refused_unquoted(tmp_path: Path, row: Row) -> None:
    with pytest.raises(SealError) as caught:
        write_rows(tmp_path / "a", PLAIN, [row], {})
    assert "codeword" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert not (tmp_path / "a").exists()


def test_a_file_with_other_columns_is_refused(tmp_path: Path) -> None:
    write_rows(tmp_path / "a", PLAIN, rows(1), {})
    with pytest.raises(SealError, match="columns"):
        list(read_rows(tmp_path / "a", EVIDENCE_SCHEMA))


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"codeword-alpha" * 9])
def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "a").write_bytes(damage)
    with pytest.raises(SealError, match="cannot be read"):
        list(read_rows(tmp_path / "a", PLAIN))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SealError, match="cannot be read"):
        list(read_rows(tmp_path / "a", PLAIN))


def test_a_damaged_row_group_is_refused(tmp_path: Path) -> None:
    write_rows(tmp_path / "a", PLAIN, rows(512), {})
    whole = bytearray((tmp_path / "a").read_bytes())
    whole[4:200] = bytes(196)
    (tmp_path / "a").write_bytes(whole)
    with pytest.raises(SealError, match="damaged"):
        list(read_rows(tmp_path / "a", PLAIN))


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    write_rows(tmp_path / "a", PLAIN, rows(512), {})
    whole = (tmp_path / "a").read_bytes()
    end = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")  # where the footer starts
    for place in range(4, end, 97):
        (tmp_path / "a").write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            found = [Row(**row) for row in read_rows(tmp_path / "a", PLAIN)]
        except SealError:
            continue
        assert found == rows(512), place


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_column_is_described(name: str) -> None:
    for path, kind, description in described(SCHEMAS[name]):
        assert description, path
        assert ("null" in description) == kind.endswith("or null"), path


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_documentation_agrees_with_the_schema(name: str) -> None:
    lines = "\n".join(f"| `{path}` | {kind} | {text} |" for path, kind, text in described(SCHEMAS[name]))
    table = f"## {name.capitalize()}", f"| column | type | meaning |\n|---|---|---|\n{lines}\n"
    sections = DOCS.read_text().split("\n## ")
    section = next((each for each in sections if each.startswith(name.capitalize())), "")
    assert table[1] in section, f"docs/schemas.md, {table[0]}, should hold:\n{table[1]}"
    assert section.count("| `") == len(lines.splitlines())


def test_the_documentation_agrees_with_the_metadata() -> None:
    for key, text in METADATA.items():
        assert f"| `{key}` | {text} |" in DOCS.read_text()


def test_the_public_manifest_has_no_column_for_a_list_entry_or_a_pointer() -> None:
    paths = {path for path, _, _ in described(PUBLIC_SCHEMA)}
    assert not {path for path in paths if path.endswith(("entry", "offset", "length", "reasons"))}
