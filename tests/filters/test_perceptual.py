"""A picture on a list is found whatever was done to its file; a picture that is not, is not."""

import hashlib
import io
import pickle
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from filters.bands import SMALL
from filters.errors import ListError
from filters.finding import Finding
from filters.fingerprints import Fingerprint, fingerprints
from filters.hashlists import build
from filters.lists import ListSource
from filters.perceptual import PerceptualMatch
from filters.rasters import Raster, Rasters
from filters.sample import Batch
from tests.filters.photos import ASTRONAUT, CAT, CHINA, COFFEE, EVERY, FLOWER, ROCKET, Pixels, pixels, plain, showing

MakeList = Callable[..., ListSource]
NOTHING: Rasters = Rasters()


def hashes(picture: Pixels) -> dict[str, Fingerprint]:
    """Return the upright PDQ and the pHash of a picture."""
    found = fingerprints((), {}, Rasters((Raster(picture, "x"),)))
    return {each.kind: each for each in found if each.form == "x"}


def line(picture: Pixels, kind: str = "pdq", category: str = "") -> str:
    return f"{hashes(picture)[kind].value.hex()},{kind},{category}"


def away(picture: Pixels, distance: int, kind: str = "pdq", category: str = "", seed: int = 1) -> str:
    """Return a list line that is so many bits from the picture's hash."""
    bits = np.unpackbits(np.frombuffer(hashes(picture)[kind].value, dtype=np.uint8))
    bits[np.random.default_rng(seed).choice(len(bits), distance, replace=False)] ^= 1
    return f"{np.packbits(bits).tobytes().hex()},{kind},{category}"


@pytest.fixture
def make_list(tmp_path: Path) -> MakeList:
    def write(rows: Iterable[str], name: str = "codewords", categories: tuple[str, ...] = ()) -> ListSource:
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join(("hash,algorithm,kind", *rows)))
        columns = (("value", "hash"), ("algorithm", "algorithm"), ("category", "kind"))
        return ListSource(name, str(path), "hashes", "csam", columns=columns, categories=categories)

    return write


def found(source: ListSource, *shown: Rasters | Pixels, min_quality: int = 50) -> list[tuple[Finding, ...]]:
    return list(PerceptualMatch(lists=(source,), min_quality=min_quality).load()(showing(*shown)))


def encoded(image: Image.Image, **options: object) -> Pixels:
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return np.asarray(Image.open(file).convert("RGB"))


def resized(image: Image.Image, side: int) -> Image.Image:
    scale = side / min(image.size)
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)


# What is done to a file, and the form in which its picture is still the listed one.
CHANGES: dict[str, tuple[Callable[[Image.Image], Pixels], str]] = {
    "JPEG quality 92": (lambda image: encoded(image, quality=92), "as stored"),
    "JPEG quality 30": (lambda image: encoded(image, quality=30), "as stored"),
    "grey": (lambda image: np.asarray(image.convert("L").convert("RGB")), "as stored"),
    "short side 256": (lambda image: encoded(resized(image, 256), quality=95), "as stored"),
    "squashed to 224 x 224": (lambda image: np.asarray(image.resize((224, 224))), "as stored"),
    "mirrored": (lambda image: encoded(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)), "as stored, mirrored"),
    "upside down": (lambda image: encoded(image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)), "as stored, flipped"),
    "turned left": (lambda image: encoded(image.transpose(Image.Transpose.ROTATE_90)), "as stored, rotated 270"),
    "turned right": (lambda image: encoded(image.transpose(Image.Transpose.ROTATE_270)), "as stored, rotated 90"),
    "turned about": (lambda image: encoded(image.transpose(Image.Transpose.ROTATE_180)), "as stored, rotated 180"),
    "inverted": (lambda image: encoded(Image.fromarray(255 - np.asarray(image))), "as stored, inverted"),
    "inverted and mirrored": (
        lambda image: encoded(Image.fromarray(255 - np.asarray(image)[:, ::-1])),
        "as stored, mirrored, inverted",
    ),
}


def unsized(form: str) -> str:
    """Leave out of a form at what size the picture was hashed: the nearest of several may be any."""
    return re.sub(", at [^,]*", "", form)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("photo", [CAT, CHINA, COFFEE, ASTRONAUT], ids=lambda photo: photo[1].rpartition("/")[2])
