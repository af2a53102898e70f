"""PDQ by the compiled extension is PDQ by pdqhash, for every picture."""

import platform
import shutil
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from filters import pdq
from filters.pdq import dihedral, slow_dihedral
from tests.filters.photos import ASTRONAUT, CAT, CHINA, EVERY, Pixels, pixels, plain

COMPILER = shutil.which((sysconfig.get_config_var("CC") or "cl").split()[0])
HEADER = Path(sysconfig.get_path("include"), "Python.h")
X86 = platform.machine().lower() in ("x86_64", "amd64")
compiled = pytest.mark.skipif(not pdq.EXTENSION, reason="the extension was not built: no compiler")
same_rounding = pytest.mark.skipif(not X86, reason="pdqhash may round a product and a sum as one on this processor")

SIDES = (
    5,
    6,
    7,
    8,
    9,
    15,
    16,
    17,
    31,
    63,
    64,
    65,
    127,
    128,
    129,
    130,
    191,
    255,
    256,
    257,
    258,
    384,
    385,
    511,
    513,
    640,
)


def agree(picture: Pixels) -> None:
    """Both ways give all eight hashes and the quality alike."""
    hashes, quality = dihedral(picture)
    expected, expected_quality = slow_dihedral(picture)
    assert hashes.shape == (8, 32)
    assert hashes.dtype == np.uint8
    assert hashes.tobytes() == expected.tobytes()
    assert quality == expected_quality


def resized(photo: tuple[str, str], width: int, height: int) -> Pixels:
    return np.asarray(Image.fromarray(pixels(photo)).resize((width, height), Image.Resampling.BILINEAR))


