"""The framing of image files, read without decoding a pixel: where the picture ends, and whether all of it is there.

Decoders are lenient: Pillow skips the checksums of PNG pixel data, takes an animation without its last frames for a
shorter one, and never says what lies behind the end. What is known here is what a decoder cannot be asked.
"""

import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from filters.tiff import STARTS, SUB_DIRECTORIES, directories

TRUNCATED = "truncated"
UNDECODABLE = "undecodable"
TOO_LARGE = "too large to examine"

_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_PARTS = 65_536  # segments, chunks or comment blocks; Pillow needs hours for millions of them
_EXIF_NAMES = (b"Exif", b"eXIf", b"EXIF")
# A marker that is neither a stuffed 0xFF, a fill byte, TEM nor a restart: it ends a scan and starts a segment.
_JPEG_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])", re.DOTALL)
_GIF_BLOCK = re.compile(rb"[\x21\x2c\x3b]")  # stray bytes between blocks are skipped, as Pillow does
_BOXES = re.compile(rb"ftyp|styp|meta|mdat|moov|moof|mfra|meco|free|skip|uuid|pdin|sidx|ssix|prft|idat")
_BMP_HEADER = struct.Struct("<2sI4xIIiiHHI")


@dataclass(frozen=True, slots=True)
class Attached:
    """Bytes beside the pixels that may hold a picture of their own; `exif` where they are an EXIF block."""

    data: bytes = field(repr=False)
    exif: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """What the framing says of a picture.

    `end` is the offset behind it, `fault` what is wrong ("" is nothing), `frames` their number where it is told, and
    `beneath` the offsets of the directories of a TIFF's sub-images.
    """

    end: int
    fault: str = ""
    frames: int | None = None
    beneath: tuple[int, ...] = ()
    attached: tuple[Attached, ...] = ()


def layout(data: bytes) -> Layout:
    """Read the framing of an image file; a format without framing ends where the bytes end."""
    reader = next((read for accepts, read in _READERS if accepts(data)), None)
    if reader is None:
        return Layout(len(data))
    try:
        return reader(data)
    except (IndexError, OverflowError, struct.error):
        return Layout(len(data), TRUNCATED)


def _jpeg(data: bytes) -> Layout:
    """ITU-T T.81, annex B: segments up to EOI; those of one kind continue one another, as in long EXIF blocks."""
    segments: dict[tuple[int, bytes], bytearray] = {}
    fault, at = TRUNCATED, 2
    for _ in range(_MOST_PARTS):
        found = _JPEG_MARKER.search(data, at)
        if not found:
            break
        marker = found[1][0]
        if marker == 0xD8:  # another picture begins before this one has ended
            at = found.start()
            break
        at = found.end()
        if marker == 0xD9:
            fault = ""
            break
        size = int.from_bytes(data[at : at + 2])
        if 0xE0 <= marker <= 0xEF or marker == 0xFE:
            name, _, rest = data[at + 2 : at + size].partition(b"\0")
            body = rest.removeprefix(b"\0") if name in _EXIF_NAMES else rest or name
            segments.setdefault((marker, name[:32]), bytearray()).extend(body)
        at += size
    else:
        fault = TOO_LARGE
    attached = tuple(Attached(bytes(body), name in _EXIF_NAMES) for (_, name), body in segments.items())
    return Layout(min(at, len(data)), fault, 1, attached=attached)


def _png(data: bytes) -> Layout:
    """PNG, third edition, sections 5 and 11.3.5: chunks up to IEND, each with its checksum."""
    view, at, fault = memoryview(data), len(_PNG), ""
    controls, still = 0, False
    attached: list[Attached] = []
    for _ in range(_MOST_PARTS):
        if at + 12 > len(data):
            break
        size, kind = struct.unpack_from(">I4s", data, at)
        body, after = at + 8, at + 12 + size
        if after > len(data):
            break
        if zlib.crc32(view[at + 4 : after - 4]) != int.from_bytes(view[after - 4 : after]):
            fault = UNDECODABLE
        if kind == b"IEND":
            return Layout(after, fault, max(1, controls + (still and controls > 0)), attached=tuple(attached))
        if kind == b"fcTL":
            controls += 1
        elif kind == b"IDAT":
            still |= controls == 0  # a still picture ahead of the animation, and not part of it
        elif kind != b"fdAT":
            attached.append(Attached(bytes(view[body : after - 4]), kind in _EXIF_NAMES))
        at = after
    else:
        return Layout(at, TOO_LARGE)
    return Layout(at, TRUNCATED, attached=tuple(attached))


