"""PDQ of a picture as it would be at another size, or of a part of it, from one small grid of its luma.

PDQ is linear up to its last step: smooth, sample 64 x 64, transform, compare with the median. So what it makes of a
picture at another size is two small matrices away from the picture's grid, where scaling and hashing it anew would cost
more than decoding it.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filters.luma import resized

Grid = NDArray[np.float32]  # luma, square
Span = tuple[float, float]  # first and last edge, in shares of a side of the picture; beyond 0 and 1 its edge goes on

SIDE = 256  # lines of a grid; with 128, one photograph in a hundred is out of reach where with 256 none is
LARGEST = 1024  # pixels of a side, beyond which PDQ hardly depends on it
_CELLS = 64  # of each side of what PDQ transforms
_KEPT = 16  # frequencies of each direction that it keeps, the constant one left out
_POINTS = 16  # at which the smoothing of a cell is taken, for each line
_GRADIENTS = 90  # steps for one point of quality: pdq/cpp/hashing/pdqhashing.cpp of facebook/ThreatExchange
_PERCENT = np.int32(-(-(100 << 16) // 255))  # of 255 levels, and of whole levels that many bits further up
_PLACES = [0, 5, 3, 6, 2, 1, 4, 7]  # of DIHEDRAL: upright reversed down * 2 + across, 4 more where transposed
_COSINES = np.cos(np.pi / (2 * _CELLS) * np.outer(np.arange(1, _KEPT + 1), 2 * np.arange(_CELLS) + 1))


def grid_of(grey: NDArray[np.uint8]) -> Grid:
    """Return luma of any (height, width) as (256, 256)."""
    return resized(grey, (SIDE, SIDE), smooth=False).astype(np.float32)


def halved(grid: Grid) -> Grid:
    """Return the grid at half as many lines, which is enough for parts."""
    pairs = grid[::2] + grid[1::2]
    small: Grid = (pairs[:, ::2] + pairs[:, 1::2]) * np.float32(0.25)
    return small


def at_sizes(grid: Grid, sizes: Sequence[tuple[int, int]]) -> NDArray[np.uint8]:
    """Return PDQ, uint8 (n, 32), as of the picture scaled to each (width, height), of 1 pixel to any number."""
    down = np.stack([_at_size(min(height, LARGEST)) for _, height in sizes])
    across = np.stack([_at_size(min(width, LARGEST)) for width, _ in sizes])
    return _hashes(down, grid, across)


def turned_at(grid: Grid, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return PDQ, uint8 (8, 32), of the picture of this (width, height) turned and mirrored, in the order of DIHEDRAL.

    PDQ smooths off centre, so it is another hash, by up to 40 bits, than the one that `filters.pdq.dihedral` derives.
    """
    width, height = (_at_size(min(side, LARGEST)) for side in size)
    down, across = np.stack((height, height[:, ::-1])), np.stack((width, width[:, ::-1]))
    lines = (down.reshape(-1, SIDE) @ grid).reshape(2, 1, _KEPT, SIDE)
    upright = lines @ across.swapaxes(1, 2)  # (reversed or not down, the same across, frequencies of each direction)
    both = np.stack((upright, upright.swapaxes(2, 3))).reshape(8, -1)
    return _bits(both)[_PLACES]


def of_windows(grid: Grid, spans: Sequence[tuple[Span, Span]]) -> NDArray[np.uint8]:
    """Return PDQ, uint8 (n, 32), of windows of the picture, (down, across), as if each were a large picture.

    The grid is one that was halved. Beyond the picture its outermost line goes on.
    """
    down = np.stack([_of_span(rows) for rows, _ in spans])
    across = np.stack([_of_span(columns) for _, columns in spans])
    return _hashes(down, grid, across)


