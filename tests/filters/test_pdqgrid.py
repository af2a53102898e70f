"""What a small grid says of PDQ at other sizes and of parts agrees with PDQ of the picture so scaled or cut."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from filters.luma import luma
from filters.pdq import dihedral, turned
from filters.pdqgrid import SIDE, Span, at_sizes, grid_of, halved, of_windows, qualities
from tests.filters.photos import ASTRONAUT, CAT, CHINA, COFFEE, FLOWER, pixels

PHOTOS = (ASTRONAUT, CAT, CHINA, COFFEE, FLOWER)
WHOLE: Span = (0.0, 1.0)


def bits(one: object, other: object) -> int:
    return int(np.bitwise_count(np.asarray(one) ^ np.asarray(other)).sum())


@pytest.mark.parametrize("photo", PHOTOS)
@pytest.mark.parametrize("size", [(60, 60), (128, 100), (384, 384), (500, 300), (512, 512), (900, 700)])
def test_a_size_is_near_the_hash_of_the_picture_scaled_to_it(photo: tuple[str, str], size: tuple[int, int]) -> None:
    picture = pixels(photo)
    scaled = np.asarray(Image.fromarray(luma(picture)).resize(size, Image.Resampling.BILINEAR).convert("RGB"))
    (found,) = at_sizes(grid_of(luma(picture)), [size])
    assert bits(found, dihedral(scaled)[0][0]) <= 20


def test_several_sizes_at_once_are_those_one_by_one() -> None:
    grid, sizes = grid_of(luma(pixels(CAT))), [(384, 384), (31, 900), (512, 512)]
    assert at_sizes(grid, sizes).tolist() == [at_sizes(grid, [size])[0].tolist() for size in sizes]


@given(st.tuples(st.integers(1, 2**31), st.integers(1, 2**31)))
def test_any_size_has_a_hash(size: tuple[int, int]) -> None:
    assert at_sizes(np.zeros((SIDE, SIDE), np.float32), [size]).shape == (1, 32)


@pytest.mark.parametrize("photo", PHOTOS)
@pytest.mark.parametrize(("rows", "columns"), [*product([WHOLE, (0.0, 0.5), (0.25, 0.9)], repeat=2)])
def test_a_window_is_near_the_hash_of_what_it_shows(photo: tuple[str, str], rows: Span, columns: Span) -> None:
    picture = pixels(photo)
    height, width = picture.shape[:2]
    low, high = (round(edge * height) for edge in rows)
    left, right = (round(edge * width) for edge in columns)
    large = Image.fromarray(picture[low:high, left:right]).resize((640, 640), Image.Resampling.BICUBIC)
    hashes, quality = dihedral(np.asarray(large))
    small = halved(grid_of(luma(picture)))
    assert bits(of_windows(small, [(rows, columns)]), hashes[0]) <= 31
    assert abs(int(qualities(small, [(rows, columns)])[0]) - quality) <= 30


def test_beyond_the_picture_its_edge_goes_on() -> None:
    picture = pixels(CHINA)
    padded = np.pad(picture, [(43, 43), (64, 64), (0, 0)], mode="edge")  # a tenth of each side
    small = halved(grid_of(luma(picture)))
    window = (-43 / 427, 1 + 43 / 427), (-0.1, 1.1)
    assert bits(of_windows(small, [window]), of_windows(halved(grid_of(luma(padded))), [(WHOLE, WHOLE)])) <= 10


def test_nothing_is_clear_in_a_flat_picture() -> None:
    flat = halved(grid_of(np.full((200, 300), 77, np.uint8)))
    assert qualities(flat, [(WHOLE, WHOLE), ((0.0, 0.5), WHOLE)]).tolist() == [0, 0]


@pytest.mark.parametrize("photo", PHOTOS)
def test_turning_a_hash_comes_near_to_hashing_the_turned_picture(photo: tuple[str, str]) -> None:
    hashes, _ = dihedral(pixels(photo))
    (found,) = turned(hashes[:1])
    assert bits(found[0], hashes[0]) == 0
    assert max(bits(one, other) for one, other in zip(found, hashes, strict=True)) <= 31


@settings(max_examples=30)
@given(st.lists(st.binary(min_size=32, max_size=32), max_size=4))
def test_turning_twice_by_half_a_turn_or_mirroring_twice_is_nothing(values: list[bytes]) -> None:
    hashes = np.array([np.frombuffer(value, np.uint8) for value in values], np.uint8).reshape(-1, 32)
    for place in (2, 4, 5, 6, 7):  # of the eight forms, those that undo themselves
        assert turned(turned(hashes)[:, place])[:, place].tolist() == hashes.tolist()
    assert turned(turned(hashes)[:, 1])[:, 3].tolist() == hashes.tolist()
