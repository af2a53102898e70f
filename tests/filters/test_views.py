import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from filters.rasters import Raster, Rasters
from filters.views import EXAMINED_UP_TO, NO_IMAGE, TOO_LONG, unseen, views
from tests.filters.photos import plain

SIDES = st.integers(1, 900)


def numbered(height: int, width: int) -> np.ndarray:
    """A picture whose columns are told apart by two of their channels, and its rows likewise."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([rows + columns, (rows + columns) // 256, np.zeros_like(rows)], axis=2).astype(np.uint8)


@given(SIDES, SIDES, st.sampled_from([1.2, 1.5]))
def test_squares_cover_a_long_picture_and_overlap_by_half(height: int, width: int, shown_up_to: float) -> None:
    short, long = sorted((height, width))
    cuts = views(plain(height, width), shown_up_to)[1:]
    assert bool(cuts) == (shown_up_to < long / short <= EXAMINED_UP_TO)
    if not cuts:
        return
    assert all(cut.shape == (short, short, 3) for cut, _ in cuts)
    step = (long - short) / (len(cuts) - 1)
    assert step <= short / 2


@given(st.integers(10, 40), st.integers(50, 400), st.booleans())
def test_the_first_and_the_last_square_are_the_ends(short: int, long: int, upright: bool) -> None:
    picture = numbered(long, short) if upright else numbered(short, long)
    cuts = [cut for cut, _ in views(picture, 1.2)]
    if len(cuts) > 1:
        assert np.array_equal(cuts[0], picture)
        assert np.array_equal(cuts[1], picture[:short, :short])
        assert np.array_equal(cuts[-1], picture[-short:, -short:])


def test_each_square_says_which_it_is() -> None:
    forms = [form for _, form in views(plain(10, 20), 1.5)]
    assert forms == ["", ", square 1 of 3", ", square 2 of 3", ", square 3 of 3"]


def test_squares_share_the_memory_of_the_picture() -> None:
    picture = plain(10, 40)
    assert all(np.shares_memory(cut, picture) for cut, _ in views(picture, 1.5))


def test_a_sample_without_a_picture_is_unexamined() -> None:
    assert [finding.unexamined for finding in unseen("adult", Rasters())] == [NO_IMAGE]


def test_the_reason_of_the_reader_is_passed_on_beside_what_can_be_seen() -> None:
    partly = Rasters((Raster(plain(8, 8), "as stored"),), unexamined="more than 64 frames")
    assert [finding.unexamined for finding in unseen("adult", partly)] == ["more than 64 frames"]


def test_a_strip_without_end_is_unexamined_not_squashed_out_of_sight() -> None:
    strip = Rasters((Raster(plain(10, 10), "as stored"), Raster(plain(4, 4 * 32 + 1), "frame 1")))
    assert [finding.unexamined for finding in unseen("adult", strip)] == [TOO_LONG]


def test_a_sample_that_is_seen_has_nothing_unexamined() -> None:
    assert unseen("adult", Rasters((Raster(plain(4, 128), "as stored"),))) == ()