def noise(height: int, width: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.skipif(not (COMPILER and HEADER.exists()), reason="no compiler, or no headers of Python")
def test_where_there_is_a_compiler_the_extension_is_built() -> None:
    assert pdq.EXTENSION


@compiled
@same_rounding
@pytest.mark.parametrize("photo", EVERY, ids=lambda photo: photo[1])
def test_a_photo_at_its_own_size_has_the_same_hashes(photo: tuple[str, str]) -> None:
    agree(pixels(photo))


@compiled
@same_rounding
@pytest.mark.parametrize("height", SIDES)
def test_a_photo_of_any_size_has_the_same_hashes(height: int) -> None:
    for number, width in enumerate(SIDES):
        agree(resized(EVERY[(number + height) % len(EVERY)], width, height))


@compiled
@same_rounding
@pytest.mark.parametrize(
    ("height", "width"),
    [(1_024, 1_024), (1_500, 1_001), (5, 9_001), (9_001, 5), (6, 20_000), (3_001, 129), (128, 2_049)],
)
def test_a_large_or_drawn_out_picture_has_the_same_hashes(height: int, width: int) -> None:
    agree(resized(CHINA, width, height))
    agree(noise(height, width))


@compiled
@same_rounding
@pytest.mark.parametrize("sides", [(64, 64), (97, 301), (300, 200)])
@pytest.mark.parametrize("value", [0, 1, 77, 127, 128, 254, 255])
def test_a_flat_picture_has_the_same_hashes_though_they_are_nothing_but_rounding(
    sides: tuple[int, int], value: int
) -> None:
    agree(plain(*sides, (value, value, value)))
    agree(plain(*sides, (value, 255 - value, 13)))


@compiled
@same_rounding
def test_grey_noisy_black_and_white_and_one_bright_pixel_have_the_same_hashes() -> None:
    grey = np.repeat(pixels(CAT)[:, :, 1:2], 3, axis=2)
    agree(grey)
    agree((grey > 127).astype(np.uint8) * np.uint8(255))
    agree(noise(200, 333))
    dot = plain(300, 400, (0, 0, 0))
    dot[150, 200] = 255
    agree(dot)


@compiled
@same_rounding
def test_stripes_of_every_period_have_the_same_hashes() -> None:
    """The sums then come close to ties, and their rounding tells in the bits."""
    y, x = np.mgrid[0:261, 0:319]
    for period in range(1, 12):
        agree(np.repeat((((x + y) // period) % 2 * 255).astype(np.uint8)[:, :, None], 3, axis=2))
        agree(np.repeat(((x * period) % 256).astype(np.uint8)[:, :, None], 3, axis=2))


@compiled
@same_rounding
@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.integers(0, 2**32 - 1),
    st.sampled_from([1, 2, 3, 17, 256]),
    st.integers(1, 40),
)
def test_no_picture_tells_the_two_apart(height: int, width: int, seed: int, levels: int, cell: int) -> None:
    """Blocks of `cell` pixels in `levels` shades: from flat through patchwork to noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, levels, (-(-height // cell), -(-width // cell), 3)) * (255 // max(1, levels - 1))
    agree(np.kron(coarse, np.ones((cell, cell, 1), dtype=np.int64))[:height, :width].astype(np.uint8))


Way = Callable[[Pixels], tuple[Pixels, int]]
VIEWS: dict[str, Any] = {
    "mirrored": np.s_[:, ::-1],
    "flipped": np.s_[::-1],
    "every second pixel": np.s_[::2, ::2],
    "a part": np.s_[11:201, 17:290],
    "blue first": np.s_[:, :, ::-1],
    "every column twice": (np.s_[:], np.repeat(np.arange(200), 2)),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("way", [dihedral, slow_dihedral])
def test_pixels_need_not_lie_in_order_in_memory(way: Way, view: str) -> None:
    seen = pixels(CAT)[VIEWS[view]]
    for picture in (seen, seen.swapaxes(0, 1)):
        assert np.array_equal(way(picture)[0], way(np.array(picture, order="C"))[0])


@compiled
def test_one_pixel_may_stand_for_all() -> None:
    flat = np.broadcast_to(np.array([9, 200, 77], dtype=np.uint8), (301, 203, 3))
    assert np.array_equal(dihedral(flat)[0], dihedral(np.array(flat))[0])


@pytest.mark.parametrize("sides", [(1, 1), (1, 4_000), (4_000, 1), (4, 4), (4, 5), (5, 4)])
def test_a_side_under_five_pixels_gives_zeros_and_no_quality(sides: tuple[int, int]) -> None:
    for hashes, quality in (dihedral(noise(*sides)), slow_dihedral(noise(*sides))):
        assert not hashes.any()
        assert quality == 0


@compiled
@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((20, 20), dtype=np.uint8),
        np.zeros((20, 20, 4), dtype=np.uint8),
        np.zeros((20, 20, 3), dtype=np.float32),
        np.zeros((20, 20, 3), dtype=np.int8),
        np.zeros((2, 20, 20, 3), dtype=np.uint8),
    ],
    ids=str,
)
def test_anything_but_rgb_of_eight_bits_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="uint8 pixels of shape"):
        dihedral(wrong)


@compiled
def test_a_side_beyond_what_is_counted_is_refused() -> None:
    endless = np.broadcast_to(np.zeros(1, dtype=np.uint8), (2**31, 5, 3))
    with pytest.raises(ValueError, match="2147483647"):
        dihedral(endless)


@compiled
def test_a_picture_for_which_there_is_no_memory_is_an_error_and_not_a_crash() -> None:
    endless = np.broadcast_to(np.zeros(1, dtype=np.uint8), (2**31 - 1, 2**29, 3))
    with pytest.raises(MemoryError):
        dihedral(endless)


@compiled
def test_threads_hash_side_by_side() -> None:
    pictures = [pixels(photo) for photo in EVERY]
    expected = [dihedral(picture)[0].tobytes() for picture in pictures]
    found: list[list[bytes]] = []

    def work() -> None:
        found.append([dihedral(picture)[0].tobytes() for picture in pictures * 3])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected * 3] * 4


def test_without_the_extension_pdqhash_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = pixels(ASTRONAUT)
    monkeypatch.setattr(pdq, "_COMPILED", None)
    hashes, quality = dihedral(picture)
    assert hashes.tobytes() == slow_dihedral(picture)[0].tobytes()
    assert quality == slow_dihedral(picture)[1]


def test_the_extension_may_be_missing() -> None:
    code = (
        "import sys; sys.modules['filters._pdq'] = None; from filters.pdq import EXTENSION, dihedral\n"
        "import numpy as np; print(EXTENSION, *dihedral(np.zeros((9, 9, 3), np.uint8))[0].shape)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["False", "8", "32"]
