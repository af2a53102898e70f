"""Luma and its resizing, compiled, are Pillow's bit for bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import luma as module
from filters.luma import luma, resized, slow_luma, slow_resized
from tests.filters.photos import CAT, CHINA, Pixels, pixels

pytestmark = pytest.mark.skipif(not module.EXTENSION, reason="the extension was not built")
SIDES = st.integers(1, 700) | st.sampled_from([1, 2, 31, 32, 33, 255, 256, 257])


def drawn(height: int, width: int, seed: int, harsh: bool) -> Pixels:
    noise: Pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return (noise > 127).astype(np.uint8) * np.uint8(255) if harsh else noise


@settings(max_examples=60, deadline=None)
@given(SIDES, SIDES, st.integers(0, 2**32), st.booleans(), st.sampled_from([(256, 256), (32, 32), (32, 7), (300, 900)]))
def test_both_ways_give_the_same_bits(height: int, width: int, seed: int, harsh: bool, size: tuple[int, int]) -> None:
    picture = drawn(height, width, seed, harsh)
    grey = slow_luma(picture)
    assert np.array_equal(luma(picture), grey)
    for smooth in (False, True):
        assert np.array_equal(resized(grey, size, smooth), slow_resized(grey, size, smooth))


def test_every_colour_has_pillows_luma() -> None:
    colours = np.arange(2**24, dtype=np.uint32).view(np.uint8).reshape(-1, 4)[:, :3].reshape(4096, 4096, 3)
    assert np.array_equal(luma(colours), slow_luma(colours))


@pytest.mark.parametrize("photo", [CAT, CHINA])
@pytest.mark.parametrize("view", ["mirrored", "part", "transposed"])
def test_pixels_need_not_lie_in_order_in_memory(photo: tuple[str, str], view: str) -> None:
    picture = pixels(photo)
    seen = {"mirrored": picture[:, ::-1], "part": picture[9:-9, 5:-7], "transposed": picture.swapaxes(0, 1)}[view]
    assert np.array_equal(luma(seen), luma(seen.copy()))
    grey = luma(picture)[9:-9, 5:-7]
    assert np.array_equal(resized(grey, (32, 32), True), slow_resized(grey.copy(), (32, 32), True))


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-1, 5), (2**25, 1)])
def test_a_size_that_cannot_be_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="not those of a picture"):
        resized(np.zeros((9, 9), np.uint8), size, False)
