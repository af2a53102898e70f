"""A second look, for a person to review: is a picture cut out of a listed one, or is a listed one a part of it?

A hash list holds hashes of whole pictures. So a cut picture is hashed as it would be if its edges went on to where the
original may have ended, and a composed one is hashed in parts. Beyond some 5 % lost at each edge nothing helps.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filters.letterbox import recorded_size
from filters.pdqgrid import Grid, Span, halved, of_windows, qualities

_WHOLE = (0.0, 1.0)
_MISSING_ROUND = (0.015, 0.03, 0.045, 0.06)  # share of the side that may be missing at each edge
_MISSING_ONCE = (0.03, 0.06)  # at one edge alone
_SEAM = 2.5  # times the mean step between neighbouring lines, from where on a step is a seam
_SEAMS = 2  # looked for in each direction
_LEAST_STRIP = 0.05  # share of the side that a seam keeps from the edges and from other seams
_GROUND_LEVELS = 6  # from the commonest grey level, up to which a point counts as ground
_GROUND_SHARE = 0.1  # of the picture that is ground at least
_BLOCK_SHARE = 0.5  # of a line that is not ground, in a block
_LEAST_SPAN = 0.3  # share of the side below which what lies between two seams is left out
_CUT = 0.005  # share of the recorded picture beyond which more than rounding is missing
_LEAST_KEPT = 0.5  # of the recorded picture, below which it is not guessed how it went on


@dataclass(frozen=True, slots=True)
class Window:
    """What of a picture, or around it, is hashed as if it were a picture: its spans down and across."""

    form: str
    rows: Span = _WHOLE
    columns: Span = _WHOLE


def parts(grid: Grid, size: tuple[int, int], meta: Mapping[str, Any]) -> Iterator[tuple[str, bytes, int]]:
    """Yield what is hashed of a picture of this (width, height), its PDQ (32 bytes) and about its quality, 0..100."""
    small = halved(grid)
    asked = list(windows(grid, size, meta))
    spans = [(window.rows, window.columns) for window in asked]
    within = sorted(set(map(_within, spans)))  # what goes on beyond the picture is as clear as what it goes on from
    quality = dict(zip(within, qualities(small, within).tolist(), strict=True))
    for window, span, value in zip(asked, spans, of_windows(small, spans), strict=True):
        yield window.form, value.tobytes(), quality[_within(span)]


def kept(size: tuple[int, int], meta: Mapping[str, Any]) -> float:
    """Return the share of the recorded original that a centre crop of this (width, height) still shows, 0..1.

    1.0 where nothing is recorded, and where the shapes agree to within the rounding of a pixel. The recorded size is
    img2dataset's; a picture that is padded rather than cropped must be shown without its padding.
    """
    original = recorded_size(meta)
    if original is None:
        return 1.0
    shares = []
    for width, height in (size, size[::-1]):  # one that EXIF turned was recorded as it lay
        across, down = width / original[0], height / original[1]
        shares.append(min(across, down) / max(across, down))
    share = max(shares)
    return 1.0 if min(size) * (1 - share) < 1 or share > 1 - _CUT else share


def windows(grid: Grid, size: tuple[int, int], meta: Mapping[str, Any]) -> Iterator[Window]:
    """Yield the windows of a picture of this (width, height) that are worth a hash of their own, about two dozen."""
    yield from _EXTENDED
    share = kept(size, meta)
    original = recorded_size(meta)
    if original and _LEAST_KEPT <= share < 1:
        edge = (1 / share - 1) / 2
        wide = original[0] * size[1] > original[1] * size[0]
        lost = (-edge, 1 + edge)
        yield Window("continued to its recorded shape", *((_WHOLE, lost) if wide else (lost, _WHOLE)))
    yield from _PARTS
    down, across = _spans(grid), _spans(grid.T)
    yield from (Window("between seams", rows=span) for span in down)
    yield from (Window("between seams", columns=span) for span in across)
    if block := _block(grid):
        yield block
    if down and across:
        yield Window("between seams", max(down, key=_length), max(across, key=_length))


def _within(spans: tuple[Span, Span]) -> tuple[Span, Span]:
    rows, columns = spans
    return (max(0.0, rows[0]), min(1.0, rows[1])), (max(0.0, columns[0]), min(1.0, columns[1]))


def _spans(grid: Grid) -> list[Span]:
    """Return the spans, down the grid, between the lines where one picture seems to end and another to begin."""
    apart = grid[1:] - grid[:-1]
    steps = np.minimum(np.abs(apart, out=apart), 64, out=apart).mean(axis=1)
    edge = round(_LEAST_STRIP * len(grid))
    least = _SEAM * float(steps.mean())
    steps[:edge] = steps[len(steps) - edge :] = 0
    seams = []
    for _ in range(_SEAMS):
        at = int(np.argmax(steps))
        if steps[at] > least:
            seams.append((at + 1) / len(grid))
            steps[max(0, at - edge) : at + edge] = 0
    spans = pairwise((0.0, *sorted(seams), 1.0)) if seams else ()
    return [span for span in spans if _length(span) > _LEAST_SPAN]


def _block(grid: Grid) -> Window | None:
    """Return the window of the one large block that stands on a plain ground, as a picture in a screenshot does."""
    levels = np.bincount(grid[::2, ::2].astype(np.int64).ravel(), minlength=256)
    apart = np.abs(grid - np.float32(np.argmax(levels))) > _GROUND_LEVELS
    rows = _longest(np.count_nonzero(apart, axis=1))
    if _length(rows) <= _LEAST_SPAN or np.count_nonzero(apart) > (1 - _GROUND_SHARE) * apart.size:
        return None
    block = apart[round(rows[0] * len(grid)) : round(rows[1] * len(grid))]
    columns = _longest(np.count_nonzero(block, axis=0) * (len(grid) / len(block)))
    return Window("on a plain ground", rows, columns) if _length(columns) > _LEAST_SPAN else None


def _longest(apart: NDArray[Any]) -> Span:
    """Return the longest run of lines of which a good part of as many points is not of the ground."""
    edges = np.flatnonzero(np.diff(apart > _BLOCK_SHARE * len(apart), prepend=False, append=False))
    runs = edges.reshape(-1, 2)
    first, end = runs[np.argmax(runs[:, 1] - runs[:, 0])] if len(runs) else (0, 0)
    return float(first / len(apart)), float(end / len(apart))


def _length(span: Span) -> float:
    return span[1] - span[0]


_HALVES = {"first": (0.0, 0.5), "second": (0.5, 1.0)}
_EXTENDED = tuple(
    [Window(f"continued by {m:.1%} round", (-m, 1 + m), (-m, 1 + m)) for m in _MISSING_ROUND]
    + [Window(f"continued by {m:.0%} above", rows=(-m, 1.0)) for m in _MISSING_ONCE]
    + [Window(f"continued by {m:.0%} below", rows=(0.0, 1 + m)) for m in _MISSING_ONCE]
    + [Window(f"continued by {m:.0%} on the left", columns=(-m, 1.0)) for m in _MISSING_ONCE]
    + [Window(f"continued by {m:.0%} on the right", columns=(0.0, 1 + m)) for m in _MISSING_ONCE]
)
_PARTS = (
    Window("upper half", rows=(0.0, 0.5)),
    Window("lower half", rows=(0.5, 1.0)),
    Window("left half", columns=(0.0, 0.5)),
    Window("right half", columns=(0.5, 1.0)),
    *(Window(f"{r} row, {c} column of 2", rs, cs) for r, rs in _HALVES.items() for c, cs in _HALVES.items()),
)
