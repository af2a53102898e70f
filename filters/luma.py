"""Luma of a picture, and luma resized, as Pillow has them: by a compiled extension where one was built."""

from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]


def _built() -> ModuleType | None:
    try:
        from filters import _luma
    except ImportError:  # setup.py goes on without a compiler
        return None
    return _luma


_TALL = 100  # times as high as wide, above which Pillow goes along columns first
_COMPILED = _built()
EXTENSION = _COMPILED is not None


def luma(pixels: Pixels) -> Pixels:
    """Return Pillow's mode "L", (height, width), of RGB of shape (height, width, 3)."""
    if _COMPILED is None:
        return slow_luma(pixels)
    grey = _COMPILED.grey(np.ascontiguousarray(pixels))
    return np.frombuffer(grey, dtype=np.uint8).reshape(pixels.shape[:2])


def resized(grey: Pixels, size: tuple[int, int], smooth: bool) -> Pixels:
    """Return luma at this (width, height), of any other: by Lanczos' filter if `smooth`, else the bilinear one."""
    height, width = grey.shape
    if _COMPILED is None or (height > _TALL * width and size[1] < height):
        return slow_resized(grey, size, smooth)
    found = _COMPILED.resized(grey.tobytes(), grey.shape[::-1], size, smooth)
    return np.frombuffer(found, dtype=np.uint8).reshape(size[::-1])


def slow_luma(pixels: Pixels) -> Pixels:
    """Return what `luma` returns, by Pillow."""
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).convert("L"))


def slow_resized(grey: Pixels, size: tuple[int, int], smooth: bool) -> Pixels:
    """Return what `resized` returns, by Pillow."""
    how = Image.Resampling.LANCZOS if smooth else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(grey).resize(size, how))
