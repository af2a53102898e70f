"""What a model with a square input is shown of a picture, and what is said where there is nothing to show."""

import math

import numpy as np
from numpy.typing import NDArray

from filters.finding import Finding
from filters.policy import UNEXAMINED
from filters.rasters import Rasters

# How many times as long as wide a picture may be and still be shown whole: to a model that squashes it to a square, and
# to one that crops the middle (which leaves out 8 % at each end then).
SQUASHED_UP_TO = 1.5
CROPPED_UP_TO = 1.2
EXAMINED_UP_TO = 32.0  # beyond, a picture has more squares than anyone pays for, and counts as unexamined

NO_IMAGE = "no image"
TOO_LONG = "picture too long to examine"


def views(pixels: NDArray[np.uint8], shown_up_to: float) -> list[tuple[NDArray[np.uint8], str]]:
    """Return the picture, and squares along it where it is more than `shown_up_to` times as long as wide.

    Each comes with a suffix for `Finding.form`, empty for the whole picture. Neighbouring squares overlap by half or
    more, so that what lies on an edge of one lies within the next. Nothing is copied.
    """
    whole = [(pixels, "")]
    length = _length(pixels)
    if not shown_up_to < length <= EXAMINED_UP_TO:
        return whole
    height, width = pixels.shape[:2]
    short, long = sorted((height, width))
    count = math.ceil(2 * length) - 1
    starts = [round(each * (long - short) / (count - 1)) for each in range(count)]
    cuts = (pixels[at : at + short] if height > width else pixels[:, at : at + short] for at in starts)
    return whole + [(cut, f", square {number} of {count}") for number, cut in enumerate(cuts, start=1)]


def unseen(name: str, pictures: Rasters) -> tuple[Finding, ...]:
    """Return an unexamined finding where some picture of a sample, or every one, could not be shown to a filter."""
    why = pictures.unexamined
    if not why and not pictures.rasters:
        why = NO_IMAGE
    if not why and any(_length(raster.pixels) > EXAMINED_UP_TO for raster in pictures.rasters):
        why = TOO_LONG
    return (Finding(name, UNEXAMINED, unexamined=why),) if why else ()


def _length(pixels: NDArray[np.uint8]) -> float:
    """Return how many times as long as wide a picture is."""
    short, long = sorted(pixels.shape[:2])
    return float(long / short)
