"""Linear heads: a score 0..1 from an image embedding, read from safetensors."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from filters.errors import ModelError
from filters.weights import checked


@dataclass(frozen=True, slots=True)
class LinearHead:
    """A logistic regression over normalised embeddings, and the label that its score gets.

    `path` is a safetensors file with "weight" (d,) or (1, d), "bias" (1,) and the metadata "embedding": the embedding
    it was fitted on, as `Encoded.embedding` names it. `sha256` is the pinned hex digest of the file.
    """

    label: str
    path: str
    sha256: str = field(repr=False)

    def load(self, embedding: str, dimension: int) -> "Head":
        """Return the head for an embedding of this name and dimension, or raise ModelError."""
        weight, bias, fitted_on = self._read()
        if fitted_on != embedding:
            raise ModelError(
                f"the head {self.label} cannot be used: it was fitted on {fitted_on or 'an unnamed embedding'}, not on "
                f'{embedding}. Fit it again on this encoder, and name that in its metadata as "embedding".'
            )
        if weight.shape != (dimension,) or bias.shape != (1,):
            raise ModelError(
                f"the head {self.label} does not fit: it has weights {weight.shape} and bias {bias.shape}, where the "
                f"embedding has {dimension} numbers. Fit it again on this encoder."
            )
        if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
            raise ModelError(f"the head {self.label} holds weights that are not numbers. Fit it again.")
        return Head(self.label, self.sha256[:12].lower(), weight, float(bias[0]))

    def _read(self) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
        from safetensors import SafetensorError, safe_open

        file = checked(self.path, self.sha256)
        try:
            with safe_open(file, framework="numpy") as stored:
                weight, bias = (np.asarray(stored.get_tensor(each), np.float64) for each in ("weight", "bias"))
                fitted_on = (stored.metadata() or {}).get("embedding", "")
        except (SafetensorError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(
                f'the head {self.label} cannot be read ({type(error).__name__}). Store "weight" and "bias" as float32 '
                "in a safetensors file."
            ) from None
        return (weight[0] if weight.ndim == 2 and len(weight) == 1 else weight), bias.reshape(-1), fitted_on


@dataclass(frozen=True, slots=True)
class Head:
    """A linear head, loaded; `source` is the beginning of its digest."""

    label: str
    source: str
    weight: NDArray[np.float64] = field(repr=False)
    bias: float

    def score(self, embedding: NDArray[np.float32]) -> float:
        """Return the score 0..1 of a normalised embedding (d,), NaN where that is not of numbers."""
        logit = float(self.weight @ embedding.astype(np.float64)) + self.bias
        return 0.5 + 0.5 * math.tanh(logit / 2)
