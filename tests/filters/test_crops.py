"""A part of a listed picture, or a picture with one as a part, is for a person to review, and no known material."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from filters.config import load_policy
from filters.crops import kept, parts, windows
from filters.finding import NOT_EFFECTIVE, PARTIAL, Finding
from filters.fingerprints import PART, fingerprints
from filters.lists import ListSource
from filters.pdq import dihedral
from filters.pdqgrid import SIDE
from filters.perceptual import PerceptualMatch
from filters.policy import LISTED, earn
from filters.rasters import Raster, Rasters
from filters.sample import Batch, Sample
from tests.filters.photos import ASTRONAUT, CAT, CHINA, COFFEE, EVERY, FLOWER, Pixels, pixels, plain, showing

Change = Callable[[Image.Image], Image.Image]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> ListSource:
    path: Path = tmp_path_factory.mktemp("list") / "list.csv"
    hashes = [dihedral(pixels(photo))[0][0].tobytes().hex() for photo in EVERY]
    path.write_text("hash\n" + "\n".join(hashes))
    return ListSource("codewords", str(path), "hashes", "csam", columns=(("value", "hash"), ("algorithm", "=pdq")))


def found(source: ListSource, image: Image.Image) -> tuple[Finding, ...]:
    (findings,) = PerceptualMatch(lists=(source,)).load()(showing(np.asarray(image)))
    return findings


def cut(share: float) -> Change:
    return lambda image: image.crop(
        (
            round(image.width * share),
            round(image.height * share),
            image.width - round(image.width * share),
            image.height - round(image.height * share),
        )
    )


def beside(image: Image.Image) -> Image.Image:
    canvas = Image.new("RGB", (2 * image.width, image.height))
    canvas.paste(image)
    canvas.paste(ImageOps.mirror(image), (image.width, 0))
    return canvas


def screenshot(image: Image.Image) -> Image.Image:
    canvas = Image.new("RGB", (image.width + 60, image.height + 200), (245, 245, 247))
    canvas.paste((40, 40, 48), (0, 0, canvas.width, 30))
    canvas.paste(image, (30, 90))
    return canvas


CHANGES: dict[str, Change] = {"cut by 2 %": cut(0.02), "a collage": beside, "a screenshot": screenshot}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("photo", [CAT, CHINA, COFFEE, ASTRONAUT])
def test_a_part_is_found_and_is_for_review(source: ListSource, photo: tuple[str, str], change: str) -> None:
    (finding, *more) = found(source, CHANGES[change](Image.fromarray(pixels(photo))))
    assert (finding.filter, finding.label, finding.source, more) == ("perceptual", PARTIAL, "codewords", [])
    assert finding.entry == f"pdq:{dihedral(pixels(photo))[0][0].tobytes().hex()}"
    assert finding.value is not None
    assert finding.value <= 31
    assert finding.label not in PerceptualMatch(lists=(source,)).conclusive


def test_what_matches_whole_is_not_told_as_a_part_as_well(source: ListSource) -> None:
    assert [each.label for each in found(source, Image.fromarray(pixels(CAT)))] == ["csam"]


def test_a_part_earns_no_mark_of_known_material(source: ListSource) -> None:
    policy = load_policy("partition")
    assert earn(policy, [Finding("perceptual", PARTIAL, 12)]).marks == {"partial-match"}
    assert LISTED not in earn(policy, [Finding("perceptual", NOT_EFFECTIVE, 12)]).marks


@settings(max_examples=15, deadline=None)
@given(st.binary(max_size=400) | st.sampled_from([b"\xff\xd8\xff", b"GIF89a", b"\x89PNG\r\n\x1a\n"]), st.data())
def test_any_bytes_are_answered_and_no_label_but_a_category_concludes(
    source: ListSource, data: bytes, more: st.DataObject
) -> None:
    meta = more.draw(
        st.dictionaries(
            st.sampled_from(["original_width", "original_height"]), st.none() | st.floats() | st.integers() | st.text()
        )
    )
    match = PerceptualMatch(lists=(source,))
    (findings,) = match.load()(Batch([Sample("shard.tar", "0", (data,), meta=meta)]))
    assert findings
    assert {each.label for each in findings} <= {*match.labels, "unexamined"}
    assert {PARTIAL, NOT_EFFECTIVE}.isdisjoint(match.conclusive)


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 4000), st.integers(1, 4000)),
    st.tuples(st.integers(0, 2**40), st.integers(0, 2**40)),
    st.integers(0, 2**32),
)
def test_windows_are_few_large_enough_and_named(size: tuple[int, int], recorded: tuple[int, int], seed: int) -> None:
    meta = dict(zip(("original_width", "original_height"), recorded, strict=True))
    grid = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE)).astype(np.float32)
    asked = list(windows(grid, size, meta))
    assert len(asked) <= 32
    for window in asked:
        for low, high in (window.rows, window.columns):
            assert -0.5 <= low < high <= 1.5
            assert high - low > 0.25
    assert len(list(parts(grid, size, meta))) == len(asked)


def crop(image: Image.Image) -> tuple[Pixels, dict[str, Any]]:
    """What img2dataset's resize_mode=center_crop makes, and records."""
    return np.asarray(ImageOps.fit(image, (256, 256))), {"original_width": image.width, "original_height": image.height}


