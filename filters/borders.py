"""Borders that nobody recorded, taken off a picture: bars of one colour, and bars filled with a blurred copy of it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from filters.pdqgrid import Grid

Pixels = NDArray[np.uint8]
Box = tuple[int, int, int, int]  # left, top, right, bottom

_SAMPLES = 256  # pixels looked at across a line: enough to tell a share of 1 % from one of 10 %
_LEAST_SIDE = 32  # pixels of what is left; less holds no picture that anyone could know again
_LEAST_SHARE = 0.1  # of each side that is left
_BLURRED_SIDE = 512  # pixels of the longer side, about, at which blurred bars are looked for
_BLURRED = (0.04, 0.42)  # share of the side that one blurred bar takes, least and most
_SHARPER = 1.8  # times as much detail in the picture as in its blurred bars, at least
_WORTH_A_LOOK = 2.0  # times as much in a coarse grid of it, below which no finer look is taken
_SHARPEST = 4.0  # times as much, from where on more detail proves no more
_CLEAR_STEP = 32  # levels between neighbouring lines, beyond which a larger step proves no more


@dataclass(frozen=True, slots=True)
class _Look:
    """What counts as a bar: lines of which `share` lies within `tolerance` levels of the outermost line's colour.

    JPEG rings beside an edge, so the lines nearest the picture may fail that: the bar ends at the largest step between
    neighbouring lines within `reach` lines of where it seemed to. A mean step below `step` levels ends no bar.
    """

    form: str
    tolerance: int
    share: float
    reach: int
    step: float


# Each finds what the other misses: the first keeps dark, pale and scanned pictures whole, whose own edges are nearly of
# one colour; the second sees through coarse JPEG.
SURE_FORM = "border removed"
_LOOKS = (_Look(SURE_FORM, 4, 0.99, 16, 0.0), _Look("border removed tolerantly", 24, 0.9, 8, 6.0))
BLURRED_FORM = "blurred border removed"


def borderless(lines: Pixels, grid: Grid) -> Iterator[tuple[str, Box]]:
    """Yield where a picture lies within what seems to be its border, once for each way of looking.

    Takes its luma, and the grid of that. Yields nothing for a picture without a border, at most three
    boxes for one that has. A picture that really ends in flat areas may lose them: what is yielded is one more form to
    be hashed, never one in place of the picture.
    """
    seen: set[Box] = set()
    for form, box in (*((look.form, _uniform(lines, look)) for look in _LOOKS), (BLURRED_FORM, _blurred(lines, grid))):
        if box and box not in seen:
            seen.add(box)
            yield form, box


def _uniform(grey: Pixels, look: _Look) -> Box | None:
    height, width = grey.shape
    top, bottom = _bar(grey, look), _bar(grey[::-1], look)
    if top + bottom >= height:
        return None
    turned = grey[top : height - bottom].T
    left, right = _bar(turned, look), _bar(turned[::-1], look)
    return _checked((left, top, width - right, height - bottom), (width, height))


def _checked(box: Box, size: tuple[int, int]) -> Box | None:
    """Return the box where it leaves out something, and leaves enough."""
    inner = box[2] - box[0], box[3] - box[1]
    enough = all(left >= max(_LEAST_SIDE, _LEAST_SHARE * whole) for left, whole in zip(inner, size, strict=True))
    return box if enough and inner != size else None


def _bar(lines: Pixels, look: _Look) -> int:
    """Return how many lines, from the first on, are a bar of one colour; all of them when there is nothing else."""
    sampled = lines[:, :: max(1, lines.shape[1] // _SAMPLES)]
    first = sampled[0].astype(np.int16)
    colour = np.partition(first, len(first) // 2)[len(first) // 2]
    if np.count_nonzero(np.abs(first - colour) <= look.tolerance) < look.share * len(first):
        return 0  # as in nearly every picture, and soon known
    at, block = 1, 8
    while at < len(lines):
        near = np.abs(sampled[at : at + block] - colour) <= look.tolerance
        other = np.flatnonzero(near.mean(axis=1) < look.share)
        if len(other):
            at += int(other[0])
            return at and _end(lines, at, look)
        at, block = at + block, 2 * block
    return len(lines)


def _end(lines: Pixels, at: int, look: _Look) -> int:
    """Return where a bar that seems to end before line `at` does: at the largest step, if that is clear enough."""
    steps = np.abs(np.diff(lines[at - 1 : at + look.reach + 1].astype(np.int16), axis=0)).mean(axis=1)
    return at + int(np.argmax(steps)) if steps.max() >= look.step else 0


def _blurred(grey: Pixels, grid: Grid) -> Box | None:
    """Return the box of a sharp picture between two equal bars that are much less sharp than it."""
    if max(_sharper(grid).max(), _sharper(grid.T).max()) < _WORTH_A_LOOK:
        return None
    height, width = grey.shape
    factor = max(1, max(height, width) // _BLURRED_SIDE)
    small = np.asarray(Image.fromarray(grey).reduce(factor)).astype(np.int16)
    rows, columns = _between(small), _between(small.T)
    if rows[2] >= max(columns[2], _SHARPER):
        return _checked((0, factor * rows[0], width, height - factor * rows[1]), (width, height))
    if columns[2] >= _SHARPER:
        return _checked((factor * columns[0], 0, width - factor * columns[1], height), (width, height))
    return None


def _sharper(grey: Grid | NDArray[np.int16]) -> NDArray[np.float64]:
    """Return how many times sharper the picture is than two bars, for each width of bars from the least to the most."""
    count = len(grey)
    apart = grey[:, 1:] - grey[:, :-1]
    detail = np.concatenate(([0.0], np.cumsum(np.abs(apart, out=apart).mean(axis=1))))
    bars = _bars(count)
    guarded = np.maximum(bars - 2, 1)  # the last lines of a bar ring, and are no measure of it
    outside = (detail[guarded] + detail[-1] - detail[count - guarded]) / (2 * guarded)
    inside = (detail[count - bars] - detail[bars]) / (count - 2 * bars)
    found: NDArray[np.float64] = inside / np.maximum(outside, 0.3)
    return found


def _bars(count: int) -> NDArray[np.int64]:
    return np.arange(round(_BLURRED[0] * count), round(_BLURRED[1] * count))


def _between(grey: NDArray[np.int16]) -> tuple[int, int, float]:
    """Return the lines of the upper and of the lower blurred bar, and how many times sharper what lies between is."""
    if min(grey.shape) < _LEAST_SIDE or (sharper := _sharper(grey)).max() < _SHARPER:
        return 0, 0, 0.0
    bars = _bars(len(grey))
    steps = np.minimum(np.abs(np.diff(grey, axis=0)), _CLEAR_STEP).mean(axis=1)
    upper, lower = steps[bars - 1], steps[::-1]
    near = np.stack([lower[bars - 1 + off] for off in (-1, 0, 1)])  # an odd line makes one bar a line wider
    best = int(np.argmax((np.minimum(upper, near.max(axis=0)) + 1) * sharper * np.minimum(sharper, _SHARPEST)))
    return int(bars[best]), int(bars[best]) + int(np.argmax(near[:, best])) - 1, float(sharper[best])
