"""A shard read forwards, from its first byte to its last."""

import os
from typing import BinaryIO, Protocol

HASHED_BYTES = 1_048_576  # read at once when every byte is wanted
HEADER_BYTES = 4_096  # read at once when members are skipped: the headers of a sample lie within a few blocks


class Digest(Protocol):
    """The part of a hashlib object that is used here."""

    def update(self, data: bytes, /) -> None:
        """Take in more bytes."""


class Tape:
    """An open file that is read or skipped forwards only.

    With a `digest`, every byte is read and hashed once; without, what is skipped is sought over, not read.
    """

    def __init__(self, file: BinaryIO, digest: Digest | None = None) -> None:
        self._file = file
        self._digest = digest
        self._chunk = b""
        self._next = 0  # in the chunk
        self._end = -1 if digest else file.seek(0, os.SEEK_END)
        file.seek(0)
        self.position = 0

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes, fewer only at the end of the file."""
        while len(self._chunk) - self._next < count:
            more = self._read()
            if not more:
                break
            self._chunk = self._chunk[self._next :] + more
            self._next = 0
        data = self._chunk[self._next : self._next + count]
        self._next += len(data)
        self.position += len(data)
        return data

    def skip(self, count: int) -> int:
        """Pass over the next `count` bytes and return how many there were."""
        held = min(count, len(self._chunk) - self._next)
        self._next += held
        passed = held + (self._skip_file(count - held) if held < count else 0)
        self.position += passed
        return passed

    def finish(self) -> int | None:
        """Pass over all that is left, reading it, and return the position of its first byte that is not zero."""
        found = None
        chunk = self._chunk[self._next :] or self._read()
        while chunk:
            if found is None and chunk != bytes(len(chunk)):
                found = self.position + len(chunk) - len(chunk.lstrip(b"\0"))
            self.position += len(chunk)
            chunk = self._read()
        self._chunk, self._next = b"", 0
        return found

    def _read(self) -> bytes:
        data = self._file.read(HASHED_BYTES if self._digest else HEADER_BYTES)
        if self._digest:
            self._digest.update(data)
        return data

    def _skip_file(self, count: int) -> int:
        if self._digest is None:
            return self._seek(count)
        passed = 0
        while passed < count:
            self._chunk, self._next = self._read(), 0
            if not self._chunk:
                break
            self._next = min(len(self._chunk), count - passed)
            passed += self._next
        return passed

    def _seek(self, count: int) -> int:
        self._chunk, self._next = b"", 0
        here = self._file.tell()
        return self._file.seek(min(here + count, self._end)) - here
