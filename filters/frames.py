"""Pillow at its strictest: a handful of formats, sizes checked before pixels, nothing logged, nothing warned."""

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from io import BytesIO

from PIL import AvifImagePlugin, Image, ImageFile, TiffImagePlugin, WebPImagePlugin

from filters.tiff import STARTS as TIFF_STARTS

# "JPEG" opens MPO too. Nothing that runs programs, as EPS does, is in reach.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
_REGISTERED = (AvifImagePlugin, TiffImagePlugin, WebPImagePlugin)  # else Pillow imports every plugin it has

logging.getLogger("PIL").setLevel(logging.CRITICAL + 1)  # it logs the tags of a file, and those are content
AvifImagePlugin.DEFAULT_MAX_THREADS = 1

Admit = Callable[[int, tuple[int, int]], None]


@contextmanager
def _silent() -> Iterator[None]:
    """Close the mouth of libtiff, which writes what it finds wrong with a file straight to standard error."""
    try:
        kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    except OSError:  # there is no standard error to protect
        yield
        return
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


@contextmanager
def pillow(data: bytes, max_pixels: int, tolerant: bool) -> Iterator[None]:
    """Set Pillow's globals to decode `data` and put them back: not for use from several threads."""
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = max_pixels, tolerant
        try:
            with _silent() if data.startswith(TIFF_STARTS) else nullcontext():
                yield
        finally:
            Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = before


def frames(data: bytes, first: int, admit: Admit) -> Iterator[Image.Image]:
    """Yield the frames of a file from number `first` on, loaded: the same object each time, so use it before the next.

    `admit` is asked with the number and (width, height) of each frame before it is decoded, and raises to refuse.
    Of a JPEG or MPO only the first picture is a frame: the others lie behind its end, declared or not. Raises
    whatever Pillow raises.
    """
    with Image.open(BytesIO(data), formats=FORMATS) as image:
        number = 0
        while True:
            admit(number, image.size)
            image.load()
            if number >= first:
                yield image
            number += 1
            try:
                if image.format in ("JPEG", "MPO"):
                    return
                image.seek(number)
            except EOFError:
                return
