"""A border comes off a picture whatever its colour and however it was encoded; a picture without one stays as it is."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter, ImageOps

from filters.borders import BLURRED_FORM, borderless
from filters.luma import luma
from filters.pdqgrid import grid_of
from tests.filters.photos import ASTRONAUT, CAT, CHINA, COFFEE, Pixels, pixels, plain

Box = tuple[int, int, int, int]
PHOTOS = (ASTRONAUT, CAT, CHINA)


def found(picture: Pixels | Image.Image) -> dict[str, Box]:
    grey = luma(np.asarray(picture))
    return dict(borderless(grey, grid_of(grey)))


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def apart(one: Box, other: Box) -> int:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("photo", [CHINA, COFFEE, ASTRONAUT])
def test_a_photograph_without_a_border_has_none(photo: tuple[str, str]) -> None:
    assert found(pixels(photo)) == {}


def test_a_cat_before_a_blurred_ground_may_lose_that_and_no_more() -> None:
    assert set(found(pixels(CAT))) <= {BLURRED_FORM}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(40, 300), st.integers(40, 300))
def test_noise_has_no_border(seed: int, height: int, width: int) -> None:
    assert found(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)) == {}


@pytest.mark.parametrize("quality", [30, 60, 95])
@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (30, 110, 80)])
@pytest.mark.parametrize("photo", PHOTOS)
def test_a_border_comes_off_to_within_two_pixels(
    photo: tuple[str, str], colour: tuple[int, int, int], quality: int
) -> None:
    image = Image.fromarray(pixels(photo))
    framed = ImageOps.expand(image, 37, colour)
    boxes = found(jpeg(framed, quality))
    assert min(apart(box, (37, 37, 37 + image.width, 37 + image.height)) for box in boxes.values()) <= 2


@settings(max_examples=25, deadline=None)
@given(st.tuples(*[st.integers(0, 60)] * 4), st.sampled_from([(255, 255, 255), (0, 0, 0), (200, 10, 90)]))
def test_bars_of_any_width_on_any_sides_come_off(bars: tuple[int, ...], colour: tuple[int, int, int]) -> None:
    left, top, right, bottom = bars
    image = Image.fromarray(pixels(CHINA, 0.4))
    framed = ImageOps.expand(image, (left, top, right, bottom), colour)
    boxes = found(framed)
    if any(bars):
        assert (left, top, left + image.width, top + image.height) in boxes.values()
    else:
        assert boxes == {}


def blurred_bars(image: Image.Image) -> tuple[Image.Image, Box]:
    side = max(image.size)
    canvas = ImageOps.fit(image, (side, side)).filter(ImageFilter.GaussianBlur(side / 30))
    left, top = (side - image.width) // 2, (side - image.height) // 2
    canvas.paste(image, (left, top))
    return canvas, (left, top, left + image.width, top + image.height)


@pytest.mark.parametrize("photo", [CAT, CHINA, COFFEE])
def test_blurred_bars_come_off(photo: tuple[str, str]) -> None:
    canvas, inner = blurred_bars(Image.fromarray(pixels(photo)))
    assert min(apart(box, inner) for box in found(jpeg(canvas, 80)).values()) <= 3


@pytest.mark.parametrize("picture", [plain(5, 5), plain(64, 64), plain(300, 6), plain(1, 1), plain(31, 900)])
def test_a_flat_picture_is_no_border_around_nothing(picture: Pixels) -> None:
    assert found(picture) == {}


def test_what_is_left_is_never_a_sliver() -> None:
    sliver = ImageOps.expand(Image.fromarray(pixels(CAT)).resize((20, 300)), 50, (0, 0, 0))
    assert all(right - left > 32 for left, _, right, _ in found(sliver).values())


DRAWN: dict[str, Callable[[int, int], Pixels]] = {
    "halves": lambda height, width: np.repeat(
        np.where(np.arange(width) < width // 2, 10, 240).astype(np.uint8)[np.newaxis, :, np.newaxis], height, 0
    ).repeat(3, 2),
    "slope": lambda height, width: np.linspace(0, 255, height * width * 3).reshape(height, width, 3).astype(np.uint8),
    "flat": lambda height, width: plain(height, width),
}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(DRAWN)), st.integers(1, 400), st.integers(1, 400))
def test_whatever_is_found_lies_within_and_is_large_enough(drawn: str, height: int, width: int) -> None:
    for left, top, right, bottom in found(DRAWN[drawn](height, width)).values():
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        assert (left, top, right, bottom) != (0, 0, width, height)
        assert min(right - left, bottom - top) >= 32
