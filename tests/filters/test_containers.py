"""What the framing of a file says is right for sound files, and is said of any bytes."""

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.containers import layout
from tests.filters.imagefiles import animation, encoded, photo

FILES = {
    kind: (encoded(photo(), kind), animation(kind, [photo().rotate(angle) for angle in (0, 50, 100)]))
    for kind in ("PNG", "WEBP", "GIF", "TIFF", "AVIF")
}
BEGINNINGS = st.sampled_from([b"\xff\xd8\xff", b"BM", *(still[:16] for still, _ in FILES.values())])


@pytest.mark.parametrize("kind", FILES)
def test_a_sound_file_ends_with_its_bytes_and_has_as_many_frames_as_were_written(kind: str) -> None:
    for data, frames in zip(FILES[kind], (1, 3), strict=True):
        found = layout(data)
        assert (found.end, found.fault) == (len(data), "")
        assert found.frames == (frames if kind != "AVIF" else None)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "AVIF", "JPEG", "BMP"])
def test_what_lies_behind_the_end_does_not_move_it(kind: str) -> None:
    data = encoded(photo(), kind)
    for rest in (b"\0", b"\xff\xd9", b"codeword-alpha" * 9, data):
        assert layout(data + rest).end == len(data)


@pytest.mark.parametrize("progressive", [False, True])
def test_fill_bytes_restarts_and_stuffing_do_not_end_a_jpeg(progressive: bool) -> None:
    data = encoded(photo((256, 256)), "JPEG", quality=98, progressive=progressive, restart_marker_rows=1)
    assert b"\xff\x00" in data
    assert b"\xff\xd0" in data
    filled = data[:-2] + b"\xff\xff\xff\xd9"
    assert (layout(filled).end, layout(filled).fault) == (len(filled), "")


def test_an_end_marker_within_a_segment_does_not_end_a_jpeg() -> None:
    data = encoded(photo(), "JPEG", comment=b"\xff\xd9 codeword-alpha \xff\xd9")
    assert (layout(data).end, layout(data).fault) == (len(data), "")


def test_a_still_picture_ahead_of_an_animation_is_a_frame_too() -> None:
    frames = [photo().rotate(angle) for angle in (0, 50, 100)]
    assert layout(animation("PNG", frames, default_image=True)).frames == 3


@settings(max_examples=500, deadline=None)
@given(BEGINNINGS, st.binary(max_size=200))
def test_the_framing_of_any_bytes_is_told(beginning: bytes, rest: bytes) -> None:
    found = layout(beginning + rest)
    assert 0 <= found.end <= len(beginning + rest)
    assert found.fault in ("", "truncated", "undecodable")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
def test_more_parts_than_any_writer_makes_are_too_many(kind: str) -> None:
    data = encoded(photo(), kind)
    part, at = {
        "JPEG": (b"\xff\xfe\0\2", 2),
        "PNG": (bytes(4) + b"abCd" + zlib.crc32(b"abCd").to_bytes(4), 33),
        "GIF": (b"!\xfe\1a\0", len(data) - 1),
    }[kind]
    assert layout(data[:at] + part * 1000 + data[at:]).fault == ""
    assert layout(data[:at] + part * 70_000 + data[at:]).fault == "too large to examine"


def test_comment_blocks_that_never_end_are_too_many() -> None:
    assert layout(encoded(photo(), "GIF")[:-1] + b"!\xfe" + b"\1a" * 70_000).fault == "too large to examine"
