"""Every raster that an image file carries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from filters.colours import renderings
from filters.containers import TOO_LARGE, TRUNCATED, UNDECODABLE, Layout, layout
from filters.embedded import has_other_media, next_start
from filters.frames import frames, pillow
from filters.letterbox import UNPADDED, unpadded
from filters.tiff import starting_at, uncompressed_thumbnail

NO_IMAGE = "no image"
TOO_MANY_FRAMES = "more frames than the limit"
UNSEEN_FRAMES = "frames that cannot be decoded"
TOO_MANY_EMBEDDED = "more embedded images than the limit"
TOO_DEEP = "images embedded too deeply"
OTHER_MEDIA = "embedded media that cannot be decoded"
AS_STORED = "as stored"

_PASSES = {"": (False, True), TRUNCATED: (True,), UNDECODABLE: (True,), TOO_LARGE: ()}
_DEPTH = 2  # a thumbnail of an appended image is seen, a thumbnail of that thumbnail is not


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a sample is examined before it counts as unexamined, and what its examination may cost."""

    max_frames: int = 64
    max_pixels: int = 64_000_000  # of one raster
    max_decoded_bytes: int = 268_435_456  # of all rasters of a sample
    max_member_bytes: int = 67_108_864
    seconds_per_sample: int = 60
    memory_bytes: int = 2_147_483_648  # of the examining process, beyond its loaded models


@dataclass(frozen=True, slots=True)
class Raster:
    """One picture: uint8 (height, width, 3), RGB, upright; `form` says where in the file it came from."""

    pixels: NDArray[np.uint8] = field(repr=False)
    form: str


@dataclass(frozen=True, slots=True)
class Rasters:
    """All pictures of a sample; `unexamined` says why some could not be seen, empty when all were."""

    rasters: tuple[Raster, ...] = ()
    unexamined: str = ""


def rasters(images: Sequence[bytes], meta: Mapping[str, Any], limits: Limits) -> Rasters:
    """Decode every raster of the image files, and answer for any bytes.

    Forms count from 0, as fingerprints do: "frame 3" is Pillow's `seek(3)`, "file 1, frame 3" that of the second file.
    Several reasons for being unexamined are joined by "; ". Not for use from several threads: Pillow's settings are
    global.
    """
    look = _Look(meta, limits)
    for number, data in enumerate(images):
        try:
            look.at_file(data, (f"file {number}",) if len(images) > 1 else ())
        except (Exception, MemoryError, RecursionError) as error:  # noqa: BLE001 - any bytes are answered
            look.note(_reason(error), 0)
    return Rasters(tuple(look.found), "; ".join(look.reasons) if images else NO_IMAGE)


class _RefusedError(Exception):
    """A limit stands in the way; the message is the reason."""


@dataclass(slots=True)
class _Seen:
    """What became of one picture of a file."""

    layout: Layout
    reason: str
    recognised: bool = False
    frames: int = 0
    declared: int = 1  # pictures that an MPO says it holds, this one included