def test_a_listed_photograph_is_found_after_a_change(make_list: MakeList, photo: tuple[str, str], change: str) -> None:
    others = [line(pixels(other)) for other in EVERY if other != photo]
    original = pixels(photo)
    done, form = CHANGES[change]
    ((finding,),) = found(make_list([*others, line(original)]), done(Image.fromarray(original)))
    assert (finding.filter, finding.label, finding.source) == ("perceptual", "csam", "codewords")
    assert unsized(finding.form) == form
    assert finding.entry == f"pdq:{hashes(original)['pdq'].value.hex()}"
    assert finding.value is not None
    assert finding.value <= 31


@pytest.mark.parametrize("photo", EVERY, ids=lambda photo: photo[1].rpartition("/")[2])
def test_a_photograph_that_is_not_listed_is_not_found(make_list: MakeList, photo: tuple[str, str]) -> None:
    others = [line(pixels(other), kind) for other in EVERY if other != photo for kind in ("pdq", "phash")]
    assert found(make_list(others), pixels(photo)) == [()]


def test_a_picture_between_white_bars_is_found_once_they_are_removed(make_list: MakeList) -> None:
    photo = Image.fromarray(pixels(CHINA)).resize((256, 171))
    barred = np.full((256, 256, 3), 255, dtype=np.uint8)  # what img2dataset makes of it by default
    barred[42 : 42 + 171] = np.asarray(photo)
    stored = encoded(Image.fromarray(barred), quality=95)
    source = make_list([line(pixels(CHINA))])
    ((guessed,),) = found(source, stored)
    assert unsized(guessed.form) == "as stored, border removed"
    both = Rasters((Raster(stored, "as stored"), Raster(stored[42 : 42 + 171], "letterbox removed")))
    ((known,),) = found(source, both)
    assert unsized(known.form) == "letterbox removed"


@pytest.mark.parametrize(("distance", "matches"), [(0, 1), (30, 1), (31, 1), (32, 0), (33, 0)])
def test_pdq_matches_up_to_31_bits(make_list: MakeList, distance: int, matches: int) -> None:
    (findings,) = found(make_list([away(pixels(CAT), distance)]), pixels(CAT))
    assert [each.value for each in findings] == [distance] * matches


@pytest.mark.parametrize(("distance", "matches"), [(0, 1), (6, 1), (7, 0)])
def test_phash_matches_up_to_6_bits(make_list: MakeList, distance: int, matches: int) -> None:
    (findings,) = found(make_list([away(pixels(CAT), distance, "phash")]), pixels(CAT))
    assert [(each.value, each.form) for each in findings] == [(distance, "as stored, pHash")] * matches


def test_the_nearest_match_of_each_category_list_and_kind_is_told(make_list: MakeList) -> None:
    cat = pixels(CAT)
    first = make_list(
        [
            *(away(cat, bits, seed=bits) for bits in (20, 4, 12)),
            *(away(cat, bits, category="ncii", seed=bits) for bits in (9, 17)),
            away(cat, 3, "phash"),
        ],
        name="first",
        categories=("ncii",),
    )
    second = make_list([away(cat, 8)], name="second")
    (findings,) = PerceptualMatch(lists=(first, second)).load()(showing(cat))
    told = [(each.source, each.label, each.value, each.form) for each in findings]
    assert told == [
        ("first", "csam", 4, "as stored"),
        ("first", "ncii", 9, "as stored"),
        ("first", "csam", 3, "as stored, pHash"),
        ("second", "csam", 8, "as stored"),
    ]


def test_what_the_authority_says_of_the_nearest_entry_is_told_word_for_word(tmp_path: Path) -> None:
    cat = pixels(CAT)
    rows = [(away(cat, 4, seed=1), "coded two"), (away(cat, 4, seed=1), "coded one"), (away(cat, 9, seed=2), "other")]
    path = tmp_path / "list.csv"
    path.write_text("\n".join(("hash,algorithm,kind,class", *(f"{row},{said}" for row, said in rows))))
    columns = (("value", "hash"), ("algorithm", "algorithm"), ("category", "kind"), ("classification", "class"))
    (findings,) = found(ListSource("codewords", str(path), "hashes", "csam", columns=columns), cat)
    assert [(each.value, each.classification) for each in findings] == [(4, "coded one"), (4, "coded two")]
    assert len({each.entry for each in findings}) == 1


def test_pdq_and_phash_are_never_compared(make_list: MakeList) -> None:
    cat, rocket = pixels(CAT), pixels(ROCKET)
    assert found(make_list([line(cat, "phash"), line(rocket)]), pixels(COFFEE)) == [()]
    with pytest.raises(ListError, match="not 64 hex digits"):
        found(make_list([line(cat, "phash").replace("phash", "pdq")]), cat)


