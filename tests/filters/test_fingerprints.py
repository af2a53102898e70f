"""Digests of files and of recorded originals, PDQ in eight forms and pHash of every raster."""

import hashlib
import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from filters import forms
from filters.fingerprints import DIHEDRAL, PART, Fingerprint, fingerprints
from filters.rasters import Raster, Rasters
from tests.filters.photos import CAT, CHINA, COFFEE, Pixels, pixels

# A drawing and its PDQ and pHash. Origin: pdqhash 0.2.8 (which is within 8 bits of Meta's C++ hash of
# pdq/data/reg-test-input/dih/bridge-1-original.jpg in all eight forms, with the JPEG decoder as the difference) and
# imagehash 4.3.2, computed on 2026-11-21 with numpy 2.4.6 and Pillow 12.3.0.
DRAWING_PDQ = bytes.fromhex("8e613a0acf189ce1670ede1eb71ea621699e7a3e728e55b101ee11de11566f51")
DRAWING_PHASH = bytes.fromhex("c345353d3b46383e")


def drawing() -> Pixels:
    """Blobs and a slope, from integers alone, so that every machine draws the same."""
    y, x = np.mgrid[0:240, 0:320]
    red = (x * x // 400 + y) % 256
    green = np.where((x - 90) ** 2 + (y - 70) ** 2 < 3_000, 230, 40 + y // 2)
    blue = np.where((x > 180) & (y > 120) & (x + y < 480), 250, (x * 3 // 7) % 128)
    return np.stack((red, green, blue), axis=2).astype(np.uint8)


def of(*pictures: Pixels) -> tuple[Fingerprint, ...]:
    return fingerprints((), {}, Rasters(tuple(Raster(each, f"frame {n}") for n, each in enumerate(pictures))))


def pdq(picture: Pixels) -> dict[str, bytes]:
    """Return the PDQ hashes of a picture as it stands, by how it was turned."""
    forms = {each.form.removeprefix("frame 0"): each.value for each in of(picture) if each.kind == "pdq"}
    return {form: value for form, value in forms.items() if form in ("", *(f", {turn}" for turn in DIHEDRAL))}


def bits(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def test_every_file_has_three_digests() -> None:
    found = fingerprints((b"one", b"two"), {}, Rasters())
    assert [(each.kind, each.form, each.value) for each in found] == [
        (kind, f"file {number}", hashlib.new(kind, data).digest())
        for number, data in enumerate((b"one", b"two"))
        for kind in ("md5", "sha1", "sha256")
    ]


def test_the_recorded_digest_of_the_original_is_a_fingerprint() -> None:
    digest = hashlib.sha256(b"raw download").hexdigest()
    (found,) = fingerprints((), {"sha256": digest.upper(), "md5": None, "sha512": "0" * 128}, Rasters())
    assert found == Fingerprint("sha256", "recorded original", bytes.fromhex(digest))


@given(
    st.dictionaries(
        st.sampled_from(["md5", "sha1", "sha256"]), st.one_of(st.none(), st.text(), st.floats(), st.binary())
    )
)
def test_a_recorded_digest_that_is_none_is_left_out(meta: dict[str, Any]) -> None:
    assert fingerprints((), meta, Rasters()) == ()


@pytest.mark.parametrize(
    "value", ["0" * 63, "0" * 65, "0x" + "0" * 62, "g" * 64, " " + "0" * 63, "٣" * 64, "0" * 64 + "\n"]
)
def test_only_hex_of_the_right_length_is_a_recorded_digest(value: str) -> None:
    assert fingerprints((), {"sha256": value}, Rasters()) == ()


def test_the_drawing_has_its_recorded_hashes() -> None:
    found = {each.kind: each for each in reversed(of(drawing()))}
    assert found["pdq"].value == DRAWING_PDQ
    assert found["pdq"].quality == 81
    assert found["phash"].value == DRAWING_PHASH


TURNED = {
    ", rotated 90": Image.Transpose.ROTATE_90,
    ", rotated 180": Image.Transpose.ROTATE_180,
    ", rotated 270": Image.Transpose.ROTATE_270,
    ", flipped": Image.Transpose.FLIP_TOP_BOTTOM,
    ", mirrored": Image.Transpose.FLIP_LEFT_RIGHT,
    ", transposed": Image.Transpose.TRANSPOSE,
    ", transversed": Image.Transpose.TRANSVERSE,
}


@pytest.mark.parametrize("photo", [CAT, CHINA, COFFEE])
@pytest.mark.parametrize("form", TURNED)
def test_each_form_is_named_after_what_pillow_does(photo: tuple[str, str], form: str) -> None:
    picture = pixels(photo)
    turned = np.asarray(Image.fromarray(picture).transpose(TURNED[form]))
    distances = {name: bits(value, pdq(turned)[""]) for name, value in pdq(picture).items()}
    assert distances.pop(form) <= 16
    assert min(distances.values()) > 80


def test_there_are_eight_forms_and_one_phash_of_each_raster() -> None:
    found = of(pixels(COFFEE), drawing())
    assert [each.form for each in found if each.kind == "phash"] == ["frame 0", "frame 1"]
    assert [each.form for each in found if each.kind == "pdq"] == [
        *(f"frame 0, {form}" if form else "frame 0" for form in DIHEDRAL),
        *("frame 0, at 384 x 384", "frame 0, at 512 x 512"),
        *(f"frame 1, {form}" if form else "frame 1" for form in DIHEDRAL),
        *("frame 1, at 384 x 384", "frame 1, at 512 x 512"),
    ]


def test_the_inverted_picture_has_the_complement() -> None:
    picture = pixels(CAT)
    assert bits(pdq(255 - picture)[""], pdq(picture)[""]) >= 250


def test_a_flat_picture_has_no_quality() -> None:
    flat = np.full((64, 64, 3), 255, dtype=np.uint8)
    assert {each.quality for each in of(flat) if each.kind == "pdq"} == {0}


@pytest.mark.parametrize("sides", [*itertools.product((1, 2, 4, 5, 7, 9, 300), repeat=2)])
def test_a_tiny_picture_has_hashes_or_none_but_never_an_error(sides: tuple[int, int]) -> None:
    found = of(np.random.default_rng(1).integers(0, 256, (*sides, 3), dtype=np.uint8))
    assert {each.kind for each in found} == ({"pdq", "phash", PART} if min(sides) >= 5 else set())


@pytest.mark.parametrize("view", ["read-only", "mirrored", "transposed"])
def test_pixels_need_not_lie_in_order_in_memory(view: str) -> None:
    picture = pixels(CAT).copy()
    picture.setflags(write=view != "read-only")
    seen = {"mirrored": picture[:, ::-1], "transposed": picture.swapaxes(0, 1)}.get(view, picture)
    assert of(seen) == of(np.array(seen))


def test_a_huge_picture_is_shrunk_before_it_is_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = pixels(CHINA, scale=3.0)
    whole = pdq(picture)[""]
    monkeypatch.setattr(forms, "MAX_HASHED_PIXELS", picture.shape[0] * picture.shape[1] // 4)
    shrunk = pdq(picture)[""]
    assert 0 < bits(whole, shrunk) <= 16


def test_a_huge_strip_keeps_its_short_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "MAX_HASHED_PIXELS", 1_000)
    noise: NDArray[np.uint8] = np.random.default_rng(1).integers(0, 256, (6, 4_000, 3), dtype=np.uint8)
    assert {each.kind for each in of(noise)} == {"pdq", "phash", PART}


def test_a_repr_tells_no_hash() -> None:
    assert repr(Fingerprint("md5", "file 0", b"codeword-alpha!!")) == (
        "Fingerprint(kind='md5', form='file 0', quality=None)"
    )


def enlarged(picture: Pixels, width: int, height: int) -> dict[str, bytes]:
    shown = Rasters((Raster(picture, "letterbox removed"),))
    found = fingerprints((), {"original_width": width, "original_height": height}, shown)
    return {each.form: each.value for each in found if each.kind == "pdq" and "recorded size" in each.form}


@pytest.mark.parametrize("photo", [CAT, CHINA, COFFEE])
def test_a_small_copy_is_also_hashed_at_its_recorded_size_and_so_comes_back_to_the_original(
    photo: tuple[str, str],
) -> None:
    original = pixels(photo)
    height, width = original.shape[:2]
    small = np.asarray(Image.fromarray(original).resize((256, round(256 * height / width)), Image.Resampling.LANCZOS))
    found = enlarged(small, width, height)
    back = bits(found["letterbox removed, at recorded size"], pdq(original)[""])
    assert back <= 8
    assert back <= bits(pdq(small)[""], pdq(original)[""])


@pytest.mark.parametrize(("width", "height"), [(0, 0), (64, 48), (640, 640), (10**9, 1)])
def test_a_recorded_size_that_is_the_same_or_has_another_shape_adds_no_hash(width: int, height: int) -> None:
    assert enlarged(drawing()[:48, :64].copy(), width, height) == {}


def test_a_huge_recorded_size_is_bounded() -> None:
    assert len(enlarged(drawing()[:48, :64].copy(), 64_000_000, 48_000_000)) == 1
