"""Tars built block by block, well-formed ones and the hostile ones that readers disagree on.

Fields as in POSIX pax interchange format (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html) and
the GNU tar manual, "Basic Tar Format". Every payload is a counter or zeros: no picture is in any of them.
"""

import gzip
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipelines.faults import FaultKind
from pipelines.samples import Problem

BLOCK = 512
RECORD = 10_240
POSIX = b"ustar\x0000"
GNU = b"ustar  \0"
SUFFIXES = ("jpg", "json", "txt")


def header(
    name: bytes, size: int | bytes = 0, kind: bytes = b"0", magic: bytes = POSIX, more: dict[int, bytes] | None = None
) -> bytes:
    """Return one header block with a right checksum; `more` overwrites bytes at given offsets."""
    block = bytearray(BLOCK)
    block[0 : len(name)] = name
    block[100:124] = b"%07o\0%07o\0%07o\0" % (0o644, 0, 0)
    block[124:136] = size if isinstance(size, bytes) else b"%011o\0" % size
    block[136:148] = b"00000000000\0"
    block[156:157] = kind
    block[257:265] = magic
    for offset, value in (more or {}).items():
        block[offset : offset + len(value)] = value
    return summed(bytes(block))


def summed(block: bytes) -> bytes:
    """Return the header block with its checksum made right."""
    blank = block[:148] + b" " * 8 + block[156:]
    return blank[:148] + b"%06o\0 " % sum(blank) + blank[156:]


def padded(data: bytes, fill: bytes = b"\0") -> bytes:
    return data + fill * (-len(data) % BLOCK)


def member(name: bytes, data: bytes = b"", kind: bytes = b"0") -> bytes:
    return header(name, len(data), kind) + padded(data)


def record(key: bytes, value: bytes) -> bytes:
    """Return one pax record, whose length counts its own digits."""
    body = b" " + key + b"=" + value + b"\n"
    length = len(body) + 1
    while len(b"%d" % length) + len(body) != length:
        length += 1
    return b"%d" % length + body


def pax(records: bytes, kind: bytes = b"x") -> bytes:
    return member(b"PaxHeaders/x", records, kind)


def long_name(name: bytes, kind: bytes = b"L") -> bytes:
    return header(b"././@LongLink", len(name) + 1, kind, GNU) + padded(name + b"\0")


def sample(key: str) -> bytes:
    return b"".join(member(f"{key}.{suffix}".encode(), f"{key} {suffix}".encode() * 90) for suffix in SUFFIXES)


def samples(count: int, first: int = 0) -> bytes:
    return b"".join(sample(f"{index:09}") for index in range(first, first + count))


def closed(blocks: bytes) -> bytes:
    """Return the blocks with an end marker, padded to a whole number of records."""
    length = len(blocks) + 2 * BLOCK
    return blocks + bytes(2 * BLOCK + -length % RECORD)


def cut(data: bytes, at: int, block: bytes) -> bytes:
    """Return the data with the block at `at` replaced."""
    return data[:at] + block + data[at + len(block) :]


SAMPLE_BYTES = len(sample("000000000"))


@dataclass(frozen=True)
class Hostile:
    """A hostile tar and what has to come of it.

    `rows` samples are complete; `fault` stops the reading, or None; `problem` is on one of the rows, or None.
    """

    chunks: Callable[[], Iterator[bytes]]
    rows: int
    fault: FaultKind | None = None
    problem: Problem | None = None


def _flipped_checksum() -> Iterator[bytes]:
    data = bytearray(closed(samples(10)))
    data[3 * SAMPLE_BYTES + 148] ^= 1
    yield bytes(data)


def _between(blocks: bytes) -> Callable[[], Iterator[bytes]]:
    """Put blocks between five good samples and five more."""

    def chunks() -> Iterator[bytes]:
        yield closed(samples(5) + blocks + samples(5, 5))

    return chunks


def _two_archives() -> Iterator[bytes]:
    yield closed(samples(3))
    yield closed(member(b"hidden.jpg", b"hidden"))


