"""Every form that is hashed is there, the picture as it stands always among them."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from filters.forms import MIN_SIDE, PARTS_OF, Whole, resized, whole
from filters.rasters import Limits, Raster, rasters
from tests.filters.photos import CAT, CHINA, COFFEE, Pixels, pixels, plain


def forms(*pictures: Pixels, name: str = "frame") -> list[Whole]:
    return list(whole([Raster(each, f"{name} {number}") for number, each in enumerate(pictures)]))


def framed(picture: Pixels) -> Pixels:
    return np.asarray(ImageOps.expand(Image.fromarray(picture), 40, (255, 255, 255)))


def test_a_picture_without_a_border_has_one_form_and_parts() -> None:
    (only,) = forms(pixels(COFFEE))
    assert (only.raster.form, only.parts) == ("frame 0", True)
    assert only.raster.pixels.tobytes() == pixels(COFFEE).tobytes()


def test_a_picture_with_a_border_has_parts_as_it_stands_and_once_that_is_off() -> None:
    stands, inner, *more = forms(framed(pixels(CHINA)))
    assert (stands.raster.form, stands.parts) == ("frame 0", True)
    assert (inner.raster.form, inner.parts) == ("frame 0, border removed", True)
    assert inner.raster.pixels.shape == pixels(CHINA).shape
    assert not any(each.parts for each in more)


def test_a_border_that_the_record_explains_is_searched_no_more() -> None:
    square = Image.new("RGB", (256, 256), (255, 255, 255))
    square.paste(Image.fromarray(pixels(CHINA)).resize((256, 171)), (0, 42))
    file = io.BytesIO()
    square.save(file, "JPEG", quality=95)
    seen = rasters((file.getvalue(),), {"original_width": 640, "original_height": 427}, Limits())
    found = [(each.raster.form, each.parts) for each in whole(seen.rasters)]
    assert found[:2] == [("as stored", False), ("letterbox removed", True)]
    assert all(form.startswith("letterbox removed, ") for form, _ in found[2:])


def test_parts_are_hashed_of_the_first_rasters_only() -> None:
    found = forms(*[pixels(COFFEE)] * (PARTS_OF + 2))
    assert [each.parts for each in found] == [True] * PARTS_OF + [False] * 2


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 120), st.integers(1, 120), st.sampled_from(["flat", "noise", "frame"])), max_size=4
    )
)
def test_looking_for_a_border_never_drops_the_picture_as_it_stands(drawn: list[tuple[int, int, str]]) -> None:
    random = np.random.default_rng(1)
    pictures = []
    for height, width, kind in drawn:
        picture = plain(height, width)
        if kind == "noise":
            picture = random.integers(0, 256, picture.shape, dtype=np.uint8)
        pictures.append(framed(picture) if kind == "frame" else picture)
    found = {each.raster.form: each.raster.pixels for each in forms(*pictures)}
    for number, picture in enumerate(pictures):
        if min(picture.shape[:2]) >= MIN_SIDE:
            assert np.array_equal(found[f"frame {number}"], picture)
        else:
            assert f"frame {number}" not in found


def names(picture: Pixels, **meta: object) -> list[str]:
    (first, *_) = forms(picture)
    return [form for form, _ in resized(first, meta)]


def test_a_picture_is_squeezed_to_two_squares() -> None:
    assert names(pixels(CAT)) == ["frame 0, at 384 x 384", "frame 0, at 512 x 512"]


@pytest.mark.parametrize(
    ("width", "height", "there"),
    [(902, 600, True), (226, 150, True), (451, 300, False), (900, 900, False), (0, 600, False), (10**12, 1, False)],
)
def test_a_recorded_size_of_the_same_shape_is_a_form(width: int, height: int, there: bool) -> None:
    picture = pixels(CAT)
    assert picture.shape == (300, 451, 3)
    found = names(picture, original_width=width, original_height=height)
    assert ("frame 0, at recorded size" in found) is there
