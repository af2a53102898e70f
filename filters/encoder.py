"""One image embedding per picture, from an operator's CLIP checkpoint, shared by every head that scores it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from filters.engines import AT_ONCE
from filters.errors import ModelError
from filters.finding import PIXELS, Finding, Material
from filters.heads import Head, HeadSource, problems
from filters.policy import UNEXAMINED
from filters.precision import AUTO, Precision, settled
from filters.probes import load_probe
from filters.prompts import read_prompts
from filters.rasters import Rasters
from filters.sample import Batch
from filters.scorers import chosen, load_scorer
from filters.texts import text_tower
from filters.towers import Configuration, Tower, configured, described, tower
from filters.views import CROPPED_UP_TO, SQUASHED_UP_TO, unseen, views
from filters.weights import TENSORS, checked


@dataclass(frozen=True, slots=True)
class ClipEncoder:
    """Score every picture with heads over one CLIP embedding, the highest of a sample counting for each head.

    `model` is a model name of open_clip or the path of its JSON configuration, `pretrained` open_clip's tag of the
    weights where the model has several; `checkpoint` the local weight file in open_clip's naming, and `sha256` its
    pinned hex digest. `precision` is what to compute in; it is recorded with the weights, not with the policy. Where
    the model crops, a picture more than 1.2 times as long as wide is embedded in overlapping squares as well.
    """

    name: Literal["encoder"] = "encoder"
    model: str = "ViT-B-32"
    pretrained: str = ""
    checkpoint: str = ""
    sha256: str = ""
    heads: tuple[HeadSource, ...] = ()
    precision: Precision = field(default=AUTO, metadata={"recorded": False})

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

    def settled(self, before: Sequence[Material] = ()) -> "ClipEncoder":
        """Return the filter with the precision to compute at: what `before` records, else what suits this machine.

        Raises ModelError when that cannot be had here.
        """
        told = described(self._configuration)
        if self.precision != AUTO:
            return replace(self, precision=settled(self.precision, told.vision))
        known = [each for each in before if (each.name, each.sha256) == (told.name, self.sha256.lower())]
        earlier = known[0].version.rpartition(", ")[2] if known else AUTO
        wanted: Precision = next((each for each in AT_ONCE if each == earlier), AUTO)
        return replace(self, precision=settled(wanted, told.vision))

    def materials(self) -> tuple[Material, ...]:
        """Return checkpoint, configuration and heads, checked, or raise ModelError or PolicyError."""
        self._check()
        here = self.settled()
        configuration = self._configuration
        release = f"open_clip {version('open_clip_torch')}"
        at = f"{release}, {here.precision}"
        found = [Material("weights", configuration.name, at, self.sha256.lower(), calibrated=False)]
        if configuration.sha256:
            found.append(Material("weights", f"{configuration.name} configuration", release, configuration.sha256))
        return (*found, *dict.fromkeys(_material(head) for head in self.heads))

    def load(self) -> "Encoded":
        """Return the function that examines, or raise ModelError or PolicyError."""
        self._check()
        configuration, here = self._configuration, self.settled()
        built = tower(configuration, Path(self.checkpoint), here.precision)
        embedding = f"{built.name}/{built.dimension}@{self.sha256[:12].lower()}"
        return Encoded(self.name, embedding, built, self._loaded(embedding, built.dimension))

    @property
    def _configuration(self) -> Configuration:
        return configured(self.model, self.pretrained)

    def _loaded(self, embedding: str, dimension: int) -> tuple[Head, ...]:
        texts = text_tower(self._configuration, Path(self.checkpoint)) if any(h.prompts for h in self.heads) else None
        found = []
        for head in self.heads:
            if head.prompts and texts is not None:
                found.append(texts.head(head, read_prompts(head)))
            else:
                found.append((load_scorer if head.scorer else load_probe)(head, embedding, dimension))
        return tuple(found)

    def _check(self) -> None:
        problems(self.heads, (UNEXAMINED,))
        if not self.checkpoint:
            raise ModelError(
                f"the encoder {self.model} has no weights: none install with a package, and there is never a download "
                "inside a run. Run `shardwall weights fetch` beforehand; give its checkpoint and sha256 in the policy."
            )
        if Path(self.checkpoint).suffix.lower() == ".onnx":
            raise ModelError("the encoder reads a safetensors checkpoint, not ONNX. Export the model to safetensors.")
        checked(self.checkpoint, self.sha256, TENSORS)


class Encoded:
    """The encoder, loaded: it embeds pictures, and examines batches with its heads.

    `embedding` names what comes out, model/dimension@checkpoint: a head says by it what it was fitted on.
    """

    def __init__(self, name: str, embedding: str, built: Tower, heads: tuple[Head, ...]) -> None:
        self.embedding = embedding
        self.precision = built.precision
        self._name, self._tower, self._heads = name, built, heads
        self._at_once = AT_ONCE[built.precision]

    def embed(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return normalised embeddings (n, d) of pictures (height, width, 3), each as if it were embedded alone."""
        found = np.empty((len(pictures), self._tower.dimension), dtype=np.float32)
        for start in range(0, len(pictures), self._at_once):
            found[start : start + self._at_once] = self._embed(pictures[start : start + self._at_once])
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
        shown_up_to = CROPPED_UP_TO if self._tower.preprocess.crops else SQUASHED_UP_TO
        return [
            (pixels, raster.form + suffix)
            for raster in pictures.rasters
            for pixels, suffix in views(raster.pixels, shown_up_to)
        ]

    def _embed(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        import torch

        shown = self._tower.preprocess([_bounded(each) for each in pictures])
        padding = torch.zeros((self._at_once - len(pictures), *shown.shape[1:]))
        vectors = self._tower.network(torch.cat([shown, padding]))[: len(pictures)]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        lengths[lengths == 0] = np.nan  # has no direction: not a number, and so unexamined
        normalised: NDArray[np.float32] = vectors / lengths
        return normalised


def _material(head: HeadSource) -> Material:
    if head.prompts:
        return read_prompts(head).material()
    if head.scorer:
        return chosen(head).material()
    checked(head.path, head.sha256, TENSORS)
    return Material("weights", f"head {head.label}", "", head.sha256.lower(), calibrated=False)


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
