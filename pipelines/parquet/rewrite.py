"""The process that copies kept rows, and the one that compares them: hostile Parquet is parsed there and nowhere else.

It is told for each row of the file where it goes, and sends what it writes in frames over a pipe: it can write no file.
"""

import io
import json
import os
import signal
import struct
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipelines.confine import confine
from pipelines.parquet.reader import TableError, batches, footer
from pipelines.parquet.same import same

FRAME = struct.Struct(">BI")  # partition, bytes that follow
END = 255  # in place of a partition: the answer follows
NOWHERE = 255  # in place of a partition: the row is withheld
GROUP_ROWS, GROUP_BYTES = 1 << 20, 128 << 20  # a row group that is written holds no more, whatever the source's does

Places = NDArray[np.uint8]


def serve() -> None:
    """Do what the one request asks, and answer: `{}` when all is well."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints must not reach the protocol
    request = json.loads(sys.stdin.buffer.readline())
    places = np.frombuffer(sys.stdin.buffer.read(), np.uint8)
    pa.set_cpu_count(1)
    confine(request["memory"])
    try:
        answer = {"copy": _copy, "compare": _compare}[request["do"]](request, places, answers)
    except TableError as fault:
        answer = {"fault": str(fault)}
    told = json.dumps(answer).encode()
    answers.write(FRAME.pack(END, len(told)) + told)
    answers.flush()


def _copy(request: dict[str, Any], places: Places, answers: BinaryIO) -> dict[str, Any]:
    """Send each partition its rows as a Parquet file of the same schema, one row group at a time."""
    source = footer(request["path"])
    sinks = [pa.PythonFile(_Frames(answers, number), "w") for number in range(request["partitions"])]
    writers = [_writer(source, sink) for sink in sinks]
    for group, first, count in _ranges(source, places):
        waiting: list[list[pa.RecordBatch]] = [[] for _ in writers]
        for batch, goes in _placed(source, group, places[first : first + count], request["seconds"]):
            for number, kept in enumerate(waiting):
                kept.append(batch.filter(pa.array(goes == number)))
                if sum(b.num_rows for b in kept) >= GROUP_ROWS or sum(b.nbytes for b in kept) >= GROUP_BYTES:
                    _write(writers[number], kept)
        for writer, kept in zip(writers, waiting, strict=True):
            _write(writer, kept)
    for writer, sink in zip(writers, sinks, strict=True):
        writer.close()
        sink.close()
    return {}


def _compare(request: dict[str, Any], places: Places, _: BinaryIO) -> dict[str, Any]:
    """Say of each output what differs from the rows that go there; None where nothing does."""
    source = footer(request["path"])
    wrong = []
    for number, output in enumerate(request["outputs"]):
        try:
            wrong.append(_difference(source, footer(output), number, places, request["seconds"]))
        except TableError:
            wrong.append("cannot be read")
    return {"wrong": wrong}


def _difference(
    source: pq.ParquetFile, output: pq.ParquetFile, number: int, places: Places, seconds: int
) -> str | None:
    if not output.schema_arrow.equals(source.schema_arrow, check_metadata=True):
        return "does not have the columns of its source"
    copied = (batch for group in range(output.num_row_groups) for batch in batches(output, group))
    kept = (
        batch.filter(pa.array(goes == number))
        for group, first, count in _ranges(source, places)
        for batch, goes in _placed(source, group, places[first : first + count], seconds)
    )
    left, right = _next(kept), _next(copied)
    while left is not None and right is not None:
        count = min(left.num_rows, right.num_rows)
        if not same(left.slice(0, count), right.slice(0, count)):
            return "holds rows that differ from their source"
        left = left.slice(count) if left.num_rows > count else _next(kept)
        right = right.slice(count) if right.num_rows > count else _next(copied)
    return None if left is None and right is None else "does not hold the rows that the manifest puts there"


def _next(found: Iterator[pa.RecordBatch]) -> pa.RecordBatch | None:
    return next((batch for batch in found if batch.num_rows), None)


def _ranges(source: pq.ParquetFile, places: Places) -> Iterator[tuple[int, int, int]]:
    """Yield (row group, first row, rows) of each row group from which anything is kept; others are not even read."""
    first = 0
    for group in range(source.num_row_groups):
        count = max(source.metadata.row_group(group).num_rows, 0)
        if (places[first : first + count] != NOWHERE).any():
            yield group, first, count
        first += count
    if len(places) > first:
        raise TableError("it has fewer rows than were examined")


def _placed(
    source: pq.ParquetFile, group: int, places: Places, seconds: int
) -> Iterator[tuple[pa.RecordBatch, Places]]:
    """Yield each batch of a row group with where its rows go; too long over one batch, and the process is killed."""
    read = 0
    try:
        signal.alarm(seconds)
        for batch in batches(source, group):
            signal.alarm(seconds)
            yield batch, places[read : read + batch.num_rows]
            read += batch.num_rows
    except (pa.ArrowException, OSError):
        raise TableError("it cannot be read as it was") from None
    finally:
        signal.alarm(0)
    if read != len(places):
        raise TableError("a row group has other rows than were examined")


def _writer(source: pq.ParquetFile, sink: pa.PythonFile) -> pq.ParquetWriter:
    described = source.metadata.metadata or {}
    physical = {source.schema.column(place).physical_type for place in range(len(source.schema))}
    return pq.ParquetWriter(
        sink,
        source.schema_arrow,
        compression=_compression(source),
        use_deprecated_int96_timestamps="INT96" in physical,
        store_schema=b"ARROW:schema" in described,
    )


def _compression(source: pq.ParquetFile) -> str:
    """Return the compression of the first column, where it is one that can be written."""
    if not source.num_row_groups or not source.metadata.row_group(0).num_columns:
        return "snappy"
    found = str(source.metadata.row_group(0).column(0).compression).lower()
    return {"uncompressed": "none"}.get(found, found if found in ("snappy", "gzip", "zstd", "brotli") else "snappy")


def _write(writer: pq.ParquetWriter, kept: list[pa.RecordBatch]) -> None:
    """Write what waits as one row group, and let it go."""
    rows = sum(batch.num_rows for batch in kept)
    if rows:
        writer.write_table(pa.Table.from_batches(kept), row_group_size=rows)
    kept.clear()


class _Frames(io.RawIOBase):
    """What is written to it goes to the parent, named after its partition."""

    def __init__(self, target: BinaryIO, partition: int) -> None:
        self._target, self._partition = target, partition

    def writable(self) -> bool:
        """Tell that it can be written."""
        return True

    def write(self, data: Any) -> int:
        """Send a frame."""
        view = memoryview(data).cast("B")
        self._target.write(FRAME.pack(self._partition, len(view)))
        self._target.write(view)
        return len(view)
