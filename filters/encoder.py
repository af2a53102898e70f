"""One image embedding per picture, from an operator's CLIP checkpoint, shared by every head that scores it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from filters.errors import ModelError, PolicyError
from filters.finding import PIXELS, Finding, Material
from filters.heads import Head, LinearHead
from filters.policy import UNEXAMINED
from filters.rasters import Rasters
from filters.sample import Batch
from filters.towers import Tower, configured, tower
from filters.views import CROPPED_UP_TO, SQUASHED_UP_TO, unseen, views
from filters.weights import checked

# Pictures in one call of the network, always: the last digits of an embedding depend on the size of the batch, not on
# the neighbours or the place in it. Four is as fast as 32 on one thread, and wastes least on the last few.
AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class ClipEncoder:
    """Score every picture with linear heads over a CLIP embedding, the highest of a sample counting for each head.

    `model` is a model name of open_clip or the path of its JSON configuration; `checkpoint` a local safetensors file
    in open_clip's naming, and `sha256` its pinned hex digest. Where the model crops, a picture more than 1.2 times as
    long as wide is embedded in overlapping squares as well.
    """

    name: Literal["encoder"] = "encoder"
    model: str = "ViT-B-32"
    checkpoint: str = ""
    sha256: str = ""
    heads: tuple[LinearHead, ...] = ()

    @property
    def conclusive(self) -> tuple[str, ...]:
        """No score ends the examination."""
        return ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of its heads."""
        return (*(head.label for head in self.heads), UNEXAMINED)

    @property
    def looks_at(self) -> str:
        """Pictures themselves: a corpus without any has nothing for it."""
        return PIXELS

    def materials(self) -> tuple[Material, ...]:
        """Return checkpoint, configuration and heads, checked, or raise ModelError or PolicyError."""
        self._check()
        configuration = configured(self.model)
        release = f"open_clip {version('open_clip_torch')}"
        found = [Material("weights", configuration.name, release, self.sha256.lower(), calibrated=False)]
        if configuration.sha256:
            found.append(Material("weights", f"{configuration.name} configuration", release, configuration.sha256))
        for head in self.heads:
            checked(head.path, head.sha256)
            found.append(Material("weights", f"head {head.label}", "", head.sha256.lower(), calibrated=False))
        return tuple(found)

    def load(self) -> "Encoded":
        """Return the function that examines, or raise ModelError or PolicyError."""
        self._check()
        built = tower(configured(self.model), Path(self.checkpoint))
        embedding = f"{built.name}/{built.dimension}@{self.sha256[:12].lower()}"
        heads = tuple(head.load(embedding, built.dimension) for head in self.heads)
        return Encoded(self.name, embedding, built, heads)

    def _check(self) -> None:
        labels = [head.label for head in self.heads]
        if not labels:
            raise PolicyError("the encoder cannot score: it has no head. Give it one, or leave the filter out.")
        if len(set(self.labels)) != len(self.labels) or "" in labels:
            raise PolicyError("two heads of the encoder share a label, or one has none. Give each its own.")
        if not self.checkpoint:
            raise ModelError(
                f"the encoder {self.model} has no weights: none install with a package, and there is never a download "
                "inside a run. Export a checkpoint to safetensors beforehand; give its path and SHA-256 in the policy."
            )
        if Path(self.checkpoint).suffix.lower() == ".onnx":
            raise ModelError("the encoder reads a safetensors checkpoint, not ONNX. Export the model to safetensors.")
        checked(self.checkpoint, self.sha256)


class Encoded:
    """The encoder, loaded: it embeds pictures, and examines batches with its heads.

    `embedding` names what comes out, model/dimension@checkpoint: a head says by it what it was fitted on.
    """

    def __init__(self, name: str, embedding: str, built: Tower, heads: tuple[Head, ...]) -> None:
        self.embedding = embedding
        self._name, self._tower, self._heads = name, built, heads

    def embed(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return normalised embeddings (n, d) of pictures (height, width, 3), each as if it were embedded alone."""
        found = np.empty((len(pictures), self._tower.dimension), dtype=np.float32)
        for start in range(0, len(pictures), AT_ONCE):
            found[start : start + AT_ONCE] = self._embed(pictures[start : start + AT_ONCE])
        return found

    def __call__(self, batch: Batch) -> Sequence[tuple[Finding, ...]]:
        """Return one tuple of findings per sample, one finding per head."""
        every = [batch.rasters(row) for row in range(len(batch))]
        shown = [self._views(pictures) for pictures in every]
        embedded = self.embed([pixels for row in shown for pixels, _ in row])
        answers, start = [], 0
        for pictures, row in zip(every, shown, strict=True):
            vectors = embedded[start : start + len(row)]
            start += len(row)
            scores = [_highest(self._name, head, vectors, [form for _, form in row]) for head in self._heads if row]
            answers.append((*scores, *unseen(self._name, pictures)))
        return answers

    def _views(self, pictures: Rasters) -> list[tuple[NDArray[np.uint8], str]]:
        shown_up_to = CROPPED_UP_TO if self._tower.crops else SQUASHED_UP_TO
        return [
            (pixels, raster.form + suffix)
            for raster in pictures.rasters
            for pixels, suffix in views(raster.pixels, shown_up_to)
        ]

    def _embed(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            shown = torch.stack([self._tower.transform(Image.fromarray(_bounded(each))) for each in pictures])
            padding = torch.zeros((AT_ONCE - len(pictures), *shown.shape[1:]))
            raw: Any = self._tower.network(torch.cat([shown, padding]))
            vectors: NDArray[np.float32] = raw[: len(pictures)].float().numpy()
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        lengths[lengths == 0] = np.nan  # has no direction: not a number, and so unexamined
        normalised: NDArray[np.float32] = vectors / lengths
        return normalised


def _bounded(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the middle of a strip, at most twice as long as wide: enlarging all of it would take memory without end.

    A model that crops uses no more than the middle anyway; one that squashes is shown the rest in squares.
    """
    height, width = pixels.shape[:2]
    top, left = max(0, height - 2 * width) // 2, max(0, width - 2 * height) // 2
    return pixels[top : height - top, left : width - left]


def _highest(name: str, head: Head, vectors: NDArray[np.float32], forms: Sequence[str]) -> Finding:
    scores = [head.score(vector) for vector in vectors]
    # A score that is not a number goes first: the sample is unexamined then, whatever the others say.
    best = max(range(len(scores)), key=lambda each: (math.isnan(scores[each]), scores[each]))
    return Finding(name, head.label, value=round(scores[best], 5), source=head.source, form=forms[best])
