"""TIFF directories, in both byte orders and both widths."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.tiff import directories, starting_at, uncompressed_thumbnail
from tests.filters.imagefiles import animation, encoded, exif, exif_in_rows, photo, shape

PAGES = [photo().rotate(angle) for angle in (0, 50, 100)]


@pytest.mark.parametrize("big", [False, True])
def test_every_page_has_a_directory_whose_pixels_lie_within_the_file(big: bool) -> None:
    data = animation("TIFF", PAGES, big_tiff=big)
    found = list(directories(data))
    assert len(found) == 3
    assert all(96 * 64 * 3 <= page.end <= len(data) for page in found)


@pytest.mark.parametrize("big", [False, True])
def test_a_file_can_start_at_any_of_its_directories(big: bool) -> None:
    data = animation("TIFF", PAGES, big_tiff=big)
    _, second, third = directories(data)
    assert [page.offset for page in directories(starting_at(data, second.offset))] == [second.offset, third.offset]


def test_big_endian_directories_are_read() -> None:
    entry = struct.pack(">HHIHH", 273, 3, 1, 1000, 0) + struct.pack(">HHII", 279, 4, 1, 50)
    data = b"MM\0*" + struct.pack(">IH", 8, 2) + entry + struct.pack(">I", 0)
    (only,) = directories(data)
    assert (only.offset, only.end) == (8, 1050)


def test_directories_that_point_at_one_another_end() -> None:
    data = b"II*\0" + struct.pack("<I", 8) + struct.pack("<HI", 0, 14) + struct.pack("<HI", 0, 8)
    assert [each.offset for each in directories(data)] == [8, 14]


def test_only_a_thumbnail_of_rows_is_taken_out_of_exif() -> None:
    assert uncompressed_thumbnail(exif_in_rows(shape(size=(8, 8)))) is not None
    assert uncompressed_thumbnail(exif(encoded(shape(), "JPEG"))) is None
    assert uncompressed_thumbnail(b"Exif\0\0codeword-alpha") is None


@settings(max_examples=300)
@given(st.sampled_from([b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"]), st.binary(max_size=120))
def test_any_bytes_are_read_or_refused_in_one_way(start: bytes, rest: bytes) -> None:
    try:
        for page in directories(start + rest):
            assert page.end >= 0
    except (struct.error, OverflowError):
        pass
    thumbnail = uncompressed_thumbnail(start + rest)
    assert thumbnail is None or thumbnail.startswith(start)
