"""Probes: linear and multi-layer heads in weight files, ours, LAION's and any of their shape.

Layouts, by the names of the tensors:
- "weight", "bias": a logistic regression, as `shardwall head fit` writes it.
- "linear_1.weight", "linear_1.bias", "linear_2...", with "norm.mean" and "norm.variance" or without: ReLU between, a
  logistic function at the end. LAION's detectors for ViT-B-32 and ViT-L-14, converted from Keras.
- "layers.0.weight", "layers.3.weight", ...: a torch Sequential; where two numbers follow each other directly nothing
  lies between the layers, else ReLU; the output is the score itself, cut to 0..1. LAION's detector for ViT-H-14.

LAION: src/models.py of https://github.com/LAION-AI/CLIP-based-NSFW-Detector at 21072a2, read 2026-11-22.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from filters.checkpoints import metadata, tensors
from filters.errors import ModelError
from filters.heads import Head, HeadSource
from filters.weights import TENSORS, checked

LAYER = re.compile(r"(linear_|layers\.)(\d+)\.(weight|bias)")
NORM = ("norm.mean", "norm.variance")
EPSILON = 1e-10  # LAION's, added to the deviation

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Layer:
    """Weights (out, in) and bias (out,) of a layer; `bent` says that ReLU follows."""

    weight: Array = field(repr=False)
    bias: Array = field(repr=False)
    bent: bool


@dataclass(frozen=True, slots=True)
class Probe:
    """A chain of layers; `mean` and `deviation` are taken off the embedding first, `logistic` comes last."""

    layers: tuple[Layer, ...]
    mean: Array | None = field(default=None, repr=False)
    deviation: Array | None = field(default=None, repr=False)
    logistic: bool = True

    def __call__(self, embedding: NDArray[np.float32]) -> float:
        """Return the score 0..1 of an embedding (d,)."""
        value = embedding.astype(np.float32)
        if self.mean is not None and self.deviation is not None:
            value = (value - self.mean) / self.deviation
        for layer in self.layers:
            value = layer.weight @ value + layer.bias
            value = np.maximum(value, 0) if layer.bent else value
        last = float(value[0])
        return 0.5 + 0.5 * math.tanh(last / 2) if self.logistic else _cut(last)


def _cut(value: float) -> float:
    return value if math.isnan(value) else min(1.0, max(0.0, value))


def load_probe(head: HeadSource, embedding: str, dimension: int) -> Head:
    """Return the head of a weight file for an embedding of this name and dimension, or raise ModelError."""
    file = checked(head.path, head.sha256, TENSORS)
    stored = {name: value.float().numpy() for name, value in tensors(file, lambda _: True).items()}
    _refuse_other(head, metadata(file).get("embedding", "") or head.fitted_on, embedding)
    try:
        probe = _probe(stored)
    except (KeyError, ValueError, IndexError):
        raise ModelError(
            f"the head {head.label} cannot be read: it is neither linear (weight, bias) nor of LAION's layouts (norm, "
            "linear_1, ... or layers.0, ...) with one output. Store it so."
        ) from None
    shapes = [layer.weight.shape for layer in probe.layers]
    inner = [(rows, columns) for (rows, _), (_, columns) in pairwise(shapes)]
    if shapes[0][1] != dimension or shapes[-1][0] != 1 or any(rows != columns for rows, columns in inner):
        raise ModelError(
            f"the head {head.label} does not fit: its layers have weights {shapes}, where the embedding has "
            f"{dimension} numbers and the score is one. Fit it again on this encoder."
        )
    if not all(np.isfinite(value).all() for value in stored.values()):
        raise ModelError(f"the head {head.label} holds weights that are not numbers. Fit it again.")
    return Head(head.label, head.sha256[:12].lower(), probe)


def _refuse_other(head: HeadSource, fitted_on: str, embedding: str) -> None:
    """Refuse a head of another encoder; one without a checkpoint's digest may only say which model and dimension."""
    if fitted_on in (embedding, embedding.partition("@")[0]):
        return
    raise ModelError(
        f"the head {head.label} cannot be used: it was fitted on {fitted_on or 'an unnamed embedding'}, not on "
        f"{embedding}. Fit it again on this encoder; of a head that does not say itself what it was fitted on, give "
        f'fitted_on = "{embedding.partition("@")[0]}" in the policy where you know it.'
    )


def _probe(stored: Mapping[str, Array]) -> Probe:
    if set(stored) == {"weight", "bias"}:
        weight = np.atleast_2d(stored["weight"])
        return Probe((Layer(weight, _bias(stored["bias"], weight), bent=False),))
    kinds = {name: LAYER.fullmatch(name) for name in stored if name not in NORM}
    if not all(kinds.values()) or len({found[1] for found in kinds.values() if found}) != 1:
        raise ValueError
    prefix = next(found[1] for found in kinds.values() if found)
    numbers = sorted({int(found[2]) for found in kinds.values() if found})
    layers = []
    for number, after in zip(numbers, [*numbers[1:], None], strict=True):
        weight = stored[f"{prefix}{number}.weight"]
        bent = after is not None and (prefix == "linear_" or after > number + 1)
        layers.append(Layer(weight, _bias(stored[f"{prefix}{number}.bias"], weight), bent))
    if not any(name in stored for name in NORM):
        return Probe(tuple(layers), logistic=prefix == "linear_")
    mean, variance = (stored[name].reshape(-1) for name in NORM)
    if mean.shape != variance.shape or mean.shape != (layers[0].weight.shape[1],):
        raise ValueError
    return Probe(tuple(layers), mean, np.sqrt(variance) + np.float32(EPSILON), prefix == "linear_")


def _bias(bias: Array, weight: Array) -> Array:
    if weight.ndim != 2 or bias.size != len(weight):
        raise ValueError
    return bias.reshape(-1)
