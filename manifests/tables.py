"""Frozen dataclasses as rows of Parquet: one way to write them, one way to read them back.

The same rows and metadata always give the same bytes: no clock, no host name, fixed row groups, fixed compression.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from filters.errors import SealError

ROWS_PER_GROUP = 512
COMPRESSION = "zstd"
_DESCRIPTION = b"description"

# Member names of a tar need not be UTF-8, and Parquet text must be: a lone surrogate is stored as \udcff, and a
# backslash that could be taken for the start of such an escape as \u005c. All other text stands as it is.
_AMBIGUOUS = re.compile(r"[\ud800-\udfff]|\\(?=u(?:d[89a-f][0-9a-f]{2}|005c))")
_ESCAPED = re.compile(r"\\u(d[89a-f][0-9a-f]{2}|005c)")


def column(name: str, kind: pa.DataType, description: str, nullable: bool = False) -> pa.Field:
    """Return a described column; a nullable one says in its description what null means."""
    return pa.field(name, kind, nullable, {_DESCRIPTION: description.encode()})


def listed(kind: pa.DataType) -> pa.DataType:
    """Return the type of a list whose elements are never null."""
    return pa.list_(pa.field("element", kind, nullable=False))


def described(schema: pa.Schema) -> Iterator[tuple[str, str, str]]:
    """Yield path, type and description of every column; the fields of a list of structs read `list[].field`."""
    for each in schema:
        yield from _described(each, "")


def escape(text: str) -> str:
    """Return text that UTF-8 can hold; `unescape` gives back the original."""
    if text.isascii() and "\\" not in text:
        return text
    return _AMBIGUOUS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def unescape(text: str) -> str:
    """Return the text that `escape` was given."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "\\" in text else text


class RowWriter:
    """Writes dataclasses to one Parquet file, in row groups of 512; the schema says which of their fields.

    Writing may use a temporary name that the caller renames. When the block it guards raises, the file is removed, so
    that a part never reads as a whole.
    """

    def __init__(self, path: Path, schema: pa.Schema, metadata: Mapping[str, str]) -> None:
        self._path = path
        self._schema = schema.with_metadata(dict(sorted(metadata.items())))
        self._sink = pa.OSFile(str(path), "wb")  # Arrow takes a bare path such as "s3:x" for an address
        self._writer = pq.ParquetWriter(self._sink, self._schema, compression=COMPRESSION, write_page_checksum=True)
        self._rows: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file, or remove it when the block raised."""
        try:
            if kind is None:
                self._flush()
        except BaseException:
            self._remove()
            raise
        if kind is None:
            self._writer.close()
            self._sink.close()
        else:
            self._remove()

    def write(self, row: object) -> None:
        """Add one row, or raise SealError when a value does not fit its column."""
        self._rows.append(plain(row, self._schema))
        if len(self._rows) == ROWS_PER_GROUP:
            self._flush()

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Add rows that are columns already, in a row group of their own; text in them has gone through `escape`."""
        self._flush()
        if batch.num_rows:
            self._writer.write_batch(batch.cast(self._schema), batch.num_rows)

    def note(self, key: str, value: str) -> None:
        """Add metadata that is known only when the rows are."""
        self._writer.add_key_value_metadata({key: value})

    def _flush(self) -> None:
        rows, self._rows = self._rows, []
        if not rows:
            return
        with suppress(pa.ArrowException, OverflowError, TypeError, ValueError):
            self._writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=self._schema), ROWS_PER_GROUP)
            return
        # Raised out here, so that no traceback carries the message of Arrow, which quotes values.
        raise SealError(f"{self._path.name}: a value does not fit its column; report this as a bug")

    def _remove(self) -> None:
        with suppress(Exception):
            self._writer.close()
        self._sink.close()
        self._path.unlink(missing_ok=True)


def write_rows(path: Path, schema: pa.Schema, rows: Iterable[object], metadata: Mapping[str, str]) -> None:
    """Write dataclasses to one Parquet file, in the order given."""
    with RowWriter(path, schema, metadata) as writer:
        for row in rows:
            writer.write(row)


def read_rows(path: Path, schema: pa.Schema) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file with exactly this schema, one row group in memory at a time, or raise SealError.

    Lists come back as tuples and structs as dicts of their fields.
    """
    with _table(path, schema) as file:
        for group in range(file.num_row_groups):
            yield from map(restored, _group(file, group, path).to_pylist())


def read_groups(path: Path, schema: pa.Schema, columns: list[str]) -> Iterator[pa.Table]:
    """Yield these columns of each row group of a file with exactly this schema, or raise SealError."""
    with _table(path, schema) as file:
        for group in range(file.num_row_groups):
            yield _group(file, group, path, columns)


def read_metadata(path: Path) -> dict[str, str]:
    """Return the key-value metadata of a Parquet file, without what Arrow adds for itself."""
    with _opened(path) as file:
        found = file.metadata.metadata or {}
    return {key.decode(): value.decode() for key, value in found.items() if key != b"ARROW:schema"}


@contextmanager
def _table(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetFile]:
    with _opened(path) as file:
        if not file.schema_arrow.equals(schema):
            raise SealError(f"{path.name}: its columns are not those of this version; write it again with this version")
        yield file


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        source = pa.OSFile(str(path), "rb")
        file = pq.ParquetFile(source, page_checksum_verification=True)
    except (pa.ArrowException, OSError):
        raise SealError(f"{path.name}: cannot be read as Parquet; restore it or run again") from None
    with source:
        yield file


def _group(file: pq.ParquetFile, group: int, path: Path, columns: list[str] | None = None) -> pa.Table:
    with suppress(pa.ArrowException, OSError):
        return file.read_row_group(group, columns=columns, use_threads=False)
    raise SealError(f"{path.name}: row group {group} is damaged; restore the file or run again")


def plain(row: object, fields: Any) -> dict[str, Any]:
    """Return the named fields of a dataclass as what Arrow takes; a schema or a struct type names them."""
    return {each.name: _value(getattr(row, each.name), each.type) for each in fields}


def _value(value: Any, kind: pa.DataType) -> Any:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, tuple):
        return [_value(each, kind.value_type) for each in value]
    return plain(value, kind) if pa.types.is_struct(kind) else value


def restored(value: Any) -> Any:
    """Return a value that Arrow gives as what was written: text unescaped, lists as tuples, at any depth."""
    if isinstance(value, str):
        return unescape(value)
    if isinstance(value, list):
        return tuple(map(restored, value))
    return {name: restored(each) for name, each in value.items()} if isinstance(value, dict) else value


def _described(each: pa.Field, prefix: str) -> Iterator[tuple[str, str, str]]:
    kind, path = each.type, prefix + each.name
    nested = pa.types.is_list(kind) and pa.types.is_struct(kind.value_type)
    name = "list of struct" if nested else f"list of {kind.value_type}" if pa.types.is_list(kind) else str(kind)
    yield path, name + (" or null" if each.nullable else ""), (each.metadata or {}).get(_DESCRIPTION, b"").decode()
    for inner in kind.value_type if nested else ():
        yield from _described(inner, f"{path}[].")
