"""Digests and perceptual hashes of a sample: what it is matched by, and tied to others by."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from filters.crops import parts
from filters.forms import AT, SQUEEZED, Whole, resized, whole
from filters.luma import resized as scaled
from filters.pdq import dihedral
from filters.pdqgrid import turned_at
from filters.rasters import Rasters

DIGESTS = {"md5": 16, "sha1": 20, "sha256": 32}  # kind -> bytes
PERCEPTUAL = {"pdq": 32, "phash": 8}  # kind -> bytes
PART = "pdq-part"  # PDQ of a part of a picture, or of what it may be a part of; on no list
BYTES = {**DIGESTS, **PERCEPTUAL, PART: 32}  # every kind of a fingerprint -> bytes
_PHASH_SIDE = 32  # pixels, to which imagehash scales a picture first
RECORDED = "recorded original"
SIZED = AT  # what stands before the size, in the name of a form at a size that the picture does not have
ALIKE = f"{AT}{SQUEEZED[0]} x {SQUEEZED[0]}"  # the size at which copies of all sizes are most alike
IN_TABLE = "recorded in the table"  # of a row that has no picture

# The order in which pdqhash.compute_dihedral answers, in Pillow's words: rotations are counter-clockwise, "flipped" is
# upside down, "mirrored" left to right. Agrees with the reference vectors of facebook/ThreatExchange,
# pdq/cpp/bin/README.md (read 2026-11-21): eight distances of 8 bits.
DIHEDRAL = ("", "rotated 90", "rotated 180", "rotated 270", "flipped", "mirrored", "transposed", "transversed")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One digest or perceptual hash.

    `kind` is "md5", "sha1", "sha256", "pdq", "phash" or "pdq-part"; `form` says of what ("file 0", "recorded original",
    "as stored, mirrored"); `quality` is PDQ's 0-100 and None elsewhere. Among PDQ hashes of quality under 50 nearness
    means nothing: flat pictures are all alike.
    """

    kind: str
    form: str
    value: bytes = field(repr=False)
    quality: int | None = None


def fingerprints(images: Sequence[bytes], meta: Mapping[str, Any], pictures: Rasters) -> tuple[Fingerprint, ...]:
    """Return every digest and perceptual hash of a sample.

    Digests are of each file's bytes and, where img2dataset recorded them, of the original download. pHash (imagehash)
    is taken of each raster and of each without its border. PDQ is taken of both in their eight dihedral forms, as of
    the picture turned: what `filters.pdq.dihedral` derives from the upright one can be 40 bits away. Of both at other
    sizes (filters/forms.py) it is upright only: `filters.pdq.turned` has the other seven, near enough. The inverted
    picture needs no hash of its own: its PDQ is the complement. Parts of a picture, and what it may be a part of, are
    hashed upright (filters/crops.py). A raster with a side under 5 pixels has no perceptual hash.
    """
    return (
        *(each for number, image in enumerate(images) for each in _digests(image, f"file {number}")),
        *_recorded(meta),
        *(each for picture in whole(pictures.rasters) for each in _perceptual(picture, meta)),
    )


def _digests(image: bytes, form: str) -> Iterator[Fingerprint]:
    for kind in DIGESTS:
        yield Fingerprint(kind, form, hashlib.new(kind, image, usedforsecurity=False).digest())


def _recorded(meta: Mapping[str, Any]) -> Iterator[Fingerprint]:
    """Yield img2dataset's digests of the raw download, taken before it was resized and encoded again."""
    for kind, size in DIGESTS.items():
        value = meta.get(kind)
        if isinstance(value, str) and re.fullmatch(f"[0-9A-Fa-f]{{{2 * size}}}", value):
            yield Fingerprint(kind, RECORDED, bytes.fromhex(value))


def _perceptual(picture: Whole, meta: Mapping[str, Any]) -> Iterator[Fingerprint]:
    import imagehash  # here, as scipy makes it slow to import

    form = picture.raster.form
    hashes, quality = dihedral(picture.raster.pixels)
    yield Fingerprint("pdq", form, hashes[0].tobytes(), quality)
    for turned, value in zip(DIHEDRAL[1:], turned_at(picture.grid, picture.size)[1:], strict=True):
        yield Fingerprint("pdq", f"{form}, {turned}", value.tobytes(), quality)
    small = Image.fromarray(scaled(picture.grey, (_PHASH_SIDE, _PHASH_SIDE), smooth=True))  # as imagehash scales it
    yield Fingerprint("phash", form, np.packbits(imagehash.phash(small).hash).tobytes())
    for name, value in resized(picture, meta):
        yield Fingerprint("pdq", name, value, quality)
    if picture.parts:
        for name, part, clear in parts(picture.grid, picture.size, meta):
            yield Fingerprint(PART, f"{form}, {name}", part, clear)
