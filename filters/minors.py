"""Does it depict a minor? The lowest apparent age among the faces, and doubt where no age can be told from a face.

The age model is a placeholder that ranks: on seven apparent minors it missed one at an age below 27 and three below 18.
It sees faces only; a minor who is turned away, masked or drawn has none.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from filters.faces import Face, FaceDetector, aligned
from filters.finding import PIXELS, Examine, Finding, Material
from filters.policy import UNEXAMINED
from filters.rasters import Raster, Rasters
from filters.sample import Batch
from filters.views import unseen
from filters.weights import AGE, CENTERFACE, session

APPARENT_AGE = "apparent-age"
NO_USABLE_FACE = "no-usable-face"
SMALL_FACE = "small-face"

SIDE = 64  # pixels of the network's input
MEAN_RGB = np.array([122.781998, 117.000999, 104.297997], dtype=np.float32)
AGES = np.array([0.25, *range(1, 81)])  # years that each of the 81 outputs stands for


@dataclass(frozen=True, slots=True)
class FacesAndAge:
    """Find the faces of every picture and estimate the age that each appears to have.

    "apparent-age" is the lowest expected age, in years, of the faces whose box is `min_face_pixels` or more on its
    shorter side, over all pictures of the sample. "small-face" gives the side in pixels of the largest face below
    that, whose age would be noise. "no-usable-face" says that no picture of the sample shows a face of that size. The
    last two are doubt, not evidence.
    """

    name: Literal["minors"] = "minors"
    min_face_pixels: int = 40

    @property
    def conclusive(self) -> tuple[str, ...]:
        """No age ends the examination."""
        return ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it may use."""
        return (APPARENT_AGE, NO_USABLE_FACE, SMALL_FACE, UNEXAMINED)

    @property
    def looks_at(self) -> str:
        """Pictures themselves: a corpus without any has nothing for it."""
        return PIXELS

    def materials(self) -> tuple[Material, ...]:
        """Return the weights of detector and age model, checked."""
        return (CENTERFACE.material(), AGE.material())

    def load(self) -> Examine:
        """Return the function that examines, or raise ModelError."""
        detect, network = FaceDetector(), session(AGE.path())

        def examine(batch: Batch) -> Sequence[tuple[Finding, ...]]:
            return [self._findings(detect, network, batch.rasters(row)) for row in range(len(batch))]

        return examine

    def _findings(self, detect: FaceDetector, network: Any, pictures: Rasters) -> tuple[Finding, ...]:
        found = unseen(self.name, pictures)
        if not pictures.rasters:
            return found
        usable: list[tuple[float, str]] = []
        small: list[tuple[float, str]] = []
        for raster in pictures.rasters:
            try:
                faces = detect(raster.pixels)
            except ArithmeticError:
                usable.append((math.nan, raster.form))
                continue
            small.extend((face.pixels, raster.form) for face in faces if face.pixels < self.min_face_pixels)
            large = [face for face in faces if face.pixels >= self.min_face_pixels]
            usable.extend((age, raster.form) for age in _ages(network, raster, large))
        return (*self._ages(usable), *self._small(small), *found)

    def _ages(self, usable: Sequence[tuple[float, str]]) -> Iterable[Finding]:
        if not usable:
            yield Finding(self.name, NO_USABLE_FACE, source=CENTERFACE.name)
            return
        # An age that is not a number goes first: the sample is unexamined then, whatever the others say.
        age, form = min(usable, key=lambda each: (not math.isnan(each[0]), each[0]))
        yield Finding(self.name, APPARENT_AGE, value=round(age, 1), source=AGE.name, form=form)

    def _small(self, small: Sequence[tuple[float, str]]) -> Iterable[Finding]:
        if small:
            pixels, form = max(small)
            yield Finding(self.name, SMALL_FACE, value=round(pixels, 1), source=CENTERFACE.name, form=form)


def _ages(network: Any, raster: Raster, faces: Sequence[Face]) -> list[float]:
    """Return the expected age, in years, of each face."""
    return [expected_age(network, aligned(raster.pixels, face, SIDE)) for face in faces]


def expected_age(network: Any, face: NDArray[np.uint8]) -> float:
    """Return the mean, in years, of the distribution over ages that the network gives for a face (64, 64, 3)."""
    values = (face.astype(np.float32) - MEAN_RGB) / np.float32(256)
    shares = network.run(None, {"images": np.ascontiguousarray(values.transpose(2, 0, 1)[None])})[0][0]
    return float(shares.astype(np.float64) @ AGES)
