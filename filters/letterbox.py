"""Undo the bars that a downloader put around a picture to make it fill a square."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

UNPADDED = "letterbox removed"
_LEAST_BARS = 2  # pixels, both bars together; rounding alone makes one
_NOISE = 24  # levels that JPEG rings beside an edge, and that two bars of one colour may differ
_STRAY = 0.1  # share of a bar that may lie further off: the blocks that straddle its inner edge
_GREATEST = 1 << 31


def unpadded(pixels: Pixels, meta: Mapping[str, Any]) -> Pixels | None:
    """Return the picture without its bars where `meta` records a size that implies bars and they are there, else None.

    `original_width` and `original_height` are img2dataset's: the size before it resized and padded. With
    `resize_mode=border` it scales the longer side to the square's, rounds half to even, and centres, the odd pixel
    below or to the right: LongestMaxSize and PadIfNeeded of albumentations, in
    https://github.com/rom1504/img2dataset/blob/main/img2dataset/resizer.py (read 2026-11-21).
    """
    size = recorded_size(meta)
    if size is None:
        return None
    left, top, right, bottom = box(size, (pixels.shape[1], pixels.shape[0]))
    bars = [pixels[:top], pixels[bottom:]] if top or bottom < pixels.shape[0] else [pixels[:, :left], pixels[:, right:]]
    if sum(bar.shape[0] * bar.shape[1] for bar in bars) < _LEAST_BARS * min(pixels.shape[:2]) or not _uniform(bars):
        return None
    return pixels[top:bottom, left:right]


def recorded_size(meta: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return width and height of the download as img2dataset recorded them, or None."""
    size = _size(meta.get("original_width")), _size(meta.get("original_height"))
    return None if 0 in size else size


def box(original: tuple[int, int], stored: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of a picture of `original` size centred in `stored`, both (width, height)."""
    scale = min(stored[0] / original[0], stored[1] / original[1])
    width, height = (min(whole, max(1, round(side * scale))) for side, whole in zip(original, stored, strict=True))
    left, top = (stored[0] - width) // 2, (stored[1] - height) // 2
    return left, top, left + width, top + height


def _size(recorded: object) -> int:
    """A recorded side, or 0: absent, not a number, or out of range. Tables with gaps turn integers into floats."""
    if isinstance(recorded, bool) or not isinstance(recorded, int | float) or not 1 <= recorded < _GREATEST:
        return 0
    return int(recorded)


def _uniform(bars: list[Pixels]) -> bool:
    flat = [bar.reshape(-1, 3).astype(np.int16) for bar in bars if bar.size]
    colours = [np.median(bar, axis=0) for bar in flat]
    return all(
        np.abs(colour - colours[0]).max() <= _NOISE and np.mean(np.abs(bar - colour).max(axis=1) > _NOISE) <= _STRAY
        for bar, colour in zip(flat, colours, strict=True)
    )
