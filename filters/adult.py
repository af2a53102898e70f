"""Is it adult sexual content? Yahoo's open_nsfw, a score for photographs of it, weak on drawings and partial nudity."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from filters.finding import PIXELS, Examine, Finding, Material
from filters.policy import UNEXAMINED
from filters.rasters import Rasters
from filters.sample import Batch
from filters.views import SQUASHED_UP_TO, unseen, views
from filters.weights import OPEN_NSFW, session

RESIZE, CROP = 256, 224  # pixels
MEAN_BGR = np.array([104, 117, 123], dtype=np.float32)
SCORE = "score"


@dataclass(frozen=True, slots=True)
class OpenNsfw:
    """Score every picture 0..1 for pornography with open_nsfw, the highest of a sample counting.

    The network sees the whole picture squashed to a square, less a margin of 6 % on each side. What is more than 1.5
    times as long as wide is scored in overlapping squares as well, for squashed to a square it is not recognised.
    """

    name: Literal["adult"] = "adult"

    @property
    def conclusive(self) -> tuple[str, ...]:
        """No score ends the examination."""
        return ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it may use."""
        return (SCORE, UNEXAMINED)

    @property
    def looks_at(self) -> str:
        """Pictures themselves: a corpus without any has nothing for it."""
        return PIXELS

    def materials(self) -> tuple[Material, ...]:
        """Return the weights, checked."""
        return (OPEN_NSFW.material(),)

    def load(self) -> Examine:
        """Return the function that examines, or raise ModelError."""
        network = session(OPEN_NSFW.path())

        def examine(batch: Batch) -> Sequence[tuple[Finding, ...]]:
            return [_findings(network, self.name, batch.rasters(row)) for row in range(len(batch))]

        return examine


def _findings(network: Any, name: str, pictures: Rasters) -> tuple[Finding, ...]:
    scores = [
        (_score(network, pixels), raster.form + suffix)
        for raster in pictures.rasters
        for pixels, suffix in views(raster.pixels, SQUASHED_UP_TO)
    ]
    found = unseen(name, pictures)
    if not scores:
        return found
    # A score that is not a number goes first: the sample is unexamined then, whatever the others say.
    score, form = max(scores, key=lambda each: (math.isnan(each[0]), each[0]))
    return (Finding(name, SCORE, value=round(score, 5), source=OPEN_NSFW.name, form=form), *found)


def _score(network: Any, pixels: NDArray[np.uint8]) -> float:
    """One picture a call, for the last digits of a score depend on how many the network is given at once."""
    return float(network.run(None, {"input:0": preprocessed(pixels)[None]})[0][0, 1])


def preprocessed(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what the network is shown of a picture (height, width, 3): float32 (224, 224, 3), BGR, mean taken off.

    The steps are those of classify_nsfw.py (https://github.com/yahoo/open_nsfw, 2016), down to writing a JPEG of
    quality 75 and reading it again: the published scores were made so.
    """
    low, high = (RESIZE - CROP) // 2, (RESIZE + CROP) // 2
    squashed = Image.fromarray(pixels).resize((RESIZE, RESIZE), Image.Resampling.BILINEAR)
    with io.BytesIO() as encoded:
        squashed.crop((low, low, high, high)).save(encoded, format="JPEG", quality=75)
        rgb = np.asarray(Image.open(encoded), dtype=np.float32)
    return np.ascontiguousarray(rgb[:, :, ::-1] - MEAN_BGR)