def doubted(source: ListSource, picture: Pixels, meta: dict[str, Any]) -> list[tuple[str, float | None]]:
    batch = Batch([Sample("shard.tar", "0", meta=meta)])
    batch._views[0].__dict__["rasters"] = Rasters((Raster(picture, "as stored"),))
    (findings,) = PerceptualMatch(lists=(source,)).load()(batch)
    return [(each.form, each.value) for each in findings if each.label == NOT_EFFECTIVE]


def test_a_centre_crop_says_that_no_match_means_little(source: ListSource) -> None:
    assert doubted(source, *crop(Image.fromarray(pixels(FLOWER)))) == [("cropped", 66.7)]


@pytest.mark.parametrize("size", [(640, 427), (320, 214), (256, 171), (427, 640), (1280, 854)])
def test_a_picture_of_the_recorded_shape_is_no_crop(source: ListSource, size: tuple[int, int]) -> None:
    whole = np.asarray(Image.fromarray(pixels(CHINA)).resize(size))
    assert doubted(source, whole, {"original_width": 640, "original_height": 427}) == []


def test_a_square_of_a_square_says_nothing(source: ListSource) -> None:
    assert doubted(source, *crop(Image.fromarray(pixels(ASTRONAUT)))) == []


def test_bars_that_the_record_explains_are_no_crop(source: ListSource) -> None:
    square = Image.new("RGB", (256, 256), (255, 255, 255))
    square.paste(Image.fromarray(pixels(CHINA)).resize((256, 171)), (0, 42))
    file = io.BytesIO()
    square.save(file, "JPEG", quality=95)
    meta = {"original_width": 640, "original_height": 427}
    (findings,) = PerceptualMatch(lists=(source,)).load()(Batch([Sample("s", "0", (file.getvalue(),), meta=meta)]))
    assert [each.label for each in findings] == ["csam"]


@settings(max_examples=200)
@given(st.tuples(st.integers(1, 5000), st.integers(1, 5000)), st.integers(16, 1024))
def test_what_a_crop_keeps_is_its_share_and_resizing_keeps_all(original: tuple[int, int], side: int) -> None:
    meta = dict(zip(("original_width", "original_height"), original, strict=True))
    share = min(original) / max(original)
    assert kept((side, side), meta) == pytest.approx(1.0 if side * (1 - share) < 1 or share > 0.995 else share)
    scale = side / max(original)
    assert kept((max(1, round(original[0] * scale)), max(1, round(original[1] * scale))), meta) == 1.0


def test_flat_parts_are_of_no_quality() -> None:
    half = np.concatenate((pixels(CAT), plain(300, 451)))
    found = {
        each.form: each.quality
        for each in fingerprints((), {}, Rasters((Raster(half, "x"),)))
        if each.kind == PART and each.form.endswith(("x, lower half", "x, upper half"))
    }
    assert found.get("x, lower half", 0) == 0