def _gif(data: bytes) -> Layout:
    """GIF89a, appendix B: blocks up to the trailer."""
    at, frames, comments = 13 + _gif_palette(data[10]), 0, 0
    while found := _GIF_BLOCK.search(data, at):
        at = found.start()
        if data[at] == 0x3B:
            return Layout(at + 1, "", frames)
        pixels = data[at] == 0x2C
        frames += pixels
        at += 11 + _gif_palette(data[at + 9]) if pixels else 2
        while size := data[at]:
            at += size + 1
            comments += not pixels
            if comments > _MOST_PARTS:
                return Layout(at, TOO_LARGE)
        at += 1
    return Layout(min(at, len(data)), TRUNCATED, frames)


def _gif_palette(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _webp(data: bytes) -> Layout:
    """RFC 9649: a RIFF of chunks padded to even sizes; a still picture is one bitstream chunk, a frame one ANMF."""
    end = 8 + int.from_bytes(data[4:8], "little")
    at, frames = 12, 0
    attached: list[Attached] = []
    while at + 8 <= end <= len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        if at + 8 + size > end:
            return Layout(end, TRUNCATED, attached=tuple(attached))
        if kind in (b"ANMF", b"VP8 ", b"VP8L"):
            frames += 1
        elif kind not in (b"VP8X", b"ALPH", b"ANIM"):
            attached.append(Attached(data[at + 8 : at + 8 + size], kind in _EXIF_NAMES))
        at += 8 + size + (size & 1)
    return Layout(min(end, len(data)), TRUNCATED if end > len(data) else "", frames, attached=tuple(attached))


def _avif(data: bytes) -> Layout:
    """ISO/IEC 14496-12: boxes up to what is none, or begins another file; any of it may hold an EXIF block."""
    at = 0
    while at + 8 <= len(data) and _BOXES.match(data, at + 4) and not (at and data[at + 4 : at + 8] == b"ftyp"):
        size = int.from_bytes(data[at : at + 4])
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16])
        at = at + size if size else len(data)
        if at > len(data) or 0 < size < 8:
            return Layout(len(data), TRUNCATED)
    return Layout(at, "", attached=(Attached(data[8:at]),))


def _tiff(data: bytes) -> Layout:
    """TIFF 6.0, section 2: what lies where is told by offsets alone, so nothing can be said to lie behind the end."""
    pages = list(directories(data))
    fault = TRUNCATED if any(page.end > len(data) for page in pages) else ""
    beneath = (at for page in pages for at in page.tags.get(SUB_DIRECTORIES, ()))
    return Layout(len(data), fault, len(pages), tuple(at for at in beneath if 0 < at < len(data)))


def _bmp(data: bytes) -> Layout:
    """A bitmap without compression ends with its last row, whatever the header says; any other where it says."""
    _, size, start, header, width, height, _, depth, compression = _BMP_HEADER.unpack_from(data)
    if header >= 40 and compression in (0, 3):
        size = start + (abs(width) * depth + 31) // 32 * 4 * abs(height)
    return Layout(size if _BMP_HEADER.size <= size <= len(data) else len(data))


_READERS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], Layout]], ...] = (
    (lambda data: data.startswith(b"\xff\xd8\xff"), _jpeg),
    (lambda data: data.startswith(_PNG), _png),
    (lambda data: data.startswith((b"GIF87a", b"GIF89a")), _gif),
    (lambda data: data.startswith(b"RIFF") and data[8:12] == b"WEBP", _webp),
    (lambda data: data[4:8] == b"ftyp", _avif),
    (lambda data: data.startswith(b"BM"), _bmp),
    (lambda data: data.startswith(STARTS), _tiff),
)
