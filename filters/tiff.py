"""The directories of a TIFF file, which EXIF blocks are as well: one per picture, chained by offsets."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

SUB_DIRECTORIES = 330
STRIPS = (273, 279)  # offsets, sizes
TILES = (324, 325)
_WANTED = (*STRIPS, *TILES, SUB_DIRECTORIES)
_INTEGERS = {3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_MOST_DIRECTORIES = 4096


@dataclass(frozen=True, slots=True)
class Directory:
    """One picture's directory: its offset, and the values of the tags that say where its pixels and sub-images lie."""

    offset: int
    tags: dict[int, tuple[int, ...]]

    @property
    def end(self) -> int:
        """The offset behind the last byte of its pixels."""
        return max(
            (
                offset + size
                for offsets, sizes in (STRIPS, TILES)
                for offset, size in zip(self.tags.get(offsets, ()), self.tags.get(sizes, ()), strict=False)
            ),
            default=0,
        )


def directories(data: bytes) -> Iterator[Directory]:
    """Yield the chained directories of TIFF 6.0 or BigTIFF; struct.error is raised for one outside of the bytes."""
    order, wide = "<" if data.startswith(b"II") else ">", data[2:4] in (b"+\0", b"\0+")
    count, pointer = (order + "Q", order + "Q") if wide else (order + "H", order + "I")
    at, seen = struct.unpack_from(pointer, data, 8 if wide else 4)[0], set[int]()
    entry = 20 if wide else 12
    while at and at not in seen and len(seen) < _MOST_DIRECTORIES:
        seen.add(at)
        first, entries = at + struct.calcsize(count), struct.unpack_from(count, data, at)[0]
        following = struct.unpack_from(pointer, data, first + entry * entries)[0]
        found = (_entry(data, first + entry * each, order, pointer) for each in range(entries))
        yield Directory(at, dict(pair for pair in found if pair))
        at = following


def starting_at(data: bytes, directory: int) -> bytes:
    """Return the file with its first directory at this offset, which opens a thumbnail or sub-image by itself."""
    order = "<" if data.startswith(b"II") else ">"
    if data[2:4] in (b"+\0", b"\0+"):
        return data[:8] + struct.pack(order + "Q", directory) + data[16:]
    return data[:4] + struct.pack(order + "I", directory) + data[8:]


def uncompressed_thumbnail(exif: bytes) -> bytes | None:
    """Return the thumbnail of an EXIF block as a TIFF file, where it is stored as rows of pixels and not as JPEG."""
    start = next((at for at in range(8) if exif.startswith(STARTS, at)), None)
    if start is None:
        return None
    try:
        thumbnail = list(directories(exif[start:]))[1:2]
    except (OverflowError, struct.error):
        return None
    return starting_at(exif[start:], thumbnail[0].offset) if thumbnail and thumbnail[0].end else None


def _entry(data: bytes, at: int, order: str, pointer: str) -> tuple[int, tuple[int, ...]] | None:
    tag, kind = struct.unpack_from(order + "HH", data, at)
    if tag not in _WANTED or kind not in _INTEGERS:
        return None
    number = struct.unpack_from(pointer, data, at + 4)[0]
    values = at + 4 + struct.calcsize(pointer)
    if number * struct.calcsize(order + _INTEGERS[kind]) > struct.calcsize(pointer):
        values = struct.unpack_from(pointer, data, values)[0]
    return tag, struct.unpack_from(f"{order}{min(number, len(data))}{_INTEGERS[kind]}", data, values)
