"""Planted photographs: views on the demonstration hash list, as files that have been through hands.

The list is about ordinary photographs. Its category "csam" is a coded test category and describes none of them.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from PIL import Image, ImageOps

from pipelines.demo.encode import animation, encoded, jpeg, mirrored, png, webp, with_thumbnail
from pipelines.demo.photos import View
from pipelines.demo.rows import WITHHELD, Plant, Row, digest
from pipelines.demo.studio import Studio

DIGESTS, PERCEPTUAL = "digests", "perceptual"
FRAMES, LISTED_FRAME = 24, 17
HashKind = Literal["sha256", "md5", "pdq"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the demonstration hash list: which hash, and its value in hex."""

    kind: HashKind
    value: str


def pdq(view: View) -> Entry:
    """Return the entry by which this view is known whatever becomes of the file."""
    import pdqhash

    bits, _ = pdqhash.compute(view.pixels)
    return Entry("pdq", np.packbits(bits.astype(np.uint8)).tobytes().hex())


# What a file shows, given the listed picture and an ordinary one to hide it in.
Disguise = Callable[[Image.Image, Image.Image], bytes]


def _re_encoded(listed: Image.Image, other: Image.Image) -> bytes:
    return jpeg(listed, 30, subsampling=2)


def _resized(listed: Image.Image, other: Image.Image) -> bytes:
    return jpeg(listed.resize((listed.width // 2, listed.height // 2), Image.Resampling.BILINEAR), 80)


def _mirrored(listed: Image.Image, other: Image.Image) -> bytes:
    return jpeg(mirrored(listed))


def _turned(listed: Image.Image, other: Image.Image) -> bytes:
    return jpeg(listed.transpose(Image.Transpose.ROTATE_90))


def _inverted(listed: Image.Image, other: Image.Image) -> bytes:
    return jpeg(ImageOps.invert(listed))


def _grey(listed: Image.Image, other: Image.Image) -> bytes:
    return jpeg(listed.convert("L"))


def _palette(listed: Image.Image, other: Image.Image) -> bytes:
    return png(listed.quantize(64))


def _cmyk(listed: Image.Image, other: Image.Image) -> bytes:
    return jpeg(listed.convert("CMYK"))


def _sixteen_bits(listed: Image.Image, other: Image.Image) -> bytes:
    grey = np.asarray(listed.convert("L")).astype(np.uint16) * 257
    return png(Image.fromarray(grey))


def _frame(kind: str) -> Disguise:
    def disguised(listed: Image.Image, other: Image.Image) -> bytes:
        still = other.resize((240 + FRAMES, 180))
        frames = [still.crop((number, 0, number + 240, 180)) for number in range(FRAMES)]
        frames[LISTED_FRAME] = listed.resize((240, 180))
        return animation(frames, kind)

    return disguised


def _thumbnail(listed: Image.Image, other: Image.Image) -> bytes:
    small = listed.copy()
    small.thumbnail((240, 240))
    return with_thumbnail(other, small)


def _appended(listed: Image.Image, other: Image.Image) -> bytes:
    return jpeg(other) + jpeg(listed)


def _second_picture(listed: Image.Image, other: Image.Image) -> bytes:
    return encoded(other, "MPO", save_all=True, append_images=[listed], quality=85)


def _on_black_only(listed: Image.Image, other: Image.Image) -> bytes:
    white = Image.new("RGB", listed.size, "white")
    white.putalpha(listed.convert("L"))  # white on white shows nothing, white on black shows the picture
    return png(white)


def _under_full_transparency(listed: Image.Image, other: Image.Image) -> bytes:
    clear = listed.copy()
    clear.putalpha(0)  # a loader that drops alpha, as `convert("RGB")` does, trains on what lies below
    return png(clear)


DISGUISES: tuple[tuple[str, str, Disguise], ...] = (
    ("re-encoded at quality 30", "jpg", _re_encoded),
    ("half the size", "jpg", _resized),
    ("mirrored", "jpg", _mirrored),
    ("turned by 90 degrees", "jpg", _turned),
    ("inverted", "jpg", _inverted),
    ("grey", "jpg", _grey),
    ("palette of 64 colours", "png", _palette),
    ("CMYK", "jpg", _cmyk),
    ("16 bits", "png", _sixteen_bits),
    ("lossy WebP", "webp", lambda listed, other: webp(listed, 60)),
    ("frame 17 of 24 of a GIF", "gif", _frame("GIF")),
    ("frame 17 of 24 of an animated WebP", "webp", _frame("WEBP")),
    ("frame 17 of 24 of an animated PNG", "png", _frame("PNG")),
    ("EXIF thumbnail", "jpg", _thumbnail),
    ("second image after the end of a JPEG", "jpg", _appended),
    ("second picture of an MPO", "jpg", _second_picture),
    ("hidden in alpha, visible on black only", "png", _on_black_only),
    ("hidden under full transparency", "png", _under_full_transparency),
)


def known_files(studio: Studio) -> Iterator[tuple[Row, Entry]]:
    """Yield rows whose bytes or recorded digest are listed, each with its entry; no PDQ of theirs is on the list."""
    row = studio.row(studio.view(), "as downloaded", Plant("listed bytes: sha256", WITHHELD, DIGESTS))
    yield row, Entry("sha256", digest(row.image))
    row = studio.row(studio.view(), "as downloaded", Plant("listed bytes: md5", WITHHELD, DIGESTS))
    yield row, Entry("md5", hashlib.md5(row.image, usedforsecurity=False).hexdigest())
    row = studio.row(studio.view(), "keep ratio", Plant("listed digest of the download only", WITHHELD, DIGESTS))
    yield row, Entry("sha256", row.sha256)


def known_pictures(studio: Studio) -> Iterator[tuple[Row, Entry]]:
    """Yield a row for each disguise of a listed picture, with its entry."""
    for case, suffix, disguise in DISGUISES:
        listed = studio.scene()
        data = disguise(listed.image, studio.thing().image)
        row = studio.stored(listed, data, "as downloaded", Plant(f"listed picture: {case}", WITHHELD, PERCEPTUAL))
        yield replace(row, suffix=suffix), pdq(listed)


def bordered_pictures(studio: Studio, count: int) -> Iterator[tuple[Row, Entry]]:
    """Yield rows that hold a listed picture as img2dataset's border mode stores it, with their entries."""
    for _ in range(count):
        listed = studio.wide()
        plant = Plant("listed picture: border mode, 256 pixels", WITHHELD, PERCEPTUAL)
        yield studio.row(listed, "border", plant), pdq(listed)
