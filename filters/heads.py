"""Heads: what turns the one normalised embedding of a picture into a score 0..1 with a label.

A head is a probe in a weight file (filters/probes.py), an ensemble of prompts (filters/prompts.py) or an installed
scorer (filters/scorers.py).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from filters.errors import ModelError, PolicyError

UNIT = 1e-3  # how far from 1 the length of a normalised embedding may be

Judge = Callable[[NDArray[np.float32]], float]  # from a normalised embedding (d,) to a score 0..1


@dataclass(frozen=True, slots=True)
class HeadSource:
    """A head as a policy names it: a label, and one of `path`, `prompts` and `scorer`.

    `path` is a weight file, with `sha256`, its pinned hex digest; `fitted_on` names the embedding it was fitted on
    where the file does not. `prompts` is a prompt file, or the name of a shipped one, and `classes` those of its
    classes that count for this label. `scorer` is the entry point of an installed package, with `sha256` over its
    files.
    """

    label: str
    path: str = ""
    sha256: str = field(default="", repr=False)
    fitted_on: str = ""
    prompts: str = ""
    classes: tuple[str, ...] = ()
    scorer: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """A head, loaded; `source` says which file or scorer it is, by the beginning of its digest."""

    label: str
    source: str
    judge: Judge = field(repr=False)

    def score(self, embedding: NDArray[np.float32]) -> float:
        """Return the score 0..1 of a normalised embedding (d,), NaN where either is not of numbers.

        Raises ModelError for an embedding whose length is not 1: a head was never fitted on such a one.
        """
        length = float(np.linalg.norm(embedding.astype(np.float64)))
        if math.isnan(length):
            return math.nan
        if abs(length - 1) > UNIT:
            raise ModelError(
                f"the head {self.label} cannot score: the embedding is not normalised (its length is {length:.3g}, not "
                "1). Divide it by its length."
            )
        score = float(self.judge(embedding))
        return score if 0 <= score <= 1 else math.nan


def problems(heads: tuple[HeadSource, ...], taken: tuple[str, ...]) -> None:
    """Raise PolicyError where the heads of an encoder do not say what they are; `taken` are labels of others."""
    labels = [head.label for head in heads]
    if not labels:
        raise PolicyError("the encoder cannot score: it has no head. Give it one, or leave the filter out.")
    if len({*labels, *taken}) != len(labels) + len(taken) or "" in labels:
        raise PolicyError("two heads of the encoder share a label, or one has none. Give each its own.")
    for head in heads:
        kinds = [kind for kind in ("path", "prompts", "scorer") if getattr(head, kind)]
        if len(kinds) != 1:
            raise PolicyError(
                f"the head {head.label} of the encoder has {' and '.join(kinds) or 'no source'}. Give it one of `path` "
                "(a weight file), `prompts` (a prompt file) and `scorer` (an installed one)."
            )
        if bool(head.prompts) != bool(head.classes):
            raise PolicyError(
                f"the head {head.label} of the encoder has `prompts` without `classes`, or the other way round. Name "
                "the classes of the prompt file that count for this label."
            )
