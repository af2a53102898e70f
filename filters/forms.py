"""Every form of a picture that is hashed: without its border, and at the sizes at which a list may have seen it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from filters.borders import SURE_FORM, borderless
from filters.letterbox import UNPADDED, recorded_size
from filters.luma import luma
from filters.pdqgrid import Grid, at_sizes, grid_of
from filters.rasters import Raster

MIN_SIDE = 5  # pixels; below, PDQ is undefined: MIN_HASHABLE_DIM, pdq/cpp/hashing/pdqhashing.cpp
MAX_HASHED_PIXELS = 8_000_000  # hashing costs up to 80 bytes a pixel; above, shrinking first moves 0-4 bits of 256

# PDQ smooths a picture over (side + 127) // 128 pixels, and off centre where that is even, so its bits depend on the
# size: the hash of a small copy lies up to 80 bits from that of the original. At 384 (three pixels, centred) the two
# meet whatever size the original had; at 512 where Meta's own program made the list, which squeezes larger pictures to
# that (facebook/ThreatExchange, pdq/cpp, read 2026-11). benchmarks/robustness.py measures both.
SQUEEZED = (384, 512)
PARTS_OF = 4  # rasters of a sample, the first ones: frames of an animation are much alike, and parts are many
SMALL = 192  # pixels of the longer side, up to which a copy may be as smooth already as PDQ makes a large one
SQUEEZED_SMALL = 128  # where PDQ smooths nothing
AT = ", at "  # what stands before the size, in the name of a form

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole picture, its luma and the grid of that; `parts` says whether parts of it are worth a look."""

    raster: Raster
    grey: Pixels = field(repr=False)
    grid: Grid = field(repr=False)
    parts: bool

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.grey.shape[1], self.grey.shape[0]


def whole(rasters: Sequence[Raster]) -> Iterator[Whole]:
    """Yield each raster that is large enough to be hashed, then the raster without its border where one is seen.

    One whose border the record of its download explains is followed by the raster without it, and is searched no more.
    Parts are worth a look in every picture as it stands, and in one without a border that was surely one, among the
    first rasters.
    """
    for number, (raster, after) in enumerate(pairwise((*rasters, None))):
        if raster is None or min(raster.pixels.shape[:2]) < MIN_SIDE:
            continue
        pixels = _shrunk(raster.pixels)
        grey = luma(pixels)
        grid = grid_of(grey)
        explained = after is not None and after.form.endswith(UNPADDED) and not raster.form.endswith(UNPADDED)
        inner = [] if explained else list(borderless(grey, grid))
        yield Whole(Raster(pixels, raster.form), grey, grid, number < PARTS_OF and not explained)
        for how, box in inner:
            left, top, right, bottom = box
            seen, trimmed = pixels[top:bottom, left:right], grey[top:bottom, left:right]
            yield Whole(
                Raster(seen, f"{raster.form}, {how}"), trimmed, grid_of(trimmed), number < PARTS_OF and how == SURE_FORM
            )


def resized(picture: Whole, meta: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Yield the PDQ of the picture, upright, squeezed to squares and at the other size that `meta` may record for it.

    Each comes with its form; within 6 bits or so of the hash of the picture as it would be scaled.
    """
    sizes = {f"{side} x {side}": (side, side) for side in SQUEEZED}
    if max(picture.size) <= SMALL:
        sizes[f"{SQUEEZED_SMALL} x {SQUEEZED_SMALL}"] = (SQUEEZED_SMALL, SQUEEZED_SMALL)
    recorded = _recorded_size(picture.size, meta)
    if recorded:
        sizes["recorded size"] = recorded
    for name, value in zip(sizes, at_sizes(picture.grid, list(sizes.values())), strict=True):
        yield f"{picture.raster.form}{AT}{name}", value.tobytes()


def _recorded_size(size: tuple[int, int], meta: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the recorded width and height; None where they are the picture's own, or have another shape."""
    recorded = recorded_size(meta)
    width, height = size
    if recorded is None or recorded == size:
        return None
    if abs(recorded[0] * height - recorded[1] * width) > max(recorded):  # more than rounding by a pixel explains
        return None
    return recorded


def _shrunk(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    factor = 1
    while (height // factor) * (width // factor) > MAX_HASHED_PIXELS:
        factor += 1
    if factor == 1 or min(height, width) // factor < MIN_SIDE:
        return np.ascontiguousarray(pixels)
    return np.array(Image.fromarray(pixels).reduce(factor))
