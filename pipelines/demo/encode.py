"""Pictures as files: the encodings of the web, and the resize modes of img2dataset."""

import io
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageOps

BORDER_SIZE = 256  # pixels, img2dataset's default image_size
KEEP_RATIO_SIZE = 512  # pixels of the shorter side, as many published recipes choose


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return the image as a file of this kind ("JPEG", "PNG", ...)."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def jpeg(image: Image.Image, quality: int = 90, **options: Any) -> bytes:
    """Return a JPEG file."""
    return encoded(image, "JPEG", quality=quality, **options)


def png(image: Image.Image) -> bytes:
    """Return a PNG file, written for speed rather than size."""
    return encoded(image, "PNG", compress_level=1)


def webp(image: Image.Image, quality: int = 85) -> bytes:
    """Return a lossy WebP file."""
    return encoded(image, "WEBP", quality=quality, method=0)


def animation(frames: Sequence[Image.Image], kind: str = "GIF") -> bytes:
    """Return an animation of these frames, each shown for 80 ms."""
    options: dict[str, Any] = {"disposal": 2} if kind == "GIF" else {"method": 0} if kind == "WEBP" else {}
    return encoded(frames[0], kind, save_all=True, append_images=list(frames[1:]), duration=80, loop=0, **options)


def bordered(image: Image.Image) -> Image.Image:
    """Return the image as img2dataset's default `resize_mode=border` stores it: 256 x 256, centred on white.

    Source: img2dataset, img2dataset/resizer.py, LongestMaxSize then PadIfNeeded with value 255, read 2026-11-21.
    """
    inner = _scaled(image, BORDER_SIZE / max(image.size))
    page = Image.new("RGB", (BORDER_SIZE, BORDER_SIZE), "white")
    page.paste(inner, ((BORDER_SIZE - inner.width) // 2, (BORDER_SIZE - inner.height) // 2))
    return page


def keep_ratio(image: Image.Image) -> Image.Image:
    """Return the image as `resize_mode=keep_ratio` with `resize_only_if_bigger` stores it at 512 pixels."""
    short = min(image.size)
    return _scaled(image, KEEP_RATIO_SIZE / short) if short > KEEP_RATIO_SIZE else image


def mirrored(image: Image.Image) -> Image.Image:
    """Return the image flipped left to right."""
    return ImageOps.mirror(image)


def with_thumbnail(image: Image.Image, thumbnail: Image.Image, quality: int = 90) -> bytes:
    """Return a JPEG whose EXIF block carries `thumbnail` (IFD1), as cameras write it."""
    small = jpeg(thumbnail, 90)
    return jpeg(image, quality, exif=_exif_with(small))


def _scaled(image: Image.Image, scale: float) -> Image.Image:
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC)


def _exif_with(thumbnail: bytes) -> bytes:
    """Return an EXIF block, big-endian TIFF: an empty IFD0, then IFD1 with a JPEG thumbnail.

    Source: CIPA DC-008 (Exif 2.32), 4.5.5: tags 0x0103, 0x0201, 0x0202.
    """
    ifd0_at, ifd1_at = 8, 14
    data_at = ifd1_at + 2 + 3 * 12 + 4
    ifd0 = (0).to_bytes(2, "big") + ifd1_at.to_bytes(4, "big")
    ifd1 = (3).to_bytes(2, "big")
    ifd1 += _entry(0x0103, 3, 6 << 16)  # compression: JPEG, a SHORT in the upper half
    ifd1 += _entry(0x0201, 4, data_at) + _entry(0x0202, 4, len(thumbnail))
    ifd1 += (0).to_bytes(4, "big")
    return b"Exif\0\0MM\0*" + ifd0_at.to_bytes(4, "big") + ifd0 + ifd1 + thumbnail


def _entry(tag: int, kind: int, value: int) -> bytes:
    return tag.to_bytes(2, "big") + kind.to_bytes(2, "big") + (1).to_bytes(4, "big") + value.to_bytes(4, "big")
