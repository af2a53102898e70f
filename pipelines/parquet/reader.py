"""A Parquet file, opened under limits and read a few thousand rows at a time: only ever in a process that may die."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.parquet.columns import Columns, columns, fault_of, refusal_of

ROWS = 4096  # at once
BUFFER_BYTES = 1 << 20  # of a column that is read
MOST_ROWS = 1 << 26  # of a row group: what old versions of Arrow wrote at most
MOST_ROWS_PER_BYTE = 64  # beyond, a few bytes stand for work without end
FEW_ROWS = 65_536  # below, it does not matter
THRIFT_BYTES, THRIFT_ITEMS = 64 << 20, 1_000_000
METADATA_BYTES = 1 << 20

FOOTER = "the footer cannot be read"
UNREADABLE = "cannot be read"
TOO_MANY_ROWS = "has too many rows for its size"
OTHER_ROWS = "has other rows than its footer says"
TOO_LARGE = "takes too much memory"


class TableError(Exception):
    """The file, or a part of it, cannot be read; the argument is a fixed phrase."""


@dataclass(frozen=True, slots=True)
class Group:
    """A row group as the footer tells of it: rows, and the bytes from `start` on that its columns take."""

    rows: int
    start: int
    length: int


@dataclass(slots=True)
class Table:
    """An open file; `rows` goes on where it stopped, so that reading in order reads once."""

    path: str
    file: pq.ParquetFile
    groups: tuple[Group, ...]
    columns: Columns
    _group: int = -1
    _position: int = 0
    _batches: Iterator[pa.RecordBatch] = field(default_factory=lambda: iter(()))
    _left: pa.Table | None = None

    def rows(self, group: int, start: int, count: int) -> pa.RecordBatch:
        """Return up to `count` rows of a row group from `start` on, fewer only at its end."""
        if (group, start) != (self._group, self._position):
            self._begin(group)
            self._take(start)
        taken = self._take(count)
        self._position = start + taken.num_rows
        return taken

    def _begin(self, group: int) -> None:
        self._batches = batches(self.file, group)
        self._group, self._position, self._left = group, 0, None

    def _take(self, count: int) -> pa.RecordBatch:
        parts = [self._left] if self._left is not None else []
        while sum(part.num_rows for part in parts) < count:
            batch = next(self._batches, None)
            if batch is None:
                break
            parts.append(pa.Table.from_batches([batch]))
        if not parts:
            return pa.RecordBatch.from_pylist([])
        whole = pa.concat_tables(parts)
        self._left = whole.slice(count) if whole.num_rows > count else None
        return _one(whole.slice(0, count))


def opened(path: str) -> Table:
    """Open a file, or raise TableError with what is wrong with it as a whole."""
    file = footer(path)
    schema = file.schema_arrow
    if why := fault_of(schema) or _metadata_fault(schema):
        raise TableError(why)
    return Table(path, file, tuple(_groups(file)), columns(schema))


def footer(path: str) -> pq.ParquetFile:
    """Open a file and read its footer, or raise TableError."""
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):  # opening a FIFO would wait for ever
            raise TableError(FOOTER)
        return pq.ParquetFile(
            path,
            pre_buffer=False,
            buffer_size=BUFFER_BYTES,
            thrift_string_size_limit=THRIFT_BYTES,
            thrift_container_size_limit=THRIFT_ITEMS,
            page_checksum_verification=True,
            arrow_extensions_enabled=False,
        )
    except TableError:
        raise
    except (Exception, MemoryError):  # noqa: BLE001 - hostile Parquet raises anything, and quotes values
        raise TableError(FOOTER) from None


def batches(file: pq.ParquetFile, group: int) -> Iterator[pa.RecordBatch]:
    """Yield a row group in batches with all columns, one thread reading."""
    return iter(file.iter_batches(ROWS, row_groups=[group], use_threads=False))


def refusal(table: Table) -> str:
    """Return why a readable table is no corpus of addresses, empty when it is one."""
    return refusal_of(table.file.schema_arrow)


def scan(table: Table, group: int) -> Iterator[int]:
    """Read a row group whole, yielding the rows of each batch; raise TableError where it is not as its footer says."""
    told = table.groups[group]
    if not 0 <= told.rows <= MOST_ROWS or told.rows > max(FEW_ROWS, MOST_ROWS_PER_BYTE * told.length):
        raise TableError(TOO_MANY_ROWS)
    read = 0
    try:
        for batch in batches(table.file, group):
            batch.validate()
            read += batch.num_rows
            yield batch.num_rows
    except (MemoryError, pa.ArrowMemoryError):
        raise TableError(TOO_LARGE) from None
    except Exception:  # noqa: BLE001 - hostile Parquet raises anything, and quotes values
        raise TableError(UNREADABLE) from None
    if read != told.rows:
        raise TableError(OTHER_ROWS)


def _one(table: pa.Table) -> pa.RecordBatch:
    found = table.combine_chunks().to_batches()
    return found[0] if found else pa.RecordBatch.from_pylist([], schema=table.schema)


def _groups(file: pq.ParquetFile) -> Iterator[Group]:
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        chunks = [group.column(place) for place in range(group.num_columns)]
        starts = [min(each.dictionary_page_offset or each.data_page_offset, each.data_page_offset) for each in chunks]
        yield Group(group.num_rows, min(starts, default=0), sum(each.total_compressed_size for each in chunks))


def _metadata_fault(schema: pa.Schema) -> str:
    """Return what is wrong with the words beside the columns, which go along into every output."""
    parts = [(schema.metadata or {}), *(each.metadata or {} for each in schema)]
    words = [word for part in parts for pair in part.items() for word in pair]
    words += [name.encode("utf-8", "surrogatepass") for name in schema.names]
    if sum(map(len, words)) > METADATA_BYTES:
        return "its metadata is too large"
    try:
        for word in words:
            word.decode("utf-8")
    except UnicodeDecodeError:
        return "its metadata is not UTF-8"
    return ""
