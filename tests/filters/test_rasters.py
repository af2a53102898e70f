"""Every raster that an image file carries is seen, or the sample is unexamined."""

import logging
import struct
import sys
import warnings
from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from filters.rasters import Limits, Rasters, rasters
from tests.filters import imagefiles, photos
from tests.filters.imagefiles import animation, encoded, exif, exif_in_rows, near, photo, shape

LIMITS = Limits()
PHOTO = photo()
TURNED = [PHOTO.rotate(angle) for angle in (0, 40, 80, 120)]


def look(*files: bytes, limits: Limits = LIMITS) -> Rasters:
    return rasters(files, {}, limits)


def forms(answer: Rasters) -> list[str]:
    return [raster.form for raster in answer.rasters]


FILES = {
    "jpeg": encoded(PHOTO, "JPEG"),
    "progressive jpeg": encoded(PHOTO, "JPEG", progressive=True),
    "png": encoded(PHOTO, "PNG"),
    "interlaced-size png": encoded(photo((33, 17)), "PNG"),
    "webp": encoded(PHOTO, "WEBP"),
    "lossless webp": encoded(PHOTO, "WEBP", lossless=True),
    "gif": encoded(PHOTO, "GIF"),
    "bmp": encoded(PHOTO, "BMP"),
    "tiff": encoded(PHOTO, "TIFF"),
    "packed tiff": encoded(PHOTO, "TIFF", compression="tiff_lzw"),
    "big tiff": encoded(PHOTO, "TIFF", big_tiff=True),
    "jpeg tiff": encoded(PHOTO, "TIFF", compression="jpeg"),
    "avif": encoded(PHOTO, "AVIF"),
}
ANIMATIONS = {
    "apng": animation("PNG", TURNED),
    "webp": animation("WEBP", TURNED),
    "gif": animation("GIF", TURNED),
    "tiff": animation("TIFF", TURNED, compression="tiff_lzw"),
    "avif": animation("AVIF", TURNED),
    "mpo": animation("MPO", TURNED),
}


@pytest.mark.parametrize("name", FILES)
def test_a_sound_file_of_every_format_is_seen_upright_in_rgb(name: str) -> None:
    answer = look(FILES[name])
    assert (forms(answer), answer.unexamined) == (["as stored"], "")
    pixels = answer.rasters[0].pixels
    assert pixels.dtype == np.uint8
    assert pixels.shape[2:] == (3,)
    if "size" not in name:
        assert near(pixels, PHOTO, 14.0)


@pytest.mark.parametrize("photograph", photos.EVERY)
def test_ordinary_photographs_are_examined(photograph: tuple[str, str]) -> None:
    answer = look(photos.file(photograph).read_bytes())
    assert answer.unexamined == ""
    assert np.array_equal(answer.rasters[0].pixels, photos.pixels(photograph))


def test_the_thumbnail_that_photoshop_left_in_a_photograph_is_seen() -> None:
    answer = look(photos.file(photos.FLOWER).read_bytes())
    assert forms(answer) == ["as stored", "embedded image"]


def test_no_file_is_no_image() -> None:
    assert rasters((), {}, LIMITS) == Rasters((), "no image")


# Frames


@pytest.mark.parametrize("name", ANIMATIONS)
def test_every_frame_is_seen(name: str) -> None:
    answer = look(ANIMATIONS[name])
    assert (forms(answer), answer.unexamined) == (["as stored", "frame 1", "frame 2", "frame 3"], "")
    assert all(near(raster.pixels, turned, 16.0) for raster, turned in zip(answer.rasters, TURNED, strict=True))


