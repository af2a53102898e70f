"""A hash that is plugged in is asked in every form, matched exactly, and never trusted where it fails."""

import base64
import io
import random
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from filters import plugged
from filters.errors import ListError, ModelError
from filters.finding import NOT_EFFECTIVE, Finding
from filters.fingerprints import DIHEDRAL, SIZED, fingerprints
from filters.forms import whole
from filters.hashlists import build, read_hashes
from filters.hashtables import HashTable
from filters.hashvalues import as_hex
from filters.lists import ListSource, check
from filters.pdq import dihedral
from filters.plugged import PluggedMatch
from filters.rasters import Raster, Rasters
from filters.sample import Batch
from tests.filters.gradients import HASH, PLUGIN
from tests.filters.photos import ASTRONAUT, CAT, CHINA, COFFEE, EVERY, Pixels, pixels, showing
from tests.plugin.gradients import Gradients

MakeList = Callable[..., ListSource]


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(PLUGIN)


def value(picture: Pixels) -> bytes:
    found = HASH.hash(picture)
    assert found
    return found


def row(picture: Pixels, kind: str = "csam", said: str = "") -> str:
    return f"{value(picture).hex()},{kind},{said}"


@pytest.fixture
def make_list(tmp_path: Path) -> MakeList:
    def write(rows: Iterable[str], name: str = "codewords", categories: tuple[str, ...] = ()) -> ListSource:
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join(("Gradients,kind,said", *rows)))
        columns = (("gradients", "Gradients"), ("category", "kind"), ("classification", "said"))
        return ListSource(name, str(path), "hashes", "csam", columns=columns, categories=categories)

    return write


def wanted(*sources: ListSource, reach: float | None = None) -> PluggedMatch:
    return PluggedMatch(hash="gradients", lists=sources, max_distance=reach)


def found(source: ListSource, *shown: Rasters | Pixels, reach: float | None = None) -> list[tuple[Finding, ...]]:
    return list(wanted(source, reach=reach).load()(showing(*shown)))


def jpeg(picture: Pixels) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=80)
    return np.asarray(Image.open(file).convert("RGB"))