def _truncated() -> Iterator[bytes]:
    yield samples(5)[: -BLOCK - 7]


def _gzip_bomb() -> Iterator[bytes]:
    zeros = gzip.compress(bytes(1 << 24), 9, mtime=0)
    for _ in range(64):  # 64 gzip members, 1 MB, unpack to 1 GiB
        yield zeros


def _empty_members() -> Iterator[bytes]:
    for index in range(20_000):
        yield header(b"%09d.jpg" % index)
    yield bytes(2 * BLOCK)


def _sized(size: bytes, kind: bytes = b"0") -> bytes:
    return header(b"x.jpg", size, kind)


BASE_256_8GB = b"\x80" + struct.pack(">11s", (8 << 30).to_bytes(11))

HOSTILE: dict[str, Hostile] = {
    "one flipped header checksum in ten samples": Hostile(_flipped_checksum, 2, "bad header checksum"),
    "negative size in octal": Hostile(_between(_sized(b"-0000001000\0")), 4, "negative size"),
    "negative size in base 256": Hostile(_between(_sized(b"\xff" * 12)), 4, "negative size"),
    "second archive after the end marker": Hostile(_two_archives, 3, "data after the end marker"),
    "200 KB pax header of digits": Hostile(_between(pax(b"1" * 200_000)), 4, "pax header too large"),
    "60 KB pax header of digits": Hostile(_between(pax(b"1" * 60_000)), 4, "malformed pax header"),
    "pax sparse 1.0, real size 1 TB": Hostile(
        _between(
            pax(
                record(b"GNU.sparse.major", b"1")
                + record(b"GNU.sparse.minor", b"0")
                + record(b"GNU.sparse.name", b"x.jpg")
                + record(b"GNU.sparse.realsize", b"%d" % (1 << 40))
            )
            + member(b"GNUSparseFile.0/x.jpg", b"1\n0\n1\n")
        ),
        4,
        "sparse member",
    ),
    "old GNU sparse": Hostile(_between(header(b"x.jpg", 0, b"S", GNU)), 4, "sparse member"),
    "pax size override": Hostile(
        _between(pax(record(b"size", b"1024")) + member(b"x.jpg", b"x")), 4, "pax size override"
    ),
    "long name of 8 GB in base 256": Hostile(
        _between(header(b"././@LongLink", BASE_256_8GB, b"L", GNU)), 4, "long name too large"
    ),
    "member of 8 GB in base 256": Hostile(_between(_sized(BASE_256_8GB)), 4, "truncated member"),
    "member of 2**87 bytes in base 256": Hostile(
        _between(_sized(b"\x80" + (1 << 87).to_bytes(11))), 4, "truncated member"
    ),
    "truncated inside a member": Hostile(_truncated, 4, "truncated member"),
    "symbolic link": Hostile(
        _between(header(b"x.jpg", 0, b"2", more={157: b"/etc/passwd"})), 11, problem="link member"
    ),
    "hard link": Hostile(_between(header(b"x.jpg", 0, b"1", more={157: b"000000000.jpg"})), 11, problem="link member"),
    "character device": Hostile(_between(header(b"x.jpg", 0, b"3")), 11, problem="device member"),
    "block device": Hostile(_between(header(b"x.jpg", 0, b"4")), 11, problem="device member"),
    "FIFO": Hostile(_between(header(b"x.jpg", 0, b"6")), 11, problem="FIFO member"),
    "1 MB of gzip for 1 GB of zeros": Hostile(_gzip_bomb, 0, "compressed shard"),
    "20,000 empty members": Hostile(_empty_members, 20_000),
    "name that is not UTF-8": Hostile(_between(member(b"\xff\xfe.jpg", b"x")), 11, problem="unsafe name"),
    "name with a newline": Hostile(_between(member(b"x\ny.jpg", b"x")), 11, problem="unsafe name"),
    "name turned right to left": Hostile(_between(member("x\u202egpj.jpg".encode(), b"x")), 11, problem="unsafe name"),
}
