"""Bars that a downloader added are taken off where the record says how large the picture was, and nowhere else."""

from typing import Any

import numpy as np
import pdqhash
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from filters.letterbox import box, unpadded
from filters.rasters import Limits, rasters
from tests.filters import imagefiles, photos
from tests.filters.photos import Pixels

# (original width, original height, side of the square) and where the picture lies in it: left, top, right, bottom.
# Made by running LongestMaxSize and PadIfNeeded of albumentations 1.4.24 with opencv-python-headless 4.14.0.94, called
# as img2dataset calls them for resize_mode=border (img2dataset/resizer.py of 2025-08-16).
BORDERED = [
    ((640, 480, 256), (0, 32, 256, 224)),
    ((480, 640, 256), (32, 0, 224, 256)),
    ((1000, 333, 256), (0, 85, 256, 170)),
    ((333, 1000, 256), (85, 0, 170, 256)),
    ((1024, 2, 256), (0, 127, 256, 128)),
    ((3, 999, 224), (111, 0, 112, 224)),
    ((512, 511, 256), (0, 0, 256, 256)),
    ((1025, 769, 256), (0, 32, 256, 224)),
    ((427, 640, 512), (85, 0, 427, 512)),
    ((300, 201, 384), (0, 63, 384, 320)),
    ((2048, 1365, 224), (0, 37, 224, 186)),
    ((200, 100, 256), (0, 64, 256, 192)),
    ((127, 254, 255), (63, 0, 191, 255)),
    ((600, 451, 256), (0, 32, 256, 224)),
]
WIDE = [photos.COFFEE, photos.ROCKET, photos.CAT, photos.CHINA, photos.FLOWER, photos.HOPPER]


def padded(picture: Pixels, side: int, colour: int = 255) -> Pixels:
    """What resize_mode=border makes of a picture."""
    height, width = picture.shape[:2]
    left, top, right, bottom = box((width, height), (side, side))
    square = np.full((side, side, 3), colour, dtype=np.uint8)
    small = Image.fromarray(picture).resize((right - left, bottom - top), Image.Resampling.BOX)
    square[top:bottom, left:right] = np.asarray(small)
    return square


def record(width: Any, height: Any) -> dict[str, Any]:
    return {"original_width": width, "original_height": height, "caption": "codeword-alpha"}


def distance(one: Pixels, other: Pixels) -> int:
    return int((pdqhash.compute(one)[0] != pdqhash.compute(other)[0]).sum())


@pytest.mark.parametrize(("sizes", "expected"), BORDERED)
def test_the_picture_lies_where_img2dataset_puts_it(sizes: tuple[int, int, int], expected: tuple[int, ...]) -> None:
    width, height, side = sizes
    assert box((width, height), (side, side)) == expected


@pytest.mark.parametrize("colour", [255, 0])
@pytest.mark.parametrize("photograph", WIDE)
def test_a_bordered_photograph_matches_its_original_again(photograph: tuple[str, str], colour: int) -> None:
    original = photos.pixels(photograph)
    height, width = original.shape[:2]
    file = imagefiles.encoded(Image.fromarray(padded(original, 256, colour)), "JPEG", quality=95)
    stored, *others = rasters((file,), record(width, height), Limits()).rasters
    assert [raster.form for raster in others] == ["letterbox removed"]
    assert distance(others[0].pixels, original) <= 31 < distance(stored.pixels, original)
    assert others[0].pixels.flags.c_contiguous


@pytest.mark.parametrize("quality", [40, 75, 95])
def test_the_noise_of_jpeg_does_not_hide_bars(quality: int) -> None:
    original = photos.pixels(photos.ROCKET)
    file = imagefiles.encoded(Image.fromarray(padded(original, 256)), "JPEG", quality=quality)
    answer = rasters((file,), record(640, 427), Limits())
    assert [raster.form for raster in answer.rasters] == ["as stored", "letterbox removed"]


def test_a_centre_crop_is_left_alone() -> None:
    original = photos.pixels(photos.ROCKET)
    assert unpadded(np.ascontiguousarray(original[:, 106:533]), record(640, 427)) is None


def test_bars_of_two_colours_are_no_border() -> None:
    square = padded(photos.pixels(photos.ROCKET), 256)
    square[:40] = 0
    assert unpadded(square, record(640, 427)) is None


def test_a_picture_in_one_bar_means_it_is_no_border() -> None:
    square = padded(photos.pixels(photos.ROCKET), 256)
    square[5:35, 100:140] = 90
    assert unpadded(square, record(640, 427)) is None


@pytest.mark.parametrize("side", [96, 200])
def test_a_picture_that_kept_its_ratio_is_left_alone(side: int) -> None:
    for width, height in ((640, 427), (427, 640), (1000, 999), (1013, 331)):
        scale = side / min(width, height)
        white = np.full((round(height * scale), round(width * scale), 3), 255, dtype=np.uint8)
        assert unpadded(white, record(width, height)) is None


@pytest.mark.parametrize(
    "meta",
    [
        {},
        {"original_width": 640},
        record(None, None),
        record("640", "427"),
        record(0, 427),
        record(-640, 427),
        record(float("nan"), 427),
        record(float("inf"), 427),
        record(10**400, 427),
        record(True, 427),
        record([640], {}),
        record(640, 640),
    ],
)
def test_a_record_without_usable_sizes_changes_nothing(meta: dict[str, Any]) -> None:
    assert unpadded(padded(photos.pixels(photos.ROCKET), 256), meta) is None


def test_sizes_that_a_table_turned_into_floats_count() -> None:
    square = padded(photos.pixels(photos.ROCKET), 256)
    inner = unpadded(square, record(640.0, 427.0))
    assert inner is not None
    assert inner.shape == (171, 256, 3)


@given(st.tuples(*[st.integers(1, 5000)] * 2), st.tuples(*[st.integers(1, 600)] * 2))
def test_the_box_lies_within_and_reaches_two_edges(original: tuple[int, int], stored: tuple[int, int]) -> None:
    left, top, right, bottom = box(original, stored)
    assert 0 <= left < right <= stored[0]
    assert 0 <= top < bottom <= stored[1]
    assert (left, right) == (0, stored[0]) or (top, bottom) == (0, stored[1])
    assert 0 <= stored[0] - right - left <= 1
    assert 0 <= stored[1] - bottom - top <= 1