@pytest.mark.parametrize("name", ANIMATIONS)
def test_more_frames_than_the_limit_leave_the_sample_unexamined_and_the_first_ones_seen(name: str) -> None:
    answer = look(ANIMATIONS[name], limits=Limits(max_frames=2))
    assert forms(answer)[:2] == ["as stored", "frame 1"]
    assert "frames than the limit" in answer.unexamined or "embedded images than the limit" in answer.unexamined
    assert look(ANIMATIONS[name], limits=Limits(max_frames=4)).unexamined == ""


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF"])
def test_a_picture_hidden_deep_in_an_animation_is_seen(kind: str) -> None:
    dull = [Image.new("RGB", (96, 64), (grey, grey, grey)) for grey in range(0, 240, 4)]
    options = {"lossless": True} if kind == "WEBP" else {}
    answer = look(animation(kind, [*dull[:47], shape(), *dull[47:]], duration=40, **options))
    assert answer.unexamined == ""
    assert [raster.form for raster in answer.rasters if near(raster.pixels, shape(), 8.0)] == ["frame 47"]


def test_frames_that_an_animated_png_does_not_declare_leave_it_unexamined() -> None:
    chunks = list(imagefiles.png_chunks(ANIMATIONS["apng"]))
    fewer = [(k, struct.pack(">II", 2, 0)) if k == b"acTL" else (k, body) for k, body in chunks]
    undeclared = [(k, body) for k, body in chunks if k != b"acTL"]
    for doctored in (fewer, undeclared):
        assert look(imagefiles.png(doctored)).unexamined == "frames that cannot be decoded"


def test_a_picture_that_an_mpo_declares_and_lacks_is_missed() -> None:
    whole = ANIMATIONS["mpo"]
    assert look(whole[: whole.index(b"\xff\xd9") + 2]).unexamined == "truncated"


# Pictures inside and behind pictures


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_an_exif_thumbnail_is_seen(kind: str) -> None:
    block = exif(encoded(shape(size=(32, 32)), "JPEG"))
    answer = look(encoded(PHOTO, kind, exif=block))
    assert answer.unexamined == ""
    assert forms(answer) == ["as stored", "EXIF thumbnail" if kind != "AVIF" else "embedded image"]
    assert near(answer.rasters[1].pixels, shape(size=(32, 32)), 8.0)


def test_an_exif_thumbnail_of_plain_rows_is_seen() -> None:
    thumbnail = shape(size=(16, 12), colour="red")
    answer = look(encoded(PHOTO, "JPEG", exif=exif_in_rows(thumbnail)))
    assert (forms(answer), answer.unexamined) == (["as stored", "EXIF thumbnail"], "")
    assert np.array_equal(answer.rasters[1].pixels, np.asarray(thumbnail))