def noisy(share: float) -> Pixels:
    """Return a faint picture: the photograph of a cat, seen through fog."""
    return (np.full(pixels(CAT).shape, 128.0) * (1 - share) + pixels(CAT) * share).astype(np.uint8)


def test_a_blank_picture_is_examined_but_its_hash_says_nothing(make_list: MakeList) -> None:
    assert found(make_list([line(pixels(CAT))]), plain(64, 64)) == [
        (Finding("perceptual", "not-effective", 0, form="low quality"),)
    ]


def test_a_faint_picture_is_told_with_its_quality_and_not_matched(make_list: MakeList) -> None:
    faint = noisy(0.08)
    ((finding,),) = found(make_list([line(faint)]), faint)
    assert (finding.label, 0 < (finding.value or 0) < 50) == ("not-effective", True)
    (findings,) = found(make_list([line(faint)]), faint, min_quality=hashes(faint)["pdq"].quality or 0)
    assert [each.label for each in findings] == ["csam"]


def test_a_picture_too_small_for_a_hash_is_of_no_quality(make_list: MakeList) -> None:
    assert found(make_list([line(pixels(CAT))]), plain(3, 300)) == [
        (Finding("perceptual", "not-effective", 0, form="low quality"),)
    ]


def test_one_good_raster_is_enough_for_quality(make_list: MakeList) -> None:
    two = Rasters((Raster(plain(64, 64), "frame 0"), Raster(pixels(FLOWER), "frame 1")))
    assert found(make_list([line(pixels(CAT))]), two) == [()]


def test_a_picture_that_could_not_be_seen_is_unexamined(make_list: MakeList) -> None:
    source = make_list([line(pixels(CAT))])
    unseen = Finding("perceptual", "unexamined", unexamined="truncated")
    assert found(source, Rasters(unexamined="truncated")) == [(unseen,)]
    ((match, besides),) = found(source, Rasters((Raster(pixels(CAT), "as stored"),), "truncated"))
    assert (match.label, besides) == ("csam", unseen)


def test_a_sample_without_a_picture_is_unexamined(make_list: MakeList) -> None:
    nothing = Finding("perceptual", "unexamined", unexamined="no image")
    assert found(make_list([line(pixels(CAT))]), NOTHING) == [(nothing,)]


def test_neighbours_do_not_matter(make_list: MakeList) -> None:
    source = make_list([line(pixels(CAT)), line(pixels(ROCKET))])
    shown: list[Rasters | Pixels] = [pixels(CAT), NOTHING, pixels(COFFEE), plain(9, 9), pixels(ROCKET)]
    together = found(source, *shown)
    assert together == [found(source, each)[0] for each in shown]
    assert [len(each) for each in together] == [1, 1, 0, 1, 1]
    assert list(PerceptualMatch(lists=(source,)).load()(Batch())) == []


def test_a_long_list_gives_what_a_short_one_gives(make_list: MakeList, tmp_path: Path) -> None:
    others = [f"{hashlib.sha256(str(number).encode()).hexdigest()},pdq," for number in range(SMALL + 1)]
    near = [away(pixels(CAT), bits, seed=bits) for bits in (32, 31, 25)]
    text = make_list([*others, *near])
    build(text, str(tmp_path / "built"))
    folder = ListSource("codewords", str(tmp_path / "built"), "hashes", "csam")
    wanted = found(make_list(near, name="codewords"), pixels(CAT))
    assert [finding.value for finding in wanted[0]] == [25]
    assert found(folder, pixels(CAT)) == wanted


def test_a_filter_without_a_list_or_without_perceptual_hashes_is_refused(make_list: MakeList) -> None:
    with pytest.raises(ListError, match="has no list"):
        PerceptualMatch().load()
    with pytest.raises(ListError, match="none of its lists has a hash of pdq, phash"):
        PerceptualMatch(lists=(make_list([f"{hashlib.md5(b'x').hexdigest()},md5,"]),)).materials()


def test_materials_count_the_perceptual_hashes(make_list: MakeList) -> None:
    source = make_list([line(pixels(CAT)), line(pixels(CAT), "phash"), f"{hashlib.md5(b'x').hexdigest()},md5,"])
    (material,) = PerceptualMatch(lists=(source,)).materials()
    assert material.entries == 2


def test_what_is_partial_or_not_effective_concludes_nothing() -> None:
    one = PerceptualMatch(lists=(ListSource("a", "/nowhere", "hashes", "csam", categories=("ncii",)),))
    assert one.labels == ("csam", "ncii", "partial", "not-effective")
    assert one.conclusive == ("csam", "ncii")
    assert pickle.loads(pickle.dumps(one)) == one
