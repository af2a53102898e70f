"""Image files made to measure: every format, and the framing faults that a writer never produces."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tests.filters import photos

Pixels = NDArray[np.uint8]


def photo(size: tuple[int, int] = (96, 64), which: tuple[str, str] = photos.CHINA) -> Image.Image:
    """An ordinary photograph, small."""
    with Image.open(photos.file(which)) as opened:
        return opened.convert("RGB").resize(size, Image.Resampling.LANCZOS)


def shape(kind: str = "ellipse", size: tuple[int, int] = (96, 64), colour: str = "white") -> Image.Image:
    """A drawn shape on black."""
    image = Image.new("RGB", size)
    box = (size[0] // 4, size[1] // 4, size[0] * 3 // 4, size[1] * 3 // 4)
    getattr(ImageDraw.Draw(image), kind)(box, fill=colour)
    return image


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The image as a file of this format."""
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def animation(kind: str, images: Sequence[Image.Image], **options: Any) -> bytes:
    """The images as frames or pages of one file."""
    return encoded(images[0], kind, save_all=True, append_images=list(images[1:]), **options)


def exif(thumbnail: bytes, orientation: int | None = None) -> bytes:
    """An EXIF block whose second directory points to a JPEG thumbnail, as cameras write it."""
    first = [struct.pack("<HHIHH", 0x112, 3, 1, orientation, 0)] if orientation else []
    second = 8 + 2 + 12 * len(first) + 4
    start = second + 2 + 2 * 12 + 4
    tags = [struct.pack("<HHII", 513, 4, 1, start), struct.pack("<HHII", 514, 4, 1, len(thumbnail))]
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + directory(first, second) + directory(tags, 0) + thumbnail


def exif_in_rows(thumbnail: Image.Image) -> bytes:
    """An EXIF block with a thumbnail of uncompressed RGB rows, the other kind that the standard allows."""
    second, number = 8 + 2 + 4, 8
    depths = second + 2 + 12 * number + 4
    tags = {256: thumbnail.width, 257: thumbnail.height, 259: 1, 262: 2, 273: depths + 6, 277: 3}
    tags[279] = thumbnail.width * thumbnail.height * 3
    entries = {tag: struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items()}
    entries[258] = struct.pack("<HHII", 258, 3, 3, depths)
    block = directory([], second) + directory([entries[tag] for tag in sorted(entries)], 0)
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + block + struct.pack("<3H", 8, 8, 8) + thumbnail.tobytes()


def directory(entries: Sequence[bytes], following: int) -> bytes:
    """A TIFF directory, little-endian."""
    return struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", following)


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG: kind and body."""
    at = 8
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + 8 + size]
        at += 12 + size


def png(chunks: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A PNG of these chunks, their checksums right."""
    body = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def near(one: Pixels, other: Pixels | Image.Image, within: float = 12.0) -> bool:
    """Whether two pictures show the same, give or take what encoding does to it."""
    theirs = np.asarray(other)
    return one.shape == theirs.shape and float(np.abs(one.astype(float) - theirs.astype(float)).mean()) <= within