def test_a_broken_exif_thumbnail_leaves_the_sample_unexamined() -> None:
    thumbnail = encoded(PHOTO, "JPEG")
    answer = look(encoded(PHOTO, "JPEG", exif=exif(thumbnail[: len(thumbnail) // 2])))
    assert answer.unexamined == "embedded image: truncated"
    assert forms(answer) == ["as stored", "EXIF thumbnail"]


def test_a_thumbnail_split_over_two_segments_is_seen() -> None:
    whole = exif(encoded(photo((400, 300)), "JPEG", quality=92))
    assert 32_000 < len(whole) < 65_000
    halves = (whole[:30_000], b"Exif\0\0" + whole[30_000:])
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", len(half) + 2) + half for half in halves)
    answer = look(FILES["jpeg"][:2] + segments + FILES["jpeg"][2:])
    assert (forms(answer), answer.unexamined) == (["as stored", "EXIF thumbnail"], "")
    assert near(answer.rasters[1].pixels, photo((400, 300)), 4.0)


@pytest.mark.parametrize("front", ["jpeg", "progressive jpeg", "png", "webp", "lossless webp", "gif", "bmp", "avif"])
@pytest.mark.parametrize("behind", ["jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"])
def test_an_image_appended_to_an_image_is_seen(front: str, behind: str) -> None:
    for gap in (b"", b"\0\0padding"):
        answer = look(FILES[front] + gap + encoded(shape(), behind.upper()))
        assert (forms(answer), answer.unexamined) == (["as stored", "appended image"], "")
        assert near(answer.rasters[1].pixels, shape(), 8.0)


def test_a_chain_of_appended_images_is_seen_with_frames_and_thumbnails() -> None:
    with_thumbnail = encoded(PHOTO, "JPEG", exif=exif(encoded(shape(), "JPEG")))
    answer = look(FILES["png"] + FILES["jpeg"] + ANIMATIONS["gif"] + with_thumbnail)
    expected = ["as stored", "appended image", "appended image 2"]
    expected += [f"appended image 2, frame {number}" for number in (1, 2, 3)]
    assert forms(answer) == [*expected, "appended image 3", "appended image 3, EXIF thumbnail"]
    assert answer.unexamined == ""


def test_a_truncated_appended_image_leaves_the_sample_unexamined() -> None:
    assert look(FILES["jpeg"] + FILES["png"][:-30]).unexamined == "embedded image: truncated"


def test_a_film_behind_a_photograph_leaves_the_sample_unexamined() -> None:
    film = struct.pack(">I4s4s", 24, b"ftyp", b"mp42") + bytes(64)
    assert look(FILES["jpeg"] + film).unexamined == "embedded media that cannot be decoded"


def test_bytes_behind_the_end_that_are_no_picture_do_no_harm() -> None:
    for rest in (b"\0" * 100, b"codeword-alpha", b"\xff\xd8\xff", b"BM and no more", b"II*\0", b"GIF"):
        assert look(FILES["jpeg"] + rest).unexamined == ""


def test_a_picture_behind_the_end_that_breaks_off_in_its_header_leaves_the_sample_unexamined() -> None:
    assert look(FILES["jpeg"] + FILES["jpeg"][:40]).unexamined == "embedded image: truncated"


def test_more_appended_images_than_the_limit_leave_the_sample_unexamined() -> None:
    answer = look(FILES["gif"] + FILES["jpeg"] * 5, limits=Limits(max_frames=4))
    assert answer.unexamined == "more embedded images than the limit"
    assert len(answer.rasters) == 5


def test_thumbnails_within_thumbnails_end_somewhere_and_say_so() -> None:
    nested = encoded(shape(size=(16, 16)), "JPEG")
    for _ in range(4):
        nested = encoded(shape(size=(32, 32)), "JPEG", exif=exif(nested))
    assert look(nested).unexamined == "images embedded too deeply"


def test_a_sub_image_of_a_tiff_is_seen() -> None:
    answer = look(_with_sub_image(shape(size=(16, 12), colour="red")))
    assert (forms(answer), answer.unexamined) == (["as stored", "sub-image"], "")


def _with_sub_image(beneath: Image.Image) -> bytes:
    def tags(at: int, image: Image.Image, sub: int) -> list[bytes]:
        values = {256: image.width, 257: image.height, 259: 1, 262: 2, 273: at + 6, 277: 3}
        values |= {279: image.width * image.height * 3} | ({330: sub} if sub else {})
        entries = {tag: struct.pack("<HHII", tag, 4, 1, value) for tag, value in values.items()}
        entries[258] = struct.pack("<HHII", 258, 3, 3, at)
        return [entries[tag] for tag in sorted(entries)]

    depths = struct.pack("<3H", 8, 8, 8)
    first = 8 + 2 + 12 * 9 + 4
    second = first + 6 + PHOTO.width * PHOTO.height * 3
    below = second + 2 + 12 * 8 + 4
    data = b"II*\0" + struct.pack("<I", 8) + imagefiles.directory(tags(first, PHOTO, second), 0)
    data += depths + PHOTO.tobytes() + imagefiles.directory(tags(below, beneath, 0), 0)
    return data + depths + beneath.tobytes()


def test_an_unknown_file_with_a_picture_in_it_shows_the_picture_and_stays_unexamined() -> None:
    answer = look(b"%!PS-Adobe-3.0 EPSF-3.0\n" + FILES["jpeg"])
    assert (forms(answer), answer.unexamined) == (["embedded image"], "undecodable")


def test_files_of_one_sample_are_told_apart() -> None:
    answer = look(FILES["jpeg"], ANIMATIONS["gif"], b"nothing")
    assert forms(answer)[:3] == ["file 0, as stored", "file 1, as stored", "file 1, frame 1"]
    assert answer.unexamined == "undecodable"


# Transparency, orientation, modes


def _hidden(alpha: int = 0) -> Image.Image:
    image = shape().convert("RGBA")
    image.putalpha(alpha)
    return image


def test_a_picture_that_shows_only_on_black_is_seen() -> None:
    white = Image.new("RGBA", (96, 64), "white")
    white.putalpha(shape().convert("L"))
    for kind in ("PNG", "WEBP", "TIFF"):
        answer = look(encoded(white, kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {})))
        assert forms(answer) == ["as stored", "on black"]  # on white it is as white as stored
        assert near(answer.rasters[1].pixels, shape(), 1.0)


def test_a_picture_that_shows_only_on_white_is_seen() -> None:
    black = Image.new("RGBA", (96, 64), "black")
    black.putalpha(shape().convert("L"))
    answer = look(encoded(black, "PNG"))
    assert forms(answer) == ["as stored", "on white"]
    assert near(answer.rasters[1].pixels, 255 - np.asarray(shape()), 1.0)


def test_colours_under_full_transparency_are_seen_as_a_training_loop_sees_them() -> None:
    answer = look(encoded(_hidden(), "PNG"))
    assert forms(answer) == ["as stored", "on white", "on black"]
    with Image.open(BytesIO(encoded(_hidden(), "PNG"))) as opened:
        assert np.array_equal(answer.rasters[0].pixels, np.asarray(opened.convert("RGB")))


def test_an_opaque_alpha_channel_makes_one_raster() -> None:
    assert forms(look(encoded(_hidden(255), "PNG"))) == ["as stored"]


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_transparency_of_a_palette_counts(kind: str) -> None:
    image = PHOTO.quantize(16)
    common = int(np.bincount(np.asarray(image).ravel()).argmax())
    answer = look(encoded(image, kind, transparency=common))
    assert forms(answer) == ["as stored", "on white", "on black"]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_is_turned_upright(orientation: int, kind: str) -> None:
    tags = Image.Exif()
    tags[0x112] = orientation
    turn = {1: [], 2: ["m"], 3: ["r", "r"], 4: ["r", "r", "m"], 5: ["r", "m"], 6: ["r"], 7: ["m", "r"], 8: ["r"] * 3}
    stored = np.asarray(PHOTO)
    # Undo, in reverse, what the tag asks a viewer to do: "r" is a quarter turn clockwise, "m" a mirror left to right.
    for step in reversed(turn[orientation]):
        stored = np.rot90(stored) if step == "r" else stored[:, ::-1]
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    answer = look(encoded(Image.fromarray(np.ascontiguousarray(stored)), kind, exif=tags, **options))
    assert (forms(answer), answer.unexamined) == (["as stored"], "")
    assert near(answer.rasters[0].pixels, PHOTO, 6.0)


MODES = [("PNG", m) for m in ("1", "L", "LA", "P", "RGBA")] + [("JPEG", m) for m in ("L", "CMYK", "YCbCr")]
MODES += [("TIFF", m) for m in ("1", "L", "LA", "P", "PA", "CMYK", "RGBA", "I")]


@pytest.mark.parametrize(("kind", "mode"), MODES)
def test_every_mode_becomes_rgb(kind: str, mode: str) -> None:
    answer = look(encoded(PHOTO.convert(mode), kind))
    assert answer.unexamined == ""
    assert abs(float(answer.rasters[0].pixels.mean()) - float(np.asarray(PHOTO).mean())) < 6.0


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_and_what_clipping_shows_is_seen_too(kind: str) -> None:
    grey = np.asarray(PHOTO.convert("L")).astype(np.uint16)
    scaled = look(encoded(Image.fromarray(grey * 257), kind))
    assert forms(scaled) == ["as stored"]
    assert np.array_equal(scaled.rasters[0].pixels[..., 0], grey)
    faint = look(encoded(Image.fromarray(grey), kind))  # nearly black when scaled, plain to see for convert("RGB")
    assert forms(faint) == ["as stored", "clipped"]
    assert np.array_equal(faint.rasters[1].pixels[..., 0], grey)


def test_floating_point_pictures_are_scaled_to_their_own_range() -> None:
    grey = np.asarray(PHOTO.convert("L")).astype(np.float32) / 255
    grey[0, 0], grey[0, 1] = 0.0, 1.0
    grey[1, 1] = np.nan
    answer = look(encoded(Image.fromarray(grey), "TIFF"))
    assert answer.unexamined == ""
    assert near(answer.rasters[0].pixels[..., 0], PHOTO.convert("L"), 2.0)


# Faults


@pytest.mark.parametrize("name", [*FILES, *(f"{kind} animation" for kind in ANIMATIONS)])
def test_a_file_cut_anywhere_is_never_clean_unless_no_pixel_is_missing(name: str) -> None:
    data = FILES[name] if name in FILES else ANIMATIONS[name.split()[0]]
    whole = look(data).rasters
    for cut in sorted({*range(0, len(data), max(1, len(data) // 60)), *range(len(data) - 12, len(data))}):
        answer = look(data[:cut])
        if not answer.unexamined:  # libtiff leaves unused bytes at the end, and no other format does
            assert "tiff" in name
            assert len(answer.rasters) == len(whole)
            assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(answer.rasters, whole, strict=True))


@pytest.mark.parametrize("name", ["jpeg", "progressive jpeg"])
def test_a_jpeg_without_its_end_is_truncated_and_still_seen(name: str) -> None:
    answer = look(FILES[name][:-2])
    assert answer.unexamined == "truncated"
    assert near(answer.rasters[0].pixels, PHOTO, 14.0)


def test_a_progressive_jpeg_without_its_last_scan_is_truncated() -> None:
    data = FILES["progressive jpeg"]
    last_scan = data.rindex(b"\xff\xda")
    assert look(data[:last_scan]).unexamined == "truncated"
    assert look(data[: last_scan + 20]).unexamined == "truncated"


def test_the_visible_half_of_a_truncated_photograph_is_seen() -> None:
    data = encoded(photo((256, 256)), "JPEG", quality=90)
    answer = look(data[: len(data) * 3 // 4])
    assert answer.unexamined == "truncated"
    assert near(answer.rasters[0].pixels[:128], np.asarray(photo((256, 256)))[:128], 6.0)


def test_a_png_without_its_end_or_with_a_wrong_checksum_is_unexamined() -> None:
    data = FILES["png"]
    assert look(data[:-12]).unexamined == "truncated"
    at = data.index(b"IDAT") + 4 + struct.unpack_from(">I", data, data.index(b"IDAT") - 4)[0]
    doctored = look(data[:at] + b"\0\0\0\0" + data[at + 4 :])
    assert doctored.unexamined == "undecodable"
    assert np.array_equal(doctored.rasters[0].pixels, np.asarray(PHOTO))


def test_a_gif_cut_in_a_frame_shows_the_frames_before_it() -> None:
    data = ANIMATIONS["gif"]
    answer = look(data[: len(data) * 5 // 8])
    assert answer.unexamined == "truncated"
    assert len(answer.rasters) >= 2
    assert near(answer.rasters[1].pixels, TURNED[1], 16.0)


def test_a_frame_without_its_pixels_is_unexamined() -> None:
    data = FILES["gif"]
    at = data.index(b",", 13 + 768) + 11  # behind the descriptor of the one frame, which has no palette of its own
    assert look(data[:at] + b"\0;").unexamined == "truncated"


# Limits and silence


def test_a_picture_of_too_many_pixels_is_refused_by_its_header() -> None:
    limits = Limits(max_pixels=96 * 64 - 1)
    for data in (*FILES.values(), *ANIMATIONS.values()):
        if data is not FILES["interlaced-size png"]:
            answer = look(data, limits=limits)
            assert "too large to examine" in answer.unexamined
            assert answer.rasters == ()
    assert look(FILES["png"], limits=Limits(max_pixels=96 * 64)).unexamined == ""


def test_a_header_that_claims_a_giant_picture_costs_nothing() -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = imagefiles.png([(b"IHDR", header), (b"IDAT", b"\x78\x9c"), (b"IEND", b"")])
    assert look(bomb) == Rasters((), "too large to examine")


def test_decoded_bytes_are_limited_over_all_rasters_of_a_sample() -> None:
    one = 96 * 64 * 3
    answer = look(FILES["png"], FILES["jpeg"], limits=Limits(max_decoded_bytes=2 * one - 1))
    assert (forms(answer), answer.unexamined) == (["file 0, as stored"], "too large to examine")
    assert look(FILES["png"], FILES["jpeg"], limits=Limits(max_decoded_bytes=2 * one)).unexamined == ""


def test_a_member_above_the_limit_is_not_opened() -> None:
    answer = look(FILES["png"], limits=Limits(max_member_bytes=len(FILES["png"]) - 1))
    assert answer == Rasters((), "too large to examine")


REFUSED = {
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "ppm": encoded(PHOTO, "PPM"),
    "tga": encoded(PHOTO, "TGA"),
    "jpeg 2000": encoded(PHOTO, "JPEG2000"),
    "ico": encoded(PHOTO.resize((16, 16)), "ICO", bitmap_format="bmp"),
    "empty": b"",
}


@pytest.mark.parametrize("name", REFUSED)
def test_formats_beyond_the_list_are_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subprocess.Popen", None)  # no program can be started
    assert look(REFUSED[name]) == Rasters((), "undecodable")


def test_the_settings_of_pillow_are_as_before() -> None:
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)
    for data in (FILES["jpeg"], FILES["jpeg"][:-40], b"nothing", FILES["tiff"][:-40]):
        look(data)
        assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)) == before


@pytest.fixture
def _loud() -> Iterator[None]:
    root = logging.getLogger()
    handler = logging.StreamHandler(sys.stderr)
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.DEBUG)
    yield
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.mark.usefixtures("_loud")
def test_nothing_is_printed_logged_or_warned(capfd: pytest.CaptureFixture[str]) -> None:
    for data in (*FILES.values(), *ANIMATIONS.values()):
        for cut in (len(data), len(data) - 40, len(data) // 2):
            look(data[:cut])
            look(data[:cut] + b"\0" * (len(data) - cut))
    assert capfd.readouterr() == ("", "")


def test_a_reason_never_quotes_the_file() -> None:
    canary = b"codeword-alpha"
    for data in (FILES["png"] + canary, canary, b"\xff\xd8\xff" + canary, b"GIF89a" + canary * 9, b"II*\0" + canary):
        assert "codeword" not in repr(look(data))


BEGINNINGS = st.sampled_from([b"", *(data[:40] for data in FILES.values())])


@settings(max_examples=300, deadline=None)
@given(BEGINNINGS, st.binary(max_size=300))
def test_any_bytes_are_answered_and_none_is_clean_without_a_raster(beginning: bytes, rest: bytes) -> None:
    answer = look(beginning + rest, limits=Limits(max_pixels=100_000, max_frames=3))
    assert answer.rasters or answer.unexamined


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_file_is_answered(data: st.DataObject) -> None:
    sound = {**FILES, **{f"{kind} animation": file for kind, file in ANIMATIONS.items()}}
    damaged = bytearray(sound[data.draw(st.sampled_from(sorted(sound)))])
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    answer = look(bytes(damaged), limits=Limits(max_pixels=100_000, max_decoded_bytes=2_000_000))
    assert answer.rasters or answer.unexamined
    assert all(raster.pixels.dtype == np.uint8 and raster.pixels.shape[2:] == (3,) for raster in answer.rasters)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([*sorted(FILES), "nothing"]), max_size=3))
def test_the_answer_for_several_files_is_the_sum_of_their_answers(names: list[str]) -> None:
    files = [FILES.get(name, b"nothing") for name in names]
    together, alone = look(*files), [look(data) for data in files]
    assert len(together.rasters) == sum(len(each.rasters) for each in alone)
    assert bool(together.unexamined) == (not files or any(each.unexamined for each in alone))