class _Look:
    """What has been found in one sample so far, and what that has cost."""

    def __init__(self, meta: Mapping[str, Any], limits: Limits) -> None:
        self.found: list[Raster] = []
        self.reasons: dict[str, None] = {}  # each once, in order
        self._meta = meta
        self._limits = limits
        self._bytes = 0
        self._attempts = 0

    def at_file(self, data: bytes, parts: tuple[str, ...]) -> None:
        """Look at one member: its picture, what is attached to it and what lies behind its end."""
        self._attempts = 0
        if len(data) > self._limits.max_member_bytes:
            self.note(TOO_LARGE, 0)
            return
        seen = self._picture(data, parts, 0)
        if not seen.recognised:
            self._scan(data, 1, (*parts, "embedded image"), 0)
            return
        behind = "frame" if seen.declared > 1 else "appended image"
        if self._scan(data, seen.layout.end, (*parts, behind), 0) + 1 < seen.declared:
            self.note(TRUNCATED, 0)
        if has_other_media(data, seen.layout.end):
            self.note(OTHER_MEDIA, 0)

    def _picture(self, data: bytes, parts: tuple[str, ...], depth: int) -> _Seen:
        """Decode the picture that `data` begins with, and whatever is attached to it."""
        framing = layout(data)
        seen = _Seen(framing, framing.fault)
        # What strict decoding refuses may still be known material: see what can be seen, and stay unexamined.
        for tolerant in _PASSES[framing.fault]:
            try:
                with pillow(data, self._limits.max_pixels, tolerant):
                    for image in frames(data, seen.frames, self._admit):
                        self._keep(image, parts, seen, depth)
                break
            except _RefusedError as refused:
                seen.recognised, seen.reason = True, seen.reason or str(refused)
                break
            except UnidentifiedImageError:
                seen.reason = seen.reason or UNDECODABLE
            except (Exception, MemoryError, RecursionError) as error:  # noqa: BLE001 - Pillow raises a dozen kinds
                seen.recognised, seen.reason = True, seen.reason or _reason(error)
        if not seen.reason and seen.frames < (framing.frames or 0):
            seen.reason = UNSEEN_FRAMES
        if seen.recognised or not depth:  # what merely looked like the start of a picture was none
            self.note(seen.reason, depth)
        if seen.recognised:
            self._attached(data, seen, parts, depth)
        return seen

    def _admit(self, number: int, size: tuple[int, int]) -> None:
        pixels = size[0] * size[1]
        if number >= self._limits.max_frames:
            raise _RefusedError(TOO_MANY_FRAMES)
        if pixels > self._limits.max_pixels or self._bytes + 3 * pixels > self._limits.max_decoded_bytes:
            raise _RefusedError(TOO_LARGE)

    def _keep(self, image: Image.Image, parts: tuple[str, ...], seen: _Seen, depth: int) -> None:
        seen.recognised = True
        here = (*parts, f"frame {seen.frames}") if seen.frames else parts
        for name, pixels in renderings(image):
            self._add(pixels, (*here, name) if name else here)
            if not (depth or seen.frames or name) and (inner := unpadded(pixels, self._meta)) is not None:
                self._add(np.ascontiguousarray(inner), (*here, UNPADDED))
        if image.format == "MPO":
            seen.declared = getattr(image, "n_frames", 1)
        seen.frames += 1

    def _add(self, pixels: NDArray[np.uint8], parts: tuple[str, ...]) -> None:
        self._admit(0, (pixels.shape[1], pixels.shape[0]))
        self._bytes += pixels.nbytes
        bare = not parts or (len(parts) == 1 and parts[0].startswith("file "))
        self.found.append(Raster(pixels, ", ".join((*parts, AS_STORED) if bare else parts)))

    def _attached(self, data: bytes, seen: _Seen, parts: tuple[str, ...], depth: int) -> None:
        for block in seen.layout.attached:
            name = (*parts, "EXIF thumbnail" if block.exif else "embedded image")
            self._scan(block.data, 0, name, depth, appended=False)
            if block.exif and (thumbnail := uncompressed_thumbnail(block.data)):
                self._try(thumbnail, name, depth)
        for directory in seen.layout.beneath:
            self._try(starting_at(data, directory), (*parts, "sub-image"), depth)

    def _scan(self, data: bytes, at: int, parts: tuple[str, ...], depth: int, appended: bool = True) -> int:
        """Look at every picture that begins in `data` from `at` on; return how many did."""
        count = 0
        while (start := next_start(data, at, appended)) is not None:
            numbered = parts if not count and parts[-1] != "frame" else (*parts[:-1], f"{parts[-1]} {count + 1}")
            seen = self._try(data[start:], numbered, depth)
            if seen is None:
                break
            count += seen.recognised
            at = start + (max(1, seen.layout.end) if seen.recognised else 1)
        return count

    def _try(self, data: bytes, parts: tuple[str, ...], depth: int) -> _Seen | None:
        self._attempts += 1
        if self._attempts > self._limits.max_frames:
            self.note(TOO_MANY_EMBEDDED, 0)
            return None
        if depth == _DEPTH:
            self.note(TOO_DEEP, 0)
            return None
        return self._picture(data, parts, depth + 1)

    def note(self, reason: str, depth: int) -> None:
        """Record why something could not be seen; an empty reason is none."""
        if reason:
            self.reasons[f"embedded image: {reason}" if depth else reason] = None


def _reason(error: BaseException) -> str:
    if isinstance(error, MemoryError | Image.DecompressionBombError | Image.DecompressionBombWarning):
        return TOO_LARGE
    return TRUNCATED if isinstance(error, EOFError) or "truncated" in str(error) else UNDECODABLE