def qualities(grid: Grid, spans: Sequence[tuple[Span, Span]]) -> NDArray[np.int64]:
    """Return the quality, 0..100 and about that of PDQ, of windows of a halved grid."""
    whole = grid.astype(np.int32)
    cells = np.stack([whole[_places(rows)][:, _places(columns)] for rows, columns in spans])
    steps = np.zeros(len(spans), dtype=np.int64)
    for one, other in ((cells[:, 1:], cells[:, :-1]), (cells[:, :, 1:], cells[:, :, :-1])):
        steps += (np.abs(one - other) * _PERCENT >> 16).sum(axis=(1, 2))
    return np.minimum(100, steps // _GRADIENTS)


def _hashes(down: Grid, grid: Grid, across: Grid) -> NDArray[np.uint8]:
    lines = (down.reshape(-1, len(grid)) @ grid).reshape(down.shape)
    return _bits((lines @ across.swapaxes(1, 2)).reshape(len(down), -1))


def _bits(frequencies: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    middle = _KEPT * _KEPT // 2 - 1
    bits = frequencies > np.partition(frequencies, middle, axis=1)[:, middle : middle + 1]
    return np.packbits(bits[:, ::-1], axis=1)


@lru_cache(maxsize=1024)
def _at_size(count: int) -> Grid:
    """Return what makes PDQ's 16 frequencies, (16, 256), of the lines of a grid: as if they were this many pixels.

    The box and where it is sampled are those of pdq/cpp/downscaling/downscaling.cpp: over (count + 127) // 128 pixels,
    twice, off centre where that is even.
    """
    window = (count + 2 * _CELLS - 1) // (2 * _CELLS)
    ahead = (window + 2) // 2 - 1
    sampled = ((np.arange(_CELLS) + 0.5) * count / _CELLS).astype(np.int64)
    once, share = _boxed(sampled, np.ones(_CELLS), count, window, ahead)
    twice, share = _boxed(once, share, count, window, ahead)
    cells = np.repeat(np.arange(_CELLS), window * window)
    shares = np.zeros((_CELLS, SIDE))
    if count < SIDE:
        smoothed = np.zeros((_CELLS, count))
        np.add.at(smoothed, (cells, twice), share)
        shares = smoothed @ _averaged(count)
    else:
        at = np.clip((twice + 0.5) * SIDE / count - 0.5, 0, SIDE - 1)
        low = at.astype(np.int64)
        np.add.at(shares, (cells, low), share * (low + 1 - at))
        np.add.at(shares, (cells, np.minimum(low + 1, SIDE - 1)), share * (at - low))
    made: Grid = (_COSINES @ shares).astype(np.float32)
    return made


def _boxed(
    lines: NDArray[np.int64], share: NDArray[np.float64], count: int, window: int, ahead: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the lines that a box around each line averages, one after another, and the share of each."""
    around = lines[:, np.newaxis] + np.arange(ahead + 1 - window, ahead + 1)
    there = (around >= 0) & (around < count)
    shares = share[:, np.newaxis] * there / there.sum(axis=1, keepdims=True)
    return np.clip(around, 0, count - 1).ravel(), shares.ravel()


def _averaged(count: int) -> NDArray[np.float64]:
    """Return how so many lines, fewer than a grid has, are made of its lines, (count, 256): Pillow's bilinear one."""
    step = SIDE / count
    apart = np.abs(np.arange(SIDE) + 0.5 - (np.arange(count)[:, np.newaxis] + 0.5) * step)
    shares = np.maximum(0, 1 - apart / step)
    joined: NDArray[np.float64] = shares / shares.sum(axis=1, keepdims=True)
    return joined


@lru_cache(maxsize=1024)
def _of_span(span: Span) -> Grid:
    """Return what makes PDQ's 16 frequencies of a span, (16, 128), of the lines of a halved grid.

    PDQ smooths twice over a box of 1/128 of the side, which in a large picture is a tent of twice that, and takes its
    value in the middle of each cell.
    """
    lines = SIDE // 2
    reach = (span[1] - span[0]) * lines / (2 * _CELLS)
    middles = (span[0] + (span[1] - span[0]) * (np.arange(_CELLS) + 0.5) / _CELLS) * lines
    offsets = (np.arange(2 * _POINTS) + 0.5) / _POINTS - 1
    at = np.clip((middles[:, np.newaxis] + offsets * reach - 0.5), 0, lines - 1)
    tent = np.broadcast_to((1 - np.abs(offsets)) / _POINTS, at.shape)
    shares = np.zeros((_CELLS, lines + 1))
    cells = np.broadcast_to(np.arange(_CELLS)[:, np.newaxis], at.shape)
    low = at.astype(np.int64)
    np.add.at(shares, (cells, low), tent * (low + 1 - at))
    np.add.at(shares, (cells, low + 1), tent * (at - low))
    made: Grid = (_COSINES @ shares[:, :lines]).astype(np.float32)
    return made


@lru_cache(maxsize=1024)
def _places(span: Span) -> NDArray[np.int64]:
    """Return the line of a halved grid at the middle of each cell of a span."""
    lines = SIDE // 2
    middles = (span[0] + (span[1] - span[0]) * (np.arange(_CELLS) + 0.5) / _CELLS) * lines
    return np.clip(middles, 0, lines - 1).astype(np.int64)