CHANGES: dict[str, tuple[Callable[[Pixels], Pixels], str]] = {
    "as it was": (lambda picture: picture, "as stored"),
    "mirrored": (lambda picture: picture[:, ::-1], "as stored, mirrored"),
    "upside down": (lambda picture: picture[::-1], "as stored, flipped"),
    "turned left": (lambda picture: np.rot90(picture), "as stored, rotated 270"),
    "turned about": (lambda picture: np.rot90(picture, 2), "as stored, rotated 180"),
    "turned right": (lambda picture: np.rot90(picture, 3), "as stored, rotated 90"),
    "inverted": (lambda picture: 255 - picture, "as stored, inverted"),
    "inverted and mirrored": (lambda picture: 255 - picture[:, ::-1], "as stored, mirrored, inverted"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("photo", [CAT, ASTRONAUT], ids=lambda photo: photo[1].rpartition("/")[2])
def test_a_listed_photograph_is_found_after_a_change(make_list: MakeList, photo: tuple[str, str], change: str) -> None:
    done, form = CHANGES[change]
    source = make_list([row(pixels(other)) for other in EVERY])
    ((finding,),) = found(source, jpeg(np.ascontiguousarray(done(pixels(photo)))))
    turned = re.sub(", at [^,]*", "", finding.form)  # whatever size is nearest
    assert (finding.filter, finding.label, finding.source, turned) == ("plugged", "csam", "codewords", form)
    assert finding.entry == f"gradients:{value(pixels(photo)).hex()}"
    assert finding.value is not None
    assert 0 <= finding.value <= HASH.default_distance


def test_a_photograph_that_is_not_listed_is_not_found(make_list: MakeList) -> None:
    source = make_list([row(pixels(other)) for other in EVERY if other not in (CAT, COFFEE)])
    assert found(source, pixels(CAT), pixels(COFFEE)) == [(), ()]


def test_a_match_is_conclusive_and_that_no_hash_can_be_taken_is_not(make_list: MakeList) -> None:
    filter_ = wanted(make_list([row(pixels(CAT), "ncii")], categories=("ncii",)))
    assert filter_.conclusive == ("csam", "ncii")
    assert filter_.labels == ("csam", "ncii", NOT_EFFECTIVE)
    ((finding,),) = list(filter_.load()(showing(np.full((64, 64, 3), 90, np.uint8))))
    assert (finding.label, finding.form, finding.unexamined) == (NOT_EFFECTIVE, "no hash", "")


def test_the_nearest_of_each_category_is_told_with_every_classification(make_list: MakeList) -> None:
    picture = pixels(CHINA)
    near = bytearray(value(picture))
    near[0] = (near[0] + 9) % 256
    rows = [row(picture, "csam", "A1"), row(picture, "csam", "B2"), f"{near.hex()},csam,far", f"{near.hex()},ncii,said"]
    (findings,) = found(make_list(rows, categories=("ncii",)), picture)
    told = {(each.label, each.classification, each.value == 0) for each in findings}
    assert told == {("csam", "A1", True), ("csam", "B2", True), ("ncii", "said", False)}


def test_the_distance_of_the_policy_holds_in_place_of_the_makers(make_list: MakeList) -> None:
    picture = pixels(CHINA)
    far = bytearray(value(picture))
    for place in range(40):
        far[place] = 255 - far[place]
    distance = int(HASH.distance(value(picture), np.frombuffer(far, np.uint8)[None])[0])
    source = make_list([f"{far.hex()},csam,"])
    assert distance > HASH.default_distance
    assert found(source, picture) == [()]
    assert found(source, picture, reach=distance - 1) == [()]
    (findings,) = found(source, picture, reach=distance)
    assert [each.value for each in findings] == [distance]


def test_every_form_is_hashed_that_pdq_is_taken_of_and_kept_as_evidence(make_list: MakeList) -> None:
    picture = pixels(COFFEE)[:120, :200]
    barred = Rasters((Raster(picture, "as stored"), Raster(picture[10:90], "unpadded")))
    batch = showing(barred)
    wanted(make_list([row(pixels(CAT))])).load()(batch)
    kept = [each for each in batch.fingerprints(0) if each.kind == "gradients"]
    forms = [each.form for each in batch.fingerprints(0) if each.kind == "pdq" and SIZED not in each.form]
    assert sorted(each.form for each in kept) == sorted([*forms, *(f"{form}, inverted" for form in forms)])
    assert {each.form: each.value for each in kept}["unpadded, mirrored"] == value(
        np.ascontiguousarray(picture[10:90, ::-1])
    )
    wanted(make_list([row(pixels(CAT))])).load()(batch)
    assert [each for each in batch.fingerprints(0) if each.kind == "gradients"] == kept  # once, however often asked


def test_turns_are_those_by_whose_names_pdq_goes() -> None:
    picture = pixels(ASTRONAUT)
    expected, _ = dihedral(picture)
    for name, turn, bits in zip(DIHEDRAL, plugged._TURNS, expected, strict=True):
        again, _ = dihedral(np.ascontiguousarray(turn(picture)))
        assert np.bitwise_count(again[0] ^ bits).sum() <= 16, name  # PDQ's own forms are computed, not turned


def test_the_pictures_are_those_of_pdq_at_their_own_size() -> None:
    picture = Image.fromarray(pixels(COFFEE)).resize((150, 100))
    shown = Rasters((Raster(np.asarray(picture), "as stored"), Raster(np.zeros((3, 3, 3), np.uint8), "dot")))
    meta = {"original_width": 600, "original_height": 400}
    forms = [each.raster.form for each in whole(shown.rasters)]
    hashed = {each.form for each in fingerprints((), meta, shown) if each.kind == "pdq" and SIZED not in each.form}
    assert hashed == {f"{form}, {turned}" if turned else form for form in forms for turned in DIHEDRAL}


# A plug-in that fails


class Failing(Gradients):
    """Gradients that fail at one step."""

    def __init__(self, step: str, answer: Any) -> None:
        self._step, self._answer = step, answer

    def _told(self, step: str, honest: Any) -> Any:
        if step != self._step:
            return honest
        if isinstance(self._answer, BaseException):
            raise self._answer
        return self._answer

    def hash(self, pixels: Any) -> Any:
        return self._told("hash", super().hash(pixels))

    def distance(self, query: Any, entries: Any) -> Any:
        return self._told("distance", super().distance(query, entries))


FAILURES: list[tuple[str, Any, str]] = [
    ("hash", RuntimeError("codeword-secret"), "hashing failed with RuntimeError"),
    ("hash", SystemExit(1), "hashing failed with SystemExit"),
    ("hash", MemoryError(), "hashing failed with MemoryError"),
    ("hash", b"short", "hash of the wrong length"),
    ("hash", bytes(145), "hash of the wrong length"),
    ("hash", "0" * 144, "hash of the wrong length"),
    ("distance", ValueError("codeword-secret"), "comparing failed with ValueError"),
    ("distance", np.zeros(7), "comparing failed with ValueError"),
    ("distance", np.array([np.nan]), "comparing failed with ValueError"),
    ("distance", np.array([-1]), "comparing failed with ValueError"),
    ("distance", np.array(["near"]), "comparing failed with ValueError"),
    ("distance", None, "comparing failed with ValueError"),
]


@pytest.mark.parametrize(("step", "answer", "why"), FAILURES)
def test_a_plug_in_that_fails_has_examined_nothing(
    make_list: MakeList, monkeypatch: pytest.MonkeyPatch, step: str, answer: Any, why: str
) -> None:
    monkeypatch.setattr(plugged, "plug_in", lambda _: Failing(step, answer))
    (findings,) = found(make_list([row(pixels(CAT))]), pixels(CHINA))
    assert [(each.label, each.unexamined) for each in findings] == [("unexamined", why)]
    assert "codeword-secret" not in repr(findings)


def test_where_it_fails_at_one_form_the_others_still_match(
    make_list: MakeList, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Upright(Gradients):
        def hash(self, pixels: Any) -> Any:
            if not np.array_equal(pixels, shown):
                raise RuntimeError
            return super().hash(pixels)

    shown = pixels(CAT)
    monkeypatch.setattr(plugged, "plug_in", lambda _: Upright())
    (findings,) = found(make_list([row(shown)]), shown)
    assert [each.label for each in findings] == ["csam", "unexamined"]


def test_a_plug_in_cannot_change_a_picture_or_a_list(make_list: MakeList, monkeypatch: pytest.MonkeyPatch) -> None:
    class Scribbling(Gradients):
        def hash(self, pixels: Any) -> Any:
            told = super().hash(pixels)
            pixels[:] = 0
            return told

        def distance(self, query: Any, entries: Any) -> Any:
            told = super().distance(query, entries)
            entries[:] = 0
            return told

    picture = pixels(CAT).copy()
    before = picture.copy()
    monkeypatch.setattr(plugged, "plug_in", lambda _: Scribbling())
    (findings,) = found(make_list([row(pixels(CAT))]), picture)
    assert np.array_equal(picture, before)
    assert [each.unexamined for each in findings] == ["comparing failed with ValueError"]


def test_what_could_not_be_seen_is_unexamined(make_list: MakeList) -> None:
    source = make_list([row(pixels(CAT))])
    (nothing, half) = found(source, Rasters(), Rasters((Raster(pixels(CHINA), "as stored"),), "truncated"))
    assert [each.unexamined for each in nothing] == ["no image"]
    assert [each.unexamined for each in half] == ["truncated"]
    assert list(wanted(source).load()(Batch())) == []


# Exactness


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 5), st.integers(0, 6000))
def test_the_nearest_in_blocks_is_the_nearest_of_all(seed: int, count: int, block: int, reach: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.unique(rng.integers(0, 60, (count, 144), dtype=np.uint8), axis=0)
    categories = rng.integers(0, 3, len(values)).astype(np.uint16)
    table = HashTable(values, categories, np.zeros(len(values), np.uint32))
    query = rng.integers(0, 60, 144, dtype=np.uint8).tobytes()
    distances = HASH.distance(query, values)
    expected = {}
    for category in np.unique(categories[distances <= reach]):
        rows = np.flatnonzero((categories == category) & (distances <= reach))
        best = rows[np.argmin(distances[rows])]
        expected[int(category)] = (float(distances[best]), int(best))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plugged, "BLOCK_BYTES", 144 * block)
        best_of: dict[int, tuple[float, int]] = {}
        for category, distance, entry in plugged._near(HASH, query, table, reach):
            best_of[category] = min(best_of.get(category, (distance, entry)), (distance, entry))
    assert best_of == expected


# Lists


def spelled(raw: bytes) -> Iterator[tuple[str, str]]:
    yield "hex", raw.hex()
    yield "capitals", raw.hex().upper()
    yield "base64", base64.b64encode(raw).decode()
    yield "decimal", '"' + ",".join(map(str, raw)) + '"'
    yield "decimal with blanks", '"' + ", ".join(map(str, raw)) + '"'


@pytest.mark.parametrize("spelling", dict(spelled(b"")))
def test_a_list_may_spell_its_values_in_hex_base64_or_decimal(make_list: MakeList, spelling: str) -> None:
    raw = value(pixels(CAT))
    source = make_list([f"{dict(spelled(raw))[spelling]},csam,"])
    assert read_hashes(source).tables["gradients"].values.tobytes() == raw
    (findings,) = found(source, pixels(CAT))
    assert [each.entry for each in findings] == [f"gradients:{raw.hex()}"]


@given(st.binary(min_size=8, max_size=200))
def test_every_spelling_of_a_value_is_that_value(raw: bytes) -> None:
    for _, text in spelled(raw):
        assert as_hex("codeword", text.strip('"'), len(raw)).lower() == raw.hex()


@given(st.text(max_size=40) | st.lists(st.integers(-9, 999), max_size=9).map(lambda some: ",".join(map(str, some))))
def test_what_is_no_value_is_left_as_it_stands_or_has_another_length(text: str) -> None:
    told = as_hex("codeword", text, 144)
    assert told == text or len(told) != 288


WRONG = ["00" * 144, "ab" * 143, "QUJD", ",".join(["256"] * 144), "codeword-secret", "é" * 288]


@pytest.mark.parametrize("text", WRONG)
def test_a_value_of_another_length_and_a_placeholder_are_faults(make_list: MakeList, text: str) -> None:
    source = make_list([row(pixels(CAT)), f'"{text}",csam,'])
    with pytest.raises(ListError, match=r"\(line 3\)") as caught:
        found(source, pixels(CAT))
    assert text not in str(caught.value)


def test_a_compiled_list_is_mapped_and_finds_the_same(make_list: MakeList, tmp_path: Path) -> None:
    shuffled = list(EVERY)
    random.Random(1).shuffle(shuffled)
    source = make_list([row(pixels(each)) for each in shuffled])
    build(source, str(tmp_path / "built"))
    folder = ListSource("codewords", str(tmp_path / "built"), "hashes", "csam")
    assert isinstance(read_hashes(folder).tables["gradients"].values, np.memmap)
    assert found(folder, pixels(CAT), pixels(CHINA)) == found(source, pixels(CAT), pixels(CHINA))
    assert check(folder).entries == (("gradients", len(EVERY)),)


def test_a_length_that_is_no_multiple_of_four_is_kept_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("filters.hashvalues.length_of", {"odd": 13}.get)
    rng = np.random.default_rng(3)
    raws = sorted(rng.bytes(13) for _ in range(40))
    (tmp_path / "odd.csv").write_text("\n".join(["odd", *(raw.hex() for raw in reversed(raws))]))
    source = ListSource("x", str(tmp_path / "odd.csv"), "hashes", "csam", columns=(("odd", "odd"),))
    assert [each.tobytes() for each in read_hashes(source).tables["odd"].values] == raws


# Where the hash is not plugged in


def test_a_policy_that_names_a_hash_nobody_plugs_in_is_told_so_before_anything_is_read(make_list: MakeList) -> None:
    missing = PluggedMatch(lists=(make_list([row(pixels(CAT))]),))
    for step in (missing.materials, missing.load):
        with pytest.raises(ModelError, match=r"the hash 'photodna' cannot be used: an installed package must offer it"):
            step()


def test_lists_without_the_hash_are_refused_by_the_filter(tmp_path: Path) -> None:
    (tmp_path / "md5.txt").write_text("0123456789abcdef0123456789abcdef\n")
    source = ListSource("codewords", str(tmp_path / "md5.txt"), "hashes", "csam")
    with pytest.raises(ListError, match="filter 'plugged': none of its lists has a hash of gradients"):
        wanted(source).materials()
    with pytest.raises(ListError, match="'plugged' has no list"):
        wanted().materials()


def test_photodna_on_a_list_is_counted_and_no_fault_where_nothing_is_plugged_in(tmp_path: Path) -> None:
    raw = np.random.default_rng(1).bytes(144)
    path = tmp_path / "vic.csv"
    path.write_text(f"MD5,PhotoDNA\n{raw[:16].hex()},{base64.b64encode(raw).decode()}\n,{raw.hex()}\n")
    health = check(ListSource("vic", str(path), "hashes", "csam", columns=(("md5", "MD5"), ("photodna", "PhotoDNA"))))
    assert (health.entries, health.unmatched, health.problem) == ((("md5", 1),), (("photodna", 2),), "")
    path.write_text(f"kind,value\nPhotoDNA,{raw.hex()}\n")
    columns = (("algorithm", "kind"), ("value", "value"))
    health = check(ListSource("vic", str(path), "hashes", "csam", columns=columns))
    assert health.unmatched == (("photodna", 1),)
    assert health.problem.startswith("it has no entry of a kind that is matched here, and 1 of others")


def test_a_list_that_was_compiled_with_the_hash_serves_others_without_it(
    make_list: MakeList, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "both.csv"
    path.write_text(f"a,b\n{value(pixels(CAT)).hex()},0123456789abcdef0123456789abcdef\n")
    source = ListSource("both", str(path), "hashes", "csam", columns=(("gradients", "a"), ("md5", "b")))
    build(source, str(tmp_path / "built"))
    folder = ListSource("both", str(tmp_path / "built"), "hashes", "csam")
    assert list(read_hashes(folder).tables) == ["gradients", "md5"]
    monkeypatch.setattr("filters.hashvalues.length_of", lambda _: None)
    assert list(read_hashes(folder).tables) == ["md5"]
