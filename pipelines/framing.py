"""Tar blocks under strict framing: headers and names are read here, the content of a member never.

What a lenient reader skips in silence, or two readers take differently, is a fault with an offset: Python's tarfile
ends a shard at a bad checksum without an error, and samples are lost.
"""

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from pipelines.extended import MAX_NAME_BYTES, MAX_PAX_BYTES, long_name, pax_path
from pipelines.faults import BrokenError, Fault
from pipelines.tape import Tape

BLOCK = 512  # bytes; POSIX pax interchange format, https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html

MemberKind = Literal["file", "link", "device", "fifo", "directory"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One member: [start, end) holds its extended headers, its header and its padded data, `offset` the data alone."""

    kind: MemberKind
    name: str = field(repr=False)
    start: int
    end: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class EndMarker:
    """Two blocks of zeros at `offset`: here the archive says that it ends."""

    offset: int


_KINDS: dict[bytes, MemberKind] = {
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.LNKTYPE: "link",
    tarfile.SYMTYPE: "link",
    tarfile.CHRTYPE: "device",
    tarfile.BLKTYPE: "device",
    tarfile.DIRTYPE: "directory",
    tarfile.FIFOTYPE: "fifo",
}
_PAX = (tarfile.XHDTYPE, tarfile.XGLTYPE)
_LONG = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
# What tarfile.open("r|*"), and so every trainer, unpacks unasked: gzip, bzip2, xz, lzma, Zstandard.
_COMPRESSED = re.compile(rb"\x1f\x8b|BZh[0-9]1AY&SY|\xfd7zXZ|\x5d\0\0\x80|\x28\xb5\x2f\xfd")
_OCTAL = re.compile(rb" *[0-7]+[ \0]*")  # int() also takes "1_0" and "0o10", which no other reader does
_BINARY_SIZE = 0x80  # first byte of a size in base 256
_ZEROS = bytes(BLOCK)


def frames(tape: Tape) -> Iterator[Entry | EndMarker | Fault]:
    """Yield every member of the shard in order, then its end marker or its first fault."""
    try:
        frame = _frame(tape)
        while isinstance(frame, Entry):
            yield frame
            frame = _frame(tape)
        yield frame
    except BrokenError as broken:
        yield broken.fault


def _frame(tape: Tape) -> Entry | EndMarker:
    start = tape.position
    names: dict[bytes, str | None] = {}  # by the type of the extended header that was seen
    while True:
        at = tape.position
        block = tape.take(BLOCK)
        if not at and _COMPRESSED.match(block):
            raise BrokenError("compressed shard", at)
        if len(block) < BLOCK or block == _ZEROS:
            return _end(tape, block, at, bool(names))
        header = _header(block, at)
        if header.type not in _PAX + _LONG:
            return _member(tape, header, names, (start, at))
        seen = {*names, header.type}
        if header.type in names or (tarfile.XHDTYPE in seen and not seen.isdisjoint(_LONG)):
            raise BrokenError("conflicting extended headers", at)  # readers differ on which of two names counts
        names[header.type] = _extended(tape, header, at)


def _end(tape: Tape, block: bytes, at: int, pending: bool) -> EndMarker:
    if not at and not block:
        raise BrokenError("empty file", at)
    if block.strip(b"\0"):
        raise BrokenError("truncated header", at)
    if pending:
        raise BrokenError("stray extended header", at)
    if len(block) < BLOCK:
        raise BrokenError("missing end marker", at)
    second = tape.take(BLOCK)
    if second != _ZEROS:
        raise BrokenError("lone zero block" if second.strip(b"\0") else "missing end marker", at)
    return EndMarker(at)


def _header(block: bytes, at: int) -> tarfile.TarInfo:
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError) as error:
        bad_sum = str(error) == "bad checksum"
        raise BrokenError("bad header checksum" if bad_sum else "malformed header", at) from None
    if header.type == tarfile.GNUTYPE_SPARSE:
        raise BrokenError("sparse member", at)
    if header.type not in _KINDS and header.type not in _PAX + _LONG:
        raise BrokenError("unknown member type", at)
    if header.size < 0:
        raise BrokenError("negative size", at)
    if not _OCTAL.fullmatch(block, 148, 156) or not (_OCTAL.fullmatch(block, 124, 136) or block[124] == _BINARY_SIZE):
        raise BrokenError("malformed header", at)
    if int(header.mtime) >> 63 not in (0, -1) or any(each >> 32 for each in (header.mode, header.uid, header.gid)):
        raise BrokenError("malformed header", at)  # GNU tar refuses what its system cannot hold
    # Only POSIX headers have a name prefix; GNU tar keeps other things there, which tarfile takes for a name.
    if block[345] and block[257:263] != b"ustar\0":
        raise BrokenError("malformed header", at)
    return header


def _member(tape: Tape, header: tarfile.TarInfo, names: dict[bytes, str | None], begin: tuple[int, int]) -> Entry:
    start, at = begin
    kind = _KINDS[header.type]
    if header.size and kind != "file":
        raise BrokenError("size on a member without data", at)  # some readers skip that much, some do not
    if tarfile.GNUTYPE_LONGLINK in names and kind != "link":
        raise BrokenError("stray extended header", at)
    offset = tape.position
    padded = _padded(header.size)
    if tape.skip(padded) < padded:
        raise BrokenError("truncated member", at)
    name = names.get(tarfile.XHDTYPE) or names.get(tarfile.GNUTYPE_LONGNAME) or header.name
    return Entry(kind, name.rstrip("/") if kind == "directory" else name, start, offset + padded, offset, header.size)


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _extended(tape: Tape, header: tarfile.TarInfo, at: int) -> str | None:
    """Return the name that an extended header gives to the next member, if it gives one."""
    pax = header.type in _PAX
    if header.size > (MAX_PAX_BYTES if pax else MAX_NAME_BYTES):
        raise BrokenError("pax header too large" if pax else "long name too large", at)
    data = tape.take(_padded(header.size))
    if len(data) < _padded(header.size):
        raise BrokenError("truncated member", at)
    if pax:
        return pax_path(data, header.size, header.type == tarfile.XGLTYPE, at)
    return long_name(data, header.size, at)
