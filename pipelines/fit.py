"""Fit a linear probe on labelled embeddings: a logistic regression, whose strength cross-validation chooses."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filters.errors import ModelError
from pipelines.commit import sha256_of, whole
from pipelines.embed import Embeddings, read

COLUMNS = ("key", "label")
LEAST = 20  # samples of each label; fewer could not even be shared out to the folds
FOLDS = 5
STRENGTHS = tuple(10.0**power for power in range(-1, 4))  # C of scikit-learn: how little the weights are held back
SEED = 20_261_122


@dataclass(frozen=True, slots=True)
class Fitted:
    """A probe that was written: on how many samples, and its area under the ROC curve where it had not seen them."""

    sha256: str
    positives: int
    negatives: int
    unlabelled: int
    strength: float
    area: float


def fit(embeddings: Path, labels: Path, output: Path) -> Fitted:
    """Fit a probe on the embeddings that have a label (1 or 0) and write it to `output` (.safetensors).

    `labels` is CSV with the columns key and label, and shard where keys repeat. Raises ModelError.
    """
    from sklearn.linear_model import LogisticRegression

    if output.suffix != ".safetensors":
        raise ModelError(f"the head cannot be written to {output.name}: give a name that ends in .safetensors.")
    have = read(embeddings)
    rows, wanted = _matched(have, _labels(labels), labels.name)
    vectors = have.vectors[rows].astype(np.float64)
    strength, area = _chosen(vectors, wanted)
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=5000).fit(vectors, wanted)
    positives = int(wanted.sum())
    facts = {
        "embedding": have.name,
        "precision": have.precision,
        "fitted": f"scikit-learn {version('scikit-learn')}, C={strength:g}",
        "samples": f"{positives} positive, {len(wanted) - positives} negative",
    }
    _write(output, model.coef_.astype(np.float32), model.intercept_.astype(np.float32), facts)
    left = len(have.keys) - len(rows)
    return Fitted(sha256_of(output), positives, len(wanted) - positives, left, strength, area)


def _chosen(vectors: NDArray[np.float64], wanted: NDArray[np.int64]) -> tuple[float, float]:
    """Return the strength with the least log loss over the folds, and the area under the ROC curve with it."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss, roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    found = []
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, class_weight="balanced", max_iter=5000)
        scores = cross_val_predict(model, vectors, wanted, cv=folds, method="predict_proba")[:, 1]
        found.append((float(log_loss(wanted, scores)), strength, float(roc_auc_score(wanted, scores))))
    _, best, area = min(found)
    return best, area


def _labels(path: Path) -> dict[tuple[str, str], int]:
    """Return the label of each (shard, key); the shard is empty where the file has no such column."""
    found: dict[tuple[str, str], int] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if not set(COLUMNS) <= set(reader.fieldnames or ()):
                raise ModelError(f"the labels {path.name} lack a column. They need key and label, and may have shard.")
            for number, row in enumerate(reader, start=2):
                label = (row["label"] or "").strip()
                place = ((row.get("shard") or "").removesuffix(".tar"), row["key"] or "")
                if label not in ("0", "1") or found.get(place, int(label)) != int(label):
                    raise ModelError(
                        f"the labels {path.name} cannot be used: line {number} has a label that is neither 0 nor 1, or "
                        "contradicts an earlier line. Correct it."
                    )
                found[place] = int(label)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ModelError(f"the labels {path.name} cannot be read ({type(error).__name__}). Give a CSV file.") from None
    return found


def _matched(have: Embeddings, labels: Mapping[tuple[str, str], int], name: str) -> tuple[list[int], NDArray[np.int64]]:
    """Return the rows of the embeddings that have a label, and those labels."""
    by_key = all(not shard for shard, _ in labels)
    if by_key and len(set(have.keys)) != len(have.keys):
        raise ModelError(f"the labels {name} need a column shard: the same key occurs in several shards.")
    places = [("" if by_key else shard, key) for shard, key in zip(have.shards, have.keys, strict=True)]
    rows = [row for row, place in enumerate(places) if place in labels]
    wanted = np.array([labels[places[row]] for row in rows], dtype=np.int64)
    fewest = min(int(wanted.sum()), len(wanted) - int(wanted.sum())) if rows else 0
    if fewest < LEAST:
        raise ModelError(
            f"a head cannot be fitted on the labels {name}: of the embedded samples {int(wanted.sum())} are labelled 1 "
            f"and {len(wanted) - int(wanted.sum())} are labelled 0, where {LEAST} of each are the least. Label more."
        )
    return rows, wanted


def _write(output: Path, weight: NDArray[np.float32], bias: NDArray[np.float32], facts: Mapping[str, str]) -> None:
    """Write a safetensors file whose bytes, and so whose digest, depend on nothing but what is in it.

    The library puts metadata in random order; the header is 8 bytes of length and JSON (safetensors 0.8.0).
    """
    from safetensors.numpy import save

    made = save({"weight": weight, "bias": bias}, dict(facts))
    length = int.from_bytes(made[:8], "little")
    header = json.dumps(json.loads(made[8 : 8 + length]), sort_keys=True, separators=(",", ":")).encode().ljust(length)
    with whole(output) as temporary:
        temporary.write_bytes(len(header).to_bytes(8, "little") + header + made[8 + length :])
