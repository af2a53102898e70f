"""Where the faces of a picture are, and how large: CenterFace, decoded here.

A face is a box and five landmarks, used at once and forgotten: nothing here tells one person from another.
"""

from dataclasses import dataclass, field
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from filters.weights import CENTERFACE, session

THRESHOLD = 0.3  # low on purpose: a face too many costs a look, a face too few costs the safeguard
OVERLAP = 0.3  # of intersection over union, above which two boxes are one face
MAX_PIXELS = 1024 * 1024  # of the input; the detector was measured on pictures up to this size
STRIDE = 4  # pixels of the input for one cell of the heat map
MULTIPLE = 32  # the input's sides are multiples of this

# Where eyes, nose tip and mouth corners lie in an upright face, in sides of its square: the means of landmarks 36-41,
# 42-47, 30, 48 and 54 of `mean_face_shape` in dlib/image_transforms/interpolation.h (Boost licence), 2026-11-21.
UPRIGHT = np.array([[0.22549, 0.21599], [0.75476, 0.21599], [0.49013, 0.51563], [0.25415, 0.78023], [0.72610, 0.78023]])
PADDING = 0.2  # sides of that square, around it
MAX_FINER = 16  # samples along a pixel of the square; bounds the memory that one face takes


@dataclass(frozen=True, slots=True)
class Face:
    """A face: its box (left, top, right, bottom) and landmarks (5, 2) as x, y in pixels of the picture.

    The landmarks are the eyes, the tip of the nose and the corners of the mouth, each pair from left to right.
    """

    box: tuple[float, float, float, float]
    landmarks: NDArray[np.float64] = field(repr=False)
    score: float

    @property
    def pixels(self) -> float:
        """The shorter side of the box."""
        left, top, right, bottom = self.box
        return min(right - left, bottom - top)


class FaceDetector:
    """CenterFace, loaded."""

    def __init__(self) -> None:
        self._session: Any = session(_any_size(CENTERFACE.path().read_bytes()))

    def __call__(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """Return the faces of a picture (height, width, 3), best score first.

        Raises ArithmeticError when the network gives something that is not a number.
        """
        height, width = pixels.shape[:2]
        shrink = min(1.0, float(np.sqrt(MAX_PIXELS / (height * width))))
        columns, rows = (_multiple(side * shrink) for side in (width, height))
        scaled = Image.fromarray(pixels).resize((columns, rows), Image.Resampling.BILINEAR)
        blob = np.asarray(scaled, dtype=np.float32).transpose(2, 0, 1)[None]
        maps = self._session.run(None, {"input.1": np.ascontiguousarray(blob)})
        if not all(np.isfinite(each).all() for each in maps):
            raise ArithmeticError("the face detector gave something that is not a number")
        boxes, landmarks, scores = _decode(*(each[0].astype(np.float64) for each in maps))
        stretch = np.array([width / columns, height / rows])
        boxes = np.clip(boxes * np.tile(stretch, 2), 0, [width, height, width, height])
        return [_face(boxes[i], landmarks[i] * stretch, scores[i]) for i in _best(boxes, scores)]


def _face(box: NDArray[np.float64], landmarks: NDArray[np.float64], score: np.float64) -> Face:
    left, top, right, bottom = (float(side) for side in box)
    return Face((left, top, right, bottom), landmarks, float(score))


def _multiple(side: float) -> int:
    return max(MULTIPLE, ceil(side / MULTIPLE) * MULTIPLE)


def _any_size(model: bytes) -> bytes:
    """Free the sizes that the file declares for its input and outputs; the network works at any.

    In ONNX's protobuf a shape is field 2 and each dimension in it field 1, holding a number as field 1 (0x08). Turned
    into field 3 (0x1a, an annotation, empty), of the same length, the dimension has no size. onnx.proto, 2026-11-21.
    """
    for sizes in ((10, 3, 32, 32), (10, 1, 8, 8), (10, 2, 8, 8), (10, 10, 8, 8)):
        fixed = b"".join(b"\x0a\x02\x08" + bytes([size]) for size in sizes)
        free = b"\x0a\x02\x1a\x00" + fixed[4:8] + b"\x0a\x02\x1a\x00" * 2
        model = model.replace(b"\x12\x10" + fixed, b"\x12\x10" + free)
    return model


def _decode(
    heat: NDArray[np.float64], scale: NDArray[np.float64], offset: NDArray[np.float64], points: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return boxes (n, 4), landmarks (n, 5, 2) and scores (n,) in pixels of the input, as CenterFace encodes them.

    Every map is (channels, rows, columns), and its channels give the vertical before the horizontal.
    """
    row, column = np.nonzero(heat[0] > THRESHOLD)
    sides = np.exp(scale[::-1, row, column]).T * STRIDE
    centres = (np.stack([column, row], axis=1) + offset[::-1, row, column].T + 0.5) * STRIDE
    corners = centres - sides / 2
    relative = points[:, row, column].T.reshape(-1, 5, 2)[:, :, ::-1]
    landmarks = corners[:, None, :] + relative * sides[:, None, :]
    return np.hstack([corners, corners + sides]), landmarks, heat[0, row, column]


def _best(boxes: NDArray[np.float64], scores: NDArray[np.float64]) -> list[int]:
    """Return the rows that remain when, of boxes that overlap, only the one with the best score is kept."""
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    waiting = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while waiting.size:
        first, waiting = int(waiting[0]), waiting[1:]
        kept.append(first)
        low = np.maximum(boxes[first, :2], boxes[waiting, :2])
        high = np.minimum(boxes[first, 2:], boxes[waiting, 2:])
        shared = np.prod(np.clip(high - low, 0, None), axis=1)
        union = areas[first] + areas[waiting] - shared
        waiting = waiting[shared < OVERLAP * np.maximum(union, 1e-9)]
    return kept


def aligned(pixels: NDArray[np.uint8], face: Face, size: int) -> NDArray[np.uint8]:
    """Return the face turned upright in a square of `size` pixels (size, size, 3), black beyond the picture.

    The square is the one that dlib cuts (get_face_chip with a padding of 0.2), found by the similarity that comes
    closest to the five landmarks.
    """
    turn, shift = _similarity((UPRIGHT + PADDING) / (1 + 2 * PADDING) * size, face.landmarks)
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]]) @ turn.T + shift
    left, top = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
    right, bottom = np.maximum(np.ceil(corners.max(axis=0)), 0).astype(int)
    cut = pixels[top : bottom + 1, left : right + 1]
    if cut.size == 0:
        return np.zeros((size, size, 3), dtype=np.uint8)
    # Each pixel of the square is a mean of samples a pixel or less apart, so that no part of a large face is skipped.
    finer = min(MAX_FINER, max(1, ceil(float(np.hypot(*turn[:, 0])))))
    (a, b), (d, e) = turn / finer
    c, f = shift - (left, top)
    matrix = tuple(float(each) for each in (a, b, c, d, e, f))
    sides = (size * finer, size * finer)
    square = Image.fromarray(cut).transform(sides, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    return np.asarray(square.reduce(finer), dtype=np.uint8)


def _similarity(
    here: NDArray[np.float64], there: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rotation with scale (2, 2) and the shift (2,) that bring `here` closest to `there`, both (n, 2)."""
    middle, target = here.mean(axis=0), there.mean(axis=0)
    points, goals = (here - middle) @ [1, 1j], (there - target) @ [1, 1j]
    ratio = np.vdot(points, goals) / np.vdot(points, points)  # least squares, with points as complex numbers
    turn = np.array([[ratio.real, -ratio.imag], [ratio.imag, ratio.real]])
    return turn, target - turn @ middle
