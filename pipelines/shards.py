"""Shards: surveyed once, read sample by sample, and copied as raw tar blocks.

`survey` hashes the file, finds where it stops being sound and which keys come back; `rows` then yields each sample
with all that is wrong with it; `copy_kept` writes the kept ones. The content of a member is never looked at.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from filters.errors import ShardError
from pipelines.faults import Fault, FaultKind
from pipelines.framing import BLOCK, EndMarker, Entry, frames
from pipelines.names import key_mark
from pipelines.samples import Member, Problem, Row, Run, row, runs
from pipelines.tape import HEADER_BYTES, Tape

__all__ = ["Fault", "FaultKind", "Member", "Problem", "Row", "Survey", "copy_kept", "rows", "survey"]

RECORD = 20 * BLOCK  # bytes; an archive ends on a multiple of it, tar's default blocking factor
COPIED_BYTES = 1_048_576  # at once


@dataclass(frozen=True, slots=True)
class Survey:
    """What the first reading of a shard found out.

    `rows` samples are complete. [0, end) holds them, and directories; from `end` on lies the end marker or, after a
    fault, what is never used. `repeated` holds 64-bit marks of the keys that occur in more than one place.
    """

    sha256: str  # of the whole file, hex
    size: int
    rows: int
    end: int
    directories: int
    fault: Fault | None = None
    repeated: frozenset[int] = field(default=frozenset(), repr=False)

    @property
    def rest(self) -> tuple[int, int] | None:
        """The bytes [start, end) that a fault leaves unread, None in a sound shard."""
        return (self.end, self.size) if self.fault else None


def survey(path: Path) -> Survey:
    """Read a shard once from its first byte to its last, or raise ShardError where it cannot be read."""
    digest = hashlib.sha256()
    seen: set[int] = set()
    repeated: set[int] = set()
    complete = directories = end = 0
    fault: Fault | None = None
    with _opened(path) as file, _reading(path):
        tape = Tape(file, digest)
        for each in runs(frames(tape)):
            match each:
                case Run():
                    mark = key_mark(each.key)
                    (repeated if mark in seen else seen).add(mark)
                    complete, end = (complete + 1, each.end) if each.complete else (complete, end)
                case Entry():
                    directories += 1
                case EndMarker():
                    end = each.offset
                case Fault():
                    fault = each
        after = tape.finish()
    if fault is None and after is not None:
        fault = Fault("data after the end marker", after - after % BLOCK)
    return Survey(digest.hexdigest(), tape.position, complete, end, directories, fault, frozenset(repeated))


def rows(path: Path, found: Survey, max_member_bytes: int) -> Iterator[Row]:
    """Yield every complete sample of a surveyed shard in order, good or not.

    Raises ShardError where the shard cannot be read, or is no longer the one that was surveyed.
    """
    count = 0
    with _opened(path) as file, _reading(path):
        _same_size(path, file, found)
        samples = (each for each in runs(frames(Tape(file))) if isinstance(each, Run))
        for run in islice(samples, found.rows):
            if not run.complete or run.end > found.end:
                raise _changed(path, run.start)
            yield row(count, run, found.repeated, max_member_bytes)
            count += 1
    if count < found.rows:
        raise _changed(path, found.end)


def copy_kept(source: Path, found: Survey, kept: Sequence[tuple[int, int]], target: BinaryIO) -> None:
    """Write the kept samples, each given as its (start, end), in shard order, to an open buffered file.

    A sound shard of which every sample is kept comes out bit for bit; else the directories are left out and the
    archive ends in zeros up to a multiple of 10,240 bytes. Raises ShardError as `rows` does.
    """
    whole = found.fault is None and len(kept) == found.rows
    ranges = [(0, found.size)] if whole else list(_merged(kept, found.end))
    with _opened(source) as file:
        _same_size(source, file, found)
        for start, end in ranges:
            file.seek(start)
            while start < end:
                with _reading(source):
                    data = file.read(min(COPIED_BYTES, end - start))
                if not data:
                    raise _changed(source, start)
                target.write(data)
                start += len(data)
    if not whole:
        target.write(_trailer(sum(end - start for start, end in ranges)))


def _merged(kept: Sequence[tuple[int, int]], most: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges with adjacent ones joined, so that they are copied at once."""
    begin = last = 0
    for start, end in kept:
        if not last <= start < end <= most or start % BLOCK or end % BLOCK:
            raise ValueError(
                "The samples cannot be copied: their ranges are not those that `rows` yields, in its order."
            )
        if start > last:
            if last > begin:
                yield begin, last
            begin = start
        last = end
    if last > begin:
        yield begin, last


def _trailer(written: int) -> bytes:
    """Return two blocks of zeros, and as many more as bring the archive to a whole number of records."""
    return bytes(2 * BLOCK + -(written + 2 * BLOCK) % RECORD)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with _reading(path):
        if not stat.S_ISREG(path.stat().st_mode):  # opening a FIFO would wait for ever
            raise ShardError(f"{path} cannot be read: it is not a regular file. Give a tar file.")
        file = path.open("rb", buffering=HEADER_BYTES)
    with file:
        yield file


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ShardError(
            f"{path} cannot be read: {why}. Check that it is there and may be read, then run again."
        ) from error


def _same_size(path: Path, file: BinaryIO, found: Survey) -> None:
    if os.fstat(file.fileno()).st_size != found.size:
        raise _changed(path, 0)


def _changed(path: Path, offset: int) -> ShardError:
    return ShardError(
        f"{path} cannot be used: it changed while it was read, at offset {offset}. "
        "Make sure that nothing writes to it, then run again."
    )
