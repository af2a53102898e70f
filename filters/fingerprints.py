"""Digests and perceptual hashes of a sample: what it is matched by, and tied to others by."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from filters.letterbox import recorded_size
from filters.pdq import dihedral
from filters.rasters import Raster, Rasters

DIGESTS = {"md5": 16, "sha1": 20, "sha256": 32}  # kind -> bytes
PERCEPTUAL = {"pdq": 32, "phash": 8}  # kind -> bytes
RECORDED = "recorded original"

# The order in which pdqhash.compute_dihedral answers, in Pillow's words: rotations are counter-clockwise, "flipped" is
# upside down, "mirrored" left to right. Agrees with the reference vectors of facebook/ThreatExchange,
# pdq/cpp/bin/README.md (read 2026-11-21): eight distances of 8 bits.
DIHEDRAL = ("", "rotated 90", "rotated 180", "rotated 270", "flipped", "mirrored", "transposed", "transversed")

MAX_HASHED_PIXELS = 8_000_000  # pdqhash holds about 80 bytes per pixel; above, shrinking first moves 0-4 bits of 256
MAX_ENLARGED_PIXELS = 640_000  # beyond, PDQ hardly moves and costs more than all else together
_MIN_SIDE = 5  # pixels; below, PDQ is undefined: MIN_HASHABLE_DIM, pdq/cpp/hashing/pdqhashing.cpp


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One digest or perceptual hash.

    `kind` is "md5", "sha1", "sha256", "pdq" or "phash"; `form` says of what ("file 0", "recorded original",
    "as stored, mirrored"); `quality` is PDQ's 0-100 and None elsewhere. Among PDQ hashes of quality under 50 nearness
    means nothing: flat pictures are all alike.
    """

    kind: str
    form: str
    value: bytes = field(repr=False)
    quality: int | None = None


def fingerprints(images: Sequence[bytes], meta: Mapping[str, Any], pictures: Rasters) -> tuple[Fingerprint, ...]:
    """Return every digest and perceptual hash of a sample.

    Digests are of each file's bytes and, where img2dataset recorded them, of the original download. PDQ is taken of
    each raster in its eight dihedral forms, pHash (imagehash) of each raster as it stands. The inverted picture needs
    no hash of its own: its PDQ is the complement. A raster with a side under 5 pixels has no perceptual hash.

    Where img2dataset recorded that the picture was larger, PDQ is also taken of it at that size: the hash of a small
    picture can lie further from that of the large one than a match allows, and enlarging brings it back.
    """
    return (
        *(each for number, image in enumerate(images) for each in _digests(image, f"file {number}")),
        *_recorded(meta),
        *(each for raster in pictures.rasters for each in _perceptual(raster)),
        *(each for raster in pictures.rasters for each in _pdq(_enlarged(raster, meta))),
    )


def upright(pictures: Rasters, meta: Mapping[str, Any]) -> Iterator[Raster]:
    """Yield every picture that PDQ is taken of, before it is turned, mirrored or inverted."""
    for raster in pictures.rasters:
        if min(raster.pixels.shape[:2]) >= _MIN_SIDE:
            yield Raster(_shrunk(raster.pixels), raster.form)
    yield from filter(None, (_enlarged(raster, meta) for raster in pictures.rasters))


def _digests(image: bytes, form: str) -> Iterator[Fingerprint]:
    for kind in DIGESTS:
        yield Fingerprint(kind, form, hashlib.new(kind, image, usedforsecurity=False).digest())


def _recorded(meta: Mapping[str, Any]) -> Iterator[Fingerprint]:
    """Yield img2dataset's digests of the raw download, taken before it was resized and encoded again."""
    for kind, size in DIGESTS.items():
        value = meta.get(kind)
        if isinstance(value, str) and re.fullmatch(f"[0-9A-Fa-f]{{{2 * size}}}", value):
            yield Fingerprint(kind, RECORDED, bytes.fromhex(value))


def _perceptual(raster: Raster) -> Iterator[Fingerprint]:
    import imagehash  # here, as scipy makes it slow to import

    if min(raster.pixels.shape[:2]) < _MIN_SIDE:
        return
    shrunk = Raster(_shrunk(raster.pixels), raster.form)
    yield from _pdq(shrunk)
    phash = imagehash.phash(Image.fromarray(shrunk.pixels)).hash
    yield Fingerprint("phash", raster.form, np.packbits(phash).tobytes())


def _pdq(raster: Raster | None) -> Iterator[Fingerprint]:
    if raster is None:
        return
    hashes, quality = dihedral(raster.pixels)
    for turned, value in zip(DIHEDRAL, hashes, strict=True):
        form = f"{raster.form}, {turned}" if turned else raster.form
        yield Fingerprint("pdq", form, value.tobytes(), quality)


def _enlarged(raster: Raster, meta: Mapping[str, Any]) -> Raster | None:
    """Return the raster at its recorded size, or None where that is not larger or has another shape."""
    recorded = recorded_size(meta)
    height, width = raster.pixels.shape[:2]
    if recorded is None or recorded[0] <= width or min(height, width) < _MIN_SIDE:
        return None
    if abs(recorded[0] * height - recorded[1] * width) > max(recorded):  # more than rounding by a pixel explains
        return None
    scale = min(1.0, (MAX_ENLARGED_PIXELS / (recorded[0] * recorded[1])) ** 0.5)
    size = max(width, round(recorded[0] * scale)), max(height, round(recorded[1] * scale))
    enlarged = Image.fromarray(raster.pixels).resize(size, Image.Resampling.BICUBIC)
    return Raster(np.asarray(enlarged), f"{raster.form}, at recorded size")


def _shrunk(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    factor = 1
    while (height // factor) * (width // factor) > MAX_HASHED_PIXELS:
        factor += 1
    if factor == 1 or min(height, width) // factor < _MIN_SIDE:
        return np.ascontiguousarray(pixels)
    return np.array(Image.fromarray(pixels).reduce(factor))
